// Latent distributions: where the noise of a generator comes from, and paths between two latents.
#pragma once

#include <cmath>
#include <concepts>
#include <functional>
#include <numeric>
#include <span>
#include <string>
#include <utility>

#include "gan/core/describe.hpp"
#include "gan/core/finite.hpp"
#include "gan/tensor/random.hpp"

namespace gan {

/// A distribution of latent vectors, for float and double. Made by the functions in `latent`, or from a callable
/// `(Rng&, Index length, std::span<T> rows)`, generic in T, which fills whole rows of that length.
class LatentDistribution {
 public:
  template <class F>
  requires std::invocable<F, Rng&, Index, std::span<float>> LatentDistribution(F fill)
      : LatentDistribution("custom", std::move(fill)) {}  // NOLINT: conversion is the point
  /// The same with a name, which runs and generators that are loaded compare.
  template <class F>
  requires std::invocable<F, Rng&, Index, std::span<float>> LatentDistribution(std::string name, F fill)
      : name_(std::move(name)), float_(fill), double_(std::move(fill)) {}

  const std::string& name() const { return name_; }

  /// n vectors: [n, length]. Throws for negative n and for a length below 1.
  template <std::floating_point T>
  Tensor<T> draw(Rng& rng, Index n, Index length) const;

 private:
  std::string name_;
  std::function<void(Rng&, Index, std::span<float>)> float_;
  std::function<void(Rng&, Index, std::span<double>)> double_;
};

namespace latent {

/// Each element N(0, 1).
LatentDistribution normal();
/// Each element uniform on [-1, 1), as in DCGAN (Radford et al., 2015).
LatentDistribution uniform();
/// Uniform on the sphere of radius sqrt(length): the elements have mean square 1, as those of `normal` have on average
/// (ProGAN and StyleGAN; Karras et al., 2018 and 2019).
LatentDistribution sphere();
/// Each element N(0, 1) conditioned on |z| <= limit: a smaller limit trades variety for quality (BigGAN; Brock et al.,
/// 2019). Throws unless limit > 0.
LatentDistribution truncated_normal(double limit);

}  // namespace latent

/// (1 - t) a + t b, without history: a, b [...] of one shape, any finite t; t = 0 and t = 1 give a and b exactly.
template <class T>
Tensor<T> lerp(const Tensor<T>& a, const Tensor<T>& b, double t);

/// Along the great circle, row by row: sin((1 - t) w) / sin(w) a + sin(t w) / sin(w) b with w the angle between the
/// rows; a, b [..., length], without history. It keeps the length that noise of many dimensions has, and that linear
/// interpolation loses (Shoemake, 1985; White, 2016). Rows that are parallel, opposite or zero have no one great circle
/// and get lerp.
template <class T>
Tensor<T> slerp(const Tensor<T>& a, const Tensor<T>& b, double t);

enum class Interpolation { linear, spherical };

/// A path from a to b, ends included: a, b [length] or [1, length] -> [steps, length]. Throws for fewer than 2 steps.
template <class T>
Tensor<T> interpolate(const Tensor<T>& a, const Tensor<T>& b, Index steps,
                      Interpolation path = Interpolation::spherical);

template <std::floating_point T>
Tensor<T> LatentDistribution::draw(Rng& rng, Index n, Index length) const {
  check(n >= 0 && length >= 1, "latent: ", n, " vectors of length ", length,
        ", expected 0 or more of length 1 or more");
  auto z = Tensor<T>::empty({n, length});
  if constexpr (std::is_same_v<T, float>)
    float_(rng, length, mutable_span(z));
  else
    double_(rng, length, mutable_span(z));
  return z;
}

namespace detail {

/// Scales the row to a length of sqrt(number of elements).
template <class T>
void project_to_sphere(std::span<T> row) {
  const double square = std::inner_product(row.begin(), row.end(), row.begin(), 0.0);
  const double radius = std::sqrt(static_cast<double>(row.size()));
  if (square > 0)
    for (T& value : row) value = static_cast<T>(value * (radius / std::sqrt(square)));
  else
    row[0] = static_cast<T>(radius);  // all draws exactly 0: any point will do
}

template <class T>
void check_same_latents(const char* op, const Tensor<T>& a, const Tensor<T>& b) {
  check(a.shape() == b.shape(), op, ": latents ", a.shape(), " and ", b.shape(), ", expected equal shapes");
}

inline void check_place(const char* op, double t) {
  check(is_finite(t), op, ": t is ", t, ", expected a finite number");
}

template <class T>
void slerp_row(const T* a, const T* b, Index length, double t, T* out) {
  double ab = 0, aa = 0, bb = 0;
  for (Index i = 0; i < length; ++i) {
    ab += double(a[i]) * double(b[i]);
    aa += double(a[i]) * double(a[i]);
    bb += double(b[i]) * double(b[i]);
  }
  const double lengths = std::sqrt(aa) * std::sqrt(bb);
  const double angle = lengths > 0 ? std::acos(std::clamp(ab / lengths, -1.0, 1.0)) : 0, sine = std::sin(angle);
  double from = 1 - t, to = t;
  if (sine > 1e-6) {  // below that, parallel to rounding
    from = std::sin((1 - t) * angle) / sine;
    to = std::sin(t * angle) / sine;
  }
  for (Index i = 0; i < length; ++i) out[i] = static_cast<T>(from * double(a[i]) + to * double(b[i]));
}

}  // namespace detail

namespace latent {

inline LatentDistribution normal() {
  return {"normal", []<class T>(Rng& rng, Index, std::span<T> rows) { rng.normal(rows); }};
}
inline LatentDistribution uniform() {
  return {"uniform", []<class T>(Rng& rng, Index, std::span<T> rows) { rng.uniform(rows, T(-1), T(1)); }};
}
inline LatentDistribution sphere() {
  return {"sphere", []<class T>(Rng& rng, Index length, std::span<T> rows) {
            rng.normal(rows);
            for (; !rows.empty(); rows = rows.subspan(static_cast<std::size_t>(length)))
              detail::project_to_sphere(rows.first(static_cast<std::size_t>(length)));
          }};
}
inline LatentDistribution truncated_normal(double limit) {
  check(!is_nan(limit) && limit > 0, "latent: truncated normal with limit ", limit, ", expected a positive one");
  return {described("truncated_normal", {{"limit", limit}}),
          [limit]<class T>(Rng& rng, Index, std::span<T> rows) { rng.truncated_normal(rows, static_cast<T>(limit)); }};
}

}  // namespace latent

template <class T>
Tensor<T> lerp(const Tensor<T>& a, const Tensor<T>& b, double t) {
  detail::check_same_latents("lerp", a, b);
  detail::check_place("lerp", t);
  auto y = Tensor<T>::empty(a.shape());
  y.mutable_values() = static_cast<T>(1 - t) * a.values() + static_cast<T>(t) * b.values();
  return y;
}

template <class T>
Tensor<T> slerp(const Tensor<T>& a, const Tensor<T>& b, double t) {
  detail::check_same_latents("slerp", a, b);
  detail::check_place("slerp", t);
  auto y = Tensor<T>::empty(a.shape());
  const Index length = a.shape().last();
  T* out = y.mutable_data();
  for (Index row = 0; row < a.shape().rows(); ++row)
    detail::slerp_row(a.data() + row * length, b.data() + row * length, length, t, out + row * length);
  return y;
}

template <class T>
Tensor<T> interpolate(const Tensor<T>& a, const Tensor<T>& b, Index steps, Interpolation path) {
  detail::check_same_latents("interpolate", a, b);
  check(a.rank() >= 1 && a.shape().rows() == 1, "interpolate: latents ", a.shape(),
        ", expected [length] or [1, length]");
  check(steps >= 2, "interpolate: ", steps, " steps, expected at least 2");
  const Index length = a.shape().last();
  auto y = Tensor<T>::empty({steps, length});
  T* out = y.mutable_data();
  for (Index i = 0; i < steps; ++i) {
    const double t = static_cast<double>(i) / static_cast<double>(steps - 1);
    const auto point = path == Interpolation::linear ? lerp(a, b, t) : slerp(a, b, t);
    std::copy_n(point.data(), length, out + i * length);
  }
  return y;
}

}  // namespace gan
