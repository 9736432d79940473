// AdaptiveProbability: how often a discriminator is shown augmented samples, from how well it knows real ones.
#pragma once

#include <algorithm>

#include "gan/core/finite.hpp"
#include "gan/core/shape.hpp"

namespace gan {

/// The controller of adaptive discriminator augmentation (Karras et al., 2020): the probability of each transformation
/// rises while the mean of sign(D(real)), a measure of overfitting, is above `target`, and falls while it is below. In
/// terms of the discriminator's accuracy on real samples that mean is 2 accuracy - 1, so that 0.6 stands for 80 %.
struct AdaptiveProbability {
  double target = 0.6;     ///< of the mean sign, in [-1, 1]
  double images = 500000;  ///< in which the probability can go from 0 to 1, above 0
  double limit = 1;        ///< largest probability, in [0, 1]

  /// The next probability, from the last one, the accuracy on real samples in [0, 1] since, and the number of real
  /// samples shown since. Throws for numbers out of range.
  double update(double probability, double accuracy, Index shown) const {
    check(
        is_finite(target) && target >= -1 && target <= 1 && is_finite(images) && images > 0 && limit >= 0 && limit <= 1,
        "adaptive probability: target ", target, ", ", images, " images, limit ", limit,
        ", expected a target in [-1, 1], images above 0, a limit in [0, 1]");
    check(is_finite(accuracy) && accuracy >= 0 && accuracy <= 1 && probability >= 0 && probability <= 1 && shown >= 0,
          "adaptive probability: ", probability, " with accuracy ", accuracy, " on ", shown,
          " images, expected numbers in [0, 1] and 0 or more images");
    const double distance = 2 * accuracy - 1 - target, change = static_cast<double>(shown) / images;
    const double next = probability + (distance > 0 ? change : distance < 0 ? -change : 0);
    return std::clamp(next, 0.0, limit);
  }
};

}  // namespace gan
