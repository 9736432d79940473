#include "gan/nn/activation.hpp"

#include <cmath>
#include <string>
#include <vector>

#include "support/layercheck.hpp"
#include "support/root.hpp"

using gan::Rng;
using gan::Tensor;
using gan::test::check_layer;
using gan::test::random_tensor;
using gan::test::Root;

TEST_CASE("activations as layers: values, names, gradients", "[nn]") {
  Rng rng(5);
  Root<double> root(rng);
  namespace act = gan::activation;
  const double e = std::exp(1.0);
  struct Case {
    gan::ActivationFunction<double> function;
    std::string name;
    double at_one, at_minus_one;
  };
  const std::vector<Case> cases{{act::identity(), "Identity", 1, -1},
                                {act::relu(), "ReLU", 1, 0},
                                {act::leaky_relu(0.3), "LeakyReLU", 1, -0.3},
                                {act::elu(2), "ELU", 1, 2 * (1 / e - 1)},
                                {act::gelu(), "GELU", 0.8413447460685429, -0.15865525393145707},
                                {act::sigmoid(), "Sigmoid", 1 / (1 + 1 / e), 1 / (1 + e)},
                                {act::tanh(), "Tanh", std::tanh(1), -std::tanh(1)},
                                {act::softplus(), "Softplus", std::log1p(e), std::log1p(1 / e)},
                                {act::softmax(), "Softmax", e * e / (e * e + 1), 1 / (e * e + 1)}};
  for (const auto& [function, name, at_one, at_minus_one] : cases) {
    INFO(name);
    gan::Activation<double> layer(&root, name, function);
    REQUIRE(layer.kind() == name);
    REQUIRE(layer.parameters().empty());
    const auto y = layer(Tensor<double>({1, 2}, {1, -1}));
    REQUIRE(y.data()[0] == Approx(at_one).epsilon(1e-9));
    REQUIRE(y.data()[1] == Approx(at_minus_one).epsilon(1e-9));
    check_layer(layer, random_tensor(rng, {3, 4}, -2, 2));
  }
  const gan::ActivationFunction<double> cube{"Cube", [](const auto& x) { return x * x * x; }};
  gan::Activation<double> own(&root, "own", cube);
  check_layer(own, random_tensor(rng, {2, 3}));
}
