// Batch normalization with batch statistics, one fused pass forward and one backward.
#pragma once

#include <cmath>
#include <vector>

#include "gan/ops/reduce.hpp"

namespace gan {

template <class T>
struct BatchNormResult {
  Tensor<T> y;         ///< [..., c]
  Tensor<T> mean;      ///< [c], without history
  Tensor<T> variance;  ///< [c], biased, without history
};

/// y = (x - mean) / sqrt(variance + epsilon) * scale + shift, with mean and variance of each channel over all other
/// axes: x [..., c], scale [c], shift [c]. Throws when shapes do not fit, there are no channels or only one value a
/// channel, or epsilon is not positive and finite (Ioffe and Szegedy, 2015).
template <class T>
BatchNormResult<T> batch_norm(const Tensor<T>& x, const Tensor<T>& scale, const Tensor<T>& shift,
                              double epsilon = 1e-5);

namespace detail {

/// Sums f(row number, c columns' totals) over rows, cut at places that depend on the shape alone: out [k * c].
template <class T, class F>
void sum_rows(Index rows, Index c, Index k, T* out, F add_row) {
  const Index part = std::clamp<Index>((1 << 14) / c, 64, 512), parts = (rows + part - 1) / part;
  auto partial = Tensor<T>::zeros({parts, k * c});
  T* totals = partial.mutable_data();
  parallel_for(parts, 1, [&](Index begin, Index end) {
    for (Index p = begin; p < end; ++p)
      for (Index row = p * part; row < std::min(rows, (p + 1) * part); ++row) add_row(row, totals + p * k * c);
  });
  kernels::reduce_axis<kernels::SumOf<T>>(partial.data(), out, 1, parts, k * c);
}

/// Mean and biased variance of each column. The sums are of distances from the first row, so that a large common offset
/// costs no precision.
template <class T>
void column_moments(const T* x, Index rows, Index c, T* mean, T* variance) {
  std::vector<T> sums(static_cast<std::size_t>(2 * c));
  sum_rows<T>(rows, c, 2, sums.data(), [&](Index row, T* total) {
    const T* from = x + row * c;
    for (Index j = 0; j < c; ++j) {
      const T distance = from[j] - x[j];
      total[j] += distance;
      total[c + j] += distance * distance;
    }
  });
  for (Index j = 0; j < c; ++j) {
    const T offset = sums[static_cast<std::size_t>(j)] / T(rows);
    mean[j] = x[j] + offset;
    const T square = sums[static_cast<std::size_t>(c + j)] / T(rows) - offset * offset;
    variance[j] = square < 0 ? T(0) : square;  // rounding; NaN stays NaN
  }
}

// The gradients of batch norm, in the library's operations, so that they can be differentiated again.
template <class T>
void batch_norm_vjp_composed(Backward<T>& d, double epsilon) {
  const Index c = d.shape(1)[0];
  const auto x = reshape(d.x(0), {-1, c}), g = reshape(d.grad(), {-1, c});
  const auto centered = x - mean(x, {0}, true);
  const auto inverse = 1.0 / sqrt(mean(square(centered), {0}, true) + epsilon);
  const auto normal = centered * inverse;
  const auto scale_gradient = sum(g * normal, {0}), shift_gradient = sum(g, {0});
  const double n = static_cast<double>(x.shape()[0]);
  if (d.wants(0))
    d.give(0, reshape(d.x(1) * inverse * (g - shift_gradient / n - normal * (scale_gradient / n)), d.shape(0)));
  if (d.wants(1)) d.give(1, scale_gradient);
  if (d.wants(2)) d.give(2, shift_gradient);
}

// The same in two passes over memory, without history.
template <class T>
void batch_norm_vjp_fused(Backward<T>& d, const Tensor<T>& mean, const Tensor<T>& inverse) {
  const Profile::Scope scope("batch_norm_gradient");
  const Index c = d.shape(1)[0], rows = d.shape(0).size() / c;
  const Tensor<T> x = d.x(0), weight = d.x(1);
  const T *from = x.data(), *g = d.grad().data(), *mu = mean.data(), *r = inverse.data(), *w = weight.data();
  auto sums = Tensor<T>::empty({2, c});
  T *shift_gradient = sums.mutable_data(), *scale_gradient = shift_gradient + c;
  sum_rows<T>(rows, c, 2, shift_gradient, [&](Index row, T* total) {
    const T *xs = from + row * c, *gs = g + row * c;
    for (Index j = 0; j < c; ++j) {
      total[j] += gs[j];
      total[c + j] += gs[j] * (xs[j] - mu[j]) * r[j];
    }
  });
  if (d.wants(0)) {
    // w r (g - shift' / n - normal scale' / n) = a g + b x + k with one a, b and k a channel.
    std::vector<T> factors(static_cast<std::size_t>(3 * c));
    T *a = factors.data(), *b = a + c, *k = b + c;
    for (Index j = 0; j < c; ++j) {
      a[j] = w[j] * r[j];
      b[j] = -a[j] * r[j] * scale_gradient[j] / T(rows);
      k[j] = -a[j] * shift_gradient[j] / T(rows) - b[j] * mu[j];
    }
    auto gradient = Tensor<T>::empty(d.shape(0));
    T* to = gradient.mutable_data();
    parallel_for(rows, std::max<Index>(1, (1 << 14) / c), [&](Index begin, Index end) {
      for (Index row = begin; row < end; ++row)
        for (Index j = 0; j < c; ++j) to[row * c + j] = a[j] * g[row * c + j] + b[j] * from[row * c + j] + k[j];
    });
    d.give(0, gradient);
  }
  if (d.wants(1)) d.give(1, Tensor<T>({c}, std::span<const T>(scale_gradient, static_cast<std::size_t>(c))));
  if (d.wants(2)) d.give(2, Tensor<T>({c}, std::span<const T>(shift_gradient, static_cast<std::size_t>(c))));
}

}  // namespace detail

template <class T>
BatchNormResult<T> batch_norm(const Tensor<T>& x, const Tensor<T>& scale, const Tensor<T>& shift, double epsilon) {
  const Profile::Scope scope("batch_norm");
  const Index c = x.shape().last(), rows = x.shape().rows();
  check(x.rank() >= 2 && scale.shape() == Shape{c} && shift.shape() == Shape{c}, "batch_norm: x ", x.shape(),
        ", scale ", scale.shape(), ", shift ", shift.shape(), ", expected x [..., c], scale [c], shift [c]");
  check(c > 0, "batch_norm: x ", x.shape(), " has no channels");
  detail::check_epsilon<T>("batch_norm", epsilon);
  check(rows >= 2, "batch_norm: x ", x.shape(), " has ", rows, " values a channel, expected at least 2");
  auto y = Tensor<T>::empty(x.shape()), mean = Tensor<T>::empty({c}), variance = mean.clone(), inverse = mean.clone();
  T *mu = mean.mutable_data(), *r = inverse.mutable_data(), *to = y.mutable_data();
  const T *from = x.data(), *w = scale.data(), *b = shift.data();
  detail::column_moments(from, rows, c, mu, variance.mutable_data());
  inverse.mutable_values() = (variance.values() + T(epsilon)).rsqrt();
  parallel_for(rows, std::max<Index>(1, (1 << 14) / c), [&](Index begin, Index end) {
    for (Index row = begin; row < end; ++row)
      for (Index j = 0; j < c; ++j) to[row * c + j] = (from[row * c + j] - mu[j]) * (r[j] * w[j]) + b[j];
  });
  y = record(
      "batch_norm", y, {x, scale, shift},
      [mean, inverse, epsilon](Backward<T>& d) {
        if (grad_enabled())
          detail::batch_norm_vjp_composed(d, epsilon);
        else
          detail::batch_norm_vjp_fused(d, mean, inverse);
      },
      [=] {
        return AttributeList{{"epsilon", {epsilon}}};
      },
      Reads::all_inputs());
  return {y, mean, variance};
}

}  // namespace gan
