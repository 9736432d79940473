// Axes of length 1, taken away and added.
#pragma once

#include "gan/ops/reshape.hpp"

namespace gan {

/// Without one axis of length 1, and no copying: x [n, 1], axis 1 -> [n]. Throws unless the axis has length 1.
template <class T>
Tensor<T> squeeze(const Tensor<T>& x, Index axis) {
  check(x.shape()[axis] == 1, "squeeze: axis ", axis, " of x ", x.shape(), " has length ", x.shape()[axis],
        ", expected 1");
  return reshape(x, x.shape().without(axis));
}

/// With a further axis of length 1, which becomes axis number `axis` of the result: x [n], axis 1 or -1 -> [n, 1].
/// Throws unless it is in [-rank - 1, rank].
template <class T>
Tensor<T> unsqueeze(const Tensor<T>& x, Index axis) {
  const Index rank = x.rank();
  check(axis >= -rank - 1 && axis <= rank, "unsqueeze: axis ", axis, " for x ", x.shape(), ", expected an axis in [",
        -rank - 1, ", ", rank, "]");
  return reshape(x, x.shape().inserted(axis < 0 ? axis + rank + 1 : axis, 1));
}

}  // namespace gan
