// All optimizers: against values of an independent script, on Rosenbrock's valley, saved and continued, and misused.
#include "gan/optim/optimizer.hpp"

#include <cmath>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "gan/ops/elementwise.hpp"
#include "gan/ops/slice.hpp"
#include "gan/optim/adam.hpp"
#include "gan/optim/rms_prop.hpp"
#include "gan/optim/sgd.hpp"
#include "gan/tensor/random.hpp"
#include "optim/reference_values.hpp"
#include "support/catch.hpp"
#include "support/threads.hpp"

using namespace gan;

namespace {

template <class T>
using Make = std::function<std::unique_ptr<Optimizer<T>>(NamedTensors<T>)>;

template <template <class> class O, class T>
Make<T> maker(typename O<T>::Options options) {
  return [options](auto parameters) { return std::make_unique<O<T>>(std::move(parameters), options); };
}

template <class T>
struct Case {
  const char* name;
  Make<T> make;
  test::Path expected;
};

/// Every optimizer with the settings of reference.py.
template <class T>
std::vector<Case<T>> cases() {
  return {
      {"adam default", maker<Adam, T>({}), test::reference_adam_default},
      {"adam classic", maker<Adam, T>({.learning_rate = 0.05, .beta1 = 0.9, .beta2 = 0.99, .epsilon = 1e-3}),
       test::reference_adam_classic},
      {"adam without first moment", maker<Adam, T>({.learning_rate = 0.01, .beta1 = 0, .beta2 = 0.9}),
       test::reference_adam_no_first},
      {"adam decay", maker<Adam, T>({.learning_rate = 0.05, .beta1 = 0.9, .weight_decay = 0.1}),
       test::reference_adam_decay},
      {"adam optimistic", maker<Adam, T>({.learning_rate = 0.05, .beta2 = 0.9, .optimistic = true}),
       test::reference_adam_optimistic},
      {"adamw", maker<AdamW, T>({.learning_rate = 0.05, .beta1 = 0.9, .weight_decay = 0.1}), test::reference_adamw},
      {"sgd", maker<Sgd, T>({.learning_rate = 0.1}), test::reference_sgd},
      {"sgd decay", maker<Sgd, T>({.learning_rate = 0.1, .weight_decay = 0.2}), test::reference_sgd_decay},
      {"sgd momentum", maker<Sgd, T>({.learning_rate = 0.1, .momentum = 0.9, .weight_decay = 0.01}),
       test::reference_sgd_momentum},
      {"sgd nesterov", maker<Sgd, T>({.learning_rate = 0.1, .momentum = 0.9, .nesterov = true, .weight_decay = 0.01}),
       test::reference_sgd_nesterov},
      {"rms_prop", maker<RmsProp, T>({.learning_rate = 0.01}), test::reference_rms_prop},
      {"rms_prop decay", maker<RmsProp, T>({.learning_rate = 0.01, .alpha = 0.9, .epsilon = 1e-4, .weight_decay = 0.1}),
       test::reference_rms_prop_decay},
      {"rms_prop momentum", maker<RmsProp, T>({.learning_rate = 0.01, .alpha = 0.9, .epsilon = 1e-4, .momentum = 0.8}),
       test::reference_rms_prop_momentum},
      {"rms_prop centered", maker<RmsProp, T>({.learning_rate = 0.01, .alpha = 0.9, .epsilon = 1e-4, .centered = true}),
       test::reference_rms_prop_centered},
      {"rms_prop centered momentum",
       maker<RmsProp, T>({.learning_rate = 0.01,
                          .alpha = 0.9,
                          .epsilon = 1e-4,
                          .momentum = 0.8,
                          .centered = true,
                          .weight_decay = 0.05}),
       test::reference_rms_prop_centered_momentum},
  };
}

template <class T>
Tensor<T> row_tensor(const test::Row& row) {
  auto x = Tensor<T>::empty({static_cast<Index>(row.size())});
  for (std::size_t i = 0; i < row.size(); ++i) x.mutable_data()[i] = static_cast<T>(row[i]);
  return x;
}

template <class T>
bool same_bits(const Tensor<T>& a, const Tensor<T>& b) {
  return a.shape() == b.shape() && std::equal(a.data(), a.data() + a.size(), b.data());
}

template <class T>
NamedTensors<T> copies(const NamedTensors<T>& tensors) {
  NamedTensors<T> all;
  for (const auto& [name, tensor] : tensors) all.push_back({name, tensor.clone()});
  return all;
}

template <class T>
void require_reference(const Case<T>& c, double tolerance) {
  INFO(c.name);
  auto p = row_tensor<T>(test::reference_start);
  const auto optimizer = c.make({{"p", p}});
  for (std::size_t step = 0; step < c.expected.size(); ++step) {
    p.set_grad(row_tensor<T>(test::reference_gradients[step]));
    optimizer->step();
    for (std::size_t i = 0; i < test::reference_start.size(); ++i) {
      INFO("step " << step << ", element " << i);
      REQUIRE(double(p.data()[i]) == Approx(c.expected[step][i]).epsilon(tolerance).margin(tolerance));
    }
  }
  REQUIRE(optimizer->steps() == static_cast<Index>(c.expected.size()));
}

/// 100 (y - x^2)^2 + (1 - x)^2: a curved valley with its minimum 0 at (1, 1).
Tensor<double> rosenbrock(const Tensor<double>& p) {
  const auto x = slice(p, 0, 0, 1), y = slice(p, 0, 1, 2);
  return sum(100 * square(y - square(x)) + square(1 - x));
}

}  // namespace

