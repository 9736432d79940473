// Moving elements: permute, transpose, concatenate, and the adjoint pair slice and pad.
#pragma once

#include <array>
#include <limits>
#include <numeric>
#include <vector>

#include "gan/ops/reshape.hpp"

namespace gan {

/// Reorders the axes: y.shape()[i] = x.shape()[axes[i]]. Throws unless `axes` is a permutation of all axes.
template <class T>
Tensor<T> permute(const Tensor<T>& x, const std::vector<Index>& axes);

/// Swaps the last two axes: x [..., a, b] -> [..., b, a].
template <class T>
Tensor<T> transpose(const Tensor<T>& x);

/// Joins tensors along one axis; all other lengths must be equal. x1 [n, 3], x2 [n, 5], axis 1 -> [n, 8].
template <class T>
Tensor<T> concatenate(const std::vector<Tensor<T>>& xs, Index axis);

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
Tensor<T> permute(const Tensor<T>& x, const std::vector<Index>& axes) {
  const Profile::Scope scope("permute");
  const Index rank = x.rank();
  check(static_cast<Index>(axes.size()) == rank, "permute: ", axes.size(), " axes for shape ", x.shape());
  std::vector<Index> inverse(axes.size(), -1), order;
  std::array<Index, Shape::max_rank> lengths{}, strides{}, x_strides{};
  for (Index i = rank - 1, stride = 1; i >= 0; stride *= x.shape()[i--])
    x_strides[static_cast<std::size_t>(i)] = stride;
  for (Index i = 0; i < rank; ++i) {
    const Index axis = x.shape().normalize(axes[static_cast<std::size_t>(i)]);
    check(inverse[static_cast<std::size_t>(axis)] < 0, "permute: axis ", axis, " is given twice");
    inverse[static_cast<std::size_t>(axis)] = i;
    order.push_back(axis);
    lengths[static_cast<std::size_t>(i)] = x.shape()[axis];
    strides[static_cast<std::size_t>(i)] = x_strides[static_cast<std::size_t>(axis)];
  }
  auto y = Tensor<T>::empty(Shape(std::span<const Index>(lengths.data(), axes.size())));
  if (y.size() > 0 && rank > 0) {
    const T* from = x.data();
    T* to = y.mutable_data();
    const Index inner = y.shape().last(), stride = strides[axes.size() - 1];
    parallel_for(y.shape().rows(), std::max<Index>(1, (1 << 14) / inner), [&](Index begin, Index end) {
      for (Index row = begin; row < end; ++row) {
        Index at = 0, rest = row;
        for (std::size_t i = axes.size() - 1; i-- > 0; rest /= lengths[i]) at += rest % lengths[i] * strides[i];
        for (Index i = 0; i < inner; ++i) to[row * inner + i] = from[at + i * stride];
      }
    });
  } else if (rank == 0) {
    y = x.clone();
  }
  Attributes attributes{{"axes", {order.begin(), order.end()}}};
  return record(
      "permute", y, {x}, [inverse](Backward<T>& d) { d.give(0, permute(d.grad(), inverse)); }, std::move(attributes));
}

template <class T>
Tensor<T> transpose(const Tensor<T>& x) {
  check(x.rank() >= 2, "transpose: ", x.shape(), " has fewer than 2 axes");
  std::vector<Index> axes(static_cast<std::size_t>(x.rank()));
  std::iota(axes.begin(), axes.end(), Index{0});
  std::swap(axes[axes.size() - 2], axes.back());
  return permute(x, axes);
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
  return record("concatenate", y, xs,
                [axis, ends](Backward<T>& d) {
                  for (std::size_t i = 0; i < ends.size(); ++i)
                    if (const auto k = static_cast<Index>(i); d.wants(k))
                      d.give(k, slice(d.grad(), axis, i == 0 ? 0 : ends[i - 1], ends[i]));
                },
                {{"axis", {static_cast<double>(axis)}}});
}

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
      {{"axis", {static_cast<double>(axis)}}, {"range", {static_cast<double>(begin), static_cast<double>(end)}}});
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
      {{"axis", {static_cast<double>(axis)}}, {"widths", {static_cast<double>(before), static_cast<double>(after)}}});
}

}  // namespace gan
