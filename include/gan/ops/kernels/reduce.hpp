// The loop of reductions over axes, in an order that depends on the shape alone.
#pragma once

#include <array>
#include <limits>

#include "gan/tensor/tensor.hpp"

namespace gan::kernels {

template <class T>
struct SumOf {
  static constexpr T identity = 0;
  static T join(T a, T b) { return a + b; }
  static T of(const ConstValues<T>& row) { return row.sum(); }
  static void join(Values<T> total, const ConstValues<T>& row) { total += row; }
};

/// Reduces the marked axes, one group of neighbors after the other, and keeps them with length 1. The order of the
/// arithmetic depends on the shape alone.
template <class Op, class T>
Tensor<T> reduce(const Tensor<T>& x, const std::array<bool, Shape::max_rank>& reduced);

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

template <class T>
struct MaxOf {
  static constexpr T identity = -std::numeric_limits<T>::infinity();
  static T of(const ConstValues<T>& row) { return row.template maxCoeff<Eigen::PropagateNaN>(); }
  static void join(Values<T> best, const ConstValues<T>& row) {
    for (Index i = 0; i < row.size(); ++i) best[i] = best[i] >= row[i] || std::isnan(best[i]) ? best[i] : row[i];
  }
};

}  // namespace gan::kernels
