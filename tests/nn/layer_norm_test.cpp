#include "gan/nn/layer_norm.hpp"

#include <cmath>

#include "support/layercheck.hpp"
#include "support/root.hpp"

using gan::Index;
using gan::Rng;
using gan::Tensor;
using gan::test::check_layer;
using gan::test::random_tensor;
using gan::test::Root;

TEST_CASE("gradients of layer norm, and its statistics", "[nn]") {
  Rng rng(3);
  Root<double> root(rng);
  gan::LayerNorm<double> norm(&root, "norm", 5);
  for (auto& parameter : norm.parameters())
    parameter.tensor.mutable_values() += random_tensor(rng, {5}, -0.4, 0.4).values();
  check_layer(norm, random_tensor(rng, {3, 5}, -2, 2));
  check_layer(norm, random_tensor(rng, {2, 2, 5}, -2, 2));

  gan::LayerNorm<double> plain(&root, "plain", 64);
  const auto x = gan::normal<double>(rng, {700, 64}, 3, 2), y = plain(x);
  for (const Index row : {0, 350, 699}) {
    const auto values = y.matrix().row(row).array();
    REQUIRE(std::abs(values.mean()) < 1e-12);
    REQUIRE(values.square().mean() == Approx(1).epsilon(1e-4));
  }
  // Each sample by itself, in both modes.
  const auto alone = plain(Tensor<double>({1, 64}, std::span<const double>(x.data() + 64, 64)));
  REQUIRE((alone.matrix().row(0) - y.matrix().row(1)).norm() < 1e-12);
  plain.eval();
  REQUIRE((plain(x).values() == y.values()).all());
  REQUIRE_FALSE(plain.mixes_batch());
}
