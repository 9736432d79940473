// Softmax and its logarithm, on the last axis.
#pragma once

#include "gan/ops/arithmetic.hpp"
#include "gan/ops/elementwise.hpp"

namespace gan {

/// e^x / sum(e^x) on the last axis: x [..., k] -> [..., k], each row summing to 1.
template <class T>
Tensor<T> softmax(const Tensor<T>& x);

/// x - log(sum(e^x)) on the last axis, without overflow.
template <class T>
Tensor<T> log_softmax(const Tensor<T>& x);

namespace detail {

template <class T, class F>
Tensor<T> map_rows(const char* op, const Tensor<T>& x, F f) {
  const Profile::Scope scope(op);
  check(x.rank() >= 1 && x.shape().last() > 0, op, ": ", x.shape(), " has no last axis with elements");
  auto y = Tensor<T>::empty(x.shape());
  const T* from = x.data();
  T* to = y.mutable_data();
  const Index k = x.shape().last();
  parallel_for(x.shape().rows(), std::max<Index>(1, (1 << 12) / k), [&](Index begin, Index end) {
    for (Index row = begin; row < end; ++row) f(ConstValues<T>(from + row * k, k), Values<T>(to + row * k, k));
  });
  return y;
}

}  // namespace detail

template <class T>
Tensor<T> softmax(const Tensor<T>& x) {
  const auto y = detail::map_rows("softmax", x, [](const ConstValues<T>& from, Values<T> to) {
    const T largest = from.maxCoeff();
    to = (from - largest).exp();
    for (Index i = 0; i < from.size(); ++i)  // vector code ends at the smallest normal number
      if (from[i] - largest < -detail::exp_limit<T>) to[i] = 0;
    to /= to.sum();
  });
  return record(
      "softmax", y, {x},
      [](Backward<T>& d) {
        const auto g = d.grad() * d.y();
        d.give(0, g - d.y() * sum(g, {-1}, true));
      },
      {}, Reads::only_result());
}

template <class T>
Tensor<T> log_softmax(const Tensor<T>& x) {
  const auto y = detail::map_rows("log_softmax", x, [](const ConstValues<T>& from, Values<T> to) {
    const T largest = from.maxCoeff();
    to = (from - largest) - std::log((from - largest).exp().sum());  // in this order: large logits keep their digits
  });
  return record(
      "log_softmax", y, {x}, [](Backward<T>& d) { d.give(0, d.grad() - exp(d.y()) * sum(d.grad(), {-1}, true)); }, {},
      Reads::only_result());
}

}  // namespace gan
