// Who wants to export includes that; nothing of the library does.
#pragma once

#include "gan/core/error.hpp"
#include "gan/export/onnx.hpp"
