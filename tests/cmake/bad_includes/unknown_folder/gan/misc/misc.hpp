// There is no such folder in the library.
#pragma once

#include <vector>
