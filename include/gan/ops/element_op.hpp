// What an element-wise operation is: a name, its function of numbers, and its vector-Jacobian product.
#pragma once

#include <utility>

#include "gan/ops/kernels/map.hpp"
#include "gan/tensor/record.hpp"

namespace gan::detail {

/// y = f(x), recorded; `reads` says what the vector-Jacobian product reads.
template <class T, class F, class Vjp, class List = Attributes>
Tensor<T> element_op(const char* name, const Tensor<T>& x, F f, Reads reads, Vjp vjp, List attributes = {}) {
  return record(name, kernels::map_scalar(name, x, f), {x}, std::move(vjp), std::move(attributes), reads);
}

/// The same with f of Eigen arrays, for vector code where x is in [low, high], and `careful` elsewhere; see map_within.
template <class T, class F, class G, class Vjp>
Tensor<T> element_op(const char* name, const Tensor<T>& x, T low, T high, F f, G careful, Reads reads, Vjp vjp) {
  return record(name, kernels::map_within(name, x, low, high, f, careful), {x}, std::move(vjp), {}, reads);
}

/// y = f(a, b), broadcast, recorded.
template <class T, class F, class Vjp, class List = Attributes>
Tensor<T> element_op(const char* name, const Tensor<T>& a, const Tensor<T>& b, F f, Reads reads, Vjp vjp,
                     List attributes = {}) {
  return record(name, kernels::binary(name, a, b, f), {a, b}, std::move(vjp), std::move(attributes), reads);
}

}  // namespace gan::detail
