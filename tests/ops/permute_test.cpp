#include "gan/ops/permute.hpp"

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

}  // namespace

TEST_CASE("permute moves every element") {
  gan::Rng rng(52);
  for (int trial = 0; trial < 20; ++trial) {
    const Shape shape = trial == 0 ? Shape{} : trial < 3 ? Shape{40, 50, 30} : random_shape(rng);
    const auto axes = rng.permutation(shape.rank());
    CAPTURE(shape, axes);
    const auto x = random_tensor(rng, shape);
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
  const auto y = random_tensor(rng, {2, 3, 4});
  REQUIRE(same_values(transpose(y), permute(y, {0, 2, 1})));
  REQUIRE(same_values(transpose(y), permute(y, {0, -1, -2})));
  check_gradients([](const Inputs& v) { return transpose(v[0]) * v[1]; }, {y, random_tensor(rng, {4, 3})});
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
