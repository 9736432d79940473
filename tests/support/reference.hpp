// Plain-loop references for the operations, and random shapes to try them on.
#pragma once

#include <array>
#include <span>
#include <utility>
#include <vector>

#include "gan/core/random.hpp"
#include "gan/tensor/tensor.hpp"

namespace gan::test {

/// The index of element `flat` of `shape`, one entry an axis.
inline std::vector<Index> unravel(const Shape& shape, Index flat) {
  std::vector<Index> index(static_cast<std::size_t>(shape.rank()));
  for (Index axis = shape.rank() - 1; axis >= 0; flat /= shape[axis--])
    index[static_cast<std::size_t>(axis)] = flat % shape[axis];
  return index;
}

/// The flat position of `index` in `shape`, which may have fewer axes and axes of length 1, as broadcasting has it.
inline Index ravel(const Shape& shape, const std::vector<Index>& index) {
  Index flat = 0;
  const Index skipped = static_cast<Index>(index.size()) - shape.rank();
  for (Index axis = 0; axis < shape.rank(); ++axis)
    flat = flat * shape[axis] + (shape[axis] == 1 ? 0 : index[static_cast<std::size_t>(axis + skipped)]);
  return flat;
}

/// Rank in [1, max_rank], lengths in [1, 4], ones often.
inline Shape random_shape(Rng& rng, Index max_rank = 4) {
  std::vector<Index> lengths(static_cast<std::size_t>(rng.integer(1, max_rank + 1)));
  for (auto& length : lengths) length = rng.integer(0, 4) == 0 ? 1 : rng.integer(1, 5);
  return Shape(std::span<const Index>(lengths));
}

/// Two shapes that broadcast with each other: of one random shape, each loses leading axes and has others set to 1.
inline std::pair<Shape, Shape> random_partners(Rng& rng, Index max_rank = 4) {
  const Shape whole = random_shape(rng, max_rank);
  std::array<Shape, 2> pair{whole, whole};
  for (auto& shape : pair) {
    for (Index drop = rng.integer(0, 3) == 0 ? rng.integer(0, whole.rank() + 1) : 0; drop > 0; --drop)
      shape = shape.without(0);
    for (Index axis = 0; axis < shape.rank(); ++axis)
      if (rng.integer(0, 3) == 0) shape = shape.with(axis, 1);
  }
  return {pair[0], pair[1]};
}

}  // namespace gan::test
