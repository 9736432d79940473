// File formats know tensors, but no operations.
#pragma once

#include "gan/ops/reshape.hpp"
#include "gan/tensor/tensor.hpp"
