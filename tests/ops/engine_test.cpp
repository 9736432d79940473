// Engines and the precision of products: the table, and every product of the linked engine against exact ones.
#include "gan/ops/engine.hpp"

#include <bit>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <stdexcept>

#include "gan/nn/dense.hpp"
#include "gan/ops/convolution.hpp"
#include "gan/ops/elementwise.hpp"
#include "gan/ops/matmul.hpp"
#include "gan/ops/matmul_precision.hpp"
#include "support/catch.hpp"
#include "support/threads.hpp"
#include "support/warnings.hpp"

using namespace gan;

namespace {

/// Restores engine, precision and the linked engine at the end of a test.
class EngineInTest {
 public:
  EngineInTest() = default;
  ~EngineInTest() {
    kernels::linked_engine = linked_;
    set_engine(before_);
    set_matmul_precision(precision_);
  }
  EngineInTest(const EngineInTest&) = delete;
  EngineInTest& operator=(const EngineInTest&) = delete;

  /// Whether the program links an engine beside Eigen, which is in use then.
  bool uses_linked() {
    if (!linked_) {
      WARN("no engine is linked: skipped");
      return false;
    }
    set_engine(linked_->name);
    return true;
  }
  bool rounds() {
    if (!uses_linked()) return false;
    if (linked_->rounds()) return true;
    WARN("the engine gains nothing by rounding on this processor: skipped");
    return false;
  }

 private:
  const kernels::ProductEngine* linked_ = kernels::linked_engine;
  std::string before_ = engine();
  Precision precision_ = matmul_precision();
};

// An engine for tests: notes what it was asked, and does what it is told.
struct Asked {
  int calls = 0;
  bool rounded = false, accepts = false, fails = false, gains = true;
} asked;

bool note(bool rounded) {
  ++asked.calls;
  asked.rounded = rounded;
  if (asked.fails) throw std::runtime_error("it broke");
  return asked.accepts;
}
const kernels::ProductEngine noting{
    "noting",
    [] { return asked.gains; },
    [] { return "none"; },
    [](const kernels::EngineHost&, const kernels::MatrixProduct& p, const kernels::Factor&, const kernels::Factor&,
       float* c) {
      if (note(p.rounded)) std::fill_n(c, p.m * p.n, 7.0f);
      return asked.accepts;
    },
    [](const kernels::EngineHost&, const kernels::Convolution& c, const kernels::Factor&, const kernels::Factor&,
       const float*, float*) { return note(c.rounded); },
    [](const kernels::EngineHost&, const kernels::Convolution& c, const kernels::Factor&, const kernels::Factor&,
       float*) { return note(c.rounded); },
    [](const kernels::EngineHost&, const kernels::Convolution& c, const kernels::Factor&, const kernels::Factor&,
       float*) { return note(c.rounded); }};

float rounded(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  return std::bit_cast<float>((bits + 0x7fff + ((bits >> 16) & 1)) & 0xffff0000u);  // to nearest, ties to even
}

template <class To, class From>
Tensor<To> as(const Tensor<From>& x) {
  auto y = Tensor<To>::empty(x.shape());
  std::transform(x.data(), x.data() + x.size(), y.mutable_data(), [](From v) { return static_cast<To>(v); });
  return y;
}

/// In double, of values rounded when products round them.
Tensor<double> exact(const Tensor<float>& x, Precision precision) {
  Tensor<float> y = x.clone();
  if (precision == Precision::medium)
    for (float& v : std::span(y.mutable_data(), static_cast<std::size_t>(y.size()))) v = rounded(v);
  return as<double>(y);
}

/// `terms` products of numbers in [-1, 1] were added up in float.
void require_sums(const Tensor<float>& got, const Tensor<double>& expected, Index terms) {
  REQUIRE(got.shape() == expected.shape());
  double worst = 0;
  for (Index i = 0; i < got.size(); ++i)
    worst = std::max(worst, std::abs(static_cast<double>(got.data()[i]) - expected.data()[i]));
  REQUIRE(worst <= 1.2e-7 * static_cast<double>(8 + terms));
}

void require_same_bits(const Tensor<float>& a, const Tensor<float>& b) {
  REQUIRE(a.shape() == b.shape());
  REQUIRE(std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.size()) * sizeof(float)) == 0);
}

