// Long chains on a small stack, and the memory of repeated passes.
#include <pthread.h>

#include <cmath>
#include <exception>
#include <functional>
#include <sstream>
#include <utility>

#include "gan/ops/elementwise.hpp"
#include "gan/ops/matmul.hpp"
#include "gan/tensor/autograd.hpp"
#include "gan/tensor/print_graph.hpp"
#include "gan/tensor/random.hpp"
#include "support/catch.hpp"

using gan::Tensor;

namespace {

/// Runs f on a thread with a stack of 256 KiB; what it throws arrives here.
void on_small_stack(const std::function<void()>& f) {
  struct Call {
    const std::function<void()>& f;
    std::exception_ptr error;
  } call{f, nullptr};
  pthread_attr_t attributes;
  pthread_t thread;
  REQUIRE(pthread_attr_init(&attributes) == 0);
  REQUIRE(pthread_attr_setstacksize(&attributes, 256 * 1024) == 0);
  const auto start = [](void* data) -> void* {
    auto& c = *static_cast<Call*>(data);
    try {
      c.f();
    } catch (...) {
      c.error = std::current_exception();
    }
    return nullptr;
  };
  REQUIRE(pthread_create(&thread, &attributes, start, &call) == 0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
  if (call.error) std::rethrow_exception(call.error);
}

constexpr int length = 300000;

Tensor<double> chain(const Tensor<double>& x) {
  auto y = x;
  for (int i = 0; i < length; ++i) y = i % 2 ? y + 1e-6 : y * x;
  return y;
}

std::size_t bytes_in_use() { return gan::BufferCache::instance().statistics().bytes_in_use; }
auto allocations() { return gan::BufferCache::instance().statistics().system_allocations; }

}  // namespace

TEST_CASE("a chain of 300,000 operations: forward, backward and destruction on a small stack") {
  const auto before = bytes_in_use();
  double found = 0, expected = 0;
  on_small_stack([&] {
    const double t = 1 + 1e-6;
    auto x = Tensor<double>::scalar(t).set_requires_grad();
    gan::backward(chain(x));
    found = x.grad().item();
    // y -> y t and dy -> dy t + y, then y -> y + 1e-6.
    double y = t, dy = 1;
    for (int i = 0; i < length; ++i) {
      if (i % 2) {
        y += 1e-6;
      } else {
        dy = dy * t + y;
        y *= t;
      }
    }
    expected = dy;
  });
  REQUIRE(found == Approx(expected).epsilon(1e-9));
  REQUIRE(bytes_in_use() == before);
}

TEST_CASE("a chain of 300,000 operations is destroyed without backward") {
  const auto before = bytes_in_use();
  on_small_stack([] {
    const auto x = Tensor<double>::scalar(1).set_requires_grad();
    const auto y = chain(x);
    const auto other_end = y * x;
  });
  REQUIRE(bytes_in_use() == before);
}

TEST_CASE("a chain of 300,000 operations is kept, then destroyed") {
  const auto before = bytes_in_use();
  on_small_stack([] {
    auto x = Tensor<double>::scalar(1).set_requires_grad();
    const auto y = chain(x);
    gan::backward(y, {.retain_graph = true});
    const auto g = grad(y, x, {.create_graph = true});
    gan::check(g.requires_grad(), "no history");
  });
  REQUIRE(bytes_in_use() == before);
}

TEST_CASE("a backward that throws on a small stack leaves nothing behind") {
  const auto before = bytes_in_use();
  on_small_stack([] {
    auto x = Tensor<double>::scalar(1).set_requires_grad();
    auto w = Tensor<double>::scalar(2).set_requires_grad();
    auto y = chain(x * w);
    w.mutable_data();
    bool thrown = false;
    try {
      gan::backward(y);
    } catch (const gan::Error&) {
      thrown = true;
    }
    gan::check(thrown, "the change was not noticed");
  });
  REQUIRE(bytes_in_use() == before);
}

namespace {

struct Network {
  gan::Rng rng{5};
  Tensor<float> x = gan::normal<float>(rng, {64, 32});
  Tensor<float> w1 = gan::normal<float>(rng, {32, 48}).set_requires_grad();
  Tensor<float> b1 = gan::normal<float>(rng, {48}).set_requires_grad();
  Tensor<float> w2 = gan::normal<float>(rng, {48, 1}).set_requires_grad();

