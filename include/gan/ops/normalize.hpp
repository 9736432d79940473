// Normalisation of each row.
#pragma once

#include "gan/ops/reduce.hpp"

namespace gan {

/// (x - mean) / sqrt(variance + epsilon), with mean and variance over `axes` of each tensor: x [...] -> [...].
template <class T>
Tensor<T> normalize(const Tensor<T>& x, const std::vector<Index>& axes, double epsilon = 1e-5) {
  const auto centered = x - mean(x, axes, true);
  return centered / sqrt(mean(square(centered), axes, true) + epsilon);
}

}  // namespace gan
