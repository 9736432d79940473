// Sum over axes and its adjoint, broadcasting, with the loops that other operations share.
#pragma once

#include <array>
#include <vector>

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

/// y[i] = f(a[i], b[i]) over `shape`, which a and b broadcast to. Neighbouring axes along which both are repeated or
/// both run are merged, so that the inner loop is long and its strides are 0 or 1.
template <class T, class F>
Tensor<T> broadcast_map(const Shape& shape, const Tensor<T>& a, const Tensor<T>& b, F f);

template <class T>
struct SumOf {
  static constexpr T identity = 0;
  static T join(T a, T b) { return a + b; }
  static T of(const ConstValues<T>& row) { return row.sum(); }
  static void join(Values<T> total, const ConstValues<T>& row) { total += row; }
};

/// Reduces the marked axes, one group of neighbours after the other, and keeps them with length 1. The order of the
/// arithmetic depends on the shape alone.
template <class Op, class T>
Tensor<T> reduce(const Tensor<T>& x, const std::array<bool, Shape::max_rank>& reduced);

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

inline std::vector<double> to_doubles(const std::vector<Index>& values) { return {values.begin(), values.end()}; }

}  // namespace detail

template <class T>
Tensor<T> sum(const Tensor<T>& x, const std::vector<Index>& axes, bool keep_dims) {
  const Profile::Scope scope("sum");
  const auto reduced = detail::reduced_axes("sum", x.shape(), axes);
  const Tensor<T> total = detail::reduce<detail::SumOf<T>>(x, reduced);
  const Shape kept = total.shape();
  return record("sum", total.view(keep_dims ? kept : detail::without_axes(kept, reduced)), {x},
                [kept](Backward<T>& d) { d.give(0, broadcast_to(reshape(d.grad(), kept), d.shape(0))); },
                {{"axes", detail::to_doubles(axes)}});
}

