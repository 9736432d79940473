// Average and maximum over windows of an image.
#pragma once

#include <cmath>
#include <memory>
#include <vector>

#include "gan/ops/kernels/conv_geometry.hpp"
#include "gan/ops/sum.hpp"
#include "gan/ops/window.hpp"

namespace gan {

struct PoolOptions {
  Size2d kernel = 2;     ///< rows and columns of a window
  Size2d stride = 0;     ///< distance between windows; 0 stands for the kernel's length
  Padding padding = {};  ///< less than the kernel; `same` gives ceil(input / stride) outputs
};

/// Mean over the pixels of each window that lie inside the image (padding does not count):
/// x [n, h, w, c] -> [n, oh, ow, c] with sizes as for a convolution. Throws when the windows do not fit.
template <class T>
Tensor<T> avg_pool2d(const Tensor<T>& x, const PoolOptions& options = {});

/// Largest pixel of each window, channel by channel; padding never wins, a NaN always does. Of equal pixels the first
/// one gets the gradient. x [n, h, w, c] -> [n, oh, ow, c]. Throws when the windows do not fit.
template <class T>
Tensor<T> max_pool2d(const Tensor<T>& x, const PoolOptions& options = {});

namespace detail {

/// Sizes of pooling. Windows without a pixel inside the image do not exist, since the padding is less than the kernel.
struct PoolGeometry {
  Shape x, y;
  kernels::ConvAxis rows, columns;

  PoolGeometry(const char* op, const Shape& x_shape, const PoolOptions& options) : x(x_shape) {
    check(x.rank() == 4, op, ": x ", x, ", expected [n, h, w, channels]");
    check(x[1] > 0 && x[2] > 0, op, ": x ", x, " has no pixels");
    const auto& [kernel, stride, p] = options;
    check(kernel.rows >= 1 && kernel.columns >= 1, op, ": kernel ", kernel, ", expected 1 or more");
    rows = axis(op, "rows", x[1], kernel.rows, stride.rows, p.top, p.bottom, p.is_same);
    columns = axis(op, "columns", x[2], kernel.columns, stride.columns, p.left, p.right, p.is_same);
    y = {x[0], rows.output, columns.output, x[3]};
  }

  /// Calls f(input pixel, output pixel, pixels of this window) for all pixels of all windows of images [begin, end).
  template <class F>
  void each(Index begin, Index end, F f) const {
    for (Index image = begin; image < end; ++image)
      for (Index oy = 0; oy < rows.output; ++oy) {
        const auto [ky0, ky1] = rows.taps(oy);
        for (Index ox = 0; ox < columns.output; ++ox) {
          const auto [kx0, kx1] = columns.taps(ox);
          const Index to = (image * rows.output + oy) * columns.output + ox, count = (ky1 - ky0) * (kx1 - kx0);
          for (Index ky = ky0; ky < ky1; ++ky)
            for (Index kx = kx0; kx < kx1; ++kx)
              f((image * rows.input + rows.at(oy, ky)) * columns.input + columns.at(ox, kx), to, count);
        }
      }
  }

  /// How many images are worth a thread.
  Index grain() const {
    const Index work = rows.output * columns.output * rows.kernel * columns.kernel * x[3];
    return std::max<Index>(1, (1 << 16) / std::max<Index>(1, work));
  }

