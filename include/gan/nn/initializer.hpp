// Initial values of parameters.
#pragma once

#include <cmath>
#include <functional>
#include <span>
#include <utility>

#include "gan/core/random.hpp"
#include "gan/core/shape.hpp"

namespace gan {

/// Fills a parameter of a given shape with its initial values, in float or double. Made by the functions in `init`, or
/// from a callable `(Rng&, const Shape&, std::span<T>)`, generic in T.
class Initializer {
 public:
  template <class F>
  requires std::invocable<F, Rng&, const Shape&, std::span<float>> Initializer(F fill)
      : float_(fill), double_(std::move(fill)) {}  // NOLINT: conversion is the point

  void operator()(Rng& rng, const Shape& shape, std::span<float> out) const { float_(rng, shape, out); }
  void operator()(Rng& rng, const Shape& shape, std::span<double> out) const { double_(rng, shape, out); }

 private:
  std::function<void(Rng&, const Shape&, std::span<float>)> float_;
  std::function<void(Rng&, const Shape&, std::span<double>)> double_;
};

namespace init {

/// Inputs and outputs that meet in one unit: weight [in, out] or [kernel height, kernel width, in, out].
struct Fans {
  double in = 1, out = 1;
};

inline Fans fans(const Shape& shape) {
  if (shape.rank() < 2) return {double(shape.size()), double(shape.size())};
  const double receptive = double(shape.size()) / std::max(1.0, double(shape[-1]) * double(shape[-2]));
  return {receptive * double(shape[-2]), receptive * double(shape[-1])};
}

inline Initializer constant(double value) {
  return [value]<class T>(Rng&, const Shape&, std::span<T> out) { std::fill(out.begin(), out.end(), T(value)); };
}
inline Initializer zeros() { return constant(0); }
inline Initializer ones() { return constant(1); }

/// Uniform on [low, high).
inline Initializer uniform(double low, double high) {
  return [=]<class T>(Rng& rng, const Shape&, std::span<T> out) { rng.uniform(out, T(low), T(high)); };
}

inline Initializer normal(double mean, double deviation) {
  return [=]<class T>(Rng& rng, const Shape&, std::span<T> out) { rng.normal(out, T(mean), T(deviation)); };
}

/// Uniform on +-sqrt(6 / (in + out)), and N(0, 2 / (in + out)) (Glorot and Bengio, 2010).
inline Initializer glorot_uniform() {
  return []<class T>(Rng& rng, const Shape& shape, std::span<T> out) {
    const auto [in, to] = fans(shape);
    const T limit = T(std::sqrt(6 / (in + to)));
    rng.uniform(out, -limit, limit);
  };
}
inline Initializer glorot_normal() {
  return []<class T>(Rng& rng, const Shape& shape, std::span<T> out) {
    const auto [in, to] = fans(shape);
    rng.normal(out, T(0), T(std::sqrt(2 / (in + to))));
  };
}

/// Uniform or normal with variance 2 / ((1 + slope^2) in), for layers before a leaky ReLU (He et al., 2015).
inline Initializer he_uniform(double slope = 0) {
  return [slope]<class T>(Rng& rng, const Shape& shape, std::span<T> out) {
    const T limit = T(std::sqrt(6 / ((1 + slope * slope) * fans(shape).in)));
    rng.uniform(out, -limit, limit);
  };
}
inline Initializer he_normal(double slope = 0) {
  return [slope]<class T>(Rng& rng, const Shape& shape, std::span<T> out) {
    rng.normal(out, T(0), T(std::sqrt(2 / ((1 + slope * slope) * fans(shape).in))));
  };
}

/// DCGAN's: weights N(0, 0.02), scales of batch norm N(1, 0.02) (Radford et al., 2015).
inline Initializer dcgan_weight() { return normal(0, 0.02); }
inline Initializer dcgan_scale() { return normal(1, 0.02); }

}  // namespace init
}  // namespace gan
