// What the checks of PNG and JPEG have in common: the limits, and a picture file that may be given to stb.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "gan/core/error.hpp"
#include "gan/core/shape.hpp"

namespace gan::detail {

inline constexpr Index longest_image_side = 1 << 14;
inline constexpr Index largest_decoded_image = Index{1} << 26;  // pixels

}  // namespace gan::detail

namespace gan {

/// A file whose structure was checked: sizes agree with the bytes there are, and nothing is used that is not defined.
struct CheckedImage {
  std::vector<std::uint8_t> bytes;  ///< only what decoding needs: nothing behind the end, no application's segments
  Index height = 0, width = 0;      ///< as stored, before it is turned
  bool alpha = false;               ///< some pixels may be transparent
  int orientation = 1;              ///< 1 to 8, see turned()
  std::uint64_t largest_block = 0;  ///< bytes of the largest block of memory that decoding may ask for
  std::uint64_t memory = 0;         ///< bytes that decoding takes in all, at most
};

}  // namespace gan

namespace gan::detail {

inline void check_image_size(const std::string& name, Index width, Index height) {
  check(width >= 1 && height >= 1, name, ": broken picture of ", width, " x ", height, " pixels");
  check(width <= longest_image_side && height <= longest_image_side && width * height <= largest_decoded_image, name,
        ": picture of ", width, " x ", height, " pixels, expected at most ", largest_decoded_image, " in all and ",
        longest_image_side, " a side");
}

/// Orientation from the TIFF data of an Exif block: the first directory's tag 0x0112. 1 where there is none and where
/// the data make no sense: a picture is not worse for a broken note beside it.
inline int exif_orientation(std::span<const std::uint8_t> tiff) {
  if (tiff.size() < 8) return 1;
  const bool little = tiff[0] == 'I';
  if (tiff[0] != tiff[1] || (tiff[0] != 'I' && tiff[0] != 'M')) return 1;
  const auto number = [&](std::size_t at, std::size_t bytes) {
    std::size_t value = 0;
    for (std::size_t i = 0; i < bytes; ++i) value = value << 8 | tiff[at + (little ? bytes - 1 - i : i)];
    return value;
  };
  const std::size_t directory = number(4, 4);
  if (number(2, 2) != 42 || directory > tiff.size() - 2) return 1;
  const std::size_t room = (tiff.size() - directory - 2) / 12, entries = std::min(number(directory, 2), room);
  for (std::size_t i = 0; i < entries; ++i) {
    const std::size_t at = directory + 2 + 12 * i;
    if (number(at, 2) != 0x0112) continue;
    const bool one_short = number(at + 2, 2) == 3 && number(at + 4, 4) == 1;
    const std::size_t value = number(at + 8, 2);
    return one_short && value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return 1;
}

}  // namespace gan::detail
