// Functions of one tensor: values against the standard library, gradients, extreme arguments.
#include "gan/ops/elementwise.hpp"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/gradcheck.hpp"
#include "support/reference.hpp"

using gan::Index;
using gan::Shape;
using gan::Tensor;
using namespace gan::test;

namespace {

struct Case {
  const char* name;
  Tensor<double> (*op)(const Tensor<double>&);
  double (*reference)(double);
  double low, high;  // where it is tried
};

double normal_cdf(double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }

using In = const Tensor<double>&;
const Case cases[] = {
    {"exp", [](In x) { return gan::exp(x); }, [](double x) { return std::exp(x); }, -3, 2},
    {"log", [](In x) { return gan::log(x); }, [](double x) { return std::log(x); }, 0.3, 4},
    {"sqrt", [](In x) { return gan::sqrt(x); }, [](double x) { return std::sqrt(x); }, 0.3, 4},
    {"square", [](In x) { return gan::square(x); }, [](double x) { return x * x; }, -3, 3},
    {"abs", [](In x) { return gan::abs(x); }, [](double x) { return std::abs(x); }, -3, 3},
    {"pow 3", [](In x) { return gan::pow(x, 3); }, [](double x) { return x * x * x; }, -2, 2},
    {"pow 2", [](In x) { return gan::pow(x, 2); }, [](double x) { return x * x; }, -2, 2},
    {"pow 1", [](In x) { return gan::pow(x, 1); }, [](double x) { return x; }, -2, 2},
    {"pow 0", [](In x) { return gan::pow(x, 0); }, [](double) { return 1.0; }, -2, 2},
    {"pow -1.5", [](In x) { return gan::pow(x, -1.5); }, [](double x) { return std::pow(x, -1.5); }, 0.5, 3},
    {"sin", [](In x) { return gan::sin(x); }, [](double x) { return std::sin(x); }, -6, 6},
    {"cos", [](In x) { return gan::cos(x); }, [](double x) { return std::cos(x); }, -6, 6},
    {"clamp", [](In x) { return gan::clamp(x, -1, 1.5); }, [](double x) { return std::min(std::max(x, -1.0), 1.5); },
     -3, 3},
    {"relu", [](In x) { return gan::relu(x); }, [](double x) { return std::max(x, 0.0); }, -3, 3},
    {"leaky_relu", [](In x) { return gan::leaky_relu(x, 0.1); }, [](double x) { return x > 0 ? x : 0.1 * x; }, -3, 3},
    {"leaky_relu 0.2", [](In x) { return gan::leaky_relu(x); }, [](double x) { return x > 0 ? x : 0.2 * x; }, -3, 3},
    {"elu", [](In x) { return gan::elu(x); }, [](double x) { return x > 0 ? x : std::expm1(x); }, -3, 3},
    {"elu 0.7", [](In x) { return gan::elu(x, 0.7); }, [](double x) { return x > 0 ? x : 0.7 * std::expm1(x); }, -3, 3},
    {"sigmoid", [](In x) { return gan::sigmoid(x); }, [](double x) { return 1 / (1 + std::exp(-x)); }, -6, 6},
    {"tanh", [](In x) { return gan::tanh(x); }, [](double x) { return std::tanh(x); }, -3, 3},
    {"softplus", [](In x) { return gan::softplus(x); }, [](double x) { return std::log1p(std::exp(x)); }, -6, 6},
    {"erf", [](In x) { return gan::erf(x); }, [](double x) { return std::erf(x); }, -2, 2},
    {"gelu", [](In x) { return gan::gelu(x); }, [](double x) { return x * normal_cdf(x); }, -3, 3},
};

/// Away from the kinks, which are all at multiples of 0.5.
Tensor<double> random_argument(gan::Rng& rng, const Case& c, const Shape& shape) {
  auto x = random_tensor(rng, shape, c.low, c.high);
  x.mutable_values() = (x.values() * 8).round() / 8 + 0.031;
  return x;
}

void require_values(const Case& c, const Tensor<double>& x) {
  const auto y = c.op(x);
  REQUIRE(y.shape() == x.shape());
  double worst = 0;
  for (Index i = 0; i < x.size(); ++i) {
    const double expected = c.reference(x.data()[i]);
    worst = std::max(worst, std::abs(y.data()[i] - expected) / std::max(1e-3, std::abs(expected)));
  }
  REQUIRE(worst < 1e-12);
}

template <class T>
std::vector<T> list(const Tensor<T>& x) {
  return {x.data(), x.data() + x.size()};
}

/// Each argument 37 times: more than a vector register, and with a scalar tail.
template <class T>
Tensor<T> repeated(const std::vector<T>& values) {
  Tensor<T> x({static_cast<Index>(values.size()), 37});
  for (std::size_t i = 0; i < values.size(); ++i) x.mutable_matrix().row(static_cast<Index>(i)).setConstant(values[i]);
  return x;
}

}  // namespace

