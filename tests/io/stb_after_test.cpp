// A user's file that includes gan's headers first, then stb's declarations, then gan's again.
#define STBI_MAX_DIMENSIONS 1234
#include "gan/io/image_reader.hpp"
#include "gan/io/image_writer.hpp"

#if STBI_MAX_DIMENSIONS != 1234
#error "gan's headers changed a macro of the user"
#endif
#undef STBI_MAX_DIMENSIONS

#if __has_include(<stb/stb_image_write.h>)
#include <stb/stb_image.h>
#include <stb/stb_image_write.h>
#else
#include <stb_image.h>
#include <stb_image_write.h>
#endif
#ifndef STBI_VERSION
#error "stb was not included for the user"
#endif

#include "gan/io/stb_image_write.hpp"
#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

TEST_CASE("gan's pictures work in a second file with stb") {
  TemporaryFolder folder;
  gan::write_png(folder / "a.png", gan::Tensor<double>({1, 2}, {0, 1}), 0, 1);
  CHECK(gan::read_image(folder / "a.png", 1).pixels == std::vector<std::uint8_t>{0, 255});
  int width = 0, height = 0, channels = 0;
  CHECK(stbi_info((folder / "a.png").string().c_str(), &width, &height, &channels) == 1);
  CHECK(width == 2);
}
