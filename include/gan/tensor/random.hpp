// Tensors of random numbers.
#pragma once

#include "gan/core/random.hpp"
#include "gan/tensor/tensor.hpp"

namespace gan {

/// The elements for writing, as Rng's functions that fill take them.
template <class T>
std::span<T> mutable_span(Tensor<T>& x) {
  return {x.mutable_data(), static_cast<std::size_t>(x.size())};
}

/// Uniform on [low, high).
template <class T>
Tensor<T> uniform(Rng& rng, const Shape& shape, double low = 0, double high = 1) {
  auto x = Tensor<T>::empty(shape);
  rng.uniform(mutable_span(x), static_cast<T>(low), static_cast<T>(high));
  return x;
}

/// Normal with that mean and standard deviation.
template <class T>
Tensor<T> normal(Rng& rng, const Shape& shape, double mean = 0, double stddev = 1) {
  auto x = Tensor<T>::empty(shape);
  rng.normal(mutable_span(x), static_cast<T>(mean), static_cast<T>(stddev));
  return x;
}

/// `value` with probability p, else 0.
template <class T>
Tensor<T> bernoulli(Rng& rng, const Shape& shape, double p, double value = 1) {
  auto x = Tensor<T>::empty(shape);
  rng.bernoulli(mutable_span(x), p, static_cast<T>(value));
  return x;
}

}  // namespace gan
