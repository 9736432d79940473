// reparameterize: samples of normal distributions that gradients flow through.
#pragma once

#include "gan/ops/arithmetic.hpp"
#include "gan/ops/elementwise.hpp"
#include "gan/tensor/random.hpp"

namespace gan {

/// mean + exp(log_variance / 2) e with e ~ N(0, 1): both [...] of one shape -> [...], differentiable in both (Kingma
/// and Welling, 2013). Throws when the shapes differ.
template <std::floating_point T>
Tensor<T> reparameterize(Rng& rng, const Tensor<T>& mean, const Tensor<T>& log_variance) {
  check(mean.shape() == log_variance.shape(), "reparameterize: mean ", mean.shape(), " and log_variance ",
        log_variance.shape(), ", expected equal shapes");
  return mean + exp(log_variance * 0.5) * normal<T>(rng, mean.shape());
}

}  // namespace gan
