// Relativistic objectives: how much more real the real samples are than the fakes. The generator learns from both.
#pragma once

#include "gan/loss/objective.hpp"

namespace gan {

/// Relativistic average GAN (Jolicoeur-Martineau, 2018). With r = real - mean(fake) and f = fake - mean(real), means
/// over the batch, discriminator: mean(-log sigmoid(r)) + mean(-log(1 - sigmoid(f))), generator: mean(-log(1 -
/// sigmoid(r))) + mean(-log sigmoid(f)). Batches may differ in size. No flipping: the means mix all samples.
struct RelativisticAverage {
  double real_label = 1;  ///< target of r in the discriminator's loss; 0.9 for one-sided smoothing
  static constexpr bool generator_needs_real = true;
  static constexpr bool takes_logits = true;
  std::string describe() const { return described("relativistic-average", {{"real_label", real_label}}); }

  template <class T>
  Tensor<T> discriminator_loss(Rng&, const Tensor<T>& real, const Tensor<T>& fake) const {
    detail::check_real_label("relativistic average", real_label);
    const auto [r, f] = compare(real, fake);
    return bce_with_logits(r, real_label) + bce_with_logits(f, 0.0);
  }

  template <class T>
  Tensor<T> generator_loss(const Tensor<T>& real, const Tensor<T>& fake) const {
    const auto [r, f] = compare(real, fake);
    return bce_with_logits(r, 0.0) + bce_with_logits(f, 1.0);
  }

 private:
  template <class T>
  static std::pair<Tensor<T>, Tensor<T>> compare(const Tensor<T>& real, const Tensor<T>& fake) {
    detail::check_scores("relativistic average", real, fake);
    return {real - mean(fake, {0}, true), fake - mean(real, {0}, true)};
  }
};

/// Relativistic pairing GAN (Jolicoeur-Martineau, 2018; the RpGAN of Huang et al., 2024, who train it with R1 and R2).
/// Discriminator: mean(softplus(-(real - fake))); generator: mean(softplus(-(fake - real))). Sample i meets fake i:
/// throws unless the batches have one size.
struct RelativisticPairing {
  static constexpr bool generator_needs_real = true;
  static constexpr bool takes_logits = true;
  std::string describe() const { return "relativistic-pairing"; }

  template <class T>
  Tensor<T> discriminator_loss(Rng&, const Tensor<T>& real, const Tensor<T>& fake) const {
    check_pairs(real, fake);
    return mean(softplus(fake - real));
  }

  template <class T>
  Tensor<T> generator_loss(const Tensor<T>& real, const Tensor<T>& fake) const {
    check_pairs(real, fake);
    return mean(softplus(real - fake));
  }

 private:
  template <class T>
  static void check_pairs(const Tensor<T>& real, const Tensor<T>& fake) {
    detail::check_scores("relativistic pairing", "real samples", real);
    detail::check_scores("relativistic pairing", "fakes", fake);
    check(real.shape() == fake.shape(), "relativistic pairing: scores ", real.shape(), " of real samples and ",
          fake.shape(), " of fakes do not pair, expected equal shapes");
  }
};

}  // namespace gan
