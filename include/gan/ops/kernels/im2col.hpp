// Unfolding of image patches into matrix rows and its adjoint, a few pixels at a time.
#pragma once

#include <cstring>

#include "gan/core/scratch.hpp"
#include "gan/ops/kernels/conv_geometry.hpp"
#include "gan/ops/kernels/copy.hpp"

namespace gan::kernels {

/// Patches of output pixels [begin, end) (counted over images, rows and columns) and group `group`, one a row:
/// [end - begin, kernel rows * kernel columns * channels], zeros where they leave the image.
template <class T>
class Im2col {
 public:
  explicit Im2col(const ConvGeometry& g)
      : g_(g),
        run_(g.columns.kernel * g.channels),
        line_((g.columns.output - 1) * g.columns.stride * g.channels + run_ + wide),
        lines_(uses_lines() ? g.rows.kernel * line_ : 0) {}

  /// Elements that unfold may write beyond the last row.
  static constexpr Index wide = 16;

  void unfold(const T* x, Index group, Index begin, Index end, T* patches) const {
    each_row(begin, end, [&](Index image, Index oy, Index first, Index last) {
      if (uses_lines())
        unfold_lines(x, image, oy, first, last, patches);
      else
        unfold_runs(x, group, image, oy, first, last, patches);
      patches += (last - first) * g_.patch();
    });
  }

  /// Adds the patches back to where they came from. Patches of one image overlap, those of two images do not.
  void fold(const T* patches, Index pitch, Index group, Index begin, Index end, T* x) const {
    const auto &rows = g_.rows, &columns = g_.columns;
    const Index c = g_.channels, all = g_.all_channels();
    const bool runs = columns.dilation == 1 && g_.groups == 1;
    each_row(begin, end, [&](Index image, Index oy, Index first, Index last) {
      const auto [ky0, ky1] = rows.taps(oy);
      for (Index ox = first; ox < last; ++ox, patches += pitch) {
        const auto [kx0, kx1] = columns.taps(ox);
        for (Index ky = ky0; ky < ky1; ++ky) {
          T* row = x + (image * rows.input + rows.at(oy, ky)) * columns.input * all + group * c;
          const T* from = patches + ky * run_;
          if (runs)
            add_run(from + kx0 * c, (kx1 - kx0) * c, row + columns.at(ox, kx0) * c);
          else
            for (Index kx = kx0; kx < kx1; ++kx) add_run(from + kx * c, c, row + columns.at(ox, kx) * all);
        }
      }
    });
  }

 private:
  // Few channels make runs of a few elements. They are copied a fixed number of elements at a time, out of lines that
  // hold the padding too; what a copy writes too much, the next one overwrites.
  bool uses_lines() const {
    return run_ <= wide && g_.columns.dilation == 1 && g_.groups == 1 && g_.rows.kernel * line_ <= (1 << 16);
  }

  static void add_run(const T* from, Index count, T* to) {
    for (Index i = 0; i < count; ++i) to[i] += from[i];
  }

  // f(image, row, first column, last column) for the pieces of image rows in [begin, end).
  template <class F>
  void each_row(Index begin, Index end, F f) const {
    const Index width = g_.columns.output;
    while (begin < end) {
      const Index row = begin / width, first = begin - row * width, last = std::min(width, first + end - begin);
      f(row / g_.rows.output, row % g_.rows.output, first, last);
      begin += last - first;
    }
  }

  void unfold_runs(const T* x, Index group, Index image, Index oy, Index first, Index last, T* to) const {
    const auto &rows = g_.rows, &columns = g_.columns;
    const Index c = g_.channels, all = g_.all_channels();
    const bool runs = columns.dilation == 1 && g_.groups == 1;
    const auto [ky0, ky1] = rows.taps(oy);
    for (Index ox = first; ox < last; ++ox, to += g_.patch()) {
      const auto [kx0, kx1] = columns.taps(ox);
      std::fill(to, to + ky0 * run_, T(0));
      for (Index ky = ky0; ky < ky1; ++ky) {
        const T* row = x + (image * rows.input + rows.at(oy, ky)) * columns.input * all + group * c;
        T* part = to + ky * run_;
        std::fill(part, part + kx0 * c, T(0));
        if (runs)
          copy_run(row + columns.at(ox, kx0) * c, (kx1 - kx0) * c, part + kx0 * c);
        else
          for (Index kx = kx0; kx < kx1; ++kx) copy_run(row + columns.at(ox, kx) * all, c, part + kx * c);
        std::fill(part + kx1 * c, part + run_, T(0));
      }
      std::fill(to + ky1 * run_, to + g_.patch(), T(0));
    }
  }

  void unfold_lines(const T* x, Index image, Index oy, Index first, Index last, T* to) const {
    const auto &rows = g_.rows, &columns = g_.columns;
    const Index c = g_.channels, used = std::min(columns.input, (line_ - wide) / c - columns.before);
    T* lines = lines_.data();
    for (Index ky = 0; ky < rows.kernel; ++ky) {
      T* line = lines + ky * line_;
      const Index iy = rows.at(oy, ky);
      const bool inside = iy >= 0 && iy < rows.input && used > 0;
      T* end = line;
      if (inside) {
        std::fill(line, line + columns.before * c, T(0));
        end = std::copy_n(x + (image * rows.input + iy) * columns.input * c, used * c, line + columns.before * c);
      }
      std::fill(end, line + line_, T(0));
    }
    const Index step = columns.stride * c;
    const auto copy = [&]<Index count>(std::integral_constant<Index, count>) {
      for (Index ox = first; ox < last; ++ox)
        for (Index ky = 0; ky < rows.kernel; ++ky, to += run_)
          std::memcpy(to, lines + ky * line_ + ox * step, static_cast<std::size_t>(count) * sizeof(T));
    };
    if (run_ <= 4)
      copy(std::integral_constant<Index, 4>());
    else if (run_ <= 8)
      copy(std::integral_constant<Index, 8>());
    else
      copy(std::integral_constant<Index, wide>());
  }

  const ConvGeometry& g_;
  Index run_;   // elements of one kernel row
  Index line_;  // of one padded image row
  Scratch<T> lines_;
};

}  // namespace gan::kernels
