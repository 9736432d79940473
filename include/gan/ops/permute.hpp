// Axes in another order.
#pragma once

#include <array>
#include <numeric>
#include <vector>

#include "gan/tensor/autograd.hpp"

namespace gan {

/// Reorders the axes: y.shape()[i] = x.shape()[axes[i]]. Throws unless `axes` is a permutation of all axes.
template <class T>
Tensor<T> permute(const Tensor<T>& x, const std::vector<Index>& axes);

/// Swaps the last two axes: x [..., a, b] -> [..., b, a].
template <class T>
Tensor<T> transpose(const Tensor<T>& x);

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
  return record(
      "permute", y, {x}, [inverse = std::move(inverse)](Backward<T>& d) { d.give(0, permute(d.grad(), inverse)); },
      [order = std::move(order)] {
        return AttributeList{{"axes", {order.begin(), order.end()}}};
      },
      Reads::nothing());
}

template <class T>
Tensor<T> transpose(const Tensor<T>& x) {
  check(x.rank() >= 2, "transpose: ", x.shape(), " has fewer than 2 axes");
  std::vector<Index> axes(static_cast<std::size_t>(x.rank()));
  std::iota(axes.begin(), axes.end(), Index{0});
  std::swap(axes[axes.size() - 2], axes.back());
  return permute(x, axes);
}

}  // namespace gan
