// Losses of numbers against numbers: squared, absolute and Huber's. All x, target [...] of one shape -> scalar; they
// throw when the shapes differ.
#pragma once

#include "gan/core/finite.hpp"
#include "gan/loss/reduction.hpp"

namespace gan {

/// (x - target)^2, averaged or summed.
template <class T>
Tensor<T> mse(const Tensor<T>& x, const Tensor<T>& target, Reduction reduction = Reduction::mean) {
  detail::check_same_shape("mse", "x", x, "target", target);
  return detail::reduced(square(x - target), reduction);
}

/// |x - target|, averaged or summed; gradient 0 where they are equal.
template <class T>
Tensor<T> l1(const Tensor<T>& x, const Tensor<T>& target, Reduction reduction = Reduction::mean) {
  detail::check_same_shape("l1", "x", x, "target", target);
  return detail::reduced(abs(x - target), reduction);
}

/// e^2 / 2 where e = |x - target| <= delta, and delta (e - delta / 2) beyond (Huber, 1964). Throws unless delta > 0.
template <class T>
Tensor<T> huber(const Tensor<T>& x, const Tensor<T>& target, double delta = 1, Reduction reduction = Reduction::mean) {
  detail::check_same_shape("huber", "x", x, "target", target);
  check(!is_nan(delta) && delta > 0, "huber: delta is ", delta, ", expected a number above 0");
  // With c = e limited to [-delta, delta], both branches are c (e - c / 2).
  const auto e = x - target;
  const auto c = clamp(e, -delta, delta);
  return detail::reduced(c * (e - 0.5 * c), reduction);
}

}  // namespace gan
