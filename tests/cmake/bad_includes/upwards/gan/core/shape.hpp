// A folder must not include what builds on it.
#pragma once

#include <gan/tensor/tensor.hpp>
