// Outer and cross products, and the outer products in a dense layer's gradient.
#include "gan/ops/vector_products.hpp"

#include <utility>

#include "gan/ops/matmul.hpp"
#include "support/catch.hpp"
#include "support/gradcheck.hpp"
#include "support/reference.hpp"

using gan::cross;
using gan::Index;
using gan::outer;
using gan::Shape;
using gan::Tensor;
using namespace gan::test;

TEST_CASE("outer products") {
  gan::Rng rng(91);
  for (const auto& [m, n] : {std::pair<Index, Index>{3, 4}, {1, 4}, {3, 1}, {1, 1}}) {
    const auto a = random_tensor(rng, {m}), b = random_tensor(rng, {n});
    const auto y = outer(a, b);
    REQUIRE(y.shape() == Shape{m, n});
    for (Index i = 0; i < m; ++i)
      for (Index j = 0; j < n; ++j) REQUIRE(y.at({i, j}) == a.at({i}) * b.at({j}));
    check_gradients([](const Inputs& v) { return outer(v[0], v[1]); }, {a, b});
  }
  check_gradients([](const Inputs& v) { return outer(v[0], v[0]); }, {random_tensor(rng, {3})});
}

TEST_CASE("outer products of a batch") {
  gan::Rng rng(92);
  const auto a = random_tensor(rng, {3, 2}), b = random_tensor(rng, {3, 4});
  const auto y = outer(a, b);
  REQUIRE(y.shape() == Shape{3, 2, 4});
  for (Index n = 0; n < 3; ++n)
    for (Index i = 0; i < 2; ++i)
      for (Index j = 0; j < 4; ++j) REQUIRE(y.at({n, i, j}) == a.at({n, i}) * b.at({n, j}));
  check_gradients([](const Inputs& v) { return outer(v[0], v[1]); }, {a, b});
  REQUIRE(outer(Tensor<double>({0, 2}), Tensor<double>({0, 4})).shape() == Shape{0, 2, 4});
}

TEST_CASE("a dense layer's weight gradient is a sum of outer products") {
  gan::Rng rng(93);
  const auto x = random_tensor(rng, {5, 3}), g = random_tensor(rng, {5, 4});
  auto w = random_tensor(rng, {3, 4}).set_requires_grad();
  const auto sum_of_outer = sum(outer(x, g), {0});
  require_close(grad(gan::matmul(x, w), w, {}, g), sum_of_outer, 1e-13, "matmul");
  require_close(grad(gan::linear(x, w), w, {}, g), sum_of_outer, 1e-13, "linear");
}

TEST_CASE("tensors without an outer product are refused") {
  const auto outer_of = [](const Shape& a, const Shape& b) { return outer(Tensor<double>(a), Tensor<double>(b)); };
  REQUIRE_THROWS_WITH(outer_of({2, 3}, {3, 3}),
                      "outer: a [2, 3] and b [3, 3], expected [m] and [n], or [n, p] and [n, q]");
  REQUIRE_THROWS_WITH(outer_of({2}, {2, 3}), ContainsSubstring("outer: a [2] and b [2, 3]"));
  REQUIRE_THROWS_AS(outer_of({}, {}), gan::Error);
  REQUIRE_THROWS_AS(outer_of({2, 3, 4}, {2, 3, 4}), gan::Error);
}

TEST_CASE("cross products") {
  const Tensor<double> x({3}, {1, 0, 0}), y({3}, {0, 1, 0}), z({3}, {0, 0, 1});
  REQUIRE((cross(x, y).values() == z.values()).all());
  REQUIRE((cross(y, z).values() == x.values()).all());
  REQUIRE((cross(z, x).values() == y.values()).all());
  REQUIRE((cross(y, x).values() == -z.values()).all());
  gan::Rng rng(94);
  const std::pair<Shape, Shape> shapes[] = {{{3}, {3}}, {{2, 3}, {2, 3}}, {{2, 3}, {3}}, {{2, 1, 3}, {4, 3}}};
  for (const auto& [p, q] : shapes) {
    CAPTURE(p, q);
    const auto a = random_tensor(rng, p), b = random_tensor(rng, q);
    const auto c = cross(a, b);
    REQUIRE(c.shape() == gan::broadcast("test", p, q));
    for (Index i = 0; i < c.size(); ++i) {
      auto index = unravel(c.shape(), i);
      const Index k = index.back();
      const auto value = [&](const Tensor<double>& t, Index component) {
        index.back() = component % 3;
        return t.data()[ravel(t.shape(), index)];
      };
      REQUIRE(c.data()[i] ==
              Approx(value(a, k + 1) * value(b, k + 2) - value(a, k + 2) * value(b, k + 1)).margin(1e-14));
    }
    REQUIRE(sum(c * a, {-1}).values().abs().maxCoeff() < 1e-14);  // orthogonal to both
    REQUIRE(sum(c * b, {-1}).values().abs().maxCoeff() < 1e-14);
    check_gradients([](const Inputs& v) { return cross(v[0], v[1]); }, {a, b});
  }
  REQUIRE(cross(Tensor<double>({0, 3}), x).shape() == Shape{0, 3});
}

TEST_CASE("tensors without a cross product are refused") {
  const auto cross_of = [](const Shape& a, const Shape& b) { return cross(Tensor<double>(a), Tensor<double>(b)); };
  REQUIRE_THROWS_WITH(cross_of({2, 4}, {2, 3}), "cross: a [2, 4] and b [2, 3], expected a last axis of 3");
  REQUIRE_THROWS_WITH(cross_of({3}, {1}), ContainsSubstring("cross: a [3] and b [1]"));
  REQUIRE_THROWS_AS(cross_of({}, {3}), gan::Error);
  REQUIRE_THROWS_WITH(cross_of({2, 3}, {4, 3}), ContainsSubstring("do not broadcast"));
}
