// The logarithm of the sigmoid.
#pragma once

#include "gan/ops/elementwise.hpp"

namespace gan {

/// -log(1 + e^-x), without overflow: x [...] -> [...]. The log probability of "real" for a logit x; that of "fake" is
/// log_sigmoid(-x).
template <class T>
Tensor<T> log_sigmoid(const Tensor<T>& x) {
  return neg(softplus(neg(x)));
}

}  // namespace gan
