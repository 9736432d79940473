// Mean, variance, maximum and normalization over axes. Sum is in ops/sum.hpp.
#pragma once

#include <limits>
#include <vector>

#include "gan/ops/arithmetic.hpp"
#include "gan/ops/elementwise.hpp"

namespace gan {

/// Mean over `axes` (all when empty). Throws when there is nothing to average.
template <class T>
Tensor<T> mean(const Tensor<T>& x, const std::vector<Index>& axes = {}, bool keep_dims = false);

/// Mean squared distance from the mean over `axes` (divided by the count, not the count - 1).
template <class T>
Tensor<T> variance(const Tensor<T>& x, const std::vector<Index>& axes = {}, bool keep_dims = false);

/// Largest element over `axes` (all when empty), NaN where there is one. Elements that tie share the gradient. Throws
/// for empty axes.
template <class T>
Tensor<T> max(const Tensor<T>& x, const std::vector<Index>& axes = {}, bool keep_dims = false);

namespace detail {

// How many elements each result is made of.
inline Index reduced_count(const char* op, const Shape& shape, const std::array<bool, Shape::max_rank>& reduced) {
  Index count = 1;
  for (Index axis = 0; axis < shape.rank(); ++axis)
    if (reduced[static_cast<std::size_t>(axis)]) count *= shape[axis];
  check(count > 0, op, ": no elements along the axes of ", shape);
  return count;
}

}  // namespace detail

template <class T>
Tensor<T> mean(const Tensor<T>& x, const std::vector<Index>& axes, bool keep_dims) {
  const Index count = detail::reduced_count("mean", x.shape(), detail::reduced_axes("mean", x.shape(), axes));
  return sum(x, axes, keep_dims) / static_cast<double>(count);
}

template <class T>
Tensor<T> variance(const Tensor<T>& x, const std::vector<Index>& axes, bool keep_dims) {
  return mean(square(x - mean(x, axes, true)), axes, keep_dims);
}

template <class T>
Tensor<T> max(const Tensor<T>& x, const std::vector<Index>& axes, bool keep_dims) {
  const Profile::Scope scope("max");
  const auto reduced = detail::reduced_axes("max", x.shape(), axes);
  detail::reduced_count("max", x.shape(), reduced);
  const Tensor<T> best = kernels::reduce<kernels::MaxOf<T>>(x, reduced);
  const Shape kept = best.shape();
  return record(
      "max", best.view(keep_dims ? kept : detail::without_axes(kept, reduced)), {x},
      [kept, axes](Backward<T>& d) {
        // Neither factor below has history: who wins is constant almost everywhere.
        const auto wins =
            kernels::binary("max", d.x(0), d.y().view(kept), [](T p, T q) { return T(p == q || (p != p && q != q)); });
        const auto share = wins / sum(wins, axes, true);
        d.give(0, detail::gated(broadcast_to(reshape(d.grad(), kept), d.shape(0)), share));
      },
      detail::axes_attribute(reduced, x.rank()));
}

}  // namespace gan

namespace gan::detail {

template <class T>
void check_epsilon(const char* op, double epsilon) {
  const T value = static_cast<T>(epsilon);
  check(is_finite(value) && value > 0, op, ": epsilon ", epsilon, ", expected a positive number");
}

}  // namespace gan::detail

namespace gan {

/// (x - mean) / sqrt(variance + epsilon), with mean and variance over `axes` of each tensor: x [...] -> [...]. Throws
/// unless epsilon is positive and finite.
template <class T>
Tensor<T> normalize(const Tensor<T>& x, const std::vector<Index>& axes, double epsilon = 1e-5) {
  detail::check_epsilon<T>("normalize", epsilon);
  const auto centered = x - mean(x, axes, true);
  return centered / sqrt(mean(square(centered), axes, true) + epsilon);
}

}  // namespace gan
