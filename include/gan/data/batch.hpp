// What a source of data hands out.
#pragma once

#include "gan/tensor/condition.hpp"
#include "gan/tensor/tensor.hpp"

namespace gan {

/// Samples [n, ...] and what is known about them: their labels, when the data has any, or a tensor beside each.
template <class T>
struct Batch {
  Tensor<T> samples;
  Condition<T> condition{};
};

}  // namespace gan
