// What is in detail belongs to its folder.
#pragma once

#include "gan/ops/matmul.hpp"

namespace gan {

inline void dense() { detail::product(); }

}  // namespace gan
