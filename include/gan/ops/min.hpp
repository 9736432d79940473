// The smallest element over axes. The largest is in ops/reduce.hpp.
#pragma once

#include <vector>

#include "gan/ops/reduce.hpp"

namespace gan {

/// Smallest element over `axes` (all when empty). Elements that tie share the gradient. Throws for empty axes.
template <class T>
Tensor<T> min(const Tensor<T>& x, const std::vector<Index>& axes = {}, bool keep_dims = false) {
  return neg(max(neg(x), axes, keep_dims));
}

}  // namespace gan
