// The objective of Wasserstein critics.
#pragma once

#include "gan/loss/objective.hpp"

namespace gan {

/// Wasserstein GAN (Arjovsky et al., 2017). Critic: mean(fake) - mean(real); generator: -mean(fake). It needs a critic
/// whose slope is bounded: GradientPenalty, ClipWeights or spectral normalization.
struct Wasserstein {
  static constexpr bool generator_needs_real = false;
  static constexpr bool takes_logits = true;
  static constexpr bool needs_bounded_slope = true;
  std::string describe() const { return "wasserstein"; }

  template <class T>
  Tensor<T> discriminator_loss(Rng&, const Tensor<T>& real, const Tensor<T>& fake) const {
    detail::check_scores("wasserstein", real, fake);
    return mean(fake) - mean(real);
  }

  template <class T>
  Tensor<T> generator_loss(const Tensor<T>&, const Tensor<T>& fake) const {
    detail::check_scores("wasserstein", "fakes", fake);
    return neg(mean(fake));
  }
};

}  // namespace gan
