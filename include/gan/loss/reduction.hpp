// How the losses of single elements become one number.
#pragma once

#include "gan/ops/reduce.hpp"

namespace gan {

enum class Reduction { mean, sum };

namespace detail {

template <class T>
Tensor<T> reduced(const Tensor<T>& losses, Reduction reduction) {
  return reduction == Reduction::mean ? mean(losses) : sum(losses);
}

/// The sum of two terms of a loss, either of which may be undefined: there is none.
template <class T>
Tensor<T> sum_of_defined(const Tensor<T>& a, const Tensor<T>& b) {
  if (!a.defined() || !b.defined()) return a.defined() ? a : b;
  return a + b;
}

/// Both defined and of one shape: losses do not broadcast, since [n, 1] against [n] would make [n, n] unnoticed.
template <class T>
void check_same_shape(const char* loss, const char* what, const Tensor<T>& x, const char* what_else,
                      const Tensor<T>& y) {
  check(x.defined() && y.defined(), loss, ": ", x.defined() ? what_else : what, " are undefined");
  check(x.shape() == y.shape(), loss, ": ", what, " ", x.shape(), " and ", what_else, " ", y.shape(),
        " differ in shape");
}

}  // namespace detail
}  // namespace gan