TEST_CASE("Optimizers give the values of the reference script", "[optim]") {
  for (const auto& c : cases<double>()) require_reference(c, 1e-12);
  for (const auto& c : cases<float>()) require_reference(c, 2e-5);
}

TEST_CASE("The first step of Adam has the length of the learning rate, whatever the gradient", "[optim]") {
  Tensor<double> p({3}, {0, 0, 0});
  Adam<double> adam({{"p", p}}, {.learning_rate = 0.25});
  p.set_grad(Tensor<double>({3}, {1e5, -1e-2, 3}));
  adam.step();
  REQUIRE(p.at({0}) == Approx(-0.25));
  REQUIRE(p.at({1}) == Approx(0.25));
  REQUIRE(p.at({2}) == Approx(-0.25));
}

TEST_CASE("Optimizers find the end of Rosenbrock's valley", "[optim]") {
  const std::vector<std::pair<Make<double>, int>> runs = {
      {maker<Adam, double>({.learning_rate = 0.02, .beta1 = 0.9}), 4000},
      {maker<AdamW, double>({.learning_rate = 0.02, .beta1 = 0.9, .weight_decay = 0}), 4000},
      {maker<Sgd, double>({.learning_rate = 5e-4, .momentum = 0.9}), 6000},
      {maker<Sgd, double>({.learning_rate = 5e-4, .momentum = 0.9, .nesterov = true}), 6000},
      {maker<RmsProp, double>({.learning_rate = 5e-4, .momentum = 0.9}), 6000},
  };
  for (std::size_t i = 0; i < runs.size(); ++i) {
    INFO("run " << i);
    Tensor<double> p({2}, {-1.2, 1});
    p.set_requires_grad();
    const auto optimizer = runs[i].first({{"p", p}});
    for (int step = 0; step < runs[i].second; ++step) {
      // The last quarter at smaller and smaller rates: the normalized methods otherwise jump around the minimum.
      if (step > 0 && step % (runs[i].second / 8) == 0 && step >= runs[i].second * 3 / 4)
        optimizer->set_learning_rate(optimizer->learning_rate() / 10);
      optimizer->zero_grad();
      backward(rosenbrock(p));
      optimizer->step();
    }
    INFO(p);
    REQUIRE(rosenbrock(p).item() < 1e-3);
  }
}

TEST_CASE("Weight decay of AdamW does not pass through the moments", "[optim]") {
  Tensor<double> p({1}, {2.0});
  AdamW<double> adam({{"p", p}}, {.learning_rate = 0.1, .weight_decay = 0.5});
  p.set_grad(Tensor<double>({1}, {0.0}));
  adam.step();
  REQUIRE(p.item() == Approx(2.0 * (1 - 0.05)));
  for (const auto& [name, moment] : adam.state()) REQUIRE(moment.item() == 0);
}

