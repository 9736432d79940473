// The two games of Goodfellow et al.: the discriminator's loss is the cross entropy of real against fake.
#pragma once

#include "gan/loss/bce.hpp"
#include "gan/loss/objective.hpp"

namespace gan {

/// Discriminator: mean(-log sigmoid(real)) + mean(-log(1 - sigmoid(fake))). Generator: mean(-log sigmoid(fake)), the
/// non-saturating loss of Goodfellow et al., 2014.
struct NonSaturating {
  static constexpr std::string_view name = "non-saturating";
  static constexpr bool generator_needs_real = false;
  static constexpr bool takes_logits = true;

  /// Target of real samples in the discriminator's loss, in (0, 1]: one-sided smoothing (Salimans et al., 2016).
  double real_label = 1;
  double flip = 0;  ///< probability that a sample's label is swapped in the discriminator's loss

  void check_options() const;
  std::string describe() const { return described(std::string(name), {{"real_label", real_label}, {"flip", flip}}); }

  /// Throws when flip > 0, which draws.
  template <class T>
  DiscriminatorLoss<T> discriminator_loss(const Tensor<T>& real, const Tensor<T>& fake) const;
  template <class T>
  DiscriminatorLoss<T> discriminator_loss(Rng& rng, const Tensor<T>& real, const Tensor<T>& fake) const;
  template <class T>
  Tensor<T> generator_loss(const Tensor<T>& fake) const;
  template <class T>
  Tensor<T> generator_loss(const Tensor<T>&, const Tensor<T>& fake) const {
    return generator_loss(fake);
  }
};

/// The same discriminator; generator: mean(log(1 - sigmoid(fake))), the zero-sum game of Goodfellow et al., 2014. It
/// gives the generator almost no gradient once the discriminator is sure of itself.
struct Minimax {
  static constexpr std::string_view name = "minimax";
  static constexpr bool generator_needs_real = false;
  static constexpr bool takes_logits = true;

  double real_label = 1;  ///< as in NonSaturating
  double flip = 0;        ///< as in NonSaturating

  void check_options() const;
  std::string describe() const { return described(std::string(name), {{"real_label", real_label}, {"flip", flip}}); }

  /// Throws when flip > 0, which draws.
  template <class T>
  DiscriminatorLoss<T> discriminator_loss(const Tensor<T>& real, const Tensor<T>& fake) const;
  template <class T>
  DiscriminatorLoss<T> discriminator_loss(Rng& rng, const Tensor<T>& real, const Tensor<T>& fake) const;
  template <class T>
  Tensor<T> generator_loss(const Tensor<T>& fake) const;
  template <class T>
  Tensor<T> generator_loss(const Tensor<T>&, const Tensor<T>& fake) const {
    return generator_loss(fake);
  }
};

namespace detail {

template <class T>
DiscriminatorLoss<T> cross_entropies(std::string_view objective, const Tensor<T>& real, const Tensor<T>& fake,
                                     double real_label) {
  check_scores(objective, real, fake);
  return {bce_with_logits(real, real_label), bce_with_logits(fake, 0.0)};
}

template <class T>
DiscriminatorLoss<T> flipped_cross_entropies(Rng& rng, std::string_view objective, const Tensor<T>& real,
                                             const Tensor<T>& fake, double real_label, double flip) {
  if (flip == 0) return cross_entropies(objective, real, fake, real_label);
  check_scores(objective, real, fake);
  const auto real_targets = flipped_labels<T>(rng, real.shape(), real_label, 0, flip);
  const auto fake_targets = flipped_labels<T>(rng, fake.shape(), 0, real_label, flip);
  return {bce_with_logits(real, real_targets), bce_with_logits(fake, fake_targets)};
}

}  // namespace detail

inline void NonSaturating::check_options() const {
  detail::check_real_label(name, real_label);
  detail::check_flip(name, flip);
}

template <class T>
DiscriminatorLoss<T> NonSaturating::discriminator_loss(const Tensor<T>& real, const Tensor<T>& fake) const {
  check_options();
  detail::check_no_flip(name, flip);
  return detail::cross_entropies(name, real, fake, real_label);
}

template <class T>
DiscriminatorLoss<T> NonSaturating::discriminator_loss(Rng& rng, const Tensor<T>& real, const Tensor<T>& fake) const {
  check_options();
  return detail::flipped_cross_entropies(rng, name, real, fake, real_label, flip);
}

template <class T>
Tensor<T> NonSaturating::generator_loss(const Tensor<T>& fake) const {
  detail::check_scores(name, "fakes", fake);
  return bce_with_logits(fake, 1.0);
}

inline void Minimax::check_options() const {
  detail::check_real_label(name, real_label);
  detail::check_flip(name, flip);
}

template <class T>
DiscriminatorLoss<T> Minimax::discriminator_loss(const Tensor<T>& real, const Tensor<T>& fake) const {
  check_options();
  detail::check_no_flip(name, flip);
  return detail::cross_entropies(name, real, fake, real_label);
}

template <class T>
DiscriminatorLoss<T> Minimax::discriminator_loss(Rng& rng, const Tensor<T>& real, const Tensor<T>& fake) const {
  check_options();
  return detail::flipped_cross_entropies(rng, name, real, fake, real_label, flip);
}

template <class T>
Tensor<T> Minimax::generator_loss(const Tensor<T>& fake) const {
  detail::check_scores(name, "fakes", fake);
  return neg(bce_with_logits(fake, 0.0));
}

}  // namespace gan
