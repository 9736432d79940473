// Pooling: values against plain loops, gradients, and what happens to NaN.
#include "gan/ops/pooling.hpp"

#include <limits>

#include "gan/ops/elementwise.hpp"
#include "support/catch.hpp"
#include "support/gradcheck.hpp"

using namespace gan;
using gan::test::random_tensor;
using gan::test::require_close;

namespace {

const PoolOptions variants[] = {
    {},
    {.kernel = 3, .stride = 1, .padding = Padding::same()},
    {.kernel = {2, 3}, .stride = {1, 2}, .padding = {1, 0, 2, 1}},
    {.kernel = {5, 4}},
    {.kernel = 3, .stride = 2, .padding = Padding::same()},
    {.kernel = 1, .stride = 3},
};

// Windows by their definition; `top` and `left` of the padding are given by the caller.
template <class F>
Tensor<double> plain(const Tensor<double>& x, const Shape& y_shape, Size2d kernel, Size2d stride, Index top, Index left,
                     F reduce) {
  Tensor<double> y(y_shape);
  double* to = y.mutable_data();
  for (Index n = 0; n < y_shape[0]; ++n)
    for (Index i = 0; i < y_shape[1]; ++i)
      for (Index j = 0; j < y_shape[2]; ++j)
        for (Index c = 0; c < y_shape[3]; ++c) {
          std::vector<double> window;
          for (Index a = 0; a < kernel.rows; ++a)
            for (Index b = 0; b < kernel.columns; ++b) {
              const Index p = i * stride.rows + a - top, q = j * stride.columns + b - left;
              if (p >= 0 && p < x.shape()[1] && q >= 0 && q < x.shape()[2]) window.push_back(x.at({n, p, q, c}));
            }
          *to++ = reduce(window);
        }
  return y;
}

double mean_of(const std::vector<double>& v) {
  double total = 0;
  for (const double a : v) total += a;
  return total / static_cast<double>(v.size());
}
double max_of(const std::vector<double>& v) { return *std::max_element(v.begin(), v.end()); }

}  // namespace

TEST_CASE("pooling agrees with plain loops") {
  Rng rng(1);
  const auto x = random_tensor(rng, {3, 5, 7, 4});
  const auto check = [&](const PoolOptions& o, const Shape& shape, Size2d stride, Index top, Index left) {
    require_close(avg_pool2d(x, o), plain(x, shape, o.kernel, stride, top, left, mean_of), 1e-14, "average");
    require_close(max_pool2d(x, o), plain(x, shape, o.kernel, stride, top, left, max_of), 0, "max");
  };
  check(variants[0], {3, 2, 3, 4}, 2, 0, 0);
  check(variants[1], {3, 5, 7, 4}, 1, 1, 1);
  check(variants[2], {3, 5, 4, 4}, {1, 2}, 1, 2);
  check(variants[3], {3, 1, 1, 4}, {5, 4}, 0, 0);
  check(variants[4], {3, 3, 4, 4}, 2, 1, 1);
  check(variants[5], {3, 2, 3, 4}, 3, 0, 0);
}

TEST_CASE("pooling gradients in first and second order") {
  Rng rng(2);
  for (const auto& options : variants) {
    test::check_gradients([&](const test::Inputs& in) { return avg_pool2d(in[0], options); },
                          {random_tensor(rng, {2, 5, 5, 2})});
    test::check_gradients([&](const test::Inputs& in) { return max_pool2d(tanh(in[0]), options); },
                          {random_tensor(rng, {2, 5, 5, 2})});
  }
}

TEST_CASE("max pooling lets NaN through, never padding, and gives ties to the first") {
  const double nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();
  const Tensor<double> x({1, 2, 4, 1}, {1, nan, -3, -inf, 2, 3, -inf, -inf});
  const auto y = max_pool2d(x);
  REQUIRE(std::isnan(y.at({0, 0, 0, 0})));
  REQUIRE(y.at({0, 0, 1, 0}) == -3);
  const Tensor<double> low({1, 1, 1, 1}, {-inf});
  REQUIRE(max_pool2d(low, {.kernel = 3, .padding = 1}).item() == -inf);
  REQUIRE(std::isnan(avg_pool2d(x).at({0, 0, 0, 0})));

  Tensor<double> ties({1, 2, 2, 1}, {4, 4, 4, 4});
  ties.set_requires_grad();
  require_close(grad(max_pool2d(ties), ties), Tensor<double>({1, 2, 2, 1}, {1, 0, 0, 0}), 0, "ties");
}

TEST_CASE("pooling in several parts, on any number of threads") {
  Rng rng(4);
  const int before = threads();
  auto x = random_tensor(rng, {40, 24, 20, 10}).set_requires_grad();
  const PoolOptions options{.kernel = 3, .stride = 2, .padding = 1};
  const Shape shape{40, 12, 10, 10};
  const auto w = random_tensor(rng, shape);
  std::vector<Tensor<double>> first;
  for (const int n : {1, 2, 3}) {
    CAPTURE(n);
    set_threads(n);
    const auto average = avg_pool2d(x, options), largest = max_pool2d(x, options);
    require_close(average, plain(x, shape, 3, 2, 1, 1, mean_of), 1e-14, "average");
    require_close(largest, plain(x, shape, 3, 2, 1, 1, max_of), 0, "max");
    const std::vector<Tensor<double>> results{average, largest, grad(average, x, {}, w), grad(largest, x, {}, w)};
    if (first.empty()) first = results;
    for (std::size_t i = 0; i < results.size(); ++i) REQUIRE(test::bit_difference(results[i], first[i]) == "");
  }
  set_threads(before);
  // Adjoint: <pool(x), w> = <x, gradient> for the linear one, and for the other at its own x.
  const auto dot = [](const Tensor<double>& a, const Tensor<double>& b) { return (a.values() * b.values()).sum(); };
  REQUIRE(dot(first[0], w) == Approx(dot(x, first[2])));
  REQUIRE(dot(first[1], w) == Approx(dot(x, first[3])));
}

TEST_CASE("all of max pooling is profiled, as one call") {
  const Tensor<float> x({2, 8, 8, 4});
  Profile profile;
  max_pool2d(x);
  const auto rows = profile.rows();
  REQUIRE(rows.size() == 1);
  REQUIRE(rows[0].name == "max_pool2d");
  REQUIRE(rows[0].calls == 1);
}

TEST_CASE("pooling names the numbers of a mistake") {
  const Tensor<float> x({2, 5, 6, 4});
  REQUIRE_THROWS_WITH(avg_pool2d(Tensor<float>({2, 5})), ContainsSubstring("avg_pool2d: x [2, 5], expected"));
  REQUIRE_THROWS_WITH(max_pool2d(x, {.kernel = 0}), ContainsSubstring("kernel {0, 0}"));
  REQUIRE_THROWS_WITH(max_pool2d(x, {.kernel = 6}), ContainsSubstring("covers 6") && ContainsSubstring("only 5"));
  REQUIRE_THROWS_WITH(max_pool2d(x, {.padding = 2}), ContainsSubstring("padding 2 before"));
  REQUIRE_THROWS_WITH(avg_pool2d(x, {.stride = -1}), ContainsSubstring("stride -1"));
  REQUIRE_THROWS_WITH(avg_pool2d(Tensor<float>({2, 0, 6, 4})), ContainsSubstring("no pixels"));
  REQUIRE(max_pool2d(Tensor<float>({0, 4, 4, 3})).shape() == Shape{0, 2, 2, 3});
}
