// Normalization of each row.
#pragma once

#include "gan/ops/reduce.hpp"

namespace gan {

namespace detail {

template <class T>
void check_epsilon(const char* op, double epsilon) {
  const T value = static_cast<T>(epsilon);
  check(is_finite(value) && value > 0, op, ": epsilon ", epsilon, ", expected a positive number");
}

}  // namespace detail

/// (x - mean) / sqrt(variance + epsilon), with mean and variance over `axes` of each tensor: x [...] -> [...]. Throws
/// unless epsilon is positive and finite.
template <class T>
Tensor<T> normalize(const Tensor<T>& x, const std::vector<Index>& axes, double epsilon = 1e-5) {
  detail::check_epsilon<T>("normalize", epsilon);
  const auto centered = x - mean(x, axes, true);
  return centered / sqrt(mean(square(centered), axes, true) + epsilon);
}

}  // namespace gan
