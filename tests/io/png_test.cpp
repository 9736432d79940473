#include "gan/io/png.hpp"

#include <cstdlib>
#include <string>
#include <vector>

#include "gan/io/image_reader.hpp"
#include "gan/io/stb_image_write.hpp"
#include "support/catch.hpp"
#include "support/image_bytes.hpp"
#include "support/temporary_folder.hpp"

using gan::Index;
using namespace gan::test;
using Bytes = std::vector<std::uint8_t>;

namespace {

gan::Image read(const std::string& bytes, Index channels = 1) {
  TemporaryFolder folder;
  put(folder / "a.png", bytes);
  return gan::read_image(folder / "a.png", channels);
}
Bytes pixels(const std::string& chunks, Index channels) { return read(png_file(chunks), channels).pixels; }

void refused(const std::string& bytes, const std::string& reason) {
  CAPTURE(reason);
  REQUIRE_THROWS_WITH(read(bytes), ContainsSubstring("a.png: ") && ContainsSubstring(reason));
  REQUIRE_THROWS_AS(read(bytes), gan::Error);
}

/// One chunk of pixels: rows with their filter bytes.
std::string data(const std::string& rows) { return png_chunk("IDAT", stored(rows)); }
template <std::size_t n>
std::string text(const char (&bytes)[n]) {
  return std::string(bytes, n - 1);
}

/// `size` bytes of zeros, packed.
std::string packed_zeros(int size) {
  std::vector<unsigned char> zeros(static_cast<std::size_t>(size));
  int length = 0;
  unsigned char* const memory = gan::detail::stb_write::gan_stbi_zlib_compress(zeros.data(), size, &length, 8);
  const std::string packed(reinterpret_cast<const char*>(memory), static_cast<std::size_t>(length));
  std::free(memory);
  return packed;
}

}  // namespace

TEST_CASE("a key color of a PNG without alpha shows white, with every depth") {
  const auto key = [](const std::string& value) { return png_chunk("tRNS", value); };
  // Gray, 8 bits: 7 is transparent
  CHECK(pixels(png_header(3, 1, 0, 8) + key(text("\0\7")) + data(text("\0\7\10\7")), 1) == Bytes{255, 8, 255});
  CHECK(pixels(png_header(2, 1, 0, 8) + key(text("\0\7")) + data(text("\0\7\10")), 3) == Bytes{255, 255, 255, 8, 8, 8});
  // 2 bits: level 1 of 0 ... 3
  CHECK(pixels(png_header(4, 1, 0, 2) + key(text("\0\1")) + data(text("\0\x1b")), 1) == Bytes{0, 255, 170, 255});
  CHECK(pixels(png_header(2, 1, 0, 16) + key(text("\1\2")) + data(text("\0\1\2\1\3")), 1) == Bytes{255, 1});
  const std::string rgb = png_header(2, 1, 2, 8) + key(text("\0\1\0\2\0\3")) + data(text("\0\1\2\3\1\2\4"));
  CHECK(pixels(rgb, 3) == Bytes{255, 255, 255, 1, 2, 4});
  CHECK(pixels(rgb, 1)[0] == 255);
  const std::string palette = png_chunk("PLTE", text("\1\2\3\4\5\6"));
  CHECK(pixels(png_header(2, 1, 3, 8) + palette + key(text("\0")) + data(text("\0\0\1")), 3) ==
        Bytes{255, 255, 255, 4, 5, 6});
}

TEST_CASE("numbers beyond a palette are black, whatever memory held") {
  const std::string chunks = png_header(2, 1, 3, 8) + png_chunk("PLTE", text("\1\2\3")) + data(text("\0\0\xc8"));
  for (int i = 0; i < 3; ++i) CHECK(pixels(chunks, 3) == Bytes{1, 2, 3, 0, 0, 0});
}

TEST_CASE("interlaced PNG with 16 bits are read") {
  // 2 x 2: pass 1 holds the first pixel, pass 6 the second, pass 7 the second row.
  const std::string rows = text("\0\x0a\1") + text("\0\x14\2") + text("\0\x1e\3\x28\4");
  CHECK(pixels(png_header(2, 2, 0, 16, 1) + data(rows), 1) == Bytes{10, 20, 30, 40});
}