TEST_CASE("functions on random shapes") {
  gan::Rng rng(21);
  for (const Case& c : cases)
    for (int trial = 0; trial < 4; ++trial) {
      const auto x = random_argument(rng, c, trial == 0 ? Shape{} : random_shape(rng));
      CAPTURE(c.name, x.shape());
      require_values(c, x);
      if (x.size() <= 64) check_gradients([&](const Inputs& v) { return c.op(v[0]); }, {x}, 2e-6);
    }
}

TEST_CASE("functions on large tensors") {
  gan::Rng rng(22);
  for (const Case& c : cases) {
    CAPTURE(c.name);
    require_values(c, random_argument(rng, c, {17, 3001}));
  }
}

TEST_CASE("functions of tensors without elements") {
  const Tensor<double> x({0, 3});
  for (const Case& c : cases) {
    auto leaf = x.clone().set_requires_grad();
    REQUIRE(c.op(leaf).shape() == Shape{0, 3});
    REQUIRE(grad(c.op(leaf), leaf).shape() == Shape{0, 3});
  }
}

TEST_CASE("single precision is accurate to a few units in the last place") {
  Tensor<float> x({4001});
  for (Index i = 0; i < x.size(); ++i) x.mutable_data()[i] = static_cast<float>(i - 2000) * 0.01f;  // [-20, 20]
  const auto require_accurate = [&](const Tensor<float>& y, double (*f)(double), double relative, double absolute) {
    double worst = 0;
    for (Index i = 0; i < x.size(); ++i) {
      const double expected = f(double(x.data()[i]));
      worst = std::max(worst, std::abs(double(y.data()[i]) - expected) / (relative * std::abs(expected) + absolute));
    }
    REQUIRE(worst <= 1);
  };
  require_accurate(
      gan::exp(x), [](double v) { return std::exp(v); }, 5e-7, 0);
  require_accurate(
      gan::sigmoid(x), [](double v) { return 1 / (1 + std::exp(-v)); }, 1e-6, 0);
  require_accurate(
      gan::tanh(x), [](double v) { return std::tanh(v); }, 1e-6, 0);
  require_accurate(
      gan::sin(x), [](double v) { return std::sin(v); }, 0, 2e-7);
  require_accurate(
      gan::cos(x), [](double v) { return std::cos(v); }, 0, 2e-7);
  require_accurate(
      gan::softplus(x), [](double v) { return std::log1p(std::exp(v)); }, 1e-6, 0);
  require_accurate(
      gan::elu(x), [](double v) { return v > 0 ? v : std::expm1(v); }, 5e-7, 0);
  require_accurate(
      gan::gelu(x), [](double v) { return v * normal_cdf(v); }, 1e-6, 2e-6);
  REQUIRE(gan::tanh(x).values().abs().maxCoeff() <= 1);
  REQUIRE(gan::sigmoid(x).values().maxCoeff() <= 1);
}