Tensor<float> random(Rng& rng, const Shape& shape) { return uniform<float>(rng, shape, -1, 1); }

Index any(Rng& rng, Index low, Index high) { return rng.integer(low, high + 1); }

// Where rounding does not pay, the engine multiplies what was not rounded: then that is as exact.
template <class F>
void require_product(Precision precision, Index terms, const F& product, const Tensor<float>& a,
                     const Tensor<float>& b) {
  const MatmulPrecision scope(precision);
  const Tensor<float> got = product(a, b);
  const auto distance = [&](Precision of) {
    const Tensor<double> expected = product(exact(a, of), exact(b, of));
    double worst = 0;
    for (Index i = 0; i < got.size(); ++i)
      worst = std::max(worst, std::abs(static_cast<double>(got.data()[i]) - expected.data()[i]));
    return worst;
  };
  const Precision nearest = precision == Precision::medium && distance(Precision::medium) > distance(Precision::highest)
                                ? Precision::highest
                                : precision;
  require_sums(got, product(exact(a, nearest), exact(b, nearest)), terms);
  require_same_bits(got, product(a, b));
}

void require_matrix_products(Precision precision, int trials) {
  Rng rng(precision == Precision::medium ? 21 : 22);
  for (int trial = 0; trial < trials; ++trial) {
    const auto length = [&] { return any(rng, 0, 3) ? any(rng, 8, 90) : any(rng, 1, 300); };
    const Index m = length(), n = length(), k = length();
    const bool ta = any(rng, 0, 1), tb = any(rng, 0, 1);
    CAPTURE(trial, m, n, k, ta, tb);
    const auto a = random(rng, ta ? Shape{k, m} : Shape{m, k}), b = random(rng, tb ? Shape{n, k} : Shape{k, n});
    require_product(
        precision, k,
        [&](const auto& p, const auto& q) {
          return matmul(p, q, {ta, tb});
        },
        a, b);
    const auto bias = random(rng, {n});
    const auto x = random(rng, {m, k}), w = random(rng, {k, n});
    require_product(
        precision, k, [&]<class T>(const Tensor<T>& p, const Tensor<T>& q) { return linear(p, q, as<T>(bias)); }, x, w);
  }
}

void require_convolutions(Precision precision, int trials) {
  Rng rng(precision == Precision::medium ? 23 : 24);
  for (int trial = 0; trial < trials; ++trial) {
    Conv2dParams o;
    const Index groups = any(rng, 0, 3) ? 1 : any(rng, 2, 4);
    const auto width = [&] { return any(rng, 0, 2) ? any(rng, 1, 20) : 16 * any(rng, 1, 4); };
    const Index channels = width(), filters = width(), kernel_rows = any(rng, 1, 5), kernel_columns = any(rng, 1, 5);
    o.groups = groups;
    o.stride = {any(rng, 1, 3), any(rng, 1, 3)};
    o.dilation = any(rng, 0, 2) ? Size2d(1) : Size2d(any(rng, 1, 2), any(rng, 1, 3));
    o.padding =
        any(rng, 0, 2) ? Padding::same() : Padding(any(rng, 0, 3), any(rng, 0, 3), any(rng, 0, 3), any(rng, 0, 3));
    const Shape x_shape{any(rng, 0, 2) ? any(rng, 1, 4) : any(rng, 5, 40), any(rng, 9, 16), any(rng, 13, 17),
                        channels * groups};
    const Shape w_shape{kernel_rows, kernel_columns, channels, filters * groups};
    CAPTURE(trial, x_shape, w_shape, o.stride, o.dilation, o.groups, o.padding.is_same, o.padding.top, o.padding.left);
    const auto x = random(rng, x_shape), w = random(rng, w_shape), bias = random(rng, {filters * groups});
    const auto y = conv2d(as<double>(x), as<double>(w), o);
    const auto gy = random(rng, y.shape());
    const Index taps = kernel_rows * kernel_columns;
    require_product(
        precision, taps * channels,
        [&]<class T>(const Tensor<T>& p, const Tensor<T>& q) { return conv2d(p, q, as<T>(bias), o); }, x, w);
    require_product(
        precision, taps * filters,
        [&](const auto& p, const auto& q) { return conv2d_input_gradient(p, q, x_shape, o); }, gy, w);
    require_product(
        precision, y.shape().rows(),
        [&](const auto& p, const auto& q) { return conv2d_weight_gradient(p, q, w_shape, o); }, x, gy);
  }
}

}  // namespace

