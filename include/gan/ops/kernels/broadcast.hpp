// The loop of operations on two tensors that broadcast.
#pragma once

#include <vector>

#include "gan/core/profile.hpp"
#include "gan/tensor/tensor.hpp"

namespace gan::kernels {

/// y[i] = f(a[i], b[i]) over `shape`, which a and b broadcast to. Neighboring axes along which both are repeated or
/// both run are merged, so that the inner loop is long and its strides are 0 or 1.
template <class T, class F>
Tensor<T> broadcast_map(const Shape& shape, const Tensor<T>& a, const Tensor<T>& b, F f);

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

/// The value of a binary operation, without history.
template <class T, class F>
Tensor<T> binary(const char* op, const Tensor<T>& a, const Tensor<T>& b, F f) {
  const Profile::Scope scope(op);
  return broadcast_map(a.shape() == b.shape() ? a.shape() : broadcast(op, a.shape(), b.shape()), a, b, f);
}

}  // namespace gan::kernels
