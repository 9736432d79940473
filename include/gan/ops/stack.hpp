// Tensors put beside each other: along a new axis, or along one that they have.
#pragma once

#include <initializer_list>
#include <vector>

#include "gan/ops/concatenate.hpp"
#include "gan/ops/squeeze.hpp"

namespace gan {

/// Joins tensors of one shape along an axis of their number, which becomes axis number `axis` of the result: k tensors
/// [n, c], axis 0 -> [k, n, c]. Throws for none and when shapes differ.
template <class T>
Tensor<T> stack(const std::vector<Tensor<T>>& xs, Index axis) {
  check(!xs.empty(), "stack: no tensors");
  std::vector<Tensor<T>> parts;
  for (const auto& x : xs) {
    check(x.shape() == xs.front().shape(), "stack: shapes ", xs.front().shape(), " and ", x.shape(), " differ");
    parts.push_back(unsqueeze(x, axis));
  }
  return concatenate(parts, axis);
}
template <class T>
Tensor<T> stack(std::initializer_list<Tensor<T>> xs, Index axis) {
  return stack(std::vector<Tensor<T>>(xs), axis);
}

}  // namespace gan