TEST_CASE("engines are chosen by name") {
  EngineInTest restore;
  REQUIRE(engines().front() == "eigen");
  kernels::linked_engine = nullptr;
  set_engine("eigen");
  REQUIRE(engines() == std::vector<std::string>{"eigen"});
  REQUIRE_THROWS_WITH(set_engine("onednn"),
                      ContainsSubstring("\"onednn\", expected one of \"eigen\"") && ContainsSubstring("gan::onednn"));
  kernels::linked_engine = &noting;
  REQUIRE(engines() == std::vector<std::string>{"eigen", "noting"});
  REQUIRE(engine() == "eigen");
  set_engine("noting");
  REQUIRE(engine() == "noting");
  REQUIRE_THROWS_WITH(set_engine(""), ContainsSubstring("engine \"\", expected one of \"eigen\", \"noting\""));
  REQUIRE(engine() == "noting");
}

TEST_CASE("precisions have names, and a scope its thread's") {
  EngineInTest restore;
  REQUIRE(precision_named("highest") == Precision::highest);
  REQUIRE(precision_named(to_string(Precision::medium)) == Precision::medium);
  REQUIRE_THROWS_WITH(precision_named("high"), ContainsSubstring("\"high\", expected \"highest\" or \"medium\""));
  set_matmul_precision(Precision::medium);
  {
    const MatmulPrecision outer(Precision::highest);
    REQUIRE(matmul_precision() == Precision::highest);
    {
      const MatmulPrecision inner(Precision::medium);
      REQUIRE(matmul_precision() == Precision::medium);
    }
    REQUIRE(matmul_precision() == Precision::highest);
  }
  REQUIRE(matmul_precision() == Precision::medium);
}

TEST_CASE("an engine is asked for products of float, and Eigen makes what it does not want") {
  EngineInTest restore;
  asked = {};
  kernels::linked_engine = &noting;
  set_engine("noting");
  Rng rng(1);
  const auto a = random(rng, {20, 30}), b = random(rng, {30, 10});
  const auto expected = matmul(as<double>(a), as<double>(b));
  REQUIRE(asked.calls == 0);  // double is Eigen's
  require_sums(matmul(a, b), expected, 30);
  REQUIRE(asked.calls == 1);
  REQUIRE_FALSE(asked.rounded);
  const auto x = random(rng, {2, 6, 6, 3}), w = random(rng, {3, 3, 3, 4}).set_requires_grad();
  backward(sum(square(conv2d(x, w))));
  REQUIRE(asked.calls == 3);
  conv2d(x, random(rng, {1, 1, 3, 4}));  // is a matrix product
  REQUIRE(asked.calls == 4);
  {
    const MatmulPrecision scope(Precision::medium);
    matmul(a, b);
    REQUIRE(asked.rounded);
  }
  asked.accepts = true;
  REQUIRE(matmul(a, b).at({3, 4}) == 7);
  asked.fails = true;
  REQUIRE_THROWS_WITH(matmul(a, b), ContainsSubstring("engine \"noting\": it broke"));
  REQUIRE_THROWS_AS(conv2d(x, w), Error);
}

TEST_CASE("medium is highest, and says so once, where nothing is gained") {
  EngineInTest restore;
  Rng rng(2);
  const auto a = random(rng, {40, 64}), b = random(rng, {64, 64});
  const test::CollectWarnings warnings;
  set_engine("eigen");
  const auto expected = matmul(a, b);
  const MatmulPrecision scope(Precision::medium);
  require_same_bits(matmul(a, b), expected);
  require_same_bits(matmul(a, b), expected);
  REQUIRE(warnings.count("engine \"eigen\" gains nothing") == 1);
  asked = {.gains = false};
  kernels::linked_engine = &noting;
  set_engine("noting");
  require_same_bits(matmul(a, b), expected);
  REQUIRE_FALSE(asked.rounded);
  REQUIRE(warnings.count("engine \"noting\" gains nothing") == 1);
}

