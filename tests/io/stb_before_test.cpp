// A user's file that has both of stb's implementations, before gan's headers, and its declarations again after them.
#if __has_include(<stb/stb_image_write.h>)
#define STB_IMAGE_WRITE_IMPLEMENTATION
#include <stb/stb_image_write.h>
#define STB_IMAGE_IMPLEMENTATION
#include <stb/stb_image.h>
#else
#define STB_IMAGE_WRITE_IMPLEMENTATION
#include <stb_image_write.h>
#define STB_IMAGE_IMPLEMENTATION
#include <stb_image.h>
#endif

#include "gan/io/image_reader.hpp"
#include "gan/io/image_writer.hpp"

#if !defined(STB_IMAGE_IMPLEMENTATION) || !defined(STB_IMAGE_WRITE_IMPLEMENTATION)
#error "gan's headers lost a macro of the user"
#endif
#if defined(STBI_NO_STDIO) || defined(STBI_WRITE_NO_STDIO) || defined(STBI_ONLY_PNG) || defined(STB_IMAGE_STATIC)
#error "gan's headers left a setting of their own"
#endif
#undef STB_IMAGE_IMPLEMENTATION
#undef STB_IMAGE_WRITE_IMPLEMENTATION
#if __has_include(<stb/stb_image_write.h>)
#include <stb/stb_image.h>
#include <stb/stb_image_write.h>
#else
#include <stb_image.h>
#include <stb_image_write.h>
#endif

#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

TEST_CASE("gan's pictures work beside a user's implementation of stb") {
  TemporaryFolder folder;
  stbi_flip_vertically_on_write(1);
  stbi_set_flip_vertically_on_load(1);
  gan::write_png(folder / "a.png", gan::Tensor<float>({2, 1}, {0, 1}), 0, 1);
  CHECK(gan::read_image(folder / "a.png", 1).pixels == std::vector<std::uint8_t>{0, 255});
  int width = 0, height = 0, channels = 0;
  stbi_uc* const pixels = stbi_load((folder / "a.png").string().c_str(), &width, &height, &channels, 1);
  REQUIRE(pixels != nullptr);
  CHECK(height == 2);
  CHECK(pixels[0] == 255);  // the user's setting acts on the user's copy alone
  REQUIRE(stbi_write_png((folder / "b.png").string().c_str(), 1, 2, 1, pixels, 1) != 0);
  stbi_image_free(pixels);
  CHECK(gan::read_image(folder / "b.png", 1).pixels == std::vector<std::uint8_t>{0, 255});
  stbi_flip_vertically_on_write(0);
  stbi_set_flip_vertically_on_load(0);
}
