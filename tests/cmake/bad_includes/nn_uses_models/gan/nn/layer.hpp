// Layers do not know the networks that they are in.
#pragma once

#include "gan/models/generator.hpp"
#include "gan/nn/module.hpp"