template <class T>
Tensor<T> broadcast_to(const Tensor<T>& x, const Shape& shape) {
  if (x.shape() == shape) return x;
  check(broadcast("broadcast_to", x.shape(), shape) == shape, "broadcast_to: ", x.shape(), " does not broadcast to ",
        shape);
  const Profile::Scope scope("broadcast_to");
  const Tensor<T> y = detail::broadcast_map(shape, x, x, [](T a, T) { return a; });
  return record("broadcast_to", y, {x}, [](Backward<T>& d) { d.give(0, sum_to(d.grad(), d.shape(0))); });
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

namespace detail {

// The axes of a broadcast loop after merging: lengths, and how far a and b advance along each.
struct BroadcastLoop {
  struct Axis {
    Index length, a, b;
  };
  std::vector<Axis> axes;  // outermost first; the last is the inner loop

  BroadcastLoop(const Shape& shape, const Shape& a, const Shape& b) {
    Index stride_a = a.size(), stride_b = b.size();
    for (Index i = 0; i < shape.rank(); ++i) {
      const auto length_of = [&](const Shape& s) {
        const Index axis = i - (shape.rank() - s.rank());
        return axis < 0 ? Index{1} : s[axis];
      };
      const Index p = length_of(a), q = length_of(b);
      stride_a /= std::max<Index>(p, 1);
      stride_b /= std::max<Index>(q, 1);
      if (shape[i] == 1) continue;
      const Axis axis{shape[i], p == 1 ? 0 : stride_a, q == 1 ? 0 : stride_b};
      if (!axes.empty() && axes.back().a == axis.a * axis.length && axes.back().b == axis.b * axis.length)
        axes.back() = {axes.back().length * axis.length, axis.a, axis.b};
      else
        axes.push_back(axis);
    }
    if (axes.empty()) axes.push_back({1, 0, 0});
  }

  // Where a and b stand at the beginning of row `row` of the outer axes.
  std::pair<Index, Index> offsets(Index row) const {
    Index at_a = 0, at_b = 0;
    for (std::size_t i = axes.size() - 1; i-- > 0;) {
      at_a += row % axes[i].length * axes[i].a;
      at_b += row % axes[i].length * axes[i].b;
      row /= axes[i].length;
    }
    return {at_a, at_b};
  }
};

template <class T, class F>
void broadcast_row(const T* a, Index stride_a, const T* b, Index stride_b, T* y, Index n, F f) {
  if (stride_a && stride_b)
    for (Index i = 0; i < n; ++i) y[i] = f(a[i], b[i]);
  else if (stride_a)
    for (Index i = 0; i < n; ++i) y[i] = f(a[i], *b);
  else if (stride_b)
    for (Index i = 0; i < n; ++i) y[i] = f(*a, b[i]);
  else
    std::fill(y, y + n, f(*a, *b));
}

template <class T, class F>
Tensor<T> broadcast_map(const Shape& shape, const Tensor<T>& a, const Tensor<T>& b, F f) {
  auto y = Tensor<T>::empty(shape);
  if (shape.size() == 0) return y;
  const T *from_a = a.data(), *from_b = b.data();
  T* to = y.mutable_data();
  const BroadcastLoop loop(shape, a.shape(), b.shape());
  const auto inner = loop.axes.back();
  const Index rows = shape.size() / inner.length;
  if (rows == 1) {
    elementwise_for(inner.length, [&](Index begin, Index end) {
      broadcast_row(from_a + begin * inner.a, inner.a, from_b + begin * inner.b, inner.b, to + begin, end - begin, f);
    });
  } else {
    parallel_for(rows, std::max<Index>(1, (1 << 14) / inner.length), [&](Index begin, Index end) {
      for (Index row = begin; row < end; ++row) {
        const auto [at_a, at_b] = loop.offsets(row);
        broadcast_row(from_a + at_a, inner.a, from_b + at_b, inner.b, to + row * inner.length, inner.length, f);
      }
    });
  }
  return y;
}

// x seen as [outer, length, inner] -> y [outer, inner]. Wide rows are cut into columns, and long axes at fixed places
// into parts, short enough that a running sum keeps its digits, which are reduced in parallel and then joined.
template <class Op, class T>
void reduce_axis(const T* x, T* y, Index outer, Index length, Index inner) {
  constexpr Index part_size = 1 << 14, most_columns = 1 << 10;  // elements
  const Index blocks = (inner + most_columns - 1) / most_columns;
  const Index columns = ((inner + blocks - 1) / blocks + 15) / 16 * 16;
  const Index part = inner == 1 ? part_size : std::clamp<Index>(part_size / inner, 64, 512);
  const Index parts = std::max<Index>(1, (length + part - 1) / part);
  const auto reduce_part = [&](const T* from, Index rows, Index width, T* to) {
    if (inner == 1) {
      *to = rows == 0 ? Op::identity : Op::of(ConstValues<T>(from, rows));
      return;
    }
    std::fill(to, to + width, Op::identity);
    for (Index row = 0; row < rows; ++row) Op::join(Values<T>(to, width), ConstValues<T>(from + row * inner, width));
  };
  Tensor<T> partial;
  if (parts > 1) partial = Tensor<T>::empty({outer * parts, inner});
  T* const to = parts > 1 ? partial.mutable_data() : y;
  const Index work = std::min(part, length) * std::min(columns, inner);
  parallel_for(outer * parts * blocks, std::max<Index>(1, part_size / std::max<Index>(1, work)),
               [&](Index begin, Index end) {
                 for (Index i = begin; i < end; ++i) {
                   const Index block = i % blocks, p = i / blocks % parts, o = i / blocks / parts;
                   const Index first = p * part, column = block * columns, width = std::min(columns, inner - column);
                   if (width <= 0) continue;  // rounding up to whole vectors left nothing
                   reduce_part(x + (o * length + first) * inner + column, std::min(part, length - first), width,
                               to + (o * parts + p) * inner + column);
                 }
               });
  if (parts > 1) reduce_axis<Op>(partial.data(), y, outer, parts, inner);
}

template <class Op, class T>
Tensor<T> reduce(const Tensor<T>& x, const std::array<bool, Shape::max_rank>& reduced) {
  Tensor<T> y = x;
  for (Index axis = 0; axis < x.rank(); ++axis) {
    if (!reduced[static_cast<std::size_t>(axis)] || y.shape()[axis] == 1) continue;
    Shape kept = y.shape();
    Index outer = 1, length = 1, inner = 1, end = axis;
    for (Index i = 0; i < axis; ++i) outer *= kept[i];
    for (; end < x.rank() && reduced[static_cast<std::size_t>(end)]; ++end) {
      length *= kept[end];
      kept = kept.with(end, 1);
    }
    for (Index i = end; i < x.rank(); ++i) inner *= kept[i];
    auto next = Tensor<T>::empty(kept);
    if (outer * inner > 0) reduce_axis<Op>(y.data(), next.mutable_data(), outer, length, inner);
    y = next;
  }
  return y.is(x) ? x.clone() : y;  // the result must not alias x
}

}  // namespace detail
}  // namespace gan
