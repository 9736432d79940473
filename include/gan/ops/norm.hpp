// The Euclidean norm.
#pragma once

#include "gan/ops/comparison.hpp"
#include "gan/ops/elementwise.hpp"
#include "gan/ops/where.hpp"

namespace gan {

/// sqrt(sum(x^2)) over `axes` (all when empty), with gradient 0 where the norm is 0: x [n, c], {1} -> [n], or [n, 1]
/// with `keep_dims`. Throws for axes that x does not have.
template <class T>
Tensor<T> norm(const Tensor<T>& x, const std::vector<Index>& axes = {}, bool keep_dims = false) {
  const auto squares = sum(square(x), axes, keep_dims);
  // The root is taken of 1 in place of 0, so that the infinite slope there is never multiplied by 0. A NaN passes.
  const auto some = not_equal(squares, 0);
  return where(some, sqrt(where(some, squares, 1.0)), 0.0);
}

}  // namespace gan
