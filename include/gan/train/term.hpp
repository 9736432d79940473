// Term: a part of a loss, by name.
#pragma once

#include <concepts>
#include <string>

#include "gan/tensor/tensor.hpp"

namespace gan {

/// A part of a loss, under the name it is shown by. An undefined value is nothing at this step, as that of a term that
/// is computed every few steps only.
template <std::floating_point T>
struct Term {
  std::string name;
  Tensor<T> value{};  ///< a scalar, times its weight
};

}  // namespace gan
