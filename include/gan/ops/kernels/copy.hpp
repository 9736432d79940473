// Copies of short runs of elements, and rows of one content.
#pragma once

#include <cstring>

#include "gan/core/shape.hpp"

namespace gan::kernels {

/// Copies `count` elements; short runs without the call that memcpy would be.
template <class T>
void copy_run(const T* from, Index count, T* to) {
  if (count > 32)
    std::memcpy(to, from, static_cast<std::size_t>(count) * sizeof(T));
  else
    for (Index i = 0; i < count; ++i) to[i] = from[i];
}

/// Fills rows of y with the bias, or zeros without one.
template <class T>
void fill_rows(T* y, Index rows, Index filters, const T* bias) {
  if (!bias) return std::fill_n(y, rows * filters, T(0)), void();
  for (Index row = 0; row < rows; ++row) copy_run(bias, filters, y + row * filters);
}

}  // namespace gan::kernels
