// The drawn digits as a dataset, in the form of MNIST.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "gan/data/dataset.hpp"
#include "gan/data/digits.hpp"

namespace gan {

/// `count` digits [28, 28, 1] with labels 0 ... 9, drawn from the seed; throws unless 1 <= count <= max_digits.
template <class T>
Dataset<T> digits_dataset(Index count, std::uint64_t seed, PixelRange range = PixelRange::minus_one_to_one) {
  auto digits = draw_digits(count, seed);
  return Dataset<T>::from_bytes({digit_side, digit_side, 1}, std::move(digits.pixels),
                                std::vector<Index>(digits.labels.begin(), digits.labels.end()), range);
}

}  // namespace gan
