// Outer and cross products, composed of other operations.
#pragma once

#include "gan/ops/arithmetic.hpp"
#include "gan/ops/concatenate.hpp"
#include "gan/ops/slice.hpp"

namespace gan {

/// The outer product a b^T: a [m], b [n] -> [m, n]; with a batch, a [n, p], b [n, q] -> [n, p, q]. Throws for other
/// ranks and for batches that differ.
///
/// A dense layer's weight gradient is a sum of outer products, one a sample: for y = x weight with x [n, in] and
/// gradient g [n, out], the gradient of weight is sum_i outer(x_i, g_i) = x^T g.
template <class T>
Tensor<T> outer(const Tensor<T>& a, const Tensor<T>& b) {
  const Index rank = a.rank();
  check(rank == b.rank() && (rank == 1 || rank == 2) && (rank == 1 || a.shape()[0] == b.shape()[0]), "outer: a ",
        a.shape(), " and b ", b.shape(), ", expected [m] and [n], or [n, p] and [n, q]");
  return reshape(a, a.shape().inserted(rank, 1)) * reshape(b, b.shape().inserted(rank - 1, 1));
}

/// The vector product on the last axis: a [..., 3], b [..., 3] -> [..., 3], orthogonal to both, of the length of the
/// parallelogram they span. The other axes broadcast. Throws unless both last axes have length 3.
template <class T>
Tensor<T> cross(const Tensor<T>& a, const Tensor<T>& b) {
  check(a.rank() >= 1 && b.rank() >= 1 && a.shape().last() == 3 && b.shape().last() == 3, "cross: a ", a.shape(),
        " and b ", b.shape(), ", expected a last axis of 3");
  // Component i is a[i+1] b[i+2] - a[i+2] b[i+1], counted modulo 3.
  const auto rotate = [](const Tensor<T>& x, Index by) {
    return concatenate<T>({slice(x, -1, by, 3), slice(x, -1, 0, by)}, -1);
  };
  return rotate(a, 1) * rotate(b, 2) - rotate(a, 2) * rotate(b, 1);
}

}  // namespace gan