TEMPLATE_TEST_CASE("extreme arguments", "", float, double) {
  using T = TestType;
  const T inf = std::numeric_limits<T>::infinity(), huge = T(1e4);
  auto x = repeated<T>({-huge, -100, 0, 100, huge}).set_requires_grad();
  const auto rows = [](const Tensor<T>& y, const std::vector<double>& expected, double absolute) {
    for (Index i = 0; i < 5; ++i)
      for (Index j = 0; j < 37; ++j)
        REQUIRE(double(y.at({i, j})) == Approx(expected[static_cast<std::size_t>(i)]).margin(absolute).epsilon(1e-6));
  };
  rows(gan::sigmoid(x), {0, 0, 0.5, 1, 1}, 1e-30);
  rows(gan::tanh(x), {-1, -1, 0, 1, 1}, 0);
  rows(gan::softplus(x), {0, 0, std::log(2.0), 100, 1e4}, 1e-30);
  rows(gan::elu(x), {-1, -1, 0, 100, 1e4}, 0);
  rows(gan::gelu(x), {0, 0, 0, 100, 1e4}, 0);
  rows(gan::relu(x), {0, 0, 0, 100, 1e4}, 0);
  rows(grad(gan::softplus(x), x), {0, 0, 0.5, 1, 1}, 1e-30);
  rows(grad(gan::sigmoid(x), x), {0, 0, 0.25, 0, 0}, 1e-6);
  rows(grad(gan::tanh(x), x), {0, 0, 1, 0, 0}, 1e-6);
  rows(grad(gan::elu(x), x), {0, 0, 1, 1, 1}, 1e-30);
  rows(grad(gan::gelu(x), x), {0, 0, 0.5, 1, 1}, 1e-30);
  const auto logs = gan::log(repeated<T>({0, 1, -1, inf}));
  for (Index j = 0; j < 37; ++j) {
    REQUIRE(logs.at({0, j}) == -inf);
    REQUIRE(logs.at({1, j}) == 0);
    REQUIRE(std::isnan(logs.at({2, j})));
    REQUIRE(logs.at({3, j}) == inf);
  }
}

TEST_CASE("a value that is not a number stays one") {
  const auto x = repeated<double>({std::numeric_limits<double>::quiet_NaN()});
  for (const Case& c : cases) {
    if (std::string(c.name) == "pow 0") continue;
    CAPTURE(c.name);
    REQUIRE(c.op(x).values().isNaN().all());
  }
}

TEST_CASE("gradients at the kinks are as documented") {
  auto x = Tensor<double>({3}, {-1, 0, 1}).set_requires_grad();
  REQUIRE(list(grad(gan::abs(x), x)) == std::vector<double>{-1, 0, 1});
  REQUIRE(list(grad(gan::relu(x), x)) == std::vector<double>{0, 0, 1});
  REQUIRE(list(grad(gan::leaky_relu(x, 0.25), x)) == std::vector<double>{0.25, 0.25, 1});
  REQUIRE(list(grad(gan::clamp(x, -1, 0.5), x)) == std::vector<double>{1, 1, 0});
  REQUIRE(list(grad(gan::pow(x, 2), x)) == std::vector<double>{-2, 0, 2});
  REQUIRE(list(grad(gan::pow(x, 1), x)) == std::vector<double>{1, 1, 1});
  REQUIRE(list(grad(gan::square(x), x)) == std::vector<double>{-2, 0, 2});
}

TEST_CASE("third derivatives") {
  auto x = Tensor<double>({2}, {0.3, -0.8}).set_requires_grad();
  const auto third = [&](const Tensor<double>& y) {
    const auto d1 = grad(y, x, {.create_graph = true});
    return grad(grad(d1, x, {.create_graph = true}), x);
  };
  const auto t = third(gan::tanh(x)), e = third(gan::exp(2 * x)), p = third(gan::pow(x, 4));
  for (Index i = 0; i < 2; ++i) {
    const double v = x.data()[i], h = std::tanh(v), s = 1 - h * h;
    REQUIRE(t.data()[i] == Approx(-2 * s * (s - 2 * h * h)));
    REQUIRE(e.data()[i] == Approx(8 * std::exp(2 * v)));
    REQUIRE(p.data()[i] == Approx(24 * v));
  }
}

TEST_CASE("an empty range is refused") {
  const Tensor<double> x({2}, {0, 1});
  REQUIRE_THROWS_WITH(gan::clamp(x, 2, 1), "clamp: range [2, 1] is empty");
  REQUIRE_THROWS_WITH(gan::clamp(x, std::nan(""), 1), ContainsSubstring("clamp: range [nan"));
  REQUIRE(list(gan::clamp(x, 0.5, 0.5)) == std::vector<double>{0.5, 0.5});
}
