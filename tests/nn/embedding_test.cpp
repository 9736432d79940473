#include "gan/nn/embedding.hpp"

#include "support/root.hpp"

using gan::Rng;
using gan::Shape;
using gan::Tensor;
using gan::test::Root;

TEST_CASE("an embedding picks rows and adds up their gradients", "[nn]") {
  Rng rng(4);
  Root<double> root(rng);
  gan::Embedding<double> embedding(&root, "labels", 4, 3);
  const Tensor<double> weight = embedding.parameters()[0].tensor;
  const auto y = embedding({2, 0, 2});
  REQUIRE(y.shape() == Shape{3, 3});
  REQUIRE((y.matrix().row(0) == weight.matrix().row(2)));
  REQUIRE((y.matrix().row(1) == weight.matrix().row(0)));
  gan::backward(gan::sum(y));
  REQUIRE(weight.grad().matrix()(2, 1) == 2);
  REQUIRE(weight.grad().matrix()(0, 1) == 1);
  REQUIRE(weight.grad().matrix()(3, 1) == 0);
  gan::test::check_gradients_of([&] { return gan::square(embedding({2, 0, 2, 3})); }, {weight});
  REQUIRE_THROWS_WITH(embedding({0, 4}), ContainsSubstring(embedding.path() + "\": ") && ContainsSubstring("4"));
  REQUIRE_THROWS_WITH(embedding({-1}), ContainsSubstring("-1"));
  REQUIRE_THROWS_WITH(embedding({}),
                      ContainsSubstring("0 labels") && ContainsSubstring("embedding \"" + embedding.path()));
  REQUIRE_THROWS_WITH(gan::Embedding<double>(&root, "none", 0, 3), ContainsSubstring("Embedding \"none\": 0 classes"));
}
