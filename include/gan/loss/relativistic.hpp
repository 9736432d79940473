// Relativistic objectives: how much more real the real samples are than the fakes. The generator learns from both.
#pragma once

#include <utility>

#include "gan/loss/bce.hpp"
#include "gan/loss/objective.hpp"

namespace gan {

/// Relativistic average GAN (Jolicoeur-Martineau, 2018). With r = real - mean(fake) and f = fake - mean(real), means
/// over the batch, discriminator: mean(-log sigmoid(r)) + mean(-log(1 - sigmoid(f))), generator: mean(-log(1 -
/// sigmoid(r))) + mean(-log sigmoid(f)). Batches may differ in size. No flipping: the means mix all samples. A real
/// score is right above the mean of the fakes, a fake one below the mean of the real ones.
struct RelativisticAverage {
  static constexpr std::string_view name = "relativistic-average";
  static constexpr bool generator_needs_real = true;
  static constexpr bool takes_logits = true;

  double real_label = 1;  ///< target of r in the discriminator's loss, in (0, 1]; 0.9 for one-sided smoothing

  void check_options() const { detail::check_real_label(name, real_label); }
  std::string describe() const { return described(std::string(name), {{"real_label", real_label}}); }

  template <class T>
  DiscriminatorLoss<T> discriminator_loss(const Tensor<T>& real, const Tensor<T>& fake) const {
    check_options();
    const auto [r, f] = compare(real, fake);
    return {bce_with_logits(r, real_label), bce_with_logits(f, 0.0)};
  }

  template <class T>
  Tensor<T> generator_loss(const Tensor<T>& real, const Tensor<T>& fake) const {
    const auto [r, f] = compare(real, fake);
    return bce_with_logits(r, 0.0) + bce_with_logits(f, 1.0);
  }

  template <class T>
  Accuracy accuracy(const Tensor<T>& real, const Tensor<T>& fake) const {
    const NoGrad no_grad;
    const auto [r, f] = compare(real, fake);
    return {detail::share_of(r, [](double s) { return s > 0; }), detail::share_of(f, [](double s) { return s < 0; })};
  }

 private:
  template <class T>
  static std::pair<Tensor<T>, Tensor<T>> compare(const Tensor<T>& real, const Tensor<T>& fake) {
    detail::check_scores(name, real, fake);
    return {real - mean(fake, {0}, true), fake - mean(real, {0}, true)};
  }
};

/// Relativistic pairing GAN (Jolicoeur-Martineau, 2018; the RpGAN of Huang et al., 2024, who train it with R1 and R2).
/// Discriminator: mean(softplus(-(real - fake))), which is no sum of two: it is all in `real`. Generator:
/// mean(softplus(-(fake - real))). Sample i meets fake i: throws unless the batches have one size. A pair is right when
/// its real score is above the fake one.
struct RelativisticPairing {
  static constexpr std::string_view name = "relativistic-pairing";
  static constexpr bool generator_needs_real = true;
  static constexpr bool takes_logits = true;
  std::string describe() const { return std::string(name); }

  template <class T>
  DiscriminatorLoss<T> discriminator_loss(const Tensor<T>& real, const Tensor<T>& fake) const {
    check_pairs(real, fake);
    return {mean(softplus(fake - real)), {}};
  }

  template <class T>
  Tensor<T> generator_loss(const Tensor<T>& real, const Tensor<T>& fake) const {
    check_pairs(real, fake);
    return mean(softplus(real - fake));
  }

  template <class T>
  Accuracy accuracy(const Tensor<T>& real, const Tensor<T>& fake) const {
    check_pairs(real, fake);
    return detail::accuracy_of_pairs(name, real, fake);
  }

 private:
  template <class T>
  static void check_pairs(const Tensor<T>& real, const Tensor<T>& fake) {
    detail::check_scores(name, "real samples", real);
    detail::check_scores(name, "fakes", fake);
    check(real.shape() == fake.shape(), name, ": scores ", real.shape(), " of real samples and ", fake.shape(),
          " of fakes do not pair, expected equal shapes");
  }
};

}  // namespace gan
