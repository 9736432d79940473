// The whole library.
#pragma once

#include "gan/core/build.hpp"
#include "gan/core/error.hpp"
#include "gan/core/file.hpp"
#include "gan/core/memory.hpp"
#include "gan/core/parallel.hpp"
#include "gan/core/profile.hpp"
#include "gan/core/random.hpp"
#include "gan/core/shape.hpp"
