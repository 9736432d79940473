// Comparisons, element by element, as tensors of 0 and 1, and the sign. Their gradient is 0 almost everywhere, so they
// have no history.
#pragma once

#include "gan/ops/arithmetic.hpp"

namespace gan {

// Each takes two tensors, which broadcast, or a tensor and a number: a [...], b [...] -> [...] of 0 and 1. A NaN is
// neither above, below nor equal to anything. All throw when shapes do not broadcast.

// clang-format off
/// a > b, a >= b, a < b, a <= b, a == b, a != b.
template <class T> Tensor<T> greater(const Tensor<T>& a, const Tensor<T>& b) { return kernels::binary("greater", a, b, [](T p, T q) { return T(p > q); }); }
template <class T> Tensor<T> greater_equal(const Tensor<T>& a, const Tensor<T>& b) { return kernels::binary("greater_equal", a, b, [](T p, T q) { return T(p >= q); }); }
template <class T> Tensor<T> less(const Tensor<T>& a, const Tensor<T>& b) { return greater(b, a); }
template <class T> Tensor<T> less_equal(const Tensor<T>& a, const Tensor<T>& b) { return greater_equal(b, a); }
template <class T> Tensor<T> equal(const Tensor<T>& a, const Tensor<T>& b) { return kernels::binary("equal", a, b, [](T p, T q) { return T(p == q); }); }
template <class T> Tensor<T> not_equal(const Tensor<T>& a, const Tensor<T>& b) { return kernels::binary("not_equal", a, b, [](T p, T q) { return T(p != q); }); }

template <class T> Tensor<T> greater(const Tensor<T>& a, double b) { return greater(a, Tensor<T>::scalar(static_cast<T>(b))); }
template <class T> Tensor<T> greater_equal(const Tensor<T>& a, double b) { return greater_equal(a, Tensor<T>::scalar(static_cast<T>(b))); }
template <class T> Tensor<T> less(const Tensor<T>& a, double b) { return less(a, Tensor<T>::scalar(static_cast<T>(b))); }
template <class T> Tensor<T> less_equal(const Tensor<T>& a, double b) { return less_equal(a, Tensor<T>::scalar(static_cast<T>(b))); }
template <class T> Tensor<T> equal(const Tensor<T>& a, double b) { return equal(a, Tensor<T>::scalar(static_cast<T>(b))); }
template <class T> Tensor<T> not_equal(const Tensor<T>& a, double b) { return not_equal(a, Tensor<T>::scalar(static_cast<T>(b))); }
// clang-format on

/// 1 above 0, -1 below, 0 at 0; a NaN stays one.
template <class T>
Tensor<T> sign(const Tensor<T>& x) {
  return kernels::binary("sign", x, x, [](T p, T) { return p > 0 ? T(1) : p < 0 ? T(-1) : p == 0 ? T(0) : p; });
}

}  // namespace gan
