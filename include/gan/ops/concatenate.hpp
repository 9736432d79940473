// Tensors joined along an axis.
#pragma once

#include <initializer_list>
#include <limits>
#include <vector>

#include "gan/ops/slice.hpp"

namespace gan {

/// Joins tensors along one axis; all other lengths must be equal. x1 [n, 3], x2 [n, 5], axis 1 -> [n, 8].
template <class T>
Tensor<T> concatenate(const std::vector<Tensor<T>>& xs, Index axis);
/// concatenate({a, b}, 1), without a type to be named.
template <class T>
Tensor<T> concatenate(std::initializer_list<Tensor<T>> xs, Index axis) {
  return concatenate(std::vector<Tensor<T>>(xs), axis);
}

template <class T>
Tensor<T> concatenate(const std::vector<Tensor<T>>& xs, Index axis) {
  const Profile::Scope scope("concatenate");
  check(!xs.empty(), "concatenate: no tensors");
  axis = xs.front().shape().normalize(axis);
  Index total = 0;
  for (const auto& x : xs) {
    check(x.rank() == xs.front().rank() && x.shape().with(axis, 0) == xs.front().shape().with(axis, 0),
          "concatenate: ", x.shape(), " and ", xs.front().shape(), " differ in an axis other than ", axis);
    check(x.shape()[axis] <= std::numeric_limits<Index>::max() - total, "concatenate: too many elements");
    total += x.shape()[axis];
  }
  auto y = Tensor<T>::empty(xs.front().shape().with(axis, total));
  const detail::AxisView to(y.shape(), axis);
  T* data = y.mutable_data();
  std::vector<Index> ends;
  for (const auto& x : xs) {
    const Index row = x.shape()[axis] * to.inner, begin = ends.empty() ? 0 : ends.back();
    detail::copy_rows(x.data(), row, data + begin * to.inner, total * to.inner, to.outer, row);
    ends.push_back(begin + x.shape()[axis]);
  }
  return record(
      "concatenate", y, xs,
      [axis, ends](Backward<T>& d) {
        for (std::size_t i = 0; i < ends.size(); ++i)
          if (const auto k = static_cast<Index>(i); d.wants(k))
            d.give(k, slice(d.grad(), axis, i == 0 ? 0 : ends[i - 1], ends[i]));
      },
      [=] {
        return AttributeList{{"axis", {static_cast<double>(axis)}}};
      },
      Reads::nothing());
}

}  // namespace gan
