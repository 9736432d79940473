// A folder inside of another has the level of that.
#pragma once

#include "gan/core/shape.hpp"
#include "gan/nn/module.hpp"
