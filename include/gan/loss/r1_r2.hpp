// The zero-centered penalties R1, on real samples, and R2, on fakes.
#pragma once

#include <string>

#include "gan/core/describe.hpp"
#include "gan/core/finite.hpp"
#include "gan/core/random.hpp"
#include "gan/loss/penalty.hpp"
#include "gan/loss/score_gradient.hpp"
#include "gan/ops/reduce.hpp"

namespace gan {

/// R1 (Mescheder et al., 2018): gamma / 2 mean(|dD/dx|^2) on real samples.
struct R1 {
  double gamma = 10;
  Index every = 1;  ///< the lazy variant (Karras et al., 2020): `every` times the penalty, at each `every`-th step only
  static constexpr bool bounds_slope() { return true; }
  static constexpr bool of_gradients() { return true; }
  std::string describe() const { return described("r1", {{"gamma", gamma}, {"every", static_cast<double>(every)}}); }

  template <class T, class D>
  Tensor<T> operator()(Rng& rng, D&& discriminator, const Tensor<T>& real, const Tensor<T>& fake, Index step) const;
};

/// R2 (Mescheder et al., 2018): the same on fakes.
struct R2 {
  double gamma = 10;
  Index every = 1;  ///< as in R1
  static constexpr bool bounds_slope() { return true; }
  static constexpr bool of_gradients() { return true; }
  std::string describe() const { return described("r2", {{"gamma", gamma}, {"every", static_cast<double>(every)}}); }

  template <class T, class D>
  Tensor<T> operator()(Rng& rng, D&& discriminator, const Tensor<T>& real, const Tensor<T>& fake, Index step) const;
};

}  // namespace gan

namespace gan::detail {

template <class T, class D>
Tensor<T> zero_centered(const char* penalty, D& discriminator, const Tensor<T>& x, double gamma, Index every,
                        Index step) {
  check(is_finite(gamma) && gamma >= 0 && every >= 1, penalty, ": gamma is ", gamma, " and every ", every,
        ", expected a finite gamma of 0 or more and every of 1 or more");
  if (step % every != 0) return {};
  const auto gradient = score_gradient(penalty, discriminator, x);
  return (0.5 * gamma * static_cast<double>(every)) * mean(squared_norms(gradient));
}

}  // namespace gan::detail

namespace gan {

template <class T, class D>
Tensor<T> R1::operator()(Rng&, D&& discriminator, const Tensor<T>& real, const Tensor<T>&, Index step) const {
  return detail::zero_centered("R1", discriminator, real, gamma, every, step);
}

template <class T, class D>
Tensor<T> R2::operator()(Rng&, D&& discriminator, const Tensor<T>&, const Tensor<T>& fake, Index step) const {
  return detail::zero_centered("R2", discriminator, fake, gamma, every, step);
}

}  // namespace gan
