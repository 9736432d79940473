#include "gan/ops/reshape.hpp"

#include "support/catch.hpp"
#include "support/gradcheck.hpp"

using gan::Shape;
using gan::Tensor;
using namespace gan::test;

TEST_CASE("reshape shares memory") {
  gan::Rng rng(51);
  auto x = random_tensor(rng, {2, 3, 4});
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
