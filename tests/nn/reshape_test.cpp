#include "gan/nn/reshape.hpp"

#include "support/layercheck.hpp"
#include "support/root.hpp"

using gan::Rng;
using gan::Shape;
using gan::Tensor;
using gan::test::check_layer;
using gan::test::random_tensor;
using gan::test::Root;

TEST_CASE("flatten and reshape change shapes without copying", "[nn]") {
  Rng rng(6);
  Root<double> root(rng);
  gan::Flatten<double> flatten(&root, "flatten");
  gan::Reshape<double> reshape(&root, "reshape", Shape{2, 3, 1});
  const auto x = random_tensor(rng, {4, 2, 3, 1});
  const auto flat = flatten(x);
  REQUIRE(flat.shape() == Shape{4, 6});
  REQUIRE(flat.data() == x.data());
  const auto back = reshape(flat);
  REQUIRE(back.shape() == x.shape());
  REQUIRE(back.data() == x.data());
  REQUIRE(flatten(Tensor<double>({5})).shape() == Shape{5, 1});
  check_layer(flatten, x);
  check_layer(reshape, random_tensor(rng, {2, 6}));
  REQUIRE_THROWS_WITH(reshape(Tensor<double>({4, 5})),
                      ContainsSubstring("[4, 5]") && ContainsSubstring("[4, 2, 3, 1]"));
  REQUIRE_THROWS_WITH(reshape(Tensor<double>::scalar(1)),
                      ContainsSubstring("Reshape \"reshape\"") && ContainsSubstring("no batch axis"));
  REQUIRE_THROWS_WITH(flatten(Tensor<double>::scalar(1)), ContainsSubstring("no batch axis"));
}
