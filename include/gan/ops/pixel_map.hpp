// Pixels by number: an adjoint pair that moves, repeats and drops the pixels of images.
#pragma once

#include <memory>
#include <vector>

#include "gan/tensor/autograd.hpp"

namespace gan {

/// Which pixel of an image h x w each pixel of an image rows x columns is taken from: numbers i w + j, or -1 for 0.
struct PixelMap {
  Index rows = 0, columns = 0;
  bool per_image = false;     ///< whether each image of a batch has its own
  std::vector<Index> from{};  ///< [rows columns], or [n rows columns]
};

using SharedPixelMap = std::shared_ptr<const PixelMap>;

/// y[n, i, c] = x[n, from[i], c] with i over pixels: x [n, h, w, c] -> [n, rows, columns, c]. Throws for other ranks,
/// and for a map of another size or with numbers outside [-1, h w).
template <class T>
Tensor<T> gather_pixels(const Tensor<T>& x, const SharedPixelMap& map);
template <class T>
Tensor<T> gather_pixels(const Tensor<T>& x, PixelMap map) {
  return gather_pixels(x, std::make_shared<const PixelMap>(std::move(map)));
}

/// The adjoint: pixel p of an image is the sum of all g[i] with from[i] == p: g [n, rows, columns, c] -> [n, height,
/// width, c].
template <class T>
Tensor<T> scatter_pixels(const Tensor<T>& g, const SharedPixelMap& map, Index height, Index width);

namespace detail {

inline void check_pixel_map(const char* op, const Shape& x, const Shape& y, const PixelMap& map) {
  check(x.rank() == 4 && y.rank() == 4, op, ": images ", x.rank() == 4 ? y : x, ", expected [n, h, w, channels]");
  const Index count = map.rows * map.columns, images = map.per_image ? y[0] : 1;
  check(map.rows >= 0 && map.columns >= 0 && static_cast<Index>(map.from.size()) == count * images &&
            y[1] == map.rows && y[2] == map.columns,
        op, ": a map of ", map.from.size(), " pixels to ", map.rows, " x ", map.columns, " for ", x[0], " images ", y,
        ", expected ", count * images);
  const Index pixels = x[1] * x[2];
  for (const Index p : map.from)
    check(p >= -1 && p < pixels, op, ": pixel ", p, " of images ", x, ", expected [-1, ", pixels, ")");
}

/// Calls f(pixel of x, pixel of y), numbered through the batch, for all pixels of y that come from one of x.
template <class F>
void each_mapped(const PixelMap& map, Index images, Index x_pixels, Index channels, F f) {
  const Index count = map.rows * map.columns;
  parallel_for(images, std::max<Index>(1, (1 << 14) / std::max<Index>(1, count * channels)),
               [&](Index begin, Index end) {
                 for (Index image = begin; image < end; ++image) {
                   const Index* from = map.from.data() + (map.per_image ? image * count : 0);
                   for (Index i = 0; i < count; ++i)
                     if (from[i] >= 0) f(image * x_pixels + from[i], image * count + i);
                 }
               });
}

}  // namespace detail

template <class T>
Tensor<T> gather_pixels(const Tensor<T>& x, const SharedPixelMap& map) {
  const Profile::Scope scope("gather_pixels");
  check(x.rank() == 4, "gather_pixels: x ", x.shape(), ", expected [n, h, w, channels]");
  const Index n = x.shape()[0], h = x.shape()[1], w = x.shape()[2], c = x.shape()[3];
  const Shape shape{n, map->rows, map->columns, c};
  detail::check_pixel_map("gather_pixels", x.shape(), shape, *map);
  auto y = Tensor<T>::zeros(shape);
  const T* from = x.data();
  T* to = y.mutable_data();
  detail::each_mapped(*map, n, h * w, c, [&](Index p, Index i) { std::copy_n(from + p * c, c, to + i * c); });
  return record(
      "gather_pixels", y, {x}, [map, h, w](Backward<T>& d) { d.give(0, scatter_pixels(d.grad(), map, h, w)); }, {},
      Reads::nothing());
}

template <class T>
Tensor<T> scatter_pixels(const Tensor<T>& g, const SharedPixelMap& map, Index height, Index width) {
  const Profile::Scope scope("scatter_pixels");
  check(g.rank() == 4, "scatter_pixels: g ", g.shape(), ", expected [n, rows, columns, channels]");
  const Index n = g.shape()[0], c = g.shape()[3];
  const Shape shape{n, height, width, c};
  detail::check_pixel_map("scatter_pixels", shape, g.shape(), *map);
  auto x = Tensor<T>::zeros(shape);
  const T* from = g.data();
  T* to = x.mutable_data();
  // An image's pixels are summed in order by one thread.
  detail::each_mapped(*map, n, height * width, c, [&](Index p, Index i) {
    for (Index k = 0; k < c; ++k) to[p * c + k] += from[i * c + k];
  });
  return record(
      "scatter_pixels", x, {g}, [map](Backward<T>& d) { d.give(0, gather_pixels(d.grad(), map)); }, {},
      Reads::nothing());
}

}  // namespace gan
