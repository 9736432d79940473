// SiLU, also known as swish.
#pragma once

#include "gan/ops/elementwise.hpp"

namespace gan {

/// x / (1 + e^-x) (Elfwing et al., 2017): x [...] -> [...].
template <class T>
Tensor<T> silu(const Tensor<T>& x) {
  return x * sigmoid(x);
}

}  // namespace gan
