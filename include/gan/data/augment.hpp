// Random changes to batches of images, which a loader applies: flip, shift, and the form of your own.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <vector>

#include "gan/core/finite.hpp"
#include "gan/core/parallel.hpp"
#include "gan/core/random.hpp"
#include "gan/tensor/tensor.hpp"

namespace gan {

/// Changes a batch in place, drawing all its random numbers from the generator. It may also replace the tensor.
template <class T>
using Augmentation = std::function<void(Rng& rng, Tensor<T>& batch)>;

namespace detail {

template <class T>
void check_augmented(const char* name, const Tensor<T>& batch) {
  check(batch.rank() == 4, "augment::", name, ": batch of shape ", batch.shape(), ", expected images [n, h, w, c]");
}

}  // namespace detail

namespace augment {

struct FlipHorizontal {
  double probability;

  template <class T>
  void operator()(Rng& rng, Tensor<T>& batch) const {
    detail::check_augmented("flip_horizontal", batch);
    const Index width = batch.shape()[2], channels = batch.shape()[3], rows = batch.shape()[1];
    std::vector<float> flip(static_cast<std::size_t>(batch.shape()[0]));
    rng.bernoulli<float>(flip, probability);
    T* const data = batch.mutable_data();
    parallel_for(batch.shape()[0], 16, [&](Index begin, Index end) {
      for (Index i = begin; i < end; ++i) {
        if (flip[static_cast<std::size_t>(i)] == 0) continue;
        for (Index y = 0; y < rows; ++y) {
          T* const row = data + (i * rows + y) * width * channels;
          for (Index x = 0; x < width / 2; ++x)
            std::swap_ranges(row + x * channels, row + (x + 1) * channels, row + (width - 1 - x) * channels);
        }
      }
    });
  }
};

struct Shift {
  Index pixels;

  template <class T>
  void operator()(Rng& rng, Tensor<T>& batch) const {
    detail::check_augmented("shift", batch);
    const Index count = batch.shape()[0], height = batch.shape()[1], width = batch.shape()[2];
    const Index channels = batch.shape()[3];
    if (pixels == 0 || batch.size() == 0) return;
    std::vector<Index> by(static_cast<std::size_t>(2 * count));
    rng.integers(by, -pixels, pixels + 1);
    auto moved = Tensor<T>::empty(batch.shape());
    const T* const from = batch.data();
    T* const to = moved.mutable_data();
    parallel_for(count, 16, [&](Index begin, Index end) {
      for (Index i = begin; i < end; ++i) {
        const Index down = by[static_cast<std::size_t>(2 * i)], right = by[static_cast<std::size_t>(2 * i + 1)];
        for (Index y = 0; y < height; ++y) {
          const T* const source = from + (i * height + std::clamp<Index>(y - down, 0, height - 1)) * width * channels;
          T* const row = to + (i * height + y) * width * channels;
          for (Index x = 0; x < width; ++x)
            std::copy_n(source + std::clamp<Index>(x - right, 0, width - 1) * channels, channels, row + x * channels);
        }
      }
    });
    batch = moved;
  }
};

/// Mirrors each image [h, w, c] left to right with that probability. Throws unless it is in [0, 1].
inline FlipHorizontal flip_horizontal(double probability = 0.5) {
  check(is_finite(probability) && probability >= 0 && probability <= 1, "augment::flip_horizontal: probability ",
        probability, ", expected one in [0, 1]");
  return {probability};
}

/// Moves each image [h, w, c] by up to `pixels` down or up and right or left, every whole distance equally likely; what
/// comes into view repeats the edge. Throws for negative or more than 2^20 pixels.
inline Shift shift(Index pixels) {
  check(pixels >= 0 && pixels <= (1 << 20), "augment::shift: ", pixels, " pixels, expected 0 to ", 1 << 20);
  return {pixels};
}

}  // namespace augment
}  // namespace gan
