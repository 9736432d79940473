// Smaller images without aliasing.
#pragma once

#include "gan/ops/arithmetic.hpp"
#include "gan/ops/resize.hpp"

namespace gan {

/// The adjoint of upsample_bilinear, divided by the number of pixels that become one: a mean with weights that fall
/// linearly, for a factor of 2 the blur [1, 3, 3, 1] / 8 along each axis. x [n, h, w, c] -> [n, h / f, w / f, c] for a
/// whole factor f (or one for rows and one for columns). Throws unless the factors divide h and w.
template <class T>
Tensor<T> downsample_bilinear(const Tensor<T>& x, Size2d factor) {
  detail::check_factor("downsample_bilinear", x.shape(), factor);
  check(x.shape()[1] % factor.rows == 0 && x.shape()[2] % factor.columns == 0, "downsample_bilinear: x ", x.shape(),
        ", expected rows and columns that are multiples of ", factor);
  const auto narrow = factor.columns == 1 ? x : detail::resize_linear_adjoint(x, 2, factor.columns);
  const auto small = factor.rows == 1 ? narrow : detail::resize_linear_adjoint(narrow, 1, factor.rows);
  const Index count = factor.rows * factor.columns;
  return count == 1 ? small : affine(small, 1 / static_cast<double>(count), 0);
}

}  // namespace gan
