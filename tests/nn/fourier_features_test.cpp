#include "gan/nn/fourier_features.hpp"

#include <cmath>

#include "gan/ops/reduce.hpp"
#include "support/layercheck.hpp"
#include "support/root.hpp"

using gan::Rng;
using gan::Shape;
using gan::Tensor;
using gan::test::Root;

TEST_CASE("Fourier features are x, and sines and cosines of x B", "[nn]") {
  Rng rng(3);
  Root<double> root(rng);
  gan::FourierFeatures<double> layer(&root, "features", 2, 5, 4.0);
  REQUIRE(layer.features() == 12);
  REQUIRE(layer.parameters().empty());  // B is saved, and not trained
  REQUIRE(layer.buffers().size() == 1);
  const Tensor<double> b = layer.buffers()[0].tensor;
  REQUIRE(b.shape() == Shape{2, 5});
  const Tensor<double> x({3, 2}, {0.1, -0.7, 1.5, 0.0, -2.0, 0.4});
  const auto y = layer(x);
  REQUIRE(y.shape() == Shape{3, 12});
  for (gan::Index row = 0; row < 3; ++row) {
    REQUIRE(y.matrix()(row, 0) == x.matrix()(row, 0));
    REQUIRE(y.matrix()(row, 1) == x.matrix()(row, 1));
    for (gan::Index k = 0; k < 5; ++k) {
      const double angle = x.matrix()(row, 0) * b.matrix()(0, k) + x.matrix()(row, 1) * b.matrix()(1, k);
      REQUIRE(std::abs(y.matrix()(row, 2 + k) - std::sin(angle)) < 1e-12);
      REQUIRE(std::abs(y.matrix()(row, 7 + k) - std::cos(angle)) < 1e-12);
    }
  }
  gan::test::check_layer(layer, Tensor<double>({2, 2}, {0.3, -0.2, 0.9, 0.5}));
}

TEST_CASE("the deviation of Fourier features is that of their frequencies", "[nn]") {
  Rng rng(4);
  Root<double> root(rng);
  gan::FourierFeatures<double> layer(&root, "features", 4, 2000, 3.0);
  const Tensor<double> values = layer.buffers()[0].tensor;
  REQUIRE(std::abs(std::sqrt(gan::mean(gan::square(values)).item()) - 3.0) < 0.1);
}

TEST_CASE("Fourier features refuse what they cannot see", "[nn]") {
  Rng rng(1);
  Root<double> root(rng);
  gan::FourierFeatures<double> layer(&root, "features", 2, 3, 1.0);
  REQUIRE_THROWS_WITH(layer(Tensor<double>({4, 3})), ContainsSubstring("[4, 3]") && ContainsSubstring("[n, 2]"));
  REQUIRE_THROWS_WITH(gan::FourierFeatures<double>(&root, "a", 2, 0, 1.0),
                      ContainsSubstring("Fourier features \"a\": 2 inputs, 0 frequencies"));
  REQUIRE_THROWS_WITH(gan::FourierFeatures<double>(&root, "b", 0, 1, 1.0), ContainsSubstring("0 inputs"));
  REQUIRE_THROWS_WITH(gan::FourierFeatures<double>(&root, "c", 2, 3, 0.0), ContainsSubstring("deviation 0"));
  REQUIRE_THROWS_WITH(gan::FourierFeatures<double>(&root, "d", 2, 3, std::nan("")), ContainsSubstring("nan"));
}
