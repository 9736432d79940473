// Images made larger at their edges.
#pragma once

#include "gan/ops/pixel_map.hpp"
#include "gan/ops/window.hpp"

namespace gan {

/// What stands outside an image: 0; its mirror image without the edge itself, c b | a b c; its edge, a a | a b c; or
/// its other end, b c | a b c.
enum class PaddingMode { zero, reflect, replicate, circular };

/// x [n, h, w, c] -> [n, top + h + bottom, left + w + right, c]. Throws for other ranks, negative numbers and
/// Padding::same(), for images without pixels, and where the mode has no pixel to take: `reflect` needs less padding
/// than the image is long, `circular` at most as much.
template <class T>
Tensor<T> pad2d(const Tensor<T>& x, const Padding& padding, PaddingMode mode = PaddingMode::zero);

namespace detail {

/// The position in [0, length) that position i of the padded axis is taken from, or -1.
inline Index padded_position(Index i, Index length, PaddingMode mode) {
  if (i >= 0 && i < length) return i;
  switch (mode) {
    case PaddingMode::zero:
      return -1;
    case PaddingMode::reflect:
      return i < 0 ? -i : 2 * (length - 1) - i;
    case PaddingMode::replicate:
      return i < 0 ? 0 : length - 1;
    case PaddingMode::circular:
      return i < 0 ? i + length : i - length;
  }
  return -1;
}

inline constexpr Index most_padding = 1 << 16;

inline void check_padding(const char* axis, Index before, Index after, Index length, PaddingMode mode) {
  const Index most = mode == PaddingMode::reflect ? length - 1 : mode == PaddingMode::circular ? length : most_padding;
  check(before >= 0 && after >= 0 && before <= most && after <= most, "pad2d: ", before, " before and ", after,
        " after ", length, " ", axis, ", expected 0 ... ", most);
}

}  // namespace detail

template <class T>
Tensor<T> pad2d(const Tensor<T>& x, const Padding& padding, PaddingMode mode) {
  check(x.rank() == 4, "pad2d: x ", x.shape(), ", expected [n, h, w, channels]");
  check(!padding.is_same, "pad2d: Padding::same() has no size without a convolution, expected numbers");
  const Index h = x.shape()[1], w = x.shape()[2];
  check(h > 0 && w > 0, "pad2d: x ", x.shape(), " has no pixels");
  detail::check_padding("rows", padding.top, padding.bottom, h, mode);
  detail::check_padding("columns", padding.left, padding.right, w, mode);
  if (padding.top + padding.bottom + padding.left + padding.right == 0) return x;
  PixelMap map{.rows = padding.top + h + padding.bottom, .columns = padding.left + w + padding.right};
  map.from.reserve(static_cast<std::size_t>(map.rows * map.columns));
  for (Index i = 0; i < map.rows; ++i)
    for (Index j = 0; j < map.columns; ++j) {
      const Index row = detail::padded_position(i - padding.top, h, mode);
      const Index column = detail::padded_position(j - padding.left, w, mode);
      map.from.push_back(row < 0 || column < 0 ? -1 : row * w + column);
    }
  return gather_pixels(x, std::move(map));
}

}  // namespace gan
