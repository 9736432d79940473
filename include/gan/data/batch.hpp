// What a source hands out: samples and their labels.
#pragma once

#include <vector>

#include "gan/tensor/tensor.hpp"

namespace gan {

/// Samples [k, ...item_shape] and their labels, empty when the dataset has none.
template <class T>
struct Batch {
  Tensor<T> samples;
  std::vector<Index> labels;
};

}  // namespace gan
