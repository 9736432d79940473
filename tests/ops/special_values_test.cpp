// NaN, infinity, denormal and very large numbers through every element-wise operation, in vector code and in its tail.
#include <cmath>
#include <limits>
#include <vector>

#include "gan/ops/batch_norm.hpp"
#include "gan/ops/softmax.hpp"
#include "support/matchers.hpp"

using gan::Index;
using gan::Tensor;
using gan::test::bit_difference;
using gan::test::difference;

namespace {

/// The type that results are compared with.
template <class T>
using Wide = std::conditional_t<sizeof(T) == 4, double, long double>;

template <class T>
struct Case {
  const char* name;
  Tensor<T> (*op)(const Tensor<T>&);
  Wide<T> (*reference)(Wide<T>);
};

template <class T>
std::vector<Case<T>> cases() {
  using In = const Tensor<T>&;
  using W = Wide<T>;
  return {
      {"exp", [](In x) { return exp(x); }, [](W x) { return std::exp(x); }},
      {"log", [](In x) { return log(x); }, [](W x) { return std::log(x); }},
      {"sqrt", [](In x) { return sqrt(x); }, [](W x) { return std::sqrt(x); }},
      {"square", [](In x) { return square(x); }, [](W x) { return x * x; }},
      {"abs", [](In x) { return abs(x); }, [](W x) { return std::abs(x); }},
      {"pow 3", [](In x) { return pow(x, 3); }, [](W x) { return x * x * x; }},
      {"pow -1", [](In x) { return pow(x, -1); }, [](W x) { return 1 / x; }},
      {"sin", [](In x) { return sin(x); }, [](W x) { return std::sin(x); }},
      {"cos", [](In x) { return cos(x); }, [](W x) { return std::cos(x); }},
      {"clamp", [](In x) { return clamp(x, -1, 1.5); }, [](W x) { return x < -1    ? W(-1)
                                                                         : x > 1.5 ? W(1.5)
                                                                                   : x; }},
      {"clamp below", [](In x) { return clamp(x, 0, HUGE_VAL); }, [](W x) { return x < 0 ? W(0) : x; }},
      {"relu", [](In x) { return relu(x); }, [](W x) { return x < 0 ? W(0) : x; }},
      {"leaky_relu", [](In x) { return leaky_relu(x, 0.25); }, [](W x) { return x < 0 ? x / 4 : x; }},
      {"elu", [](In x) { return elu(x); }, [](W x) { return x > 0 ? x : std::expm1(x); }},
      {"sigmoid", [](In x) { return sigmoid(x); }, [](W x) { return 1 / (1 + std::exp(-x)); }},
      {"tanh", [](In x) { return gan::tanh(x); }, [](W x) { return std::tanh(x); }},
      {"softplus", [](In x) { return softplus(x); },
       [](W x) { return (x < 0 ? W(0) : x) + std::log1p(std::exp(-std::abs(x))); }},
      {"erf", [](In x) { return gan::erf(x); }, [](W x) { return std::erf(x); }},
      {"gelu", [](In x) { return gelu(x); },
       [](W x) { return x < -40 && !std::isinf(x) ? W(0) : x * (1 + std::erf(x / std::sqrt(W(2)))) / 2; }},
      {"neg", [](In x) { return -x; }, [](W x) { return -x; }},
      {"plus", [](In x) { return x + 0.5; }, [](W x) { return x + W(0.5); }},
      {"times", [](In x) { return x * 3; }, [](W x) { return x * 3; }},
      {"divided", [](In x) { return x / 3; }, [](W x) { return x / 3; }},
      {"divided by a power of two", [](In x) { return x / 8; }, [](W x) { return x / 8; }},
      {"reciprocal", [](In x) { return 3 / x; }, [](W x) { return 3 / x; }},
  };
}

template <class T>
std::vector<T> specials() {
  using L = std::numeric_limits<T>;
  std::vector<T> values{L::quiet_NaN(), 0, T(0.3), 1, T(1e-5), 50, T(1e5), T(1e10), T(1e30)};
  for (const T x : {L::infinity(), L::max(), L::max() / 2, L::min(), L::min() / 3, L::denorm_min()})
    values.push_back(x);
  // Around the ends of the exponential function's range: normal results, denormal ones, and none.
  if constexpr (sizeof(T) == 4)
    values.insert(values.end(), {86.9f, 87.5f, 88.3f, 88.6f, 88.72f, 88.73f, 89, 95, 102, 103.9f, 104.5f, 200});
  else
    values.insert(values.end(), {707.9, 708.3, 709.1, 709.78, 709.79, 711, 735, 745, 746, 1000});
  const auto count = values.size();
  for (std::size_t i = 0; i < count; ++i) values.push_back(-values[i]);
  return values;
}

/// 37 elements: whole vectors and a tail; some of them special.
constexpr Index length = 37;
constexpr bool is_special(Index i) { return i == 3 || i == 20 || i >= 34; }

template <class T>
Tensor<T> among_ordinary(T special) {
  auto x = Tensor<T>::full({length}, T(0.75));
  for (Index i = 0; i < length; ++i)
    if (is_special(i)) x.mutable_data()[i] = special;
  return x;
}

/// "" when `found` is what `exact` rounds to, within a few units in the last place.
template <class T>
std::string compared(T found, Wide<T> exact) {
  const T expected = static_cast<T>(exact);
  if ((std::isnan(found) && std::isnan(expected)) || found == expected) return {};
  const auto error = std::abs(Wide<T>(found) - exact);
  const auto allowed =
      8 * std::numeric_limits<T>::epsilon() * std::abs(exact) + 2 * Wide<T>(std::numeric_limits<T>::denorm_min());
  if (std::isfinite(found) && std::isfinite(expected) && error <= allowed) return {};
  std::ostringstream text;
  text.precision(17);
  text << "found " << found << ", expected " << expected;
  return text.str();
}

}  // namespace