TEST_CASE("pixels in several chunks, chunks of applications, a note that turns, and bytes behind the end") {
  const std::string packed = stored(text("\0\1\2\0\3\4"));
  const std::string split =
      png_chunk("IDAT", packed.substr(0, 5)) + png_chunk("IDAT", "") + png_chunk("IDAT", packed.substr(5));
  const std::string header = png_header(2, 2, 0, 8);
  CHECK(pixels(header + png_chunk("tEXt", "a film") + split + png_chunk("tIME", "x"), 1) == Bytes{1, 2, 3, 4});
  CHECK(pixels(header + png_chunk("eXIf", exif_data(6, false)) + split, 1) == Bytes{3, 1, 4, 2});
  CHECK(read(png_file(header + split) + png_file(header)).pixels == Bytes{1, 2, 3, 4});
}

TEST_CASE("a PNG cannot take more memory than its bytes can fill") {
  const auto big = [](int side, int color, int depth, const std::string& rows) {
    return png_file(png_header(static_cast<std::uint64_t>(side), static_cast<std::uint64_t>(side), color, depth) +
                    png_chunk("IDAT", rows));
  };
  refused(big(8192, 6, 16, "abcd"), "4 bytes of data for 8192 x 8192 pixels, which need 536879104 bytes");
  refused(big(16384, 0, 8, ""), "picture of 16384 x 16384 pixels");
  refused(big(16385, 0, 8, ""), "picture of 16385");
  // 20 MB of zeros in 20 KB, for one pixel
  const std::string bomb = packed_zeros(20'000'000);
  refused(big(1, 0, 8, bomb), "its data unpack to more than its size says");
  CHECK(read(big(4000, 0, 8, packed_zeros(4001 * 4000))).pixels.size() == 16'000'000);
}

TEST_CASE("broken PNG structures are errors that name the file") {
  const std::string header = png_header(2, 1, 0, 8), one = data(text("\0\1\2")), palette = png_chunk("PLTE", "abc");
  const auto file = [](const std::string& chunks) { return png_file(chunks); };
  CHECK(read(file(header + one)).pixels == Bytes{1, 2});
  refused(file(one + header), "expected chunk IHDR first");
  refused(file(png_chunk("CgBI", "abcd") + header + one), "expected chunk IHDR first");
  refused(file(header + header + one), "expected one of 13");
  refused(file(png_chunk("IHDR", "short") + one), "IHDR of 5 bytes");
  refused(file(header), "0 bytes of data for 2 x 1 pixels");
  refused(file(header + png_chunk("ABCD", "") + one), "\"ABCD\"");
  refused(file(png_header(0, 5, 0, 8) + one), "picture of 0 x 5 pixels");
  refused(file(png_header(2, 1, 1, 8) + one), "color type 1 with 8 bits");
  refused(file(png_header(2, 1, 2, 4) + one), "color type 2 with 4 bits");
  refused(file(png_header(2, 1, 3, 16) + palette + one), "color type 3 with 16 bits");
  refused(file(png_header(2, 1, 0, 8, 2) + one), "interlacing 2");
  refused(file(png_header(2, 1, 3, 8) + one), "without chunk PLTE");
  refused(file(png_header(2, 1, 3, 8) + png_chunk("PLTE", "ab") + one), "palette of 2 bytes");
  refused(file(png_header(2, 1, 3, 8) + palette + one + palette), "chunk PLTE behind the pixels");
  refused(file(png_header(2, 1, 3, 8) + palette + png_chunk("tRNS", "ab") + one),
          "tRNS of 2 bytes, expected at most 1");
  refused(file(header + png_chunk("tRNS", "a") + one), "tRNS of 1 bytes, expected 2");
  refused(file(header + png_chunk("IDAT", stored(text("\0\1")))), "broken picture");
  std::string damaged = file(header + one);
  damaged[damaged.size() - 12 - 4 - 5] ^= 1;  // in the pixels
  refused(damaged, "the check sum of PNG chunk IDAT does not fit");
  std::string longer = file(header + one);
  longer[8 + 25] = '\x7f';
  refused(longer, "truncated: a PNG chunk of");
  const std::string good = file(header + one);
  for (std::size_t length = 0; length < good.size(); ++length) refused(good.substr(0, length), "");
}
