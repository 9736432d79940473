// Images, spoiled in known ways.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <gan/gan.hpp>
#include <numbers>
#include <span>
#include <utility>
#include <vector>

#include "judges.hpp"

namespace gan::bench {

namespace spoil {

/// f(batch of images [n, h, w, c] in [-1, 1]) of all images, cut to [-1, 1].
inline Dataset<float> mapped(const Dataset<float>& images,
                             const std::function<Tensor<float>(const Tensor<float>&)>& f) {
  const NoGrad no_grad;
  const auto y = f(images.gather(range(0, images.size())));
  std::vector<float> values(y.data(), y.data() + y.size());
  for (float& v : values) v = std::clamp(v, -1.0f, 1.0f);
  return Dataset<float>::from(images.item_shape(), std::move(values));
}

/// Normal noise of that deviation, as a share of the range of pixels.
inline Dataset<float> noisy(const Dataset<float>& images, double deviation, std::uint64_t seed) {
  return mapped(images, [&](const auto& x) {
    Rng rng(seed);
    return x + 2 * deviation * normal<float>(rng, x.shape());
  });
}

/// Means with the weights 1 2 1 along rows and columns, that many times.
inline Dataset<float> blurred(const Dataset<float>& images, int times) {
  return mapped(images, [&](const auto& x) {
    Tensor<float> y = (x + 1) * 0.5;
    for (int i = 0; i < times; ++i)
      for (const Index axis : {1, 2}) {
        const Index n = x.shape()[axis];
        const auto padded = pad(y, axis, 1, 1);
        y = 0.25 * (slice(padded, axis, 0, n) + 2 * y + slice(padded, axis, 2, n + 2));
      }
    return 2 * y - 1;
  });
}

/// Images looked up at (x, y) = at(row, column), relative to the middle, by the nearest four pixels; black outside.
inline Dataset<float> resampled(const Dataset<float>& images,
                                const std::function<std::pair<double, double>(double, double)>& at) {
  return mapped(images, [&](const auto& x) {
    const Index h = x.shape()[1], w = x.shape()[2], c = x.shape()[3];
    auto y = Tensor<float>::full(x.shape(), -1);
    const double middle_row = static_cast<double>(h - 1) / 2, middle_column = static_cast<double>(w - 1) / 2;
    for (Index i = 0; i < h; ++i)
      for (Index j = 0; j < w; ++j) {
        auto [row, column] = at(static_cast<double>(i) - middle_row, static_cast<double>(j) - middle_column);
        row += middle_row, column += middle_column;
        const Index top = static_cast<Index>(std::floor(row)), left = static_cast<Index>(std::floor(column));
        for (Index n = 0; n < x.shape()[0]; ++n)
          for (Index k = 0; k < c; ++k) {
            double sum = 0;
            for (Index di = 0; di < 2; ++di)
              for (Index dj = 0; dj < 2; ++dj) {
                const Index r = top + di, s = left + dj;
                const double weight =
                    (1 - std::abs(row - static_cast<double>(r))) * (1 - std::abs(column - static_cast<double>(s)));
                const bool inside = r >= 0 && r < h && s >= 0 && s < w;
                sum += weight * (inside ? static_cast<double>(x.data()[((n * h + r) * w + s) * c + k]) : -1.0);
              }
            y.mutable_data()[((n * h + i) * w + j) * c + k] = static_cast<float>(sum);
          }
      }
    return y;
  });
}

inline Dataset<float> shifted(const Dataset<float>& images, double pixels) {
  return resampled(images, [=](double row, double column) { return std::pair(row, column - pixels); });
}
inline Dataset<float> turned(const Dataset<float>& images, double degrees) {
  const double a = degrees * std::numbers::pi / 180, c = std::cos(a), s = std::sin(a);
  return resampled(images,
                   [=](double row, double column) { return std::pair(c * row - s * column, s * row + c * column); });
}
inline Dataset<float> binarized(const Dataset<float>& images) {
  return mapped(images, [](const auto& x) {
    auto y = x.clone();
    for (float& v : std::span(y.mutable_data(), static_cast<std::size_t>(y.size()))) v = v > 0 ? 1.0f : -1.0f;
    return y;
  });
}

/// `count` of the images for which keep(index) holds, as unlabelled samples. Throws when there are not enough.
inline Dataset<float> chosen(const Dataset<float>& images, Index count, const std::function<bool(Index)>& keep) {
  std::vector<Index> rows;
  for (Index i = 0; i < images.size() && std::ssize(rows) < count; ++i)
    if (keep(i)) rows.push_back(i);
  check(std::ssize(rows) == count, "self-test: ", rows.size(), " images left of ", images.size(), ", expected ", count);
  return images.subset(rows);
}

/// The first `different` images over and over.
inline Dataset<float> repeated(const Dataset<float>& images, Index count, Index different) {
  std::vector<Index> rows;
  for (Index i = 0; i < count; ++i) rows.push_back(i % different);
  return images.subset(rows);
}

/// A share of the images black.
inline Dataset<float> some_blank(const Dataset<float>& images, double share) {
  return mapped(images, [&](const auto& x) {
    auto y = x.clone();
    const Index n = x.shape()[0], item = x.size() / n,
                blank = static_cast<Index>(std::lround(share * static_cast<double>(n)));
    std::fill_n(y.mutable_data(), blank * item, -1.0f);
    return y;
  });
}

/// Without labels: what is spoiled no longer is what they say.
inline Dataset<float> unlabelled(const Dataset<float>& images) {
  return mapped(images, [](const auto& x) { return x; });
}

}  // namespace spoil

}  // namespace gan::bench
