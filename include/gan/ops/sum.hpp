// Sum over axes and its adjoint, broadcasting.
#pragma once

#include <array>
#include <vector>

#include "gan/ops/kernels/broadcast.hpp"
#include "gan/ops/kernels/reduce.hpp"
#include "gan/ops/reshape.hpp"

namespace gan {

/// Sum over `axes` (all when empty; negative axes count from the end). Summed axes are dropped, or kept with length 1:
/// x [n, h, w, c], {1, 2} -> [n, c] or [n, 1, 1, c].
template <class T>
Tensor<T> sum(const Tensor<T>& x, const std::vector<Index>& axes = {}, bool keep_dims = false);

/// Repeats axes of length 1, and adds axes in front, until x has `shape`. Throws when NumPy's rule forbids it.
template <class T>
Tensor<T> broadcast_to(const Tensor<T>& x, const Shape& shape);

/// The adjoint of broadcast_to: sums x over the axes along which `shape` would be repeated.
template <class T>
Tensor<T> sum_to(const Tensor<T>& x, const Shape& shape);

namespace detail {

/// Which axes are reduced, checked and normalized; all when `axes` is empty.
inline std::array<bool, Shape::max_rank> reduced_axes(const char* op, const Shape& shape,
                                                      const std::vector<Index>& axes) {
  std::array<bool, Shape::max_rank> reduced{};
  if (axes.empty()) reduced.fill(true);
  for (const Index axis : axes) {
    auto& flag = reduced[static_cast<std::size_t>(shape.normalize(axis))];
    check(!flag, op, ": axis ", axis, " is given twice");
    flag = true;
  }
  return reduced;
}

inline Shape without_axes(const Shape& shape, const std::array<bool, Shape::max_rank>& reduced) {
  Shape result = shape;
  for (Index axis = shape.rank() - 1; axis >= 0; --axis)
    if (reduced[static_cast<std::size_t>(axis)]) result = result.without(axis);
  return result;
}

inline auto axes_attribute(const std::array<bool, Shape::max_rank>& reduced, Index rank) {
  return [reduced, rank] {
    Attribute axes{"axes", {}};
    for (Index axis = 0; axis < rank; ++axis)
      if (reduced[static_cast<std::size_t>(axis)]) axes.values.push_back(static_cast<double>(axis));
    return AttributeList{axes};
  };
}

}  // namespace detail

template <class T>
Tensor<T> sum(const Tensor<T>& x, const std::vector<Index>& axes, bool keep_dims) {
  const Profile::Scope scope("sum");
  const auto reduced = detail::reduced_axes("sum", x.shape(), axes);
  const Tensor<T> total = kernels::reduce<kernels::SumOf<T>>(x, reduced);
  const Shape kept = total.shape();
  return record(
      "sum", total.view(keep_dims ? kept : detail::without_axes(kept, reduced)), {x},
      [kept](Backward<T>& d) { d.give(0, broadcast_to(reshape(d.grad(), kept), d.shape(0))); },
      detail::axes_attribute(reduced, x.rank()), Reads::nothing());
}

template <class T>
Tensor<T> broadcast_to(const Tensor<T>& x, const Shape& shape) {
  if (x.shape() == shape) return x;
  check(broadcast("broadcast_to", x.shape(), shape) == shape, "broadcast_to: ", x.shape(), " does not broadcast to ",
        shape);
  const Profile::Scope scope("broadcast_to");
  const Tensor<T> y = kernels::broadcast_map(shape, x, x, [](T a, T) { return a; });
  return record(
      "broadcast_to", y, {x}, [](Backward<T>& d) { d.give(0, sum_to(d.grad(), d.shape(0))); }, {}, Reads::nothing());
}

template <class T>
Tensor<T> sum_to(const Tensor<T>& x, const Shape& shape) {
  if (x.shape() == shape) return x;
  check(broadcast("sum_to", shape, x.shape()) == x.shape(), "sum_to: ", shape, " does not broadcast to ", x.shape());
  std::vector<Index> axes;
  const Index added = x.rank() - shape.rank();
  for (Index axis = 0; axis < x.rank(); ++axis)
    if (axis < added || shape[axis - added] != x.shape()[axis]) axes.push_back(axis);
  return reshape(axes.empty() ? x : sum(x, axes, true), shape);
}

}  // namespace gan