  Tensor<float> scores(const Tensor<float>& input) { return matmul(tanh(linear(input, w1, b1)), w2); }
  void first_order() { gan::backward(sum(softplus(scores(x)))); }
  void second_order() {
    auto input = x.clone().set_requires_grad();
    const auto g = grad(scores(input), input, {.create_graph = true});
    gan::backward(sum(square(g)));
  }
};

}  // namespace

TEST_CASE("in steady state a pass takes no storage from the system") {
  const auto start = bytes_in_use();
  {
    Network network;
    const auto pass = GENERATE(&Network::first_order, &Network::second_order);
    for (int i = 0; i < 3; ++i) (network.*pass)();
    const auto warm = allocations();
    const auto in_use = bytes_in_use();
    for (int i = 0; i < 50; ++i) (network.*pass)();
    REQUIRE(allocations() == warm);
    REQUIRE(bytes_in_use() == in_use);
  }
  REQUIRE(bytes_in_use() == start);
}

TEST_CASE("graphs of any kind leave no cycles") {
  const auto start = bytes_in_use();
  {
    Network network;
    auto input = network.x.clone().set_requires_grad();
    const auto y = network.scores(input);
    const auto g = grad(y, input, {.create_graph = true});  // never differentiated
    const auto h = grad(sum(square(g)), std::vector{network.w1, network.b1}, {.create_graph = true});
    const auto unused = exp(y);  // its history holds its own result for the backward pass
    const auto soft = sigmoid(y), hyperbolic = tanh(y), root = sqrt(square(y)), quotient = y / (square(y) + 1.0);
  }
  REQUIRE(bytes_in_use() == start);
}

TEST_CASE("backward gives the activations back while it runs") {
  auto x = Tensor<float>::full({1 << 16}, 0.5f).set_requires_grad();
  constexpr std::size_t bytes = sizeof(float) << 16;
  const auto before = bytes_in_use();
  auto y = x;
  for (int i = 0; i < 20; ++i) y = tanh(y);
  y = sum(y);
  REQUIRE(bytes_in_use() >= before + 20 * bytes);
  std::size_t late = 0;
  const auto probe = record("probe", x.clone(), {x}, [&](gan::Backward<float>& d) {
    late = bytes_in_use();
    d.give(0, d.grad());
  });
  // The probe is older than the chain below, so it runs when that has been released.
  auto z = probe;
  for (int i = 0; i < 20; ++i) z = tanh(z);
  y = {};
  gan::backward(sum(z));
  REQUIRE(late <= before + 4 * bytes);
  REQUIRE(bytes_in_use() <= before + 3 * bytes + 4096);  // z, probe and the gradient
}

TEST_CASE("history keeps the values that its gradients read, and no others") {
  constexpr gan::Index count = 1 << 18;
  const auto kept = [&](const auto& f) {
    const auto in_use = [] { return gan::BufferCache::instance().statistics().bytes_in_use; };
    const auto before = in_use();
    const auto y = f();
    return static_cast<double>(in_use() - before) / (count * sizeof(float));
  };
  const auto x = Tensor<float>::ones({512, 512}).set_requires_grad();
  const auto w = Tensor<float>::ones({512, 512});
  CHECK(kept([&] { return gan::tanh(x + 1); }) == 1);                    // the sum is read by none
  CHECK(kept([&] { return gan::square(x + 1); }) == 2);                  // here it is
  CHECK(kept([&] { return gan::leaky_relu(gan::matmul(x, w)); }) == 1);  // whose sign is its result's
  CHECK(kept([&] { return gan::matmul(gan::matmul(x, w), w); }) == 1);   // a frozen weight's gradient is not made
  CHECK(kept([&] { return gan::matmul(gan::matmul(x, w), x); }) == 2);   // one that is trained reads the other factor
  CHECK(kept([&] { return (x + 1) * w; }) == 1);
  CHECK(kept([&] { return (x + 1) * x; }) == 2);
  CHECK(kept([&] { return std::pair{x + 1, x + 2}; }) == 2);  // handles keep theirs
  const auto y = gan::tanh(gan::matmul(x + 1, w) * 0.001);
  const auto g = gan::grad(gan::sum(y), x);
  CHECK(gan::all_finite(g));
  CHECK(g.at({3, 4}) == Approx(0.512 * (1 - std::pow(std::tanh(1.024), 2))));
}

TEST_CASE("a gradient may read what it said it would") {
  const auto x = Tensor<float>({2}, {1, 2}).set_requires_grad();
  const auto record_with = [&](gan::Reads reads, auto vjp) {
    return gan::sum(gan::record("mine", x.clone(), {x}, vjp, {}, reads));
  };
  const auto reads_input = [](gan::Backward<float>& d) { d.give(0, d.grad() * d.x(0)); };
  const auto reads_result = [](gan::Backward<float>& d) { d.give(0, d.grad() * d.y()); };
  CHECK(gan::grad(record_with(gan::Reads::input(0), reads_input), x).at({1}) == 2);
  CHECK(gan::grad(record_with(gan::Reads::only_result(), reads_result), x).at({1}) == 2);
  CHECK(gan::grad(record_with({}, reads_result), x).at({1}) == 2);
  CHECK_THROWS_WITH(gan::grad(record_with(gan::Reads::only_result(), reads_input), x),
                    ContainsSubstring("backward of \"mine\": input 0 [2] was not kept"));
  CHECK_THROWS_WITH(gan::grad(record_with(gan::Reads::input(0), reads_result), x),
                    ContainsSubstring("backward of \"mine\": its result [2] was not kept"));
}

TEST_CASE("attributes are not listed where nothing is recorded") {
  const auto x = Tensor<float>({2}, {1, 2}).set_requires_grad();
  int listed = 0;
  const auto mine = [&] {
    return gan::record(
        "mine", x.clone(), {x}, [](gan::Backward<float>& d) { d.give(0, d.grad()); },
        [&listed] {
          return ++listed, gan::AttributeList{{"a", {1}}};
        });
  };
  {
    const gan::NoGrad no_grad;
    mine();
  }
  const auto y = mine();
  CHECK(listed == 0);
  std::ostringstream out;
  gan::print_graph(out, y);
  CHECK(out.str() == "mine a=1 [2] -> [2]\n");
  CHECK(listed == 1);
}
