// Initial values of parameters.
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <functional>
#include <optional>
#include <span>
#include <utility>

#include "gan/core/finite.hpp"
#include "gan/core/random.hpp"
#include "gan/core/shape.hpp"

namespace gan {

namespace init {

/// Inputs that meet in one unit, and outputs that one input reaches.
struct Fans {
  double in = 1, out = 1;
};

/// Those of weight [in, out] or [kernel height, kernel width, in, out], strides not counted.
inline Fans fans(const Shape& shape) {
  if (shape.rank() < 2) return {double(shape.size()), double(shape.size())};
  const double receptive = double(shape.size()) / std::max(1.0, double(shape[-1]) * double(shape[-2]));
  return {receptive * double(shape[-2]), receptive * double(shape[-1])};
}

}  // namespace init

/// Fills a parameter of a given shape with its initial values, in float or double. Made by the functions in `init`, or
/// from a callable `(Rng&, const Shape&, std::span<T>)`, generic in T, which may take `const init::Fans&` in the place
/// of the shape.
class Initializer {
  template <class F, class T>
  static constexpr bool takes_shape = std::invocable<F&, Rng&, const Shape&, std::span<T>>;
  template <class F, class T>
  static constexpr bool takes_fans = std::invocable<F&, Rng&, const init::Fans&, std::span<T>>;
  template <class T>
  using Function = std::function<void(Rng&, const Shape&, const init::Fans&, std::span<T>)>;

 public:
  template <class F>
  requires(takes_shape<F, float> || takes_fans<F, float>) Initializer(F fill)  // NOLINT: conversion is the point
      : float_(adapted<float>(fill)), double_(adapted<double>(std::move(fill))) {}

  void operator()(Rng& rng, const Shape& shape, std::span<float> out) const {
    float_(rng, shape, fans_.value_or(init::fans(shape)), out);
  }
  void operator()(Rng& rng, const Shape& shape, std::span<double> out) const {
    double_(rng, shape, fans_.value_or(init::fans(shape)), out);
  }

  /// The same for a layer whose shape of weight does not tell its fans.
  Initializer with_fans(const init::Fans& fans) const {
    Initializer other = *this;
    other.fans_ = fans;
    return other;
  }

 private:
  template <class T, class F>
  static Function<T> adapted(F fill) {
    return [fill = std::move(fill)](Rng& rng, const Shape& shape, const init::Fans& fans, std::span<T> out) mutable {
      if constexpr (takes_shape<F, T>)
        fill(rng, shape, out);
      else
        fill(rng, fans, out);
    };
  }

  Function<float> float_;
  Function<double> double_;
  std::optional<init::Fans> fans_;
};

namespace init {

namespace detail {

inline double checked(const char* initializer, const char* option, double value) {
  check(is_finite(value), "init::", initializer, ": ", option, " ", value, ", expected a finite number");
  return value;
}

}  // namespace detail

/// Throws for NaN.
inline Initializer constant(double value) {
  check(!is_nan(value), "init::constant: value ", value, ", expected a number");
  return [value]<class T>(Rng&, const Shape&, std::span<T> out) { std::fill(out.begin(), out.end(), T(value)); };
}
inline Initializer zeros() { return constant(0); }
inline Initializer ones() { return constant(1); }

/// Uniform on [low, high). Throws unless low < high and both are finite.
inline Initializer uniform(double low, double high) {
  check(is_finite(low) && is_finite(high) && low < high, "init::uniform: range [", low, ", ", high,
        "), expected finite numbers and low < high");
  return [=]<class T>(Rng& rng, const Shape&, std::span<T> out) { rng.uniform(out, T(low), T(high)); };
}

/// Throws unless both are finite and the deviation is at least 0.
inline Initializer normal(double mean, double stddev) {
  check(is_finite(mean) && is_finite(stddev) && stddev >= 0, "init::normal: mean ", mean, ", stddev ", stddev,
        ", expected finite numbers and a stddev of at least 0");
  return [=]<class T>(Rng& rng, const Shape&, std::span<T> out) { rng.normal(out, T(mean), T(stddev)); };
}

/// Uniform on +-sqrt(6 / (in + out)), and N(0, 2 / (in + out)) (Glorot and Bengio, 2010), with the fans of the weight's
/// shape: strides are not counted, as in other libraries.
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

/// Uniform or normal with variance 2 / ((1 + slope^2) in), for layers before a leaky ReLU (He et al., 2015): `in` is
/// the number of inputs that meet in one unit, strides and groups counted. Throws unless the slope is finite.
inline Initializer he_uniform(double slope = 0) {
  const double gain = 1 + std::pow(detail::checked("he_uniform", "slope", slope), 2);
  return [gain]<class T>(Rng& rng, const Fans& fans, std::span<T> out) {
    const T limit = T(std::sqrt(6 / (gain * fans.in)));
    rng.uniform(out, -limit, limit);
  };
}
inline Initializer he_normal(double slope = 0) {
  const double gain = 1 + std::pow(detail::checked("he_normal", "slope", slope), 2);
  return [gain]<class T>(Rng& rng, const Fans& fans, std::span<T> out) {
    rng.normal(out, T(0), T(std::sqrt(2 / (gain * fans.in))));
  };
}

namespace detail {

inline Initializer uniform_by(double Fans::*fan, const char* initializer, double gain) {
  check(checked(initializer, "gain", gain) > 0, "init::", initializer, ": gain ", gain, ", expected above 0");
  return [=]<class T>(Rng& rng, const Fans& fans, std::span<T> out) {
    const T limit = T(gain / std::sqrt(fans.*fan));
    rng.uniform(out, -limit, limit);
  };
}

}  // namespace detail

/// Uniform on +-gain / sqrt(fan), the fan being that of the inputs or of the outputs: a start sqrt(6) times smaller
/// than He's. Of the inputs it is what PyTorch gives dense layers and convolutions, weights and biases, and of the
/// outputs what it gives transposed convolutions. Throws unless the gain is positive and finite.
inline Initializer fan_in_uniform(double gain = 1) { return detail::uniform_by(&Fans::in, "fan_in_uniform", gain); }
inline Initializer fan_out_uniform(double gain = 1) { return detail::uniform_by(&Fans::out, "fan_out_uniform", gain); }

/// DCGAN's: weights N(0, 0.02), scales of batch norm N(1, 0.02) (Radford et al., 2015).
inline Initializer dcgan_weight() { return normal(0, 0.02); }
inline Initializer dcgan_scale() { return normal(1, 0.02); }

}  // namespace init
}  // namespace gan
