// Reshape, permute, transpose, concatenate, slice and pad.
#include "gan/ops/shaping.hpp"

#include <limits>
#include <vector>

#include "support/catch.hpp"
#include "support/gradcheck.hpp"
#include "support/reference.hpp"

using gan::Index;
using gan::Shape;
using gan::Tensor;
using namespace gan::test;

namespace {

bool same_values(const Tensor<double>& a, const Tensor<double>& b) {
  return a.shape() == b.shape() && (a.values() == b.values()).all();
}

double inner_product(const Tensor<double>& a, const Tensor<double>& b) { return (a.values() * b.values()).sum(); }

}  // namespace

TEST_CASE("reshape shares memory") {
  gan::Rng rng(51);
  auto x = random_tensor({2, 3, 4}, rng);
  const auto y = reshape(x, {6, 4});
  REQUIRE(y.shape() == Shape{6, 4});
  REQUIRE(y.data() == x.data());
  REQUIRE(reshape(x, {-1}).shape() == Shape{24});
  REQUIRE(reshape(x, {4, -1, 2}).shape() == Shape{4, 3, 2});
  REQUIRE(reshape(Tensor<double>::scalar(3), {1, 1}).shape() == Shape{1, 1});
  REQUIRE(reshape(Tensor<double>({1, 1}), Shape{}).rank() == 0);
  REQUIRE(reshape(Tensor<double>({0, 3}), {-1, 3}).shape() == Shape{0, 3});
  REQUIRE(reshape(Tensor<double>({0, 3}), {0, 7}).shape() == Shape{0, 7});
  check_gradients([](const Inputs& v) { return reshape(v[0] * v[0], {3, -1}); }, {x});
}

TEST_CASE("flatten keeps the first axis") {
  const auto shape_of = [](const Shape& shape) { return flatten(Tensor<double>(shape)).shape(); };
  REQUIRE(shape_of({2, 3, 4}) == Shape{2, 12});
  REQUIRE(shape_of({2, 3}) == Shape{2, 3});
  REQUIRE(shape_of({2}) == Shape{2, 1});
  REQUIRE(shape_of({0, 3, 4}) == Shape{0, 12});
  REQUIRE(shape_of({2, 0, 4}) == Shape{2, 0});
  REQUIRE_THROWS_WITH(shape_of({}), "flatten: [] has no batch axis");
}

TEST_CASE("shapes of another size are refused") {
  const Tensor<double> x({2, 3});
  REQUIRE_THROWS_WITH(reshape(x, {4, 2}), "reshape: [2, 3] has 6 elements, [4, 2] has 8");
  REQUIRE_THROWS_WITH(reshape(x, {4, -1}),
                      "reshape: [2, 3] has 6 elements, not a multiple of the 4 of the lengths given");
  REQUIRE_THROWS_WITH(reshape(x, {-1, -1}), ContainsSubstring("negative length -1"));
  REQUIRE_THROWS_WITH(reshape(x, {-1, 0}), ContainsSubstring("not a multiple of the 0"));
  REQUIRE_THROWS_WITH(reshape(x, {-2, -3}), ContainsSubstring("negative length -2"));
}

TEST_CASE("permute moves every element") {
  gan::Rng rng(52);
  for (int trial = 0; trial < 20; ++trial) {
    const Shape shape = trial == 0 ? Shape{} : trial < 3 ? Shape{40, 50, 30} : random_shape(rng);
    const auto axes = rng.permutation(shape.rank());
    CAPTURE(shape, axes);
    const auto x = random_tensor(shape, rng);
    const auto y = permute(x, axes);
    REQUIRE(y.rank() == x.rank());
    bool equal = true;
    for (Index i = 0; i < y.size(); ++i) {
      const auto at = unravel(y.shape(), i);
      auto from = at;
      for (std::size_t axis = 0; axis < axes.size(); ++axis) {
        REQUIRE(y.shape()[static_cast<Index>(axis)] == shape[axes[axis]]);
        from[static_cast<std::size_t>(axes[axis])] = at[axis];
      }
      equal &= y.data()[i] == x.data()[ravel(shape, from)];
    }
    REQUIRE(equal);
    REQUIRE(y.data() != x.data());
    if (x.size() <= 64) check_gradients([&](const Inputs& v) { return permute(v[0] * v[0], axes); }, {x});
  }
}

TEST_CASE("transpose swaps the last two axes") {
  const Tensor<double> x({2, 3}, {1, 2, 3, 4, 5, 6});
  REQUIRE(same_values(transpose(x), Tensor<double>({3, 2}, {1, 4, 2, 5, 3, 6})));
  gan::Rng rng(53);
  const auto y = random_tensor({2, 3, 4}, rng);
  REQUIRE(same_values(transpose(y), permute(y, {0, 2, 1})));
  REQUIRE(same_values(transpose(y), permute(y, {0, -1, -2})));
  check_gradients([](const Inputs& v) { return transpose(v[0]) * v[1]; }, {y, random_tensor({4, 3}, rng)});
  REQUIRE(transpose(Tensor<double>({0, 3})).shape() == Shape{3, 0});
  REQUIRE_THROWS_WITH(transpose(Tensor<double>({3})), "transpose: [3] has fewer than 2 axes");
}

TEST_CASE("wrong permutations are refused") {
  const Tensor<double> x({2, 3});
  REQUIRE_THROWS_WITH(permute(x, {0}), "permute: 1 axes for shape [2, 3]");
  REQUIRE_THROWS_WITH(permute(x, {0, 0}), "permute: axis 0 is given twice");
  REQUIRE_THROWS_WITH(permute(x, {0, -2}), "permute: axis 0 is given twice");
  REQUIRE_THROWS_WITH(permute(x, {0, 2}), ContainsSubstring("axis 2 of shape [2, 3]"));
}

