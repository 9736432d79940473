#include "gan/core/version.hpp"

#include "support/catch.hpp"

// CMake's version is read from the same lines.
TEST_CASE("the version's numbers are those of its macros") {
  CHECK(gan::version_major == GAN_VERSION_MAJOR);
  CHECK(gan::version_minor == GAN_VERSION_MINOR);
  CHECK(gan::version_patch == GAN_VERSION_PATCH);
}
