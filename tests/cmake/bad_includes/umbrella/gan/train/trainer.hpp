// The umbrella includes everything.
#pragma once

#include "gan/gan.hpp"
