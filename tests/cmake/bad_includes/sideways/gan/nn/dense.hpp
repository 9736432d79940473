// Siblings must not include each other.
#pragma once

#include <vector>

#include "gan/core/error.hpp"
#include "gan/nn/module.hpp"
#include "gan/optim/adam.hpp"