TEST_CASE("An optimizer continued from its saved state goes on bit by bit", "[optim]") {
  for (const auto& c : cases<float>()) {
    INFO(c.name);
    const auto gradient = [](Index step) {
      Rng rng(5, static_cast<std::uint64_t>(step));
      return normal<float>(rng, {3, 7});
    };
    Rng rng(1);
    const auto start = normal<float>(rng, {3, 7});
    const auto run = [&](Optimizer<float>& optimizer, Tensor<float>& p, Index from, Index to) {
      for (Index step = from; step < to; ++step) {
        p.set_grad(gradient(step));
        optimizer.step();
      }
    };
    auto straight = start.clone(), first = start.clone();
    const auto whole = c.make({{"p", straight}}), half = c.make({{"p", first}});
    run(*whole, straight, 0, 20);
    run(*half, first, 0, 10);
    const auto saved = copies(half->state());
    auto second = first.clone();
    const auto other_half = c.make({{"p", second}});
    other_half->load_state(saved, half->steps());
    run(*other_half, second, 10, 20);
    REQUIRE(same_bits(second, straight));
    REQUIRE(other_half->steps() == 20);
    const auto expected = whole->state(), found = other_half->state();
    for (std::size_t i = 0; i < expected.size(); ++i) REQUIRE(same_bits(found[i].tensor, expected[i].tensor));
  }
}

TEST_CASE("Results of optimizers do not depend on the number of threads", "[optim]") {
  const gan::test::ThreadCount restore;
  for (const auto& c : cases<float>()) {
    INFO(c.name);
    Tensor<float> first;
    for (const int n : {1, 2, 3}) {
      set_threads(n);
      Rng rng(3);
      auto p = normal<float>(rng, {100003});
      const auto optimizer = c.make({{"p", p}});
      for (int step = 0; step < 2; ++step) {
        p.set_grad(normal<float>(rng, p.shape()));
        optimizer->step();
      }
      if (first.defined())
        REQUIRE(same_bits(p, first));
      else
        first = p;
    }
  }
}

TEST_CASE("An optimizer skips what has no gradient, knows its own, and counts steps once", "[optim]") {
  Tensor<double> a({2}, {1, 2}), b({2}, {3, 4});
  Sgd<double> sgd({{"a", a}, {"b", b}}, {.learning_rate = 1});
  REQUIRE(sgd.owns(a));
  REQUIRE_FALSE(sgd.owns(a.clone()));
  REQUIRE_FALSE(sgd.owns(a.detach()));
  a.set_grad(Tensor<double>({2}, {1, 1}));
  sgd.step();
  REQUIRE(a.at({1}) == 1);
  REQUIRE(b.at({1}) == 4);
  REQUIRE(sgd.steps() == 1);
  sgd.zero_grad();
  REQUIRE_FALSE(a.grad().defined());
  sgd.set_learning_rate(0);
  a.set_grad(Tensor<double>({2}, {1, 1}));
  sgd.step();
  REQUIRE(a.at({1}) == 1);
  REQUIRE(sgd.learning_rate() == 0);
  REQUIRE(sgd.parameters().size() == 2);
  REQUIRE(sgd.state().empty());
}

TEST_CASE("Adam's bias correction counts the steps that skipped a parameter", "[optim]") {
  // m and v of one gradient g at step t: (1 - beta) g and (1 - beta2) g^2, each over 1 - beta^t.
  const double beta1 = 0.9, beta2 = 0.99, rate = 0.1, epsilon = 1e-8, g = -3;
  Tensor<double> a({1}, {1}), b({1}, {2});
  Adam<double> adam({{"a", a}, {"b", b}}, {.learning_rate = rate, .beta1 = beta1, .beta2 = beta2, .epsilon = epsilon});
  for (int t = 1; t <= 5; ++t) {
    a.set_grad(Tensor<double>({1}, {1}));
    if (t == 5) b.set_grad(Tensor<double>({1}, {g}));
    adam.step();
    if (t < 5) REQUIRE(b.item() == 2);
  }
  const double m = (1 - beta1) * g / (1 - std::pow(beta1, 5)), v = (1 - beta2) * g * g / (1 - std::pow(beta2, 5));
  REQUIRE(b.item() == Approx(2 - rate * m / (std::sqrt(v) + epsilon)).epsilon(1e-12));
  // A correction that counted b's own steps would have made a step of the whole rate.
  REQUIRE(std::abs(b.item() - 2) < 0.9 * rate);
}

