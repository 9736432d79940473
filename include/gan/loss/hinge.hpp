// The hinge objective.
#pragma once

#include "gan/loss/objective.hpp"

namespace gan {

/// Hinge (Lim and Ye, 2017; Miyato et al., 2018). Critic: mean(max(0, 1 - real)) + mean(max(0, 1 + fake)); generator:
/// -mean(fake).
struct Hinge {
  static constexpr std::string_view name = "hinge";
  static constexpr bool generator_needs_real = false;
  static constexpr bool takes_logits = true;
  std::string describe() const { return std::string(name); }

  template <class T>
  DiscriminatorLoss<T> discriminator_loss(const Tensor<T>& real, const Tensor<T>& fake) const {
    detail::check_scores(name, real, fake);
    return {mean(relu(1 - real)), mean(relu(1 + fake))};
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
};

}  // namespace gan
