// Where the largest and the smallest element of each row are.
#pragma once

#include <cmath>
#include <vector>

#include "gan/tensor/tensor.hpp"

namespace gan {

namespace detail {

template <class T, class Better>
std::vector<Index> arg_best(const char* op, const Tensor<T>& x, Better better) {
  const Index k = x.shape().last();
  check(x.rank() >= 1 && k > 0, op, ": ", x.shape(), " has no last axis with elements");
  std::vector<Index> best(static_cast<std::size_t>(x.shape().rows()), 0);
  const T* row = x.data();
  for (Index& at : best) {
    for (Index i = 1; i < k && !std::isnan(row[at]); ++i)
      if (better(row[i], row[at]) || std::isnan(row[i])) at = i;
    row += k;
  }
  return best;
}

}  // namespace detail

/// The index of the largest element of each row, the first one where several tie: x [..., k] -> as many numbers in
/// [0, k) as there are rows, fit for gather, one_hot, and labels of a condition. A NaN counts as the largest. Throws
/// without a last axis or with an empty one.
template <class T>
std::vector<Index> argmax(const Tensor<T>& x) {
  return detail::arg_best("argmax", x, [](T a, T b) { return a > b; });
}

/// The same of the smallest; here a NaN counts as the smallest.
template <class T>
std::vector<Index> argmin(const Tensor<T>& x) {
  return detail::arg_best("argmin", x, [](T a, T b) { return a < b; });
}

}  // namespace gan
