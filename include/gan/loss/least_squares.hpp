// The least-squares objective.
#pragma once

#include "gan/loss/objective.hpp"

namespace gan {

/// LSGAN (Mao et al., 2017). Discriminator: mean((real - real_label)^2) / 2 + mean((fake - fake_label)^2) / 2.
/// Generator: mean((fake - generator_label)^2) / 2.
struct LeastSquares {
  double real_label = 1;       ///< b of the paper; 0.9 for one-sided smoothing
  double fake_label = 0;       ///< a
  double generator_label = 1;  ///< c, what the generator wants its samples to be taken for
  double flip = 0;             ///< probability that a sample's label is swapped in the discriminator's loss
  static constexpr bool generator_needs_real = false;
  std::string describe() const {
    return described(
        "least-squares",
        {{"real_label", real_label}, {"fake_label", fake_label}, {"generator_label", generator_label}, {"flip", flip}});
  }

  template <class T>
  Tensor<T> discriminator_loss(Rng& rng, const Tensor<T>& real, const Tensor<T>& fake) const {
    detail::check_scores("least squares", real, fake);
    detail::check_flip("least squares", flip);
    check_labels();
    if (flip == 0) return 0.5 * (mean(square(real - real_label)) + mean(square(fake - fake_label)));
    const auto real_targets = detail::flipped_labels<T>(rng, real.shape(), real_label, fake_label, flip);
    const auto fake_targets = detail::flipped_labels<T>(rng, fake.shape(), fake_label, real_label, flip);
    return 0.5 * (mean(square(real - real_targets)) + mean(square(fake - fake_targets)));
  }

  template <class T>
  Tensor<T> generator_loss(const Tensor<T>&, const Tensor<T>& fake) const {
    detail::check_scores("least squares", "fakes", fake);
    check_labels();
    return 0.5 * mean(square(fake - generator_label));
  }

 private:
  void check_labels() const {
    check(is_finite(real_label) && is_finite(fake_label) && is_finite(generator_label), "least squares: labels ",
          real_label, " of real samples, ", fake_label, " of fakes and ", generator_label,
          " of the generator, expected finite numbers");
  }
};

}  // namespace gan
