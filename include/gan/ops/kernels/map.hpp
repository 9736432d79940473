// The loop of operations on one tensor, element by element.
#pragma once

#include <algorithm>
#include <unordered_set>

#include "gan/ops/kernels/broadcast.hpp"

namespace gan::kernels {

/// The value of f, a function of Eigen arrays, without history: where x is in [low, high], and of the scalar `careful`
/// elsewhere. Outside, Eigen's vector code saturates, takes denormals for 0 or loses NaN, and the last elements, which
/// are left to scalar code, differ from it.
template <class T, class F, class G>
Tensor<T> map_within(const char* op, const Tensor<T>& x, T low, T high, F f, G careful) {
  const Profile::Scope scope(op);
  auto y = Tensor<T>::empty(x.shape());
  const T* from = x.data();
  T* to = y.mutable_data();
  elementwise_for(x.size(), [&](Index begin, Index end) {
    constexpr Index block = 1024;  // looked at again while it is in the cache
    for (Index first = begin; first < end; first += block) {
      const Index last = std::min(first + block, end);
      Values<T>(to + first, last - first) = f(ConstValues<T>(from + first, last - first));
      int outside = 0;
      for (Index i = first; i < last; ++i) outside |= int(!(from[i] >= low)) | int(!(from[i] <= high));
      if (!outside) [[likely]]
        continue;
      for (Index i = first; i < last; ++i)
        if (!(from[i] >= low && from[i] <= high)) to[i] = careful(from[i]);
    }
  });
  return y;
}

/// The value of a scalar function, without history.
template <class T, class F>
Tensor<T> map_scalar(const char* op, const Tensor<T>& x, F f) {
  return binary(op, x, x, [f](T a, T) { return f(a); });
}

template <class T>
void limit_values(Tensor<T> x, double limit) {
  const T bound = static_cast<T>(limit);
  T* values = x.mutable_data();
  elementwise_for(x.size(), [=](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) values[i] = std::clamp(values[i], -bound, bound);
  });
}

}  // namespace gan::kernels
