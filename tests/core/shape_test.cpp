// Shapes: lengths, limits, axes, and NumPy's broadcasting rule.
#include "gan/core/shape.hpp"

#include <sstream>
#include <vector>

#include "support/catch.hpp"

using gan::broadcast;
using gan::Index;
using gan::Shape;

namespace {
std::string text(const Shape& shape) {
  std::ostringstream out;
  out << shape;
  return out.str();
}
}  // namespace

TEST_CASE("a shape knows its lengths") {
  const Shape shape{2, 3, 4};
  REQUIRE(shape.rank() == 3);
  REQUIRE(shape.size() == 24);
  REQUIRE(shape[0] == 2);
  REQUIRE(shape[-1] == 4);
  REQUIRE(shape[-3] == 2);
  REQUIRE(shape.last() == 4);
  REQUIRE(shape.rows() == 6);
  REQUIRE(std::vector<Index>(shape.begin(), shape.end()) == std::vector<Index>{2, 3, 4});
  REQUIRE(text(shape) == "[2, 3, 4]");
  REQUIRE(text(Shape{5}) == "[5]");
}

TEST_CASE("a scalar has no axes and one element") {
  const Shape scalar{};
  REQUIRE(scalar.rank() == 0);
  REQUIRE(scalar.size() == 1);
  REQUIRE(scalar.last() == 1);
  REQUIRE(scalar.rows() == 1);
  REQUIRE(text(scalar) == "[]");
  REQUIRE(scalar == Shape());
  REQUIRE_FALSE(scalar == Shape{1});
  REQUIRE_THROWS_WITH(scalar[0], "axis 0 of shape []: expected an axis in [0, 0)");
}

TEST_CASE("axes of length 0") {
  REQUIRE(Shape{0}.size() == 0);
  REQUIRE(Shape{0}.rows() == 1);
  REQUIRE(Shape{3, 0}.size() == 0);
  REQUIRE(Shape{3, 0}.rows() == 3);
  REQUIRE(Shape{3, 0}.last() == 0);
  REQUIRE(Shape{0, 3}.rows() == 0);
  REQUIRE(Shape{2, 0, 0}.rows() == 0);
}

TEST_CASE("axes outside the rank are refused") {
  const Shape shape{2, 3};
  REQUIRE(shape.normalize(-1) == 1);
  REQUIRE(shape.normalize(0) == 0);
  REQUIRE_THROWS_WITH(shape[2], "axis 2 of shape [2, 3]: expected an axis in [-2, 2)");
  REQUIRE_THROWS_WITH(shape[-3], ContainsSubstring("axis -3 of shape [2, 3]"));
  REQUIRE_THROWS_AS(shape.with(2, 1), gan::Error);
  REQUIRE_THROWS_AS(shape.without(-3), gan::Error);
}

TEST_CASE("impossible shapes are refused") {
  REQUIRE_THROWS_WITH((Shape{2, -3}), "shape: negative length -3 of axis 1");
  REQUIRE_THROWS_WITH((Shape{1, 1, 1, 1, 1, 1, 1, 1, 1}), "shape: 9 axes, at most 8 are supported");
  REQUIRE_NOTHROW((Shape{1, 1, 1, 1, 1, 1, 1, 1}));
  constexpr Index big = Index{1} << 31;
  REQUIRE_THROWS_WITH((Shape{big, big}), "shape: too many elements");
  REQUIRE_THROWS_WITH((Shape{big, big, 4}), "shape: too many elements");
  REQUIRE_THROWS_WITH((Shape{std::numeric_limits<Index>::max()}), "shape: too many elements");
  // A zero must not hide an overflow: dropping that axis would give an impossible shape.
  REQUIRE_THROWS_AS((Shape{big, 0, big}), gan::Error);
  REQUIRE_THROWS_AS((Shape{0, big, big}), gan::Error);
}

TEST_CASE("shapes are changed axis by axis") {
  const Shape shape{2, 3, 4};
  REQUIRE(shape.with(1, 7) == Shape{2, 7, 4});
  REQUIRE(shape.with(-1, 0) == Shape{2, 3, 0});
  REQUIRE(shape.with(-1, 0).size() == 0);
  REQUIRE(shape.without(0) == Shape{3, 4});
  REQUIRE(shape.without(-1) == Shape{2, 3});
  REQUIRE(Shape{5}.without(0) == Shape{});
  REQUIRE(shape.inserted(0, 5) == Shape{5, 2, 3, 4});
  REQUIRE(shape.inserted(3, 5) == Shape{2, 3, 4, 5});
  REQUIRE(Shape{}.inserted(0, 5) == Shape{5});
  REQUIRE(Shape{1, 2, 3, 4, 5, 6, 7, 8}.without(3) == Shape{1, 2, 3, 5, 6, 7, 8});
  REQUIRE(Shape{1, 2, 3, 4, 5, 6, 7}.inserted(6, 9) == Shape{1, 2, 3, 4, 5, 6, 9, 7});
  REQUIRE_THROWS_WITH(shape.inserted(4, 1), "cannot insert axis 4 into shape [2, 3, 4]");
  REQUIRE_THROWS_AS(shape.inserted(-1, 1), gan::Error);
  REQUIRE_THROWS_AS((Shape{1, 1, 1, 1, 1, 1, 1, 1}.inserted(0, 1)), gan::Error);
  REQUIRE_THROWS_AS(shape.with(0, -1), gan::Error);
}

TEST_CASE("shapes are equal when all lengths are") {
  REQUIRE(Shape{2, 3} == Shape{2, 3});
  REQUIRE_FALSE(Shape{2, 3} == Shape{3, 2});
  REQUIRE_FALSE(Shape{2, 3} == Shape{2, 3, 1});
  REQUIRE_FALSE(Shape{1, 2, 3} == Shape{2, 3});
}

TEST_CASE("broadcasting follows NumPy") {
  const auto both = [](const Shape& a, const Shape& b, const Shape& expected) {
    CAPTURE(a, b);
    REQUIRE(broadcast("op", a, b) == expected);
    REQUIRE(broadcast("op", b, a) == expected);
  };
  both({2, 3}, {2, 3}, {2, 3});
  both({2, 3}, {3}, {2, 3});
  both({2, 3}, {}, {2, 3});
  both({}, {}, {});
  both({2, 1}, {1, 3}, {2, 3});
  both({4, 1, 3}, {2, 1}, {4, 2, 3});
  both({1, 1, 1}, {5}, {1, 1, 5});
  both({1}, {0}, {0});
  both({0, 3}, {1, 3}, {0, 3});
  both({2, 0}, {2, 1}, {2, 0});
}

TEST_CASE("shapes that do not broadcast are refused by name") {
  REQUIRE_THROWS_WITH(
      broadcast("add", {2, 3}, {2, 4}),
      "add: shapes [2, 3] and [2, 4] do not broadcast: axis -1 is 3 and 4, expected equal lengths or 1");
  REQUIRE_THROWS_WITH(broadcast("mul", {2, 3}, {3, 3}), ContainsSubstring("axis -2 is 2 and 3"));
  REQUIRE_THROWS_AS(broadcast("mul", {2}, {0}), gan::Error);
  constexpr Index big = Index{1} << 31;
  REQUIRE_THROWS_WITH(broadcast("mul", {big, 1}, {1, big}), ContainsSubstring("too many elements"));
}
