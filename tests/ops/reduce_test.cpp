// Mean, variance and maximum over axes.
#include "gan/ops/reduce.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "support/catch.hpp"
#include "support/gradcheck.hpp"
#include "support/reference.hpp"

using gan::Index;
using gan::Shape;
using gan::Tensor;
using namespace gan::test;
using Axes = std::vector<Index>;

namespace {

/// The elements of x that fall together, for each element of the result.
std::vector<std::vector<double>> groups(const Tensor<double>& x, const Axes& axes) {
  Shape kept = x.shape();
  for (Index axis = 0; axis < kept.rank(); ++axis)
    if (axes.empty() || std::count(axes.begin(), axes.end(), axis)) kept = kept.with(axis, 1);
  std::vector<std::vector<double>> result(static_cast<std::size_t>(kept.size()));
  for (Index i = 0; i < x.size(); ++i)
    result[static_cast<std::size_t>(ravel(kept, unravel(x.shape(), i)))].push_back(x.data()[i]);
  return result;
}

/// Distinct values with gaps of at least 0.01, so that no finite difference changes which is the largest.
Tensor<double> distinct(gan::Rng& rng, const Shape& shape) {
  auto x = Tensor<double>::empty(shape);
  const auto order = rng.permutation(shape.size());
  for (Index i = 0; i < shape.size(); ++i)
    x.mutable_data()[i] = 0.01 * static_cast<double>(order[static_cast<std::size_t>(i)]) - 0.3;
  return x;
}

Axes random_axes(gan::Rng& rng, const Shape& shape) {
  Axes axes;
  for (Index axis = 0; axis < shape.rank(); ++axis)
    if (rng.integer(0, 2)) axes.push_back(axis);
  return axes;
}

void require_values(const Tensor<double>& x, const Axes& axes) {
  CAPTURE(x.shape(), axes);
  const auto m = mean(x, axes), v = variance(x, axes, true), largest = max(x, axes);
  const auto parts = groups(x, axes);
  REQUIRE(m.size() == static_cast<Index>(parts.size()));
  REQUIRE(v.rank() == x.rank());
  REQUIRE(m.shape() == largest.shape());
  double worst = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    double average = 0, squares = 0;
    for (const double p : parts[i]) average += p / double(parts[i].size());
    for (const double p : parts[i]) squares += (p - average) * (p - average) / double(parts[i].size());
    worst = std::max({worst, std::abs(m.data()[i] - average), std::abs(v.data()[i] - squares),
                      std::abs(largest.data()[i] - *std::max_element(parts[i].begin(), parts[i].end()))});
  }
  REQUIRE(worst < 1e-9);
}

}  // namespace

TEST_CASE("mean, variance and maximum over random axes") {
  gan::Rng rng(41);
  for (int trial = 0; trial < 25; ++trial) {
    const Shape shape = random_shape(rng);
    const Axes axes = random_axes(rng, shape);
    require_values(distinct(rng, shape), axes);
    if (trial >= 10) continue;
    const bool keep = trial % 2;
    CAPTURE(shape, axes, keep);
    const auto x = distinct(rng, shape);
    check_gradients([&](const Inputs& v) { return mean(v[0], axes, keep); }, {x});
    check_gradients([&](const Inputs& v) { return variance(v[0], axes, keep); }, {x});
    check_gradients([&](const Inputs& v) { return gan::max(v[0], axes, keep); }, {x});
    check_gradients([&](const Inputs& v) { return square(gan::max(v[0], axes, keep)); }, {x});
  }
}

TEST_CASE("reductions of large tensors") {
  gan::Rng rng(42);
  for (const Shape& shape : {Shape{50000}, Shape{2, 30000}, Shape{30000, 2}, Shape{300, 1500}, Shape{20, 30, 70}})
    for (const Axes& axes : {Axes{}, Axes{0}, Axes{shape.rank() - 1}}) require_values(random_tensor(rng, shape), axes);
}

TEST_CASE("the variance of large values keeps its digits") {
  Tensor<float> x({4}, {10001, 10002, 10003, 10004});
  REQUIRE(gan::variance(x).item() == Approx(1.25));
}

TEST_CASE("elements that tie share the gradient of a maximum") {
  auto x = Tensor<double>({2, 3}, {1, 5, 5, 2, 2, 2}).set_requires_grad();
  const auto g = grad(gan::max(x, {1}), x);
  const std::vector<double> expected{0, 0.5, 0.5, 1.0 / 3, 1.0 / 3, 1.0 / 3};
  for (std::size_t i = 0; i < 6; ++i) REQUIRE(g.data()[i] == Approx(expected[i]).margin(0));
}

TEST_CASE("a maximum of infinite values and of those that are no number") {
  const double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  REQUIRE(gan::max(Tensor<double>({2}, {-inf, -inf})).item() == -inf);
  REQUIRE(gan::max(Tensor<double>({3}, {1, inf, 2})).item() == inf);
  for (int at = 0; at < 3; ++at) {
    Tensor<double> x({3, 2}, {1, 2, 3, 4, 5, 6});
    x.mutable_data()[2 * at] = nan;
    REQUIRE(std::isnan(gan::max(x).item()));
    REQUIRE(std::isnan(gan::max(x, {0}).at({0})));
    REQUIRE(gan::max(x, {0}).at({1}) == 6);
  }
}

TEST_CASE("reductions of nothing are refused") {
  const Tensor<double> x({0, 3});
  REQUIRE_THROWS_WITH(gan::mean(x), "mean: no elements along the axes of [0, 3]");
  REQUIRE_THROWS_WITH(gan::mean(x, {0}), ContainsSubstring("mean: no elements"));
  REQUIRE_THROWS_WITH(gan::max(x, {0}), "max: no elements along the axes of [0, 3]");
  REQUIRE_THROWS_AS(gan::variance(x), gan::Error);
  REQUIRE(gan::mean(x, {1}).shape() == Shape{0});
  REQUIRE(gan::max(x, {1}).shape() == Shape{0});
}

TEST_CASE("wrong axes are refused by reductions") {
  const Tensor<double> x({2, 3});
  REQUIRE_THROWS_WITH(gan::mean(x, {0, 0}), "mean: axis 0 is given twice");
  REQUIRE_THROWS_WITH(gan::max(x, {0, -2}), "max: axis -2 is given twice");
  REQUIRE_THROWS_WITH(gan::max(x, {5}), ContainsSubstring("axis 5 of shape [2, 3]"));
  REQUIRE_THROWS_WITH(gan::variance(x, {-3}), ContainsSubstring("axis -3 of shape [2, 3]"));
}

TEST_CASE("a scalar is its own mean and maximum") {
  auto x = Tensor<double>::scalar(3).set_requires_grad();
  REQUIRE(gan::mean(x).item() == 3);
  REQUIRE(gan::max(x).item() == 3);
  REQUIRE(gan::variance(x).item() == 0);
  REQUIRE(grad(gan::max(x), x).item() == 1);
}
