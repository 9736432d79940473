// The least-squares objective.
#pragma once

#include <cmath>

#include "gan/loss/objective.hpp"

namespace gan {

/// LSGAN (Mao et al., 2017). Discriminator: mean((real - real_label)^2) / 2 + mean((fake - fake_label)^2) / 2.
/// Generator: mean((fake - generator_label)^2) / 2. A score is right when it is nearer to its label than to the other.
struct LeastSquares {
  static constexpr std::string_view name = "least-squares";
  static constexpr bool generator_needs_real = false;

  double real_label = 1;       ///< b of the paper; 0.9 for one-sided smoothing
  double fake_label = 0;       ///< a
  double generator_label = 1;  ///< c, what the generator wants its samples to be taken for
  double flip = 0;             ///< probability that a sample's label is swapped in the discriminator's loss

  void check_options() const {
    check(is_finite(real_label) && is_finite(fake_label) && is_finite(generator_label), name, ": labels ", real_label,
          " of real samples, ", fake_label, " of fakes and ", generator_label,
          " of the generator, expected finite numbers");
    detail::check_flip(name, flip);
  }
  std::string describe() const {
    return described(
        std::string(name),
        {{"real_label", real_label}, {"fake_label", fake_label}, {"generator_label", generator_label}, {"flip", flip}});
  }

  /// Throws when flip > 0, which draws.
  template <class T>
  DiscriminatorLoss<T> discriminator_loss(const Tensor<T>& real, const Tensor<T>& fake) const {
    check_options();
    detail::check_no_flip(name, flip);
    detail::check_scores(name, real, fake);
    return {half_square(real - real_label), half_square(fake - fake_label)};
  }
  template <class T>
  DiscriminatorLoss<T> discriminator_loss(Rng& rng, const Tensor<T>& real, const Tensor<T>& fake) const {
    if (flip == 0) return discriminator_loss(real, fake);
    check_options();
    detail::check_scores(name, real, fake);
    const auto real_targets = detail::flipped_labels<T>(rng, real.shape(), real_label, fake_label, flip);
    const auto fake_targets = detail::flipped_labels<T>(rng, fake.shape(), fake_label, real_label, flip);
    return {half_square(real - real_targets), half_square(fake - fake_targets)};
  }

  template <class T>
  Tensor<T> generator_loss(const Tensor<T>& fake) const {
    check_options();
    detail::check_scores(name, "fakes", fake);
    return half_square(fake - generator_label);
  }
  template <class T>
  Tensor<T> generator_loss(const Tensor<T>&, const Tensor<T>& fake) const {
    return generator_loss(fake);
  }

  template <class T>
  Accuracy accuracy(const Tensor<T>& real, const Tensor<T>& fake) const {
    detail::check_scores(name, real, fake);
    const auto nearer = [](double label, double other) {
      return [=](double score) { return std::abs(score - label) < std::abs(score - other); };
    };
    return {detail::share_of(real, nearer(real_label, fake_label)),
            detail::share_of(fake, nearer(fake_label, real_label))};
  }

 private:
  template <class T>
  static Tensor<T> half_square(const Tensor<T>& difference) {
    return 0.5 * mean(square(difference));
  }
};

}  // namespace gan
