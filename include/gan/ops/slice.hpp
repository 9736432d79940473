// The adjoint pair slice and pad.
#pragma once

#include <limits>

#include "gan/tensor/autograd.hpp"

namespace gan {

/// Elements [begin, end) of one axis. Throws unless 0 <= begin <= end <= length.
template <class T>
Tensor<T> slice(const Tensor<T>& x, Index axis, Index begin, Index end);

/// Zeros before and after the elements of one axis; the adjoint of slice.
template <class T>
Tensor<T> pad(const Tensor<T>& x, Index axis, Index before, Index after);

namespace detail {

/// A shape seen from one axis: x [outer, length, inner].
struct AxisView {
  Index outer = 1, length = 1, inner = 1;
  AxisView(const Shape& shape, Index axis) : length(shape[axis]) {
    for (Index i = 0; i < axis; ++i) outer *= shape[i];
    for (Index i = axis + 1; i < shape.rank(); ++i) inner *= shape[i];
  }
};

/// Copies `count` rows of `row` elements, `from_stride` and `to_stride` elements apart.
template <class T>
void copy_rows(const T* from, Index from_stride, T* to, Index to_stride, Index count, Index row) {
  if (row == 0) return;
  parallel_for(count, std::max<Index>(1, (1 << 14) / row), [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) std::copy_n(from + i * from_stride, row, to + i * to_stride);
  });
}

}  // namespace detail

template <class T>
Tensor<T> slice(const Tensor<T>& x, Index axis, Index begin, Index end) {
  const Profile::Scope scope("slice");
  axis = x.shape().normalize(axis);
  const Index length = x.shape()[axis];
  check(0 <= begin && begin <= end && end <= length, "slice: [", begin, ", ", end, ") of axis ", axis, " of ",
        x.shape(), ": expected a range in [0, ", length, ")");
  auto y = Tensor<T>::empty(x.shape().with(axis, end - begin));
  const detail::AxisView view(x.shape(), axis);
  const Index row = (end - begin) * view.inner;
  detail::copy_rows(x.data() + begin * view.inner, length * view.inner, y.mutable_data(), row, view.outer, row);
  return record(
      "slice", y, {x},
      [axis, begin, after = length - end](Backward<T>& d) { d.give(0, pad(d.grad(), axis, begin, after)); },
      [=] {
        return AttributeList{{"axis", {static_cast<double>(axis)}},
                             {"range", {static_cast<double>(begin), static_cast<double>(end)}}};
      },
      Reads::nothing());
}

template <class T>
Tensor<T> pad(const Tensor<T>& x, Index axis, Index before, Index after) {
  const Profile::Scope scope("pad");
  axis = x.shape().normalize(axis);
  check(before >= 0 && after >= 0, "pad: ", before, " before and ", after, " after, expected 0 or more");
  const Index length = x.shape()[axis];
  check(before <= std::numeric_limits<Index>::max() / 4 && after <= std::numeric_limits<Index>::max() / 4,
        "pad: ", before, " before and ", after, " after are too many elements");
  auto y = Tensor<T>::zeros(x.shape().with(axis, before + length + after));
  const detail::AxisView view(y.shape(), axis);
  const Index row = length * view.inner;
  detail::copy_rows(x.data(), row, y.mutable_data() + before * view.inner, view.length * view.inner, view.outer, row);
  return record(
      "pad", y, {x},
      [axis, before, length](Backward<T>& d) { d.give(0, slice(d.grad(), axis, before, before + length)); },
      [=] {
        return AttributeList{{"axis", {static_cast<double>(axis)}},
                             {"widths", {static_cast<double>(before), static_cast<double>(after)}}};
      },
      Reads::nothing());
}

}  // namespace gan