TEST_CASE("products of the linked engine are exact to the rounding of float") {
  EngineInTest restore;
  if (!restore.uses_linked()) return;
  require_matrix_products(Precision::highest, 100);
  require_convolutions(Precision::highest, 60);
}

TEST_CASE("rounded products are those of rounded factors") {
  EngineInTest restore;
  if (!restore.rounds()) return;
  require_matrix_products(Precision::medium, 200);
  require_convolutions(Precision::medium, 100);
}

TEST_CASE("rounding happens where it is asked for") {
  EngineInTest restore;
  if (!restore.rounds()) return;
  Rng rng(3);
  const auto a = random(rng, {64, 64}), b = random(rng, {64, 64});
  const auto plain = matmul(a, b);
  const MatmulPrecision scope(Precision::medium);
  const auto error = [&](Precision of) {
    return max(abs(as<double>(matmul(a, b)) - matmul(exact(a, of), exact(b, of)))).item();
  };
  REQUIRE(error(Precision::medium) < 1e-5);
  REQUIRE(error(Precision::highest) > 1e-4);
  const auto x = random(rng, {16, 14, 14, 32}), kernel = random(rng, {3, 3, 32, 64}),
             gy = random(rng, {16, 12, 12, 64});
  const auto differs = [&](const auto& product) {
    const MatmulPrecision highest(Precision::highest);
    const auto in_float = product();
    const MatmulPrecision medium(Precision::medium);
    return max(abs(product() - in_float)).item() > 1e-3;
  };
  REQUIRE(differs([&] { return conv2d(x, kernel); }));
  REQUIRE(differs([&] { return conv2d_input_gradient(gy, kernel, x.shape()); }));
  REQUIRE(differs([&] { return conv2d_weight_gradient(x, gy, kernel.shape()); }));
}

TEST_CASE("what products keep of a weight follows its values") {
  EngineInTest restore;
  if (!restore.uses_linked()) return;
  Rng rng(4);
  const auto x = random(rng, {64, 64}), images = random(rng, {8, 12, 12, 16});
  for (const auto precision : {Precision::highest, Precision::medium}) {
    const MatmulPrecision scope(precision);
    auto w = random(rng, {64, 64}), kernel = random(rng, {3, 3, 16, 32});
    const auto require_current = [&] {
      require_same_bits(matmul(x, w), matmul(x, w.clone()));
      require_same_bits(conv2d(images, kernel), conv2d(images, kernel.clone()));
      require_same_bits(conv2d(images, kernel.detach()), conv2d(images, kernel.clone()));
    };
    require_current();
    w.mutable_data()[70] = 5;  // as optimizers, clipping and loading do
    kernel.mutable_values() *= 2.0f;
    require_current();
    auto average = random(rng, {64, 64}), kernel_average = random(rng, {3, 3, 16, 32});
    require_same_bits(matmul(x, average), matmul(x, average.clone()));
    w.swap_values(average);  // as a moving average is sampled from
    kernel.swap_values(kernel_average);
    require_current();
    require_same_bits(matmul(x, average), matmul(x, average.clone()));
    w.swap_values(average);
    kernel.swap_values(kernel_average);
    require_current();
    copy_values("test", NamedTensors<float>{{"w", random(rng, {64, 64})}}, NamedTensors<float>{{"w", w}});
    require_current();
    kernels::limit_values(w, 0.1);
    require_current();
  }
}

TEST_CASE("a square factor is another one transposed") {
  EngineInTest restore;
  if (!restore.uses_linked()) return;
  Rng rng(9);
  const auto w = random(rng, {64, 64}), x = random(rng, {128, 64});
  for (const auto precision : {Precision::highest, Precision::medium}) {
    const MatmulPrecision scope(precision);
    const auto product = [&](const Tensor<float>& b, bool transposed) {
      return matmul(x, b, {.transpose_b = transposed});
    };
    for (const bool transposed : {false, true, false})
      require_same_bits(product(w, transposed), product(w.clone(), transposed));
    REQUIRE(max(abs(product(w, true) - product(w, false))).item() > 0.1);
  }
}