 private:
  static kernels::ConvAxis axis(const char* op, const char* name, Index input, Index kernel, Index stride, Index before,
                                Index after, bool same) {
    check(same || (before < kernel && after < kernel), op, ": padding ", before, " before and ", after, " after the ",
          name, ", expected less than the kernel, ", kernel);
    return kernels::conv_axis(op, name, input, kernel, stride == 0 ? kernel : stride, 1, before, after, same);
  }
};

inline auto pool_attributes(const PoolGeometry& g) {
  return [g] {
    const auto numbers = [](std::initializer_list<Index> list) {
      return std::vector<double>(list.begin(), list.end());
    };
    return AttributeList{{"kernel", numbers({g.rows.kernel, g.columns.kernel})},
                         {"stride", numbers({g.rows.stride, g.columns.stride})},
                         {"padding", numbers({g.rows.before, g.rows.after, g.columns.before, g.columns.after})}};
  };
}

// The adjoint of avg_pool2d: each output's share goes to all pixels of its window.
template <class T>
Tensor<T> avg_pool2d_gradient(const Tensor<T>& gy, const Shape& x_shape, const PoolOptions& options) {
  const Profile::Scope scope("avg_pool2d_gradient");
  const PoolGeometry g("avg_pool2d", x_shape, options);
  auto gx = Tensor<T>::zeros(x_shape);
  const Index c = x_shape[3];
  const T* from = gy.data();
  T* to = gx.mutable_data();
  parallel_for(x_shape[0], g.grain(), [&](Index begin, Index end) {
    g.each(begin, end, [&](Index pixel, Index window, Index count) {
      Values<T>(to + pixel * c, c) += ConstValues<T>(from + window * c, c) * (T(1) / static_cast<T>(count));
    });
  });
  return record(
      "avg_pool2d_gradient", gx, {gy}, [options](Backward<T>& d) { d.give(0, avg_pool2d(d.grad(), options)); },
      pool_attributes(g), Reads::nothing());
}

// The elements of x that each have a flat index in `winners`, and the adjoint. An image's winners lie inside it.
using Winners = std::shared_ptr<const std::vector<Index>>;

template <class T>
Tensor<T> scatter_winners(const Tensor<T>& gy, const Winners& winners, const Shape& x_shape,
                          const Attributes& attributes);

template <class T>
Tensor<T> gather_winners(const char* op, const Tensor<T>& x, const Winners& winners, const Shape& y_shape,
                         const Attributes& attributes) {
  auto y = Tensor<T>::empty(y_shape);
  const T* from = x.data();
  T* to = y.mutable_data();
  const Index* at = winners->data();
  elementwise_for(y.size(), [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) to[i] = from[at[i]];
  });
  return record(
      op, y, {x},
      [winners, attributes](Backward<T>& d) { d.give(0, scatter_winners(d.grad(), winners, d.shape(0), attributes)); },
      attributes, Reads::nothing());
}

template <class T>
Tensor<T> scatter_winners(const Tensor<T>& gy, const Winners& winners, const Shape& x_shape,
                          const Attributes& attributes) {
  const Profile::Scope scope("max_pool2d_gradient");
  auto gx = Tensor<T>::zeros(x_shape);
  const Index image = x_shape[0] == 0 ? 0 : gy.size() / x_shape[0];
  const T* from = gy.data();
  T* to = gx.mutable_data();
  const Index* at = winners->data();
  parallel_for(x_shape[0], std::max<Index>(1, (1 << 14) / std::max<Index>(1, image)), [&](Index begin, Index end) {
    for (Index i = begin * image; i < end * image; ++i) to[at[i]] += from[i];
  });
  return record(
      "max_pool2d_gradient", gx, {gy},
      [winners, attributes](Backward<T>& d) {
        const Profile::Scope gather("max_pool2d_gather");
        d.give(0, gather_winners("max_pool2d_gather", d.grad(), winners, d.shape(0), attributes));
      },
      attributes, Reads::nothing());
}

}  // namespace detail

template <class T>
Tensor<T> avg_pool2d(const Tensor<T>& x, const PoolOptions& options) {
  const Profile::Scope scope("avg_pool2d");
  const detail::PoolGeometry g("avg_pool2d", x.shape(), options);
  auto y = Tensor<T>::zeros(g.y);
  const Index c = x.shape()[3];
  const T* from = x.data();
  T* to = y.mutable_data();
  parallel_for(x.shape()[0], g.grain(), [&](Index begin, Index end) {
    g.each(begin, end, [&](Index pixel, Index window, Index count) {
      Values<T>(to + window * c, c) += ConstValues<T>(from + pixel * c, c) * (T(1) / static_cast<T>(count));
    });
  });
  return record(
      "avg_pool2d", y, {x},
      [options](Backward<T>& d) { d.give(0, detail::avg_pool2d_gradient(d.grad(), d.shape(0), options)); },
      detail::pool_attributes(g), Reads::nothing());
}

template <class T>
Tensor<T> max_pool2d(const Tensor<T>& x, const PoolOptions& options) {
  const Profile::Scope scope("max_pool2d");
  const detail::PoolGeometry g("max_pool2d", x.shape(), options);
  const Index c = x.shape()[3];
  std::vector<Index> winners(static_cast<std::size_t>(g.y.size()), -1);
  const T* from = x.data();
  parallel_for(x.shape()[0], g.grain(), [&](Index begin, Index end) {
    g.each(begin, end, [&](Index pixel, Index window, Index) {
      Index* best = winners.data() + window * c;
      for (Index k = 0, at = pixel * c; k < c; ++k, ++at)
        // Written so that a NaN wins, and the first one stays.
        if (best[k] < 0 || (!(from[at] <= from[best[k]]) && !std::isnan(from[best[k]]))) best[k] = at;
    });
  });
  return detail::gather_winners("max_pool2d", x, std::make_shared<const std::vector<Index>>(std::move(winners)), g.y,
                                detail::pool_attributes(g));
}

}  // namespace gan