TEST_CASE("Elements without any gradient so far stay where they are", "[optim]") {
  for (const auto& c : cases<float>()) {
    INFO(c.name);
    const bool decays = std::string(c.name).find("decay") != std::string::npos || std::string(c.name) == "adamw" ||
                        std::string(c.name).find("nesterov") != std::string::npos ||
                        std::string(c.name).find("momentum") != std::string::npos;
    Tensor<float> p({2}, {5, 5});
    const auto optimizer = c.make({{"p", p}});
    for (int step = 0; step < 3; ++step) {
      p.set_grad(Tensor<float>({2}, {1, 0}));
      optimizer->step();
    }
    REQUIRE(p.at({0}) < 5);
    REQUIRE(std::isfinite(p.at({1})));
    if (!decays) REQUIRE(p.at({1}) == 5);
  }
}

TEST_CASE("A gradient may be a view of a parameter", "[optim]") {
  // In 3,000 elements, enough for vector code: p - rate p, and q - rate (p before the step).
  constexpr Index n = 3000;
  Rng rng(4);
  auto p = normal<float>(rng, {n}), q = normal<float>(rng, {n});
  const auto p_before = p.clone(), q_before = q.clone();
  Sgd<float> sgd({{"p", p}, {"q", q}}, {.learning_rate = 0.5});
  p.set_grad(p.detach());
  q.set_grad(p.detach());
  sgd.step();
  REQUIRE((p.values() == 0.5f * p_before.values()).all());
  REQUIRE((q.values() == q_before.values() - 0.5f * p_before.values()).all());
}

TEST_CASE("A step between forward and backward is noticed", "[optim]") {
  Tensor<double> p({2}, {1, 2});
  p.set_requires_grad();
  Sgd<double> sgd({{"p", p}});
  const auto loss = sum(p * p);
  p.set_grad(Tensor<double>({2}, {1, 1}));
  sgd.step();
  REQUIRE_THROWS_WITH(backward(loss), ContainsSubstring("was changed after it was recorded"));
}

TEST_CASE("Loading an optimizer's state is strict, and all or nothing", "[optim]") {
  Tensor<float> a({2, 3}), b({4});
  Adam<float> adam({{"a", a}, {"b", b}});
  const auto names = [&] {
    std::vector<std::string> all;
    for (const auto& [name, tensor] : adam.state()) all.push_back(name);
    return all;
  }();
  REQUIRE(names == std::vector<std::string>{"first.a", "first.b", "second.a", "second.b"});
  a.set_grad(Tensor<float>::ones({2, 3}));
  adam.step();
  const auto before = copies(adam.state());
  const auto with = [&](const std::function<void(NamedTensors<float>&)>& change) {
    auto state = copies(adam.state());
    for (auto& [name, tensor] : state) tensor.mutable_values().setConstant(9);
    change(state);
    return state;
  };
  const auto rejected = [&](const NamedTensors<float>& state, Index steps, const std::string& message) {
    REQUIRE_THROWS_WITH(adam.load_state(state, steps), ContainsSubstring(message));
    const auto after = adam.state();
    for (std::size_t i = 0; i < after.size(); ++i) REQUIRE(same_bits(after[i].tensor, before[i].tensor));
    REQUIRE(adam.steps() == 1);
  };
  rejected(with([](auto& s) { s.pop_back(); }), 3, "\"second.b\" [4] is missing");
  rejected(with([](auto& s) { s.push_back({"third.a", Tensor<float>({1})}); }), 3, "\"third.a\" [1] is not known");
  rejected(with([](auto& s) { s.back().tensor = Tensor<float>({5}); }), 3, "has shape [5], expected [4]");
  rejected(with([](auto& s) { s.push_back(s.front()); }), 3, "\"first.a\" is given twice");
  rejected(with([](auto& s) { s.back().tensor = {}; }), 3, "\"second.b\" is undefined");
  rejected(with([](auto&) {}), -1, "-1 steps");
  adam.load_state(with([](auto&) {}), 7);
  REQUIRE(adam.steps() == 7);
  REQUIRE(adam.state()[3].tensor.at({3}) == 9);
  adam.load_state(adam.state(), 8);  // its own handles
  REQUIRE(adam.state()[3].tensor.at({3}) == 9);
  auto permuted = adam.state();  // under other names: the moments change places
  permuted[0].tensor.mutable_values().setConstant(1);
  std::swap(permuted[0].name, permuted[2].name);
  adam.load_state(permuted, 8);
  REQUIRE(adam.state()[0].tensor.at({1, 2}) == 9);
  REQUIRE(adam.state()[2].tensor.at({1, 2}) == 1);
}

