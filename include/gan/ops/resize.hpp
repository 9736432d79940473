// Larger and smaller images: nearest and bilinear upsampling, and pixel shuffling.
#pragma once

#include <limits>

#include "gan/ops/kernels/conv_geometry.hpp"
#include "gan/ops/permute.hpp"
#include "gan/ops/slice.hpp"
#include "gan/ops/sum.hpp"
#include "gan/ops/window.hpp"

namespace gan {

/// Repeats each pixel: x [n, h, w, c] -> [n, h f, w f, c] for a whole factor f (or one for rows and one for columns).
/// Throws unless the factors are at least 1.
template <class T>
Tensor<T> upsample_nearest(const Tensor<T>& x, Size2d factor);

/// Interpolates between the centers of the pixels, constant beyond the outermost: x [n, h, w, c] -> [n, h f, w f, c].
/// Pixel centers are at i + 1/2 ("half pixel", corners not aligned). Throws unless the factors are at least 1.
template <class T>
Tensor<T> upsample_bilinear(const Tensor<T>& x, Size2d factor);

/// Channels become pixels (depth to space): x [n, h, w, f f c] -> [n, h f, w f, c], where channel (i f + j) c + k of a
/// pixel becomes channel k of pixel (i, j) of its f x f block (Shi et al., 2016). Throws unless f f divides the
/// channels.
template <class T>
Tensor<T> pixel_shuffle(const Tensor<T>& x, Index factor);

/// The inverse of pixel_shuffle (space to depth): x [n, h, w, c] -> [n, h / f, w / f, f f c]. Throws unless f divides h
/// and w.
template <class T>
Tensor<T> pixel_unshuffle(const Tensor<T>& x, Index factor);

namespace detail {

inline void check_factor(const char* op, const Shape& x, Size2d factor) {
  check(x.rank() == 4, op, ": x ", x, ", expected [n, h, w, channels]");
  check(std::min(factor.rows, factor.columns) >= 1 && std::max(factor.rows, factor.columns) <= kernels::conv_limit, op,
        ": factor ", factor, ", expected 1 ... ", kernels::conv_limit);
  constexpr Index most = std::numeric_limits<Index>::max() / 16;
  check(x[1] <= most / factor.rows && x[2] <= most / factor.columns, op, ": x ", x, " is too large for factor ",
        factor);
}

/// Linear interpolation along one axis by a whole factor, and its adjoint: f(low, high, share of high) for each output.
template <class F>
void each_interpolated(Index length, Index factor, F f) {
  for (Index o = 0; o < length * factor; ++o) {
    const double at = (static_cast<double>(o) + 0.5) / static_cast<double>(factor) - 0.5;
    const Index low = at < 0 ? 0 : static_cast<Index>(at);
    f(o, low, std::min(low + 1, length - 1), at < 0 ? 0.0 : at - static_cast<double>(low));
  }
}

template <class T>
Tensor<T> resize_linear_adjoint(const Tensor<T>& gy, Index axis, Index factor);

template <class T>
Tensor<T> resize_linear(const Tensor<T>& x, Index axis, Index factor) {
  const Profile::Scope scope("resize_linear");
  const AxisView view(x.shape(), axis);
  auto y = Tensor<T>::empty(x.shape().with(axis, view.length * factor));
  const Index row = view.inner, plane = view.length * row;
  const T* from = x.data();
  T* to = y.mutable_data();
  parallel_for(view.outer, std::max<Index>(1, (1 << 13) / std::max<Index>(1, plane * factor)),
               [&](Index begin, Index end) {
                 for (Index i = begin; i < end; ++i)
                   each_interpolated(view.length, factor, [&](Index o, Index low, Index high, double share) {
                     const T a = static_cast<T>(1 - share), b = static_cast<T>(share);
                     const T* image = from + i * plane;
                     // A share of 0 must not let a neighbor's infinity or NaN in.
                     if (share == 0)
                       std::copy_n(image + low * row, row, to + i * plane * factor + o * row);
                     else
                       Values<T>(to + i * plane * factor + o * row, row) =
                           a * ConstValues<T>(image + low * row, row) + b * ConstValues<T>(image + high * row, row);
                   });
               });
  return record(
      "resize_linear", y, {x},
      [axis, factor](Backward<T>& d) { d.give(0, resize_linear_adjoint(d.grad(), axis, factor)); },
      [=] {
        return AttributeList{{"axis", {static_cast<double>(axis)}}, {"factor", {static_cast<double>(factor)}}};
      },
      Reads::nothing());
}

template <class T>
Tensor<T> resize_linear_adjoint(const Tensor<T>& gy, Index axis, Index factor) {
  const Profile::Scope scope("resize_linear_adjoint");
  auto gx = Tensor<T>::zeros(gy.shape().with(axis, gy.shape()[axis] / factor));
  const AxisView view(gx.shape(), axis);
  const Index row = view.inner, plane = view.length * row;
  const T* from = gy.data();
  T* to = gx.mutable_data();
  parallel_for(view.outer, std::max<Index>(1, (1 << 13) / std::max<Index>(1, plane * factor)),
               [&](Index begin, Index end) {
                 for (Index i = begin; i < end; ++i)
                   each_interpolated(view.length, factor, [&](Index o, Index low, Index high, double share) {
                     const ConstValues<T> g(from + i * plane * factor + o * row, row);
                     Values<T>(to + i * plane + low * row, row) += static_cast<T>(1 - share) * g;
                     if (share != 0) Values<T>(to + i * plane + high * row, row) += static_cast<T>(share) * g;
                   });
               });
  return record(
      "resize_linear_adjoint", gx, {gy},
      [axis, factor](Backward<T>& d) { d.give(0, resize_linear(d.grad(), axis, factor)); },
      [=] {
        return AttributeList{{"axis", {static_cast<double>(axis)}}, {"factor", {static_cast<double>(factor)}}};
      },
      Reads::nothing());
}

}  // namespace detail

template <class T>
Tensor<T> upsample_nearest(const Tensor<T>& x, Size2d factor) {
  detail::check_factor("upsample_nearest", x.shape(), factor);
  const Index n = x.shape()[0], h = x.shape()[1], w = x.shape()[2], c = x.shape()[3];
  const auto repeated =
      broadcast_to(reshape(x, Shape{n, h, 1, w, 1, c}), Shape{n, h, factor.rows, w, factor.columns, c});
  return reshape(repeated, Shape{n, h * factor.rows, w * factor.columns, c});
}

template <class T>
Tensor<T> upsample_bilinear(const Tensor<T>& x, Size2d factor) {
  detail::check_factor("upsample_bilinear", x.shape(), factor);
  const auto tall = factor.rows == 1 ? x : detail::resize_linear(x, 1, factor.rows);
  return factor.columns == 1 ? tall : detail::resize_linear(tall, 2, factor.columns);
}

template <class T>
Tensor<T> pixel_shuffle(const Tensor<T>& x, Index factor) {
  detail::check_factor("pixel_shuffle", x.shape(), factor);
  const Index n = x.shape()[0], h = x.shape()[1], w = x.shape()[2], c = x.shape()[3];
  check(c % factor == 0 && c / factor % factor == 0, "pixel_shuffle: ", c, " channels of x ", x.shape(),
        ", expected a multiple of ", factor, " x ", factor);
  const Index rest = c / factor / factor;
  const auto blocks = permute(reshape(x, Shape{n, h, w, factor, factor, rest}), {0, 1, 3, 2, 4, 5});
  return reshape(blocks, Shape{n, h * factor, w * factor, rest});
}

template <class T>
Tensor<T> pixel_unshuffle(const Tensor<T>& x, Index factor) {
  detail::check_factor("pixel_unshuffle", x.shape(), factor);
  const Index n = x.shape()[0], h = x.shape()[1], w = x.shape()[2], c = x.shape()[3];
  check(h % factor == 0 && w % factor == 0, "pixel_unshuffle: x ", x.shape(), ", expected rows and columns that are ",
        "multiples of ", factor);
  const auto blocks = permute(reshape(x, Shape{n, h / factor, factor, w / factor, factor, c}), {0, 1, 3, 2, 4, 5});
  return reshape(blocks, Shape{n, h / factor, w / factor, factor * factor * c});
}

}  // namespace gan
