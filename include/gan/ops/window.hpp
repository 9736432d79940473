// Windows on images: sizes of two axes, padding, stride, dilation and groups.
#pragma once

#include <ostream>

#include "gan/core/shape.hpp"

namespace gan {

/// One number for the vertical (rows) and one for the horizontal axis (columns). A single number stands for both.
struct Size2d {
  Index rows, columns;

  constexpr Size2d(Index both) : rows(both), columns(both) {}
  constexpr Size2d(Index rows_, Index columns_) : rows(rows_), columns(columns_) {}
  friend constexpr bool operator==(const Size2d&, const Size2d&) = default;
};

inline std::ostream& operator<<(std::ostream& out, const Size2d& size) {
  return out << '{' << size.rows << ", " << size.columns << '}';
}

/// Zeros around an image: numbers, `valid` (none, the default), or `same`: as many as make the output
/// ceil(input / stride) long, with the odd one at the bottom and on the right, as TensorFlow pads.
struct Padding {
  Index top = 0, bottom = 0, left = 0, right = 0;
  bool is_same = false;

  constexpr Padding() = default;
  constexpr Padding(Index all) : top(all), bottom(all), left(all), right(all) {}
  constexpr Padding(Index rows, Index columns) : top(rows), bottom(rows), left(columns), right(columns) {}
  constexpr Padding(Index top_, Index bottom_, Index left_, Index right_)
      : top(top_), bottom(bottom_), left(left_), right(right_) {}
  static constexpr Padding valid() { return {}; }
  static constexpr Padding same() {
    Padding padding;
    padding.is_same = true;
    return padding;
  }
};

/// Of conv2d and its relatives. Layers have options of their own, with a kernel, bias and initializers.
struct Conv2dParams {
  Size2d stride = 1;
  Padding padding = {};
  Size2d dilation = 1;        ///< distance between kernel taps
  Index groups = 1;           ///< input and output channels are split into that many independent convolutions
  Size2d output_padding = 0;  ///< of transposed convolutions only: rows and columns added at the bottom and right
};

}  // namespace gan
