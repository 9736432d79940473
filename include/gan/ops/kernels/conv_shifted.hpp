// Convolution kernels for many channels: no patches. Each kernel tap is a product of a shifted image with its weights.
//
// A block of images is copied to [rows, columns, images, channels]. Then all pixels of one row that meet a tap inside
// the image are neighbors in memory, in the input as in the output, and are multiplied as one matrix; work on padding
// is never done. With a stride, columns are grouped by their remainder.
#pragma once

#include <optional>

#include "gan/ops/kernels/conv_unfolded.hpp"

namespace gan::kernels {

/// How the work is cut: `images` images and `rows` image rows at a time.
struct ConvTiles {
  Index images = 0, rows = 0, blocks = 0, bands = 0;

  Index count() const { return blocks * bands; }
};

/// The tiles, whose copies of x and y fit into the scratch memory; none when the sizes do not suit these kernels.
/// `over_input` says which rows are cut into bands: those of the input (each once), or of the output.
template <class T>
std::optional<ConvTiles> conv_tiles(const ConvGeometry& g, bool over_input) {
  constexpr Index least_channels = 32, least_rows = 48, wanted_rows = 384;
  if (g.channels < least_channels || g.n * g.columns.output < least_rows) return {};
  const Index total = over_input ? g.rows.input : g.rows.output;
  const Index x_row = g.columns.input * g.channels, y_row = g.columns.output * g.filters;
  const auto bytes = [&](Index images, Index rows) {
    const auto& a = g.rows;
    const Index x_rows = over_input ? rows : std::min(a.input, (rows - 1) * a.stride + a.extent());
    const Index y_rows = over_input ? std::min(a.output, (rows + a.extent() - 2) / a.stride + 1) : rows;
    return images * (x_rows * x_row + y_rows * y_row) * static_cast<Index>(sizeof(T));
  };
  Index images = std::min(g.n, (wanted_rows + g.columns.output - 1) / g.columns.output);
  while (bytes(images, 1) > conv_scratch_bytes && images > 1 && images * g.columns.output >= 2 * least_rows)
    images /= 2;
  if (bytes(images, 1) > conv_scratch_bytes) return {};
  Index blocks = (g.n + images - 1) / images;
  if (blocks % threads() != 0) blocks = std::min(g.n, (blocks / threads() + 1) * threads());
  images = (g.n + blocks - 1) / blocks;
  Index bands = 1, rows = total;
  const auto cut = [&] { rows = (total + bands) / (bands + 1), ++bands; };
  while (bytes(images, rows) > conv_scratch_bytes) cut();
  while (blocks * bands < threads() && rows > 1) cut();  // few images: every thread gets rows of them
  return ConvTiles{images, rows, (g.n + images - 1) / images, (total + rows - 1) / rows};
}

/// Copies image rows [low, high) between x [n, height, width, all] and tile [high - low, width, images, channels].
/// Columns that leave the same remainder when divided by `stride` lie together in the tile.
struct TileLayout {
  Index height, width, all, channels, stride;

  Index group_begin(Index remainder) const {
    return remainder * (width / stride) + std::min(remainder, width % stride);
  }
  template <class F>
  void each_pixel(Index first, Index images, Index low, Index high, F f) const {
    Index at = 0;
    for (Index row = low; row < high; ++row)
      for (Index remainder = 0; remainder < std::min(stride, width); ++remainder)
        for (Index column = remainder; column < width; column += stride)
          for (Index image = first; image < first + images; ++image, at += channels)
            f(((image * height + row) * width + column) * all, at);
  }
  template <class T>
  void load(const T* x, Index first, Index images, Index low, Index high, T* tile) const {
    each_pixel(first, images, low, high, [&](Index from, Index to) { copy_run(x + from, channels, tile + to); });
  }
  template <class T>
  void store(const T* tile, Index first, Index images, Index low, Index high, T* x) const {
    each_pixel(first, images, low, high, [&](Index to, Index from) { copy_run(tile + from, channels, x + to); });
  }
};

/// Image rows [begin, end).
struct Band {
  Index begin, end;

