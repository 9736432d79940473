// A tensor cut into parts along one axis.
#pragma once

#include <initializer_list>
#include <vector>

#include "gan/ops/slice.hpp"

namespace gan {

/// Parts of those lengths, one after the other: x [n, 8], {3, 5}, axis 1 -> [n, 3] and [n, 5]. Throws unless the sizes
/// are not negative and sum to the axis.
template <class T>
std::vector<Tensor<T>> split(const Tensor<T>& x, const std::vector<Index>& sizes, Index axis) {
  const Index length = x.shape()[axis];
  Index rest = length;
  for (const Index size : sizes) {
    check(size >= 0 && size <= rest, "split: a part of ", size, " where ", rest, " of axis ", axis, " of x ", x.shape(),
          " are left");
    rest -= size;
  }
  check(rest == 0, "split: the parts leave ", rest, " of axis ", axis, " of x ", x.shape());
  std::vector<Tensor<T>> parts;
  Index begin = 0;
  for (const Index size : sizes) {
    parts.push_back(slice(x, axis, begin, begin + size));
    begin += size;
  }
  return parts;
}
template <class T>
std::vector<Tensor<T>> split(const Tensor<T>& x, std::initializer_list<Index> sizes, Index axis) {
  return split(x, std::vector<Index>(sizes), axis);
}

/// `parts` equal parts: x [n, 8], 2, axis 1 -> [n, 4] twice. Throws unless `parts` is at least 1 and divides the axis.
template <class T>
std::vector<Tensor<T>> split(const Tensor<T>& x, Index parts, Index axis) {
  const Index length = x.shape()[axis];
  check(parts >= 1 && length % parts == 0, "split: ", parts, " parts of axis ", axis, " of x ", x.shape(),
        ", expected a number that divides ", length);
  std::vector<Tensor<T>> all;
  for (Index i = 0; i < parts; ++i) all.push_back(slice(x, axis, length / parts * i, length / parts * (i + 1)));
  return all;
}

}  // namespace gan
