// Losses of normal distributions: divergence from the standard one, and likelihood.
#pragma once

#include "gan/loss/reduction.hpp"
#include "gan/ops/arithmetic.hpp"
#include "gan/ops/elementwise.hpp"
#include "gan/ops/reshape.hpp"
#include "gan/ops/sum.hpp"

namespace gan {

namespace detail {

/// [n, ...] -> [n], the sums of all that belongs to one sample.
template <class T>
Tensor<T> sum_a_sample(const char* loss, const Tensor<T>& x) {
  check(x.rank() >= 1 && x.size() > 0, loss, ": ", x.shape(), ", expected [n, ...]");
  if (x.rank() == 1) return x;
  return sum(reshape(x, {x.shape()[0], x.size() / x.shape()[0]}), {1});
}

}  // namespace detail

/// KL(N(mean, exp(log_variance)) || N(0, 1)) = -1/2 (1 + log_variance - mean^2 - exp(log_variance)), in nats: [n, ...]
/// of one shape, summed over all but the first axis, then averaged over samples or summed -> scalar (Kingma and
/// Welling, 2013, appendix B). Throws when the shapes differ.
template <class T>
Tensor<T> kl_to_standard_normal(const Tensor<T>& mean, const Tensor<T>& log_variance,
                                Reduction reduction = Reduction::mean) {
  detail::check_same_shape("kl_to_standard_normal", "mean", mean, "log_variance", log_variance);
  return detail::reduced(
      detail::sum_a_sample("kl_to_standard_normal", (square(mean) + exp(log_variance) - log_variance - 1) * 0.5),
      reduction);
}

/// -log N(x; mean, exp(log_variance)) = 1/2 (log 2 pi + log_variance + (x - mean)^2 / exp(log_variance)), in nats: all
/// [n, ...] of one shape, summed over all but the first axis, then averaged over samples or summed -> scalar. Throws
/// when the shapes differ.
template <class T>
Tensor<T> gaussian_nll(const Tensor<T>& x, const Tensor<T>& mean, const Tensor<T>& log_variance,
                       Reduction reduction = Reduction::mean) {
  detail::check_same_shape("gaussian_nll", "x", x, "mean", mean);
  detail::check_same_shape("gaussian_nll", "mean", mean, "log_variance", log_variance);
  constexpr double log_two_pi = 1.8378770664093453;
  return detail::reduced(
      detail::sum_a_sample("gaussian_nll",
                           (square(x - mean) * exp(neg(log_variance)) + log_variance + log_two_pi) * 0.5),
      reduction);
}

}  // namespace gan
