// Convolution kernels for any sizes: patches are unfolded a few hundred at a time and meet the weights in one product.
#pragma once

#include "gan/ops/kernels/gemm.hpp"
#include "gan/ops/kernels/im2col.hpp"

namespace gan::kernels {

/// Memory that one thread may use for copies of image patches.
inline constexpr Index conv_scratch_bytes = 4 << 20;

/// How many patches are unfolded at once: they should stay in the cache, but a product of few rows is slow.
template <class T>
Index patches_at_once(Index patch) {
  const Index bytes = patch * static_cast<Index>(sizeof(T));
  const Index most = std::max<Index>(1, conv_scratch_bytes / bytes);
  return std::min(most, std::max<Index>(256, (512 << 10) / bytes));
}

template <class T>
void unfolded_forward(const ConvGeometry& g, const T* x, const T* weight, const T* bias, T* y) {
  const Index patch = g.patch(), all = g.all_filters(), chunk = patches_at_once<T>(patch);
  parallel_for(g.pixels(), g.grain(g.pixels()), [&](Index first, Index last) {
    const Im2col<T> im2col(g);
    const Scratch<T> patches(std::min(chunk, last - first) * patch + Im2col<T>::wide);
    for (Index begin = first; begin < last; begin += chunk) {
      const Index rows = std::min(chunk, last - begin);
      fill_rows(y + begin * all, rows, all, bias);
      for (Index group = 0; group < g.groups; ++group) {
        im2col.unfold(x, group, begin, begin + rows, patches.data());
        const T* unfolded = patches.data();
        multiply_add<T>(packed(unfolded, rows, patch), false,
                        strided(weight + group * g.filters, patch, g.filters, all), false,
                        strided(y + begin * all + group * g.filters, rows, g.filters, all));
      }
    }
  });
}

template <class T>
void unfolded_input_gradient(const ConvGeometry& g, const T* gy, const T* weight, T* gx) {
  const Index patch = g.patch(), all = g.all_filters(), pixels = g.rows.output * g.columns.output;
  const Index image = g.rows.input * g.columns.input * g.all_channels();
  // Products are fastest with a multiple of the vector length of columns: 25 columns take longer than 32.
  const Index pitch = patch < 256 ? (patch + 15) / 16 * 16 : patch, chunk = patches_at_once<T>(pitch);
  const Scratch<T> padded(g.groups * pitch * g.filters);  // weights of one group after the other, [filters, pitch]
  for (Index group = 0; group < g.groups; ++group)
    for (Index f = 0; f < g.filters; ++f)
      for (Index k = 0; k < pitch; ++k)
        padded.data()[(group * g.filters + f) * pitch + k] = k < patch ? weight[k * all + group * g.filters + f] : T(0);
  parallel_for(g.n, g.grain(g.n), [&](Index first, Index last) {
    const Im2col<T> im2col(g);
    const Scratch<T> patches(std::min(chunk, (last - first) * pixels) * pitch);
    std::fill(gx + first * image, gx + last * image, T(0));
    for (Index begin = first * pixels; begin < last * pixels; begin += chunk) {
      const Index rows = std::min(chunk, last * pixels - begin);
      for (Index group = 0; group < g.groups; ++group) {
        const T* weights = padded.data() + group * g.filters * pitch;
        std::fill_n(patches.data(), rows * pitch, T(0));
        multiply_add<T>(strided(gy + begin * all + group * g.filters, rows, g.filters, all), false,
                        packed(weights, g.filters, pitch), false, packed(patches.data(), rows, pitch));
        im2col.fold(patches.data(), pitch, group, begin, begin + rows, gx);
      }
    }
  });
}

template <class T>
void unfolded_weight_gradient(const ConvGeometry& g, const T* x, const T* gy, T* gw) {
  const Index patch = g.patch(), all = g.all_filters(), chunk = patches_at_once<T>(patch);
  parallel_sum(g.pixels(), g.grain(g.pixels()), patch * all, gw, [&](Index first, Index last, T* sum) {
    const Im2col<T> im2col(g);
    const Scratch<T> patches(std::min(chunk, last - first) * patch + Im2col<T>::wide);
    for (Index begin = first; begin < last; begin += chunk) {
      const Index rows = std::min(chunk, last - begin);
      for (Index group = 0; group < g.groups; ++group) {
        im2col.unfold(x, group, begin, begin + rows, patches.data());
        const T* unfolded = patches.data();
        multiply_add<T>(packed(unfolded, rows, patch), true,
                        strided(gy + begin * all + group * g.filters, rows, g.filters, all), false,
                        strided(sum + group * g.filters, patch, g.filters, all));
      }
    }
  });
}

}  // namespace gan::kernels
