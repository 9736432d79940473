// Objectives of critics, whose scores are no logits: Wasserstein and hinge.
#pragma once

#include "gan/loss/objective.hpp"

namespace gan {

/// Wasserstein GAN (Arjovsky et al., 2017). Critic: mean(fake) - mean(real); generator: -mean(fake). It needs a critic
/// whose slope is bounded: GradientPenalty, ClipWeights or spectral normalisation.
struct Wasserstein {
  static constexpr bool generator_needs_real = false;
  static constexpr bool takes_logits = true;
  static constexpr bool needs_bounded_slope = true;
  std::string describe() const { return "wasserstein"; }

  template <class T>
  Tensor<T> discriminator_loss(const Tensor<T>& real, const Tensor<T>& fake, Rng&) const {
    detail::check_scores("wasserstein", real, fake);
    return mean(fake) - mean(real);
  }

  template <class T>
  Tensor<T> generator_loss(const Tensor<T>&, const Tensor<T>& fake) const {
    detail::check_scores("wasserstein", "fakes", fake);
    return neg(mean(fake));
  }
};

/// Hinge (Lim and Ye, 2017; Miyato et al., 2018). Critic: mean(max(0, 1 - real)) + mean(max(0, 1 + fake)); generator:
/// -mean(fake).
struct Hinge {
  static constexpr bool generator_needs_real = false;
  static constexpr bool takes_logits = true;
  std::string describe() const { return "hinge"; }

  template <class T>
  Tensor<T> discriminator_loss(const Tensor<T>& real, const Tensor<T>& fake, Rng&) const {
    detail::check_scores("hinge", real, fake);
    return mean(relu(1 - real)) + mean(relu(1 + fake));
  }

  template <class T>
  Tensor<T> generator_loss(const Tensor<T>&, const Tensor<T>& fake) const {
    detail::check_scores("hinge", "fakes", fake);
    return neg(mean(fake));
  }
};

}  // namespace gan
