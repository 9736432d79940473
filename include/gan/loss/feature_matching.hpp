// Feature matching: a generator's loss from what a discriminator sees inside.
#pragma once

#include "gan/loss/reduction.hpp"

namespace gan {

/// |mean f(real) - mean f(fake)|^2, with means over the batch and the square summed over all else, of an inner layer's
/// features f: real [n, ...], fake [m, ...] -> scalar (Salimans et al., 2016). A term of the generator: the real side
/// is taken as it is, without history. Throws unless both are batches of one shape.
template <class T>
Tensor<T> feature_matching(const Tensor<T>& real, const Tensor<T>& fake) {
  check(real.defined() && fake.defined(), "feature_matching: features of ", real.defined() ? "fakes" : "real samples",
        " are undefined");
  check(real.rank() >= 1 && fake.rank() >= 1 && real.shape().with(0, 1) == fake.shape().with(0, 1),
        "feature_matching: features ", real.shape(), " of real samples and ", fake.shape(), " of fakes, expected ",
        "batches of one shape");
  return sum(square(mean(real.detach(), {0}) - mean(fake, {0})));
}

}  // namespace gan