TEST_CASE("a layer with spectral norm, trained a little, multiplies by its present weight") {
  EngineInTest restore;
  if (!restore.rounds()) return;
  const MatmulPrecision scope(Precision::medium);
  Rng rng(5);
  struct Net : Layer<float> {
    Dense<float> dense{this, "dense", 64, 64, {.bias = false, .spectral_norm = true}};
    using Layer::Layer;
    Tensor<float> forward(const Tensor<float>& x) override { return dense(x); }
  } net(rng);
  const auto x = random(rng, {64, 64});
  const auto response = [&] {
    const Evaluate<float> evaluate(net);
    return net(x);
  };
  const auto before = response();
  net.parameters().front().tensor.mutable_data()[5] += 20;
  const auto after = response();
  REQUIRE(max(abs(after - before)).item() > 0.1);
  require_same_bits(after, response());
}

#if defined(__linux__) && defined(_OPENMP)
TEST_CASE("an engine works on the threads that the program has, and brings none of another OpenMP") {
  EngineInTest restore;
  if (!restore.uses_linked()) return;
  const auto count = [] {
    const std::filesystem::directory_iterator tasks("/proc/self/task");
    return std::distance(begin(tasks), end(tasks));
  };
  Rng rng(7);
  const auto x = random(rng, {32, 14, 14, 32}), w = random(rng, {3, 3, 32, 32});
  const auto a = random(rng, {256, 256});
  const test::ThreadCount threads(2);
  set_engine("eigen");
  conv2d(x, w);
  const auto before = count();
  restore.uses_linked();
  for (const auto precision : {Precision::highest, Precision::medium}) {
    const MatmulPrecision scope(precision);
    conv2d(x, w);
    conv2d_weight_gradient(x, random(rng, {32, 12, 12, 32}), w.shape());
    matmul(a, a);
  }
  REQUIRE(count() == before);
}
#endif

#ifdef _OPENMP
TEST_CASE("products inside a parallel region of the program's own are as outside") {
  EngineInTest restore;
  if (!restore.uses_linked()) return;
  Rng rng(8);
  const auto x = random(rng, {16, 14, 14, 32}), gy = random(rng, {16, 14, 14, 64}), w = random(rng, {3, 3, 32, 64});
  const auto a = random(rng, {64, 64});
  const Conv2dParams options{.padding = Padding::same()};
  const test::ThreadCount threads(2);
  const auto all = [&] {
    return concatenate({reshape(matmul(a, a), {1, -1}), reshape(conv2d(x, w, options), {1, -1}),
                        reshape(conv2d_input_gradient(gy, w, x.shape(), options), {1, -1}),
                        reshape(conv2d_weight_gradient(x, gy, w.shape(), options), {1, -1})},
                       1);
  };
  for (const auto precision : {Precision::highest, Precision::medium}) {
    Tensor<float> outside;
    {
      const test::ThreadCount one(1);
      const MatmulPrecision scope(precision);
      outside = all();
    }
    Tensor<float> inside[2];
#pragma omp parallel for num_threads(2)
    for (int i = 0; i < 2; ++i) {
      const MatmulPrecision scope(precision);
      inside[i] = all();
    }
    require_same_bits(inside[0], outside);
    require_same_bits(inside[1], outside);
  }
}
#endif

TEST_CASE("results of the linked engine repeat for a number of threads") {
  EngineInTest restore;
  if (!restore.uses_linked()) return;
  Rng rng(6);
  const auto x = random(rng, {96, 200}), w = random(rng, {200, 120});
  const auto images = random(rng, {16, 14, 14, 32}), kernel = random(rng, {3, 3, 32, 32});
  const auto gy = random(rng, {16, 12, 12, 32});
  for (const int threads : {1, 2, 3})
    for (const auto precision : {Precision::highest, Precision::medium}) {
      const test::ThreadCount count(threads);
      const MatmulPrecision scope(precision);
      const auto all = [&] {
        return concatenate({flatten(reshape(matmul(x, w), {1, -1})), reshape(conv2d(images, kernel), {1, -1}),
                            reshape(conv2d_input_gradient(gy, kernel, images.shape()), {1, -1}),
                            reshape(conv2d_weight_gradient(images, gy, kernel.shape()), {1, -1})},
                           1);
      };
      const auto first = all();
      for (int i = 0; i < 5; ++i) require_same_bits(all(), first);
    }
}
