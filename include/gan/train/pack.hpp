// Packing: what a discriminator that judges several samples at once is shown.
#pragma once

#include "gan/ops/permute.hpp"
#include "gan/ops/reshape.hpp"

namespace gan {

/// Joins every k samples along the last axis: x [n, ..., c] -> [n / k, ..., k c] (PacGAN; Lin et al., 2018). Throws
/// unless k divides n.
template <class T>
Tensor<T> packed_samples(const Tensor<T>& x, Index k) {
  if (k == 1) return x;
  check(x.rank() >= 2 && x.shape()[0] % k == 0, "trainer: batch ", x.shape(), " is not made of packs of ", k);
  const Index n = x.shape()[0], c = x.shape().last(), positions = x.size() / (n * c);
  return reshape(permute(reshape(x, Shape{n / k, k, positions, c}), {0, 2, 1, 3}),
                 x.shape().with(0, n / k).with(-1, k * c));
}

}  // namespace gan
