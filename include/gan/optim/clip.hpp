// Limits on gradients, by norm and by value.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <unordered_set>
#include <vector>

#include "gan/core/finite.hpp"
#include "gan/ops/kernels/map.hpp"
#include "gan/tensor/named_tensors.hpp"

namespace gan {

/// Scales all gradients by one factor so that their joint Euclidean norm is at most `max_norm` (Pascanu et al., 2013),
/// and returns the norm from before. Sums in double, in an order that does not depend on the number of threads.
/// Parameters without a gradient are left out; one gradient of several parameters counts for each; a norm that is not
/// finite changes nothing. Throws unless max_norm > 0; infinity only measures.
template <class T>
double clip_by_global_norm(const NamedTensors<T>& parameters, double max_norm);

/// The squares of all elements of x, added up in double, in an order that does not depend on the number of threads.
template <class T>
double sum_of_squares(const Tensor<T>& x);

/// Scales all gradients by `factor`; one gradient of several parameters is scaled once.
template <class T>
void scale_gradients(const NamedTensors<T>& parameters, double factor);

/// Limits each element of the gradients to [-limit, limit]. Throws unless limit > 0.
template <class T>
void clip_by_value(const NamedTensors<T>& parameters, double limit);

namespace detail {

/// 16 sums side by side, of which compilers make vector code.
template <class T>
double squares_of(const T* x, Index count) {
  constexpr Index lanes = 16;
  std::array<double, lanes> sums{};
  Index i = 0;
  for (; i + lanes <= count; i += lanes)
    for (Index k = 0; k < lanes; ++k) {
      const double value = static_cast<double>(x[i + k]);
      sums[static_cast<std::size_t>(k)] += value * value;
    }
  double total = 0;
  for (; i < count; ++i) total += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  for (const double sum : sums) total += sum;
  return total;
}

}  // namespace detail

template <class T>
double sum_of_squares(const Tensor<T>& x) {
  constexpr Index part = 1 << 14;
  const Index parts = (x.size() + part - 1) / part;
  if (parts == 1) return detail::squares_of(x.data(), x.size());
  std::vector<double> sums(static_cast<std::size_t>(parts));
  parallel_for(parts, 1, [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i)
      sums[static_cast<std::size_t>(i)] = detail::squares_of(x.data() + i * part, std::min(part, x.size() - i * part));
  });
  double total = 0;
  for (const double s : sums) total += s;
  return total;
}

template <class T>
void scale_gradients(const NamedTensors<T>& parameters, double factor) {
  const T scale = static_cast<T>(factor);
  std::unordered_set<const void*> scaled;  // set_grad may give one gradient to several parameters
  for (const auto& [name, tensor] : parameters) {
    auto gradient = tensor.grad();
    if (!gradient.defined() || !scaled.insert(gradient.node_pointer()->storage.get()).second) continue;
    T* values = gradient.mutable_data();
    elementwise_for(gradient.size(), [=](Index begin, Index end) {
      for (Index i = begin; i < end; ++i) values[i] *= scale;
    });
  }
}

template <class T>
double clip_by_global_norm(const NamedTensors<T>& parameters, double max_norm) {
  check(!is_nan(max_norm) && max_norm > 0, "clip_by_global_norm: max_norm is ", max_norm,
        ", expected a number above 0");
  double squares = 0;
  for (const auto& [name, tensor] : parameters)
    if (const auto gradient = tensor.grad(); gradient.defined()) squares += sum_of_squares(gradient);
  const double norm = std::sqrt(squares);
  if (!is_finite(norm) || !(norm > max_norm)) return norm;
  scale_gradients(parameters, max_norm / norm);
  return norm;
}

template <class T>
void clip_by_value(const NamedTensors<T>& parameters, double limit) {
  check(!is_nan(limit) && limit > 0, "clip_by_value: limit is ", limit, ", expected a number above 0");
  for (const auto& [name, tensor] : parameters)
    if (const auto gradient = tensor.grad(); gradient.defined()) kernels::limit_values(gradient, limit);
}

}  // namespace gan
