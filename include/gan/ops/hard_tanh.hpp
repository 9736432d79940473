// Hard tanh, whose ends need not be flat.
#pragma once

#include "gan/core/finite.hpp"
#include "gan/ops/elementwise.hpp"

namespace gan {

/// x limited to [-1, 1], and `slope` times what is beyond: slope x + (1 - slope) clamp(x, -1, 1). With a slope above 0
/// gradients flow everywhere. Throws unless the slope is finite.
template <class T>
Tensor<T> hard_tanh(const Tensor<T>& x, double slope = 0) {
  check(is_finite(slope), "hard_tanh: slope ", slope, ", expected a finite number");
  const Tensor<T> limited = clamp(x, -1, 1);
  return slope == 0 ? limited : slope * x + (1 - slope) * limited;
}

}  // namespace gan
