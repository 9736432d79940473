// Mode seeking: a generator's reward for making different things of different noise.
#pragma once

#include "gan/core/finite.hpp"
#include "gan/loss/reduction.hpp"

namespace gan {

/// 1 / (r + epsilon) with r = mean|x1 - x2| / mean|z1 - z2|: the distance of samples x1, x2 [n, ...] over that of the
/// noise z1, z2 [n, l] that they were made of, for the same condition -> scalar (Mao et al., 2019). The smaller it is,
/// the more of the noise is seen. A term of the generator; two halves of a batch will do for the two. Throws for shapes
/// that differ, for noise that does not, and unless epsilon > 0.
template <class T>
Tensor<T> mode_seeking(const Tensor<T>& x1, const Tensor<T>& x2, const Tensor<T>& z1, const Tensor<T>& z2,
                       double epsilon = 1e-5) {
  detail::check_same_shape("mode_seeking", "samples", x1, "samples", x2);
  detail::check_same_shape("mode_seeking", "noise", z1, "noise", z2);
  check(x1.rank() >= 1 && z1.rank() >= 1 && x1.shape()[0] == z1.shape()[0], "mode_seeking: samples ", x1.shape(),
        " of noise ", z1.shape(), ", expected equally many");
  check(is_finite(epsilon) && epsilon > 0, "mode_seeking: epsilon ", epsilon, ", expected a number above 0");
  const auto noise = mean(abs(z1 - z2));
  check(noise.item() != 0, "mode_seeking: noise ", z1.shape(), " is the same for both, expected two draws");
  return reciprocal(mean(abs(x1 - x2)) / noise + epsilon);
}

}  // namespace gan
