// Choosing between two tensors, element by element.
#pragma once

#include "gan/ops/arithmetic.hpp"

namespace gan {

/// mask[i] != 0 ? a[i] : b[i], with broadcasting of all three. The gradient goes to the element that was chosen; that
/// of the other is 0, and the mask gets none. Where a function of infinite slope is not wanted, keep its argument away
/// too: where(m, log(where(m, x, 1.0)), 0.0). Throws when shapes do not broadcast.
template <class T>
Tensor<T> where(const Tensor<T>& mask, const Tensor<T>& a, const Tensor<T>& b) {
  const Profile::Scope scope("where");
  const Shape shape = broadcast("where", broadcast("where", mask.shape(), a.shape()), b.shape());
  const auto whole = [&](const Tensor<T>& x) {
    return x.shape() == shape ? x : kernels::broadcast_map(shape, x, x, [](T p, T) { return p; });
  };
  const Tensor<T> m = whole(mask), p = whole(a), q = whole(b);
  auto y = Tensor<T>::empty(shape);
  const T *choice = m.data(), *first = p.data(), *second = q.data();
  T* to = y.mutable_data();
  elementwise_for(y.size(), [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) to[i] = choice[i] != 0 ? first[i] : second[i];
  });
  return record(
      "where", y, {a, b, mask.detach()},
      [](Backward<T>& d) {
        const auto zero = Tensor<T>::scalar(0);
        if (d.wants(0)) d.give(0, sum_to(where(d.x(2), d.grad(), zero), d.shape(0)));
        if (d.wants(1)) d.give(1, sum_to(where(d.x(2), zero, d.grad()), d.shape(1)));
      },
      {}, Reads::input(2));
}

/// The same with a number for one of the two.
template <class T>
Tensor<T> where(const Tensor<T>& mask, const Tensor<T>& a, double b) {
  return where(mask, a, Tensor<T>::scalar(static_cast<T>(b)));
}
template <class T>
Tensor<T> where(const Tensor<T>& mask, double a, const Tensor<T>& b) {
  return where(mask, Tensor<T>::scalar(static_cast<T>(a)), b);
}

}  // namespace gan
