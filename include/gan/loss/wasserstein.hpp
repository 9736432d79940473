// The objective of Wasserstein critics.
#pragma once

#include "gan/loss/objective.hpp"

namespace gan {

/// Wasserstein GAN (Arjovsky et al., 2017). Critic: mean(fake) - mean(real); generator: -mean(fake). It needs a critic
/// whose slope is bounded: GradientPenalty, ClipWeights or spectral normalization. Its scores have no zero: the
/// accuracy is that of pairs.
struct Wasserstein {
  static constexpr std::string_view name = "wasserstein";
  static constexpr bool generator_needs_real = false;
  static constexpr bool takes_logits = true;
  static constexpr bool needs_bounded_slope = true;
  std::string describe() const { return std::string(name); }

  template <class T>
  DiscriminatorLoss<T> discriminator_loss(const Tensor<T>& real, const Tensor<T>& fake) const {
    detail::check_scores(name, real, fake);
    return {neg(mean(real)), mean(fake)};
  }

  template <class T>
  Tensor<T> generator_loss(const Tensor<T>& fake) const {
    detail::check_scores(name, "fakes", fake);
    return neg(mean(fake));
  }
  template <class T>
  Tensor<T> generator_loss(const Tensor<T>&, const Tensor<T>& fake) const {
    return generator_loss(fake);
  }

  template <class T>
  Accuracy accuracy(const Tensor<T>& real, const Tensor<T>& fake) const {
    return detail::accuracy_of_pairs(name, real, fake);
  }
};

}  // namespace gan
