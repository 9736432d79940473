// Tensors of random numbers.
#pragma once

#include "gan/core/random.hpp"
#include "gan/tensor/tensor.hpp"

namespace gan {

namespace detail {

template <class T>
std::span<T> mutable_span(Tensor<T>& x) {
  return {x.mutable_data(), static_cast<std::size_t>(x.size())};
}

}  // namespace detail

/// Uniform on [low, high).
template <class T>
Tensor<T> uniform(Rng& rng, const Shape& shape, double low = 0, double high = 1) {
  auto x = Tensor<T>::empty(shape);
  rng.uniform(detail::mutable_span(x), static_cast<T>(low), static_cast<T>(high));
  return x;
}

/// Normal with that mean and standard deviation.
template <class T>
Tensor<T> normal(Rng& rng, const Shape& shape, double mean = 0, double deviation = 1) {
  auto x = Tensor<T>::empty(shape);
  rng.normal(detail::mutable_span(x), static_cast<T>(mean), static_cast<T>(deviation));
  return x;
}

/// `value` with probability p, else 0.
template <class T>
Tensor<T> bernoulli(Rng& rng, const Shape& shape, double p, double value = 1) {
  auto x = Tensor<T>::empty(shape);
  rng.bernoulli(detail::mutable_span(x), p, static_cast<T>(value));
  return x;
}

}  // namespace gan