  Index size() const { return end - begin; }
};

/// One block of images: where a tap's pixels lie in the tiles of x and y.
struct ShiftedProducts {
  const ConvGeometry& g;
  TileLayout x{g.rows.input, g.columns.input, g.all_channels(), g.channels, g.columns.stride};
  TileLayout y{g.rows.output, g.columns.output, g.all_filters(), g.filters, 1};

  /// Calls f(offset in a row of x, offset in a row of y, pixels) for kernel column kx, unless it meets padding only.
  template <class F>
  void along_row(Index kx, Index images, F f) const {
    const auto& columns = g.columns;
    const auto [first, last] = columns.outputs(kx, 0, columns.output);
    if (first == last) return;
    const Index at = columns.at(first, kx);
    f((x.group_begin(at % x.stride) + at / x.stride) * images * g.channels, first * images * g.filters,
      (last - first) * images);
  }
  /// Elements of one row of x and of y.
  Index x_row(Index images) const { return g.columns.input * images * g.channels; }
  Index y_row(Index images) const { return g.columns.output * images * g.filters; }
  /// The weights of one tap, [channels, filters].
  template <class T>
  auto tap(T* weight, Index group, Index ky, Index kx) const {
    return strided(weight + (ky * g.columns.kernel + kx) * g.channels * g.all_filters() + group * g.filters, g.channels,
                   g.filters, g.all_filters());
  }
  /// Rows of x that output rows [low, high) depend on, and rows of y that input rows [low, high) do.
  Band rows_of_x(Index low, Index high) const {
    const Index first = std::clamp<Index>(g.rows.at(low, 0), 0, g.rows.input);
    return {first, std::clamp(g.rows.at(high - 1, g.rows.kernel - 1) + 1, first, g.rows.input)};
  }
  Band rows_of_y(Index low, Index high) const {
    const auto& rows = g.rows;
    const Index from = low + rows.before - rows.extent() + 1, to = high - 1 + rows.before;  // both at tap 0
    const Index first = std::min(rows.output, from <= 0 ? Index{0} : (from + rows.stride - 1) / rows.stride);
    return {first, std::clamp(to < 0 ? Index{0} : to / rows.stride + 1, first, rows.output)};
  }
};

/// Calls f(first image, images, first row, end of rows) for tiles [begin, end).
template <class F>
void each_tile(const ConvTiles& tiles, Index n, Index rows, Index begin, Index end, F f) {
  for (Index tile = begin; tile < end; ++tile) {
    const Index first = tile / tiles.bands * tiles.images, low = tile % tiles.bands * tiles.rows;
    f(first, std::min(tiles.images, n - first), low, std::min(rows, low + tiles.rows));
  }
}

template <class T>
void shifted_forward(const ConvGeometry& g, const ConvTiles& tiles, const T* x, const T* weight, const T* bias, T* y) {
  const ShiftedProducts s{g};
  parallel_for(tiles.count(), g.grain(tiles.count()), [&](Index begin, Index end) {
    each_tile(tiles, g.n, g.rows.output, begin, end, [&](Index first, Index images, Index low, Index high) {
      const Band band = s.rows_of_x(low, high);
      const Index x_row = s.x_row(images), y_row = s.y_row(images);
      const Scratch<T> xs(band.size() * x_row), ys((high - low) * y_row);
      for (Index group = 0; group < g.groups; ++group) {
        s.x.load(x + group * g.channels, first, images, band.begin, band.end, xs.data());
        fill_rows(ys.data(), (high - low) * g.columns.output * images, g.filters,
                  bias ? bias + group * g.filters : nullptr);
        for (Index oy = low; oy < high; ++oy) {
          const auto [ky0, ky1] = g.rows.taps(oy);
          for (Index ky = ky0; ky < ky1; ++ky)
            for (Index kx = 0; kx < g.columns.kernel; ++kx)
              s.along_row(kx, images, [&](Index x_at, Index y_at, Index pixels) {
                const T* from = xs.data() + (g.rows.at(oy, ky) - band.begin) * x_row + x_at;
                multiply_add<T>(packed(from, pixels, g.channels), false, s.tap(weight, group, ky, kx), false,
                                packed(ys.data() + (oy - low) * y_row + y_at, pixels, g.filters));
              });
        }
        s.y.store(ys.data(), first, images, low, high, y + group * g.filters);
      }
    });
  });
}

template <class T>
void shifted_input_gradient(const ConvGeometry& g, const ConvTiles& tiles, const T* gy, const T* weight, T* gx) {
  const ShiftedProducts s{g};
  parallel_for(tiles.count(), g.grain(tiles.count()), [&](Index begin, Index end) {
    each_tile(tiles, g.n, g.rows.input, begin, end, [&](Index first, Index images, Index low, Index high) {
      const Band band = s.rows_of_y(low, high);
      const Index x_row = s.x_row(images), y_row = s.y_row(images);
      const Scratch<T> xs((high - low) * x_row), ys(band.size() * y_row);
      for (Index group = 0; group < g.groups; ++group) {
        s.y.load(gy + group * g.filters, first, images, band.begin, band.end, ys.data());
        std::fill_n(xs.data(), (high - low) * x_row, T(0));
        for (Index oy = band.begin; oy < band.end; ++oy) {
          const auto [ky0, ky1] = g.rows.taps(oy);
          for (Index ky = ky0; ky < ky1; ++ky) {
            const Index iy = g.rows.at(oy, ky);
            if (iy < low || iy >= high) continue;  // of another tile
            for (Index kx = 0; kx < g.columns.kernel; ++kx)
              s.along_row(kx, images, [&](Index x_at, Index y_at, Index pixels) {
                const T* from = ys.data() + (oy - band.begin) * y_row + y_at;
                multiply_add<T>(packed(from, pixels, g.filters), false, s.tap(weight, group, ky, kx), true,
                                packed(xs.data() + (iy - low) * x_row + x_at, pixels, g.channels));
              });
          }
        }
        s.x.store(xs.data(), first, images, low, high, gx + group * g.channels);
      }
    });
  });
}

template <class T>
void shifted_weight_gradient(const ConvGeometry& g, const ConvTiles& tiles, const T* x, const T* gy, T* gw) {
  const ShiftedProducts s{g};
  parallel_sum(
      tiles.count(), g.grain(tiles.count()), g.patch() * g.all_filters(), gw, [&](Index begin, Index end, T* sum) {
        each_tile(tiles, g.n, g.rows.output, begin, end, [&](Index first, Index images, Index low, Index high) {
          const Band band = s.rows_of_x(low, high);
          const Index x_row = s.x_row(images), y_row = s.y_row(images);
          const Scratch<T> xs(band.size() * x_row), ys((high - low) * y_row);
          for (Index group = 0; group < g.groups; ++group) {
            s.x.load(x + group * g.channels, first, images, band.begin, band.end, xs.data());
            s.y.load(gy + group * g.filters, first, images, low, high, ys.data());
            for (Index ky = 0; ky < g.rows.kernel; ++ky)
              for (Index kx = 0; kx < g.columns.kernel; ++kx) {
                auto to = s.tap(sum, group, ky, kx);
                const auto [y0, y1] = g.rows.outputs(ky, low, high);
                for (Index oy = y0; oy < y1; ++oy)
                  s.along_row(kx, images, [&](Index x_at, Index y_at, Index pixels) {
                    const T* from = xs.data() + (g.rows.at(oy, ky) - band.begin) * x_row + x_at;
                    const T* with = ys.data() + (oy - low) * y_row + y_at;
                    multiply_add<T>(packed(from, pixels, g.channels), true, packed(with, pixels, g.filters), false, to);
                  });
              }
          }
        });
      });
}

}  // namespace gan::kernels
