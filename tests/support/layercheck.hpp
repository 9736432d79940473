// Gradient checks of layers: with respect to their input and their own parameters.
#pragma once

#include <string>

#include "gan/nn/layer.hpp"
#include "support/gradcheck.hpp"

namespace gan::test {

/// Checks the gradients of sum(w f()), w random, with respect to the leaves `xs` that f uses: in first order both with
/// and without a graph, which layers may compute by different code, and in second order.
inline void check_gradients_of(const std::function<Tensor<double>()>& f, Inputs xs, double tolerance = 1e-6) {
  Rng rng(654);
  for (auto& x : xs) x.set_requires_grad();
  const Tensor<double> w = random_tensor(f().shape(), rng);
  const auto loss = [&] { return sum(w * f()); };
  const auto composed = grad(loss(), xs, {.create_graph = true}), fused = grad(loss(), xs);
  Inputs directions;
  for (std::size_t i = 0; i < xs.size(); ++i) {
    const std::string what = "input " + std::to_string(i) + " " + xs[i].label();
    const auto expected = finite_difference([&] { return loss().item(); }, xs[i]);
    require_close(composed[i], expected, tolerance, "first order with a graph, " + what);
    require_close(fused[i], expected, tolerance, "first order without a graph, " + what);
    directions.push_back(random_tensor(xs[i].shape(), rng));
  }
  const auto projected = [&](bool create_graph) {
    const auto gradients = grad(loss(), xs, {.create_graph = create_graph});
    auto total = Tensor<double>::scalar(0);
    for (std::size_t i = 0; i < gradients.size(); ++i) total = total + sum(gradients[i] * directions[i]);
    return total;
  };
  const auto scalar = projected(true);
  Inputs second;  // zeros for a function that is linear in everything, whose gradients have no history
  for (const auto& x : xs) second.push_back(Tensor<double>::zeros(x.shape()));
  if (scalar.requires_grad()) second = grad(scalar, xs);
  for (std::size_t i = 0; i < xs.size(); ++i) {
    const auto expected = finite_difference([&] { return projected(false).item(); }, xs[i]);
    require_close(second[i], expected, tolerance, "second order, input " + std::to_string(i) + " " + xs[i].label());
  }
}

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