TEMPLATE_TEST_CASE("special values through functions of one tensor", "", float, double) {
  using T = TestType;
  for (const auto& c : cases<T>())
    for (const T special : specials<T>()) {
      CAPTURE(c.name, special);
      const auto y = c.op(among_ordinary(special)), all = c.op(Tensor<T>::full({length}, special));
      for (Index i = 0; i < length; ++i) {
        CAPTURE(i);
        CHECK(compared(y.data()[i], c.reference(is_special(i) ? special : T(0.75))) == "");
        CHECK(compared(all.data()[i], c.reference(special)) == "");
      }
    }
}

TEMPLATE_TEST_CASE("special values through functions of two tensors", "", float, double) {
  using T = TestType;
  using W = Wide<T>;
  const auto larger = [](W a, W b) { return std::isnan(a) || std::isnan(b) ? W(NAN) : std::max(a, b); };
  const auto smaller = [](W a, W b) { return std::isnan(a) || std::isnan(b) ? W(NAN) : std::min(a, b); };
  const auto values = specials<T>();
  for (const T p : values)
    for (const T q : values) {
      CAPTURE(p, q);
      const auto a = Tensor<T>::full({length}, p), b = Tensor<T>::full({length}, q);
      const auto sum = a + b, difference = a - b, product = a * b, quotient = a / b;
      const auto max = maximum(a, b), min = minimum(a, b);
      std::string wrong;
      for (const Index i : {Index{0}, Index{17}, length - 1}) {
        wrong += compared(sum.data()[i], W(p) + W(q)) + compared(difference.data()[i], W(p) - W(q));
        wrong += compared(product.data()[i], W(p) * W(q)) + compared(quotient.data()[i], W(p) / W(q));
        wrong += compared(max.data()[i], larger(p, q)) + compared(min.data()[i], smaller(p, q));
      }
      REQUIRE(wrong == "");
    }
}

TEMPLATE_TEST_CASE("gradients that are masked are zero, however large the incoming one", "", float, double) {
  using T = TestType;
  const T inf = std::numeric_limits<T>::infinity(), nan = std::numeric_limits<T>::quiet_NaN();
  const auto row = [](std::initializer_list<T> values) {
    return Tensor<T>({static_cast<Index>(values.size())}, values);
  };
  const auto zeros = Tensor<T>::zeros({length});
  for (const T incoming : {inf, -inf, nan}) {
    CAPTURE(incoming);
    const auto g = Tensor<T>::full({length}, incoming);
    const auto at = [&](T value) { return Tensor<T>::full({length}, value).set_requires_grad(); };
    const auto low = at(-1), high = at(2), zero = at(0), infinite = at(-inf);
    REQUIRE(difference(grad(relu(low), low, {}, g), zeros) == "");
    REQUIRE(difference(grad(relu(infinite), infinite, {}, g), zeros) == "");
    REQUIRE(difference(grad(relu(high), high, {}, g), g) == "");
    REQUIRE(difference(grad(clamp(low, 0, 1), low, {}, g), zeros) == "");
    REQUIRE(difference(grad(clamp(high, 0, 1), high, {}, g), zeros) == "");
    REQUIRE(difference(grad(clamp(zero, 0, 1), zero, {}, g), g) == "");
    REQUIRE(difference(grad(abs(zero), zero, {}, g), zeros) == "");
    const auto of_max = grad(maximum(low, high), {low, high}, {}, g),
               of_min = grad(minimum(low, high), {low, high}, {}, g);
    REQUIRE(difference(of_max[0], zeros) == "");
    REQUIRE(difference(of_max[1], g) == "");
    REQUIRE(difference(of_min[0], g) == "");
    REQUIRE(difference(of_min[1], zeros) == "");
    auto x = row({1, 3, 2}).set_requires_grad();
    REQUIRE(difference(grad(gan::max(x), x, {}, Tensor<T>::scalar(incoming)), row({0, incoming, 0})) == "");
  }
  // The gradient of a NaN that won goes to it, of several to each.
  auto a = row({nan, 1, nan}).set_requires_grad(), b = row({1, nan, 2}).set_requires_grad();
  const auto g = grad(maximum(a, b), {a, b});
  REQUIRE(difference(g[0], row({1, 0, 1})) == "");
  REQUIRE(difference(g[1], row({0, 1, 0})) == "");
  REQUIRE(difference(grad(gan::max(a), a), row({T(0.5), 0, T(0.5)})) == "");
}

