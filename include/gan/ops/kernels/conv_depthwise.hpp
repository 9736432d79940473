// Convolution kernels for one channel and one filter a group: products of neighboring channels, without matrices.
#pragma once

#include "gan/core/parallel.hpp"
#include "gan/ops/kernels/conv_geometry.hpp"
#include "gan/ops/kernels/copy.hpp"

namespace gan::kernels {

/// Calls f(input row, output row, tap) for every tap of every output pixel of images [begin, end) that lies inside the
/// image, where rows are counted over all pixels.
template <class F>
void each_tap(const ConvGeometry& g, Index begin, Index end, F f) {
  const auto &rows = g.rows, &columns = g.columns;
  for (Index image = begin; image < end; ++image)
    for (Index oy = 0; oy < rows.output; ++oy) {
      const auto [ky0, ky1] = rows.taps(oy);
      for (Index ox = 0; ox < columns.output; ++ox) {
        const Index to = (image * rows.output + oy) * columns.output + ox;
        const auto [kx0, kx1] = columns.taps(ox);
        for (Index ky = ky0; ky < ky1; ++ky)
          for (Index kx = kx0; kx < kx1; ++kx)
            f((image * rows.input + rows.at(oy, ky)) * columns.input + columns.at(ox, kx), to,
              ky * columns.kernel + kx);
      }
    }
}

/// to += a * b.
template <class T>
void multiply_add_channels(const T* a, const T* b, T* to, Index count) {
  for (Index i = 0; i < count; ++i) to[i] += a[i] * b[i];
}

template <class T>
void depthwise_forward(const ConvGeometry& g, const T* x, const T* weight, const T* bias, T* y) {
  const Index c = g.groups, pixels = g.rows.output * g.columns.output;
  parallel_for(g.n, g.grain(g.n), [&](Index begin, Index end) {
    fill_rows(y + begin * pixels * c, (end - begin) * pixels, c, bias);
    each_tap(g, begin, end, [&](Index from, Index to, Index k) {
      multiply_add_channels(x + from * c, weight + k * c, y + to * c, c);
    });
  });
}

template <class T>
void depthwise_input_gradient(const ConvGeometry& g, const T* gy, const T* weight, T* gx) {
  const Index c = g.groups, pixels = g.rows.input * g.columns.input;
  parallel_for(g.n, g.grain(g.n), [&](Index begin, Index end) {
    std::fill(gx + begin * pixels * c, gx + end * pixels * c, T(0));
    each_tap(g, begin, end, [&](Index from, Index to, Index k) {
      multiply_add_channels(gy + to * c, weight + k * c, gx + from * c, c);
    });
  });
}

template <class T>
void depthwise_weight_gradient(const ConvGeometry& g, const T* x, const T* gy, T* gw) {
  const Index c = g.groups;
  parallel_sum(g.n, g.grain(g.n), g.patch() * c, gw, [&](Index begin, Index end, T* sum) {
    each_tap(g, begin, end,
             [&](Index from, Index to, Index k) { multiply_add_channels(x + from * c, gy + to * c, sum + k * c, c); });
  });
}

}  // namespace gan::kernels