TEST_CASE("slice and pad on random ranges") {
  gan::Rng rng(54);
  for (int trial = 0; trial < 24; ++trial) {
    const Shape shape = trial < 3 ? Shape{30, 40, 50} : random_shape(rng);
    const Index axis = rng.integer(0, shape.rank()), length = shape[axis];
    const Index begin = rng.integer(0, length + 1), end = rng.integer(begin, length + 1), after = length - end;
    CAPTURE(shape, axis, begin, end);
    const auto x = random_tensor(shape, rng);
    const auto y = slice(x, trial % 2 ? axis : axis - shape.rank(), begin, end);
    REQUIRE(y.shape() == shape.with(axis, end - begin));
    bool equal = true;
    for (Index i = 0; i < y.size(); ++i) {
      auto from = unravel(y.shape(), i);
      from[static_cast<std::size_t>(axis)] += begin;
      equal &= y.data()[i] == x.data()[ravel(shape, from)];
    }
    REQUIRE(equal);
    // pad puts the elements back, and zeros around them: the adjoint.
    const auto z = random_tensor(y.shape(), rng);
    const auto padded = pad(z, axis, begin, after);
    REQUIRE(padded.shape() == shape);
    REQUIRE(same_values(slice(padded, axis, begin, end), z));
    REQUIRE(inner_product(padded, x) == Approx(inner_product(z, y)).margin(1e-12));
    REQUIRE(padded.values().square().sum() == Approx(z.values().square().sum()));
    if (x.size() > 64) continue;
    check_gradients([&](const Inputs& v) { return slice(v[0] * v[0], axis, begin, end); }, {x});
    check_gradients([&](const Inputs& v) { return pad(v[0] * v[0], axis, begin, after); }, {z});
  }
}

TEST_CASE("ranges outside the axis are refused") {
  const Tensor<double> x({2, 3});
  REQUIRE_THROWS_WITH(slice(x, 1, 1, 4), "slice: [1, 4) of axis 1 of [2, 3]: expected a range in [0, 3)");
  REQUIRE_THROWS_WITH(slice(x, 1, -1, 2), ContainsSubstring("slice: [-1, 2)"));
  REQUIRE_THROWS_WITH(slice(x, 0, 2, 1), ContainsSubstring("slice: [2, 1)"));
  REQUIRE_THROWS_AS(slice(x, 2, 0, 1), gan::Error);
  REQUIRE_THROWS_WITH(pad(x, 0, -1, 2), "pad: -1 before and 2 after, expected 0 or more");
  REQUIRE_THROWS_WITH(pad(x, 0, 2, -1), ContainsSubstring("pad: 2 before and -1 after"));
  constexpr Index most = std::numeric_limits<Index>::max();
  REQUIRE_THROWS_WITH(pad(x, 0, most, most), ContainsSubstring("too many elements"));
  REQUIRE_THROWS_AS(pad(x, 0, most / 4, 0), gan::Error);
  REQUIRE_THROWS_AS(slice(Tensor<double>::scalar(1), 0, 0, 1), gan::Error);
}

TEST_CASE("concatenate joins what slice takes apart") {
  gan::Rng rng(55);
  for (int trial = 0; trial < 20; ++trial) {
    const Shape shape = trial < 2 ? Shape{30, 40, 50} : random_shape(rng);
    const Index axis = rng.integer(0, shape.rank()), cut = rng.integer(0, shape[axis] + 1);
    CAPTURE(shape, axis, cut);
    const auto x = random_tensor(shape, rng);
    const auto first = slice(x, axis, 0, cut), second = slice(x, axis, cut, shape[axis]);
    REQUIRE(same_values(gan::concatenate<double>({first, second}, axis - shape.rank()), x));
    const auto thrice = gan::concatenate<double>({x, second, x}, axis);
    REQUIRE(same_values(slice(thrice, axis, 0, shape[axis]), x));
    REQUIRE(same_values(slice(thrice, axis, shape[axis], 2 * shape[axis] - cut), second));
    if (x.size() > 64) continue;
    check_gradients(
        [&](const Inputs& v) {
          return gan::concatenate<double>({v[0] * v[0], v[1]}, axis) * 2;
        },
        {first, second});
    check_gradients([&](const Inputs& v) { return gan::concatenate<double>({v[0], v[0] * v[0]}, axis); }, {x});
  }
  REQUIRE(same_values(gan::concatenate<double>({Tensor<double>({2}, {1, 2})}, 0), Tensor<double>({2}, {1, 2})));
}

TEST_CASE("tensors that do not fit are not joined") {
  const Tensor<double> a({2, 3}), b({2, 4}), c({3}), d({3, 3});
  REQUIRE_THROWS_WITH(gan::concatenate<double>({a, b}, 0),
                      "concatenate: [2, 4] and [2, 3] differ in an axis other than 0");
  REQUIRE_THROWS_WITH(gan::concatenate<double>({a, d}, -1),
                      "concatenate: [3, 3] and [2, 3] differ in an axis other than 1");
  REQUIRE_THROWS_WITH(gan::concatenate<double>({a, c}, 0), ContainsSubstring("[3] and [2, 3]"));
  REQUIRE_THROWS_WITH(gan::concatenate<double>({}, 0), "concatenate: no tensors");
  REQUIRE_THROWS_AS(gan::concatenate<double>({a, a}, 2), gan::Error);
  const Tensor<double> s = Tensor<double>::scalar(1);
  REQUIRE_THROWS_AS(gan::concatenate<double>({s, s}, 0), gan::Error);
}