TEMPLATE_TEST_CASE("a root of what is masked has gradients of first and second order", "", float, double) {
  using T = TestType;
  auto x = Tensor<T>({3}, {-1, 4, -0.25}).set_requires_grad();
  for (const bool clamped : {false, true}) {
    CAPTURE(clamped);
    const auto y = sqrt(clamped ? clamp(x, 0, 100) : relu(x));
    const auto first = grad(y, x, {.create_graph = true});
    REQUIRE(difference(first, Tensor<T>({3}, {0, 0.25, 0})) == "");
    REQUIRE(difference(grad(first, x), Tensor<T>({3}, {0, -1 / T(32), 0}), 1e-6) == "");
  }
}

TEMPLATE_TEST_CASE("relu has no negative zeros and softmax none but zeros where it vanishes", "", float, double) {
  using T = TestType;
  REQUIRE(bit_difference(relu(Tensor<T>::full({length}, -1)), Tensor<T>::zeros({length})) == "");
  const T inf = std::numeric_limits<T>::infinity();
  auto logits = Tensor<T>::full({2, length}, 0);
  for (Index i = 1; i < length; ++i) logits.mutable_data()[i] = i % 2 ? -inf : T(-1e4);
  auto expected = Tensor<T>::zeros({2, length});
  expected.mutable_data()[0] = 1;
  for (Index i = 0; i < length; ++i) expected.mutable_data()[length + i] = T(1) / length;
  REQUIRE(difference(softmax(logits), expected, 1e-6, 1e-9) == "");
  for (Index i = 0; i < length; ++i) REQUIRE(softmax(logits).data()[i] == expected.data()[i]);
}

TEMPLATE_TEST_CASE("a division is rounded once", "", float, double) {
  using T = TestType;
  Tensor<T> x({1000});
  for (Index i = 0; i < x.size(); ++i) x.mutable_data()[i] = T(0.37) * static_cast<T>(i - 300);
  for (const double s : {3.0, 0.1, -7.0, 1e-30, 49.0, 8.0, -0.25, 1e30}) {
    CAPTURE(s);
    auto expected = Tensor<T>::empty(x.shape());
    for (Index i = 0; i < x.size(); ++i) expected.mutable_data()[i] = x.data()[i] / static_cast<T>(s);
    REQUIRE(difference(x / s, expected) == "");
    auto leaf = x.clone().set_requires_grad();
    REQUIRE(difference(grad(leaf / s, leaf, {}, x), expected) == "");
  }
  REQUIRE((Tensor<float>::scalar(0) / 1e-40).item() == 0);
}

TEST_CASE("parameters that mean nothing are refused") {
  const Tensor<float> x({2, 3}, {1, 2, 3, 4, 5, 6});
  const double nan = std::nan(""), inf = HUGE_VAL;
  for (const double bad : {nan, inf, -inf, 1e300}) {
    CAPTURE(bad);
    REQUIRE_THROWS_WITH(leaky_relu(x, bad), ContainsSubstring("leaky_relu: slope "));
    REQUIRE_THROWS_WITH(elu(x, bad), ContainsSubstring("elu: alpha "));
    REQUIRE_THROWS_WITH(pow(x, bad), ContainsSubstring("pow: exponent "));
  }
  REQUIRE_THROWS_WITH(elu(x, -1), "elu: alpha -1, expected a finite number of at least 0");
  REQUIRE_NOTHROW(elu(x, 0));
  const Tensor<float> scale({3}), empty({4, 0}), none(gan::Shape{0});
  for (const double bad : {nan, inf, -1.0, 0.0, 1e-60}) {
    CAPTURE(bad);
    REQUIRE_THROWS_WITH(normalize(x, {1}, bad), ContainsSubstring("normalize: epsilon "));
    REQUIRE_THROWS_WITH(batch_norm(x, scale, scale, bad), ContainsSubstring("batch_norm: epsilon "));
  }
  REQUIRE_THROWS_WITH(batch_norm(empty, none, none), "batch_norm: x [4, 0] has no channels");
  REQUIRE_THROWS_WITH(clamp(x, nan, 1), ContainsSubstring("clamp: range [nan, 1] is empty"));
  REQUIRE_THROWS_AS(clamp(x, 0, nan), gan::Error);
}
