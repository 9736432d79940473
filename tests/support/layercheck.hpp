// Gradient checks of layers: with respect to their input and their own parameters.
#pragma once

#include "gan/nn/layer.hpp"
#include "support/gradcheck.hpp"

namespace gan::test {

/// Checks a layer at x, with respect to x and all its parameters. What it draws at random is drawn alike each time.
inline void check_layer(Layer<double>& layer, const Tensor<double>& x, double tolerance = 1e-6) {
  const auto state = layer.rng().state();
  Inputs xs{x.clone()};
  for (const auto& parameter : layer.parameters()) xs.push_back(parameter.tensor);
  check_gradients_of(
      [&] {
        layer.rng().set_state(state);
        return layer(xs[0]);
      },
      xs, tolerance);
}

}  // namespace gan::test
