// Sums, broadcasting and their adjointness; maxima, means and variances are in reduce_test.cpp.
#include "gan/ops/sum.hpp"

#include <algorithm>
#include <utility>
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

/// Sum by one loop over all elements; `kept` has the reduced axes with length 1.
Tensor<double> reference_sum(const Tensor<double>& x, const Shape& kept) {
  Tensor<double> y(kept);
  double* to = y.mutable_data();
  for (Index i = 0; i < x.size(); ++i) to[ravel(kept, unravel(x.shape(), i))] += x.data()[i];
  return y;
}

Shape kept_shape(const Shape& shape, const Axes& axes) {
  Shape kept = shape;
  for (Index axis = 0; axis < shape.rank(); ++axis)
    if (axes.empty() || std::count(axes.begin(), axes.end(), axis)) kept = kept.with(axis, 1);
  return kept;
}

/// Every subset of the axes of `shape`, the empty one first.
std::vector<Axes> subsets(const Shape& shape) {
  std::vector<Axes> all;
  for (unsigned bits = 0; bits < 1u << shape.rank(); ++bits) {
    Axes axes;
    for (Index axis = 0; axis < shape.rank(); ++axis)
      if (bits >> axis & 1) axes.push_back(axis);
    all.push_back(axes);
  }
  return all;
}

void require_sum(const Tensor<double>& x, const Axes& axes) {
  CAPTURE(x.shape(), axes);
  const Shape kept = kept_shape(x.shape(), axes);
  const auto expected = reference_sum(x, kept);
  const auto y = sum(x, axes, true);
  REQUIRE(y.shape() == kept);
  const double scale = 1e-13 * static_cast<double>(x.size() / std::max<Index>(1, y.size()) + 1);
  REQUIRE((y.values() - expected.values()).abs().maxCoeff() <= scale);
  const auto dropped = sum(x, axes);
  REQUIRE(dropped.rank() == (axes.empty() ? 0 : x.rank() - static_cast<Index>(axes.size())));
  REQUIRE((dropped.values() == y.values()).all());
}

}  // namespace

TEST_CASE("sums over every set of axes") {
  gan::Rng rng(31);
  for (int trial = 0; trial < 12; ++trial) {
    const auto x = random_tensor(rng, random_shape(rng));
    for (const auto& axes : subsets(x.shape())) require_sum(x, axes);
  }
}

TEST_CASE("gradients of sums") {
  gan::Rng rng(32);
  for (const Shape& shape : {Shape{3}, Shape{2, 3}, Shape{2, 1, 3}, Shape{2, 2, 1, 2}})
    for (const auto& axes : subsets(shape))
      for (const bool keep : {false, true}) {
        CAPTURE(shape, axes, keep);
        check_gradients([&](const Inputs& x) { return sum(x[0], axes, keep); }, {random_tensor(rng, shape)});
      }
}

TEST_CASE("negative axes count from the end, in any order") {
  gan::Rng rng(33);
  const auto x = random_tensor(rng, {2, 3, 4});
  REQUIRE((sum(x, {-1, 0}).values() == sum(x, {0, 2}).values()).all());
  REQUIRE(sum(x, {-1, 0}).shape() == Shape{3});
  REQUIRE(sum(x, {2, 0}, true).shape() == Shape{1, 3, 1});
}

TEST_CASE("sums of large tensors") {
  gan::Rng rng(34);
  // Long, wide, both, many small ones, and lengths on either side of where the work is cut.
  for (const Shape& shape : {Shape{100000}, Shape{16384}, Shape{16385}, Shape{50000, 2}, Shape{2, 50000},
                             Shape{3, 16384}, Shape{400, 1024}, Shape{400, 1025}, Shape{40, 3000}, Shape{3, 20000, 5},
                             Shape{300, 7, 90}, Shape{2, 9000, 2, 2}, Shape{64, 5, 5, 130}, Shape{5, 2, 30000}}) {
    const auto x = random_tensor(rng, shape);
    for (const auto& axes : subsets(shape)) require_sum(x, axes);
  }
}

TEST_CASE("large sums in single precision stay accurate") {
  const auto x = Tensor<float>::full({1 << 22}, 0.1f);
  REQUIRE(sum(x).item() == Approx(0.1f * double(1 << 22)).epsilon(5e-5));
  const auto columns = sum(reshape(x, {-1, 4}), {0});
  for (Index i = 0; i < 4; ++i) REQUIRE(columns.at({i}) == Approx(0.1f * double(1 << 20)).epsilon(1e-4));
}