TEST_CASE("Optimizers refuse bad options and parameters", "[optim]") {
  using A = Adam<float>;
  const double infinity = std::numeric_limits<double>::infinity(), nan = std::nan("");
  Tensor<float> p({2});
  const NamedTensors<float> ps = {{"p", p}};
  REQUIRE_THROWS_WITH(A(ps, {.learning_rate = -1}), ContainsSubstring("learning rate is -1"));
  REQUIRE_THROWS_WITH(A(ps, {.learning_rate = nan}), ContainsSubstring("learning rate is nan"));
  REQUIRE_THROWS_WITH(A(ps, {.learning_rate = infinity}), ContainsSubstring("learning rate is inf"));
  REQUIRE_THROWS_WITH(A(ps, {.beta1 = 1}), ContainsSubstring("adam: beta1 is 1, expected a number in [0, 1)"));
  REQUIRE_THROWS_WITH(A(ps, {.beta2 = -0.1}), ContainsSubstring("beta2 is -0.1"));
  REQUIRE_THROWS_WITH(A(ps, {.epsilon = -1}), ContainsSubstring("epsilon is -1"));
  for (const double bad : {nan, infinity, 0.0, 1e-50}) {  // the last is 0 in float
    const auto epsilon = ContainsSubstring("epsilon is ");
    REQUIRE_THROWS_WITH(A(ps, {.epsilon = bad}), ContainsSubstring("adam: ") && epsilon);
    REQUIRE_THROWS_WITH(AdamW<float>(ps, {.epsilon = bad}), ContainsSubstring("adamw: ") && epsilon);
    REQUIRE_THROWS_WITH(RmsProp<float>(ps, {.epsilon = bad}), ContainsSubstring("rms_prop: ") && epsilon);
  }
  REQUIRE_THROWS_WITH(A(ps, {.beta1 = nan}), ContainsSubstring("beta1 is nan"));
  REQUIRE_THROWS_WITH(A(ps, {.beta2 = nan}), ContainsSubstring("beta2 is nan"));
  REQUIRE_THROWS_WITH(A(ps, {.weight_decay = nan}), ContainsSubstring("weight decay is nan"));
  REQUIRE_THROWS_WITH(Sgd<float>(ps, {.momentum = nan}), ContainsSubstring("momentum is nan"));
  REQUIRE_THROWS_WITH(RmsProp<float>(ps, {.alpha = nan}), ContainsSubstring("alpha is nan"));
  REQUIRE_THROWS_WITH(AdamW<float>(ps, {.weight_decay = -1}), ContainsSubstring("adamw: weight decay is -1"));
  REQUIRE_THROWS_WITH(Sgd<float>(ps, {.momentum = 1}), ContainsSubstring("sgd: momentum is 1"));
  REQUIRE_THROWS_WITH(Sgd<float>(ps, {.nesterov = true}), ContainsSubstring("nesterov needs a momentum"));
  REQUIRE_THROWS_WITH(Sgd<float>(ps, {.weight_decay = -1}), ContainsSubstring("weight decay is -1"));
  REQUIRE_THROWS_WITH(RmsProp<float>(ps, {.alpha = 1.5}), ContainsSubstring("rms_prop: alpha is 1.5"));
  REQUIRE_THROWS_WITH(RmsProp<float>(ps, {.epsilon = -1}), ContainsSubstring("epsilon is -1"));
  REQUIRE_THROWS_WITH(RmsProp<float>(ps, {.momentum = -0.5}), ContainsSubstring("momentum is -0.5"));
  A adam(ps);
  REQUIRE_THROWS_WITH(adam.set_learning_rate(-0.5), ContainsSubstring("learning rate is -0.5"));
  REQUIRE(adam.learning_rate() == 2e-4);

  REQUIRE_THROWS_WITH(A({{"p", p}, {"p", p.clone()}}),
                      ContainsSubstring("two parameters are named \"p\"") && ContainsSubstring("adopt"));
  REQUIRE_THROWS_WITH(A({{"p", p}, {"q", p.detach()}}), ContainsSubstring("\"q\" [2] has the memory of \"p\""));
  REQUIRE_THROWS_WITH(A({{"p", p}, {"q", p}}), ContainsSubstring("parameter \"q\" [2] is given twice"));
  REQUIRE_THROWS_WITH(A({{"p", Tensor<float>()}}), ContainsSubstring("parameter \"p\" is undefined"));
  p.set_requires_grad();
  REQUIRE_THROWS_WITH(A({{"double", 2 * p}}), ContainsSubstring("is the result of \"affine\", expected a leaf"));
}
