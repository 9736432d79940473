// Which images the convolutional pairs are for, and how often their maps halve.
#pragma once

#include "gan/core/error.hpp"
#include "gan/core/shape.hpp"

namespace gan::detail {

/// Throws unless image is [h, w, c] with sizes that halve twice.
inline void check_image(const char* what, const Shape& image) {
  check(image.rank() == 3 && image[0] >= 4 && image[1] >= 4 && image[0] % 4 == 0 && image[1] % 4 == 0 && image[2] >= 1,
        what, ": image ", image, ", expected [h, w, c] with h and w multiples of 4");
}

/// How often an image of that size is halved until its map is about 4 pixels long; at least twice.
inline Index image_halvings(const Shape& image) {
  Index halvings = 2;
  for (Index h = image[0] / 4, w = image[1] / 4; h % 2 == 0 && w % 2 == 0 && h / 2 >= 4 && w / 2 >= 4; h /= 2, w /= 2)
    ++halvings;
  return halvings;
}

}  // namespace gan::detail