TEST_CASE("sums of many rows stay accurate, however wide they are") {
  for (const Index columns : {2, 31, 1024, 1025, 2500}) {
    const Index rows = (1 << 22) / columns;
    CAPTURE(columns);
    const auto mean = sum(Tensor<float>::full({rows, columns}, 0.1f), {0}) / double(rows);
    REQUIRE(difference(mean, Tensor<float>::full({columns}, 0.1f), 1e-5, 0.1) == "");
  }
  // And every element is counted once.
  for (const Index columns : {1023, 1025, 1040, 2049, 5000}) {
    CAPTURE(columns);
    auto x = Tensor<double>({2, 150, columns}), expected = Tensor<double>({2, columns});
    double* to = x.mutable_data();
    for (Index i = 0; i < x.size(); ++i) {
      to[i] = static_cast<double>(i % 8191);
      expected.mutable_data()[i / (150 * columns) * columns + i % columns] += to[i];
    }
    REQUIRE(difference(sum(x, {1}), expected) == "");
  }
}

TEST_CASE("sums of nothing are zero") {
  REQUIRE(sum(Tensor<double>({0, 3})).item() == 0);
  const auto y = sum(Tensor<double>({0, 3}), {0});
  REQUIRE(y.shape() == Shape{3});
  REQUIRE((y.values() == 0).all());
  REQUIRE(sum(Tensor<double>({0, 3}), {1}).shape() == Shape{0});
  REQUIRE(sum(Tensor<double>({2, 0, 0}), {1, 2}).shape() == Shape{2});
  REQUIRE((sum(Tensor<double>({2, 0, 5000}), {1}).values() == 0).all());
  auto x = Tensor<double>({0, 3}).set_requires_grad();
  REQUIRE(grad(sum(x), x).shape() == Shape{0, 3});
}

TEST_CASE("the sum over no element of length above 1 is a tensor of its own") {
  Tensor<double> x({1, 3}, {1, 2, 3});
  auto y = sum(x, {0});
  y.mutable_data()[0] = 10;
  REQUIRE(x.at({0, 0}) == 1);
  auto s = Tensor<double>::scalar(2);
  auto t = sum(s);
  t.mutable_data()[0] = 5;
  REQUIRE(s.item() == 2);
}

TEST_CASE("wrong axes are refused") {
  const Tensor<double> x({2, 3});
  REQUIRE_THROWS_WITH(sum(x, {2}), "axis 2 of shape [2, 3]: expected an axis in [-2, 2)");
  REQUIRE_THROWS_WITH(sum(x, {1, -1}), "sum: axis -1 is given twice");
  REQUIRE_THROWS_AS(sum(Tensor<double>::scalar(1), {0}), gan::Error);
}

TEST_CASE("broadcast_to repeats, sum_to is its adjoint") {
  gan::Rng rng(35);
  const std::pair<Shape, Shape> shapes[] = {{{3}, {2, 3}},
                                            {{1, 3}, {2, 3}},
                                            {{2, 1}, {2, 3}},
                                            {{}, {2, 3}},
                                            {{1}, {4}},
                                            {{2, 3}, {2, 3}},
                                            {{3}, {1, 3}},
                                            {{2, 1, 1, 2}, {2, 3, 2, 2}},
                                            {{1, 2, 1}, {2, 2, 2, 2}}};
  for (const auto& [small, large] : shapes) {
    CAPTURE(small, large);
    const auto x = random_tensor(rng, small), g = random_tensor(rng, large);
    const auto y = broadcast_to(x, large);
    REQUIRE(y.shape() == large);
    for (Index i = 0; i < y.size(); ++i) REQUIRE(y.data()[i] == x.data()[ravel(small, unravel(large, i))]);
    const auto back = sum_to(g, small);
    REQUIRE(back.shape() == small);
    const double forward = (y.values() * g.values()).sum(), adjoint = (x.values() * back.values()).sum();
    REQUIRE(forward == Approx(adjoint).epsilon(1e-12));
    check_gradients([to = large](const Inputs& v) { return broadcast_to(v[0], to); }, {x});
    check_gradients([to = small](const Inputs& v) { return sum_to(v[0], to); }, {g});
  }
  REQUIRE(broadcast_to(Tensor<double>({1, 3}), {0, 3}).shape() == Shape{0, 3});
  REQUIRE((sum_to(Tensor<double>({0, 3}), {3}).values() == 0).all());
}

TEST_CASE("broadcasting that the rule forbids is refused") {
  REQUIRE_THROWS_WITH(broadcast_to(Tensor<double>({2, 3}), {3}), "broadcast_to: [2, 3] does not broadcast to [3]");
  REQUIRE_THROWS_WITH(broadcast_to(Tensor<double>({2}), {3}), ContainsSubstring("broadcast_to: shapes [2] and [3]"));
  REQUIRE_THROWS_WITH(broadcast_to(Tensor<double>({2}), {1}), "broadcast_to: [2] does not broadcast to [1]");
  REQUIRE_THROWS_WITH(sum_to(Tensor<double>({3}), {2, 3}), "sum_to: [2, 3] does not broadcast to [3]");
  REQUIRE_THROWS_WITH(sum_to(Tensor<double>({3}), {2}), ContainsSubstring("sum_to: shapes [2] and [3]"));
}
