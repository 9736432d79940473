#include "gan/nn/dense.hpp"

#include "support/layercheck.hpp"
#include "support/root.hpp"

using gan::Dense;
using gan::Rng;
using gan::Shape;
using gan::Tensor;
using gan::test::check_layer;
using gan::test::random_tensor;
using gan::test::Root;

TEST_CASE("dense is x weight + bias", "[nn]") {
  Rng rng(1);
  Root<double> root(rng);
  Dense<double> dense(&root, "dense", 2, 3, {.bias_initializer = gan::init::constant(10)});
  Tensor<double> weight = dense.weight();
  weight.mutable_values() << 1, 2, 3, 4, 5, 6;
  const auto y = dense(Tensor<double>({2, 2}, {1, 0, 2, -1}));
  REQUIRE(y.shape() == Shape{2, 3});
  REQUIRE((y.values() == Tensor<double>({6}, {11, 12, 13, 8, 9, 10}).values()).all());
  REQUIRE(dense(Tensor<double>({4, 5, 2})).shape() == Shape{4, 5, 3});
  REQUIRE(dense(Tensor<double>({0, 2})).shape() == Shape{0, 3});
  const Dense<double> bare(&root, "bare", 2, 3, {.bias = false});
  REQUIRE(bare.parameters().size() == 1);
}

TEST_CASE("gradients of dense", "[nn]") {
  Rng rng(2);
  Root<double> root(rng);
  Dense<double> dense(&root, "dense", 3, 4, {.bias_initializer = gan::init::normal(0, 1)});
  check_layer(dense, random_tensor(rng, {5, 3}));
  check_layer(dense, random_tensor(rng, {2, 2, 3}));
  check_layer(dense, random_tensor(rng, {1, 3}));
  Dense<double> bare(&root, "bare", 1, 2, {.bias = false});
  check_layer(bare, random_tensor(rng, {3, 1}));
}
