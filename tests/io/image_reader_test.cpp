#include "gan/io/image_reader.hpp"

#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

// A writer of JPEG and of PNG with any channels.
#define STB_IMAGE_WRITE_STATIC
#define STB_IMAGE_WRITE_IMPLEMENTATION
#if defined(__GNUC__)
#pragma GCC diagnostic ignored "-Wunused-function"
#endif
#if __has_include(<stb/stb_image_write.h>)
#include <stb/stb_image_write.h>
#else
#include <stb_image_write.h>
#endif

using gan::Image;
using gan::Index;
using Bytes = std::vector<std::uint8_t>;

namespace {

Image make(Index height, Index width, Index channels, const Bytes& pixels) { return {height, width, channels, pixels}; }

/// A smooth picture.
Image waves(Index height, Index width, Index channels) {
  Image image = make(height, width, channels, {});
  for (Index y = 0; y < height; ++y)
    for (Index x = 0; x < width; ++x)
      for (Index c = 0; c < channels; ++c)
        image.pixels.push_back(
            static_cast<std::uint8_t>(127.5 + 100 * std::sin(6.0 * double(x) / double(width) + double(c)) *
                                                  std::cos(5.0 * double(y) / double(height))));
  return image;
}

void put_png(const std::filesystem::path& path, const Image& p) {
  REQUIRE(stbi_write_png(path.string().c_str(), int(p.width), int(p.height), int(p.channels), p.pixels.data(), 0) != 0);
}
void put_jpg(const std::filesystem::path& path, const Image& p) {
  REQUIRE(stbi_write_jpg(path.string().c_str(), int(p.width), int(p.height), int(p.channels), p.pixels.data(), 95) !=
          0);
}

double largest_difference(const Image& a, const Image& b) {
  REQUIRE(a.pixels.size() == b.pixels.size());
  int largest = 0;
  for (std::size_t i = 0; i < a.pixels.size(); ++i) largest = std::max(largest, std::abs(a.pixels[i] - b.pixels[i]));
  return largest;
}

/// A PNG of that size whose only data are `pixels`, packed.
std::string png(std::uint32_t width, std::uint32_t height, const std::string& pixels) {
  const auto number = [](std::uint32_t x) {
    return std::string{char(x >> 24), char(x >> 16 & 255), char(x >> 8 & 255), char(x & 255)};
  };
  const auto chunk = [&](std::string body) {
    const auto crc = stbiw__crc32(reinterpret_cast<unsigned char*>(body.data()), static_cast<int>(body.size()));
    return number(static_cast<std::uint32_t>(body.size() - 4)) + body + number(crc);
  };
  std::string copy = pixels;
  int length = 0;
  unsigned char* const memory =
      stbi_zlib_compress(reinterpret_cast<unsigned char*>(copy.data()), static_cast<int>(copy.size()), &length, 8);
  const std::string packed(reinterpret_cast<const char*>(memory), static_cast<std::size_t>(length));
  std::free(memory);
  return "\x89PNG\r\n\x1a\n" + chunk("IHDR" + number(width) + number(height) + std::string("\x08\x00\x00\x00\x00", 5)) +
         chunk("IDAT" + packed) + chunk("IEND");
}

}  // namespace

TEST_CASE("PNG and JPEG are decoded to gray and RGB") {
  TemporaryFolder folder;
  const auto color = waves(20, 31, 3), gray = waves(20, 31, 1);
  put_png(folder / "c.png", color);
  put_jpg(folder / "c.jpg", color);
  put_png(folder / "g.png", gray);
  const auto read = gan::read_image(folder / "c.png");
  CHECK(read.height == 20);
  CHECK(read.width == 31);
  CHECK(read.pixels == color.pixels);
  CHECK(largest_difference(gan::read_image(folder / "c.jpg"), color) < 12);
  CHECK(gan::read_image(folder / "g.png", 1).pixels == gray.pixels);
  const auto spread = gan::read_image(folder / "g.png", 3);
  CHECK(spread.pixels[0] == gray.pixels[0]);
  CHECK(spread.pixels[2] == gray.pixels[0]);
  CHECK(spread.pixels[3] == gray.pixels[1]);
  put_png(folder / "one.png", make(1, 1, 3, {100, 150, 200}));
  CHECK(std::abs(gan::read_image(folder / "one.png", 1).pixels[0] - 141) <= 1);  // 0.30 R + 0.59 G + 0.11 B
  REQUIRE_THROWS_WITH(gan::read_image(folder / "one.png", 4), ContainsSubstring("expected 1 (gray) or 3 (RGB)"));
}

TEST_CASE("transparent parts show white") {
  TemporaryFolder folder;
  put_png(folder / "a.png", make(1, 3, 4, {10, 20, 30, 255, 10, 20, 30, 0, 100, 0, 200, 51}));
  CHECK(gan::read_image(folder / "a.png").pixels == Bytes{10, 20, 30, 255, 255, 255, 224, 204, 244});
  put_png(folder / "b.png", make(1, 2, 2, {10, 255, 10, 0}));
  CHECK(gan::read_image(folder / "b.png", 1).pixels == Bytes{10, 255});
}

TEST_CASE("fitting keeps a picture of the right size, flat ones flat, and cuts the middle") {
  const auto same = waves(9, 9, 3);
  CHECK(gan::fit_image(same, 9, 9).pixels == same.pixels);
  for (const auto& [height, width] : {std::pair<Index, Index>{5, 5}, {64, 64}, {7, 31}, {1, 1}, {300, 2}}) {
    const auto flat = gan::fit_image(make(33, 47, 3, Bytes(33 * 47 * 3, 201)), height, width);
    CHECK(flat.pixels == Bytes(static_cast<std::size_t>(height * width * 3), 201));
  }
  // Three squares side by side: the middle one is left.
  Image wide = make(8, 24, 1, {});
  for (int y = 0; y < 8; ++y)
    for (int x = 0; x < 24; ++x) wide.pixels.push_back(static_cast<std::uint8_t>(x < 8 ? 10 : x < 16 ? 100 : 200));
  CHECK(gan::fit_image(wide, 8, 8).pixels == Bytes(64, 100));
  Image tall = make(24, 8, 1, {});
  for (int i = 0; i < 192; ++i) tall.pixels.push_back(static_cast<std::uint8_t>(i < 64 ? 10 : i < 128 ? 100 : 200));
  CHECK(gan::fit_image(tall, 8, 8).pixels == Bytes(64, 100));
}

TEST_CASE("shrinking averages, growing is smooth, and both agree with a direct computation") {
  // A checkerboard has no detail left when halved or more: aliasing would show as black or white.
  Image board = make(64, 64, 1, {});
  for (int i = 0; i < 64 * 64; ++i) board.pixels.push_back((i % 64 + i / 64) % 2 ? 255 : 0);
  for (const auto side : {32, 21, 8}) {
    const auto small = gan::fit_image(board, side, side);
    for (int y = 1; y < side - 1; ++y)
      for (int x = 1; x < side - 1; ++x)
        REQUIRE(std::abs(small.pixels[static_cast<std::size_t>(y * side + x)] - 127.5) < 4);
  }
  CHECK(gan::fit_image(make(1, 2, 1, {0, 200}), 2, 4).pixels == Bytes{0, 50, 150, 200, 0, 50, 150, 200});

  const auto source = waves(50, 70, 3);
  for (const Index side : {17, 41, 90}) {
    const auto fitted = gan::fit_image(source, side, side);
    const double scale = 50.0 / double(side), radius = std::max(1.0, scale);
    for (Index y = 0; y < side; y += 5)
      for (Index x = 0; x < side; x += 4) {
        const double cy = (double(y) + 0.5) * scale, cx = 10 + (double(x) + 0.5) * scale;
        double sum = 0, weights = 0;
        for (Index sy = 0; sy < 50; ++sy)
          for (Index sx = 0; sx < 70; ++sx) {
            const double w = std::max(0.0, 1 - std::abs(double(sy) + 0.5 - cy) / radius) *
                             std::max(0.0, 1 - std::abs(double(sx) + 0.5 - cx) / radius);
            weights += w;
            sum += w * source.pixels[static_cast<std::size_t>((sy * 70 + sx) * 3 + 1)];
          }
        REQUIRE(std::abs(fitted.pixels[static_cast<std::size_t>((y * side + x) * 3 + 1)] - sum / weights) < 0.51);
      }
  }
  REQUIRE_THROWS_AS(gan::fit_image(source, 0, 4), gan::Error);
  REQUIRE_THROWS_AS(gan::fit_image({}, 4, 4), gan::Error);
  // Sides whose product overflows to the number of bytes there are
  const Index half = Index{1} << 32, largest = std::numeric_limits<Index>::max();
  REQUIRE_THROWS_WITH(gan::fit_image(make(half, half, 1, {}), 4, 4), ContainsSubstring("0 bytes for a picture"));
  REQUIRE_THROWS_AS(gan::fit_image(make(half, half, 1, {1}), 4, 4), gan::Error);
  REQUIRE_THROWS_AS(gan::fit_image(make(largest, largest, 1, {1}), 4, 4), gan::Error);
  REQUIRE_THROWS_AS(gan::fit_image(make(1, 1, largest, {1}), 4, 4), gan::Error);
  REQUIRE_THROWS_WITH(gan::fit_image(make(1, 1, 4, {1, 2, 3, 4}), 1 << 14, 1 << 14), ContainsSubstring("at most"));
}

TEST_CASE("unreadable pictures are errors that name the file") {
  TemporaryFolder folder;
  const auto path = folder / "bad.png";
  const auto fails = [&](const std::string& bytes, const std::string& message) {
    put(path, bytes);
    REQUIRE_THROWS_WITH(gan::read_image(path), ContainsSubstring(path.string()) && ContainsSubstring(message));
  };
  fails("", "expected a PNG or JPEG picture");
  fails("text", "expected a PNG or JPEG picture");
  fails("GIF89a and so on, which is another format", "expected a PNG or JPEG picture");
  fails(png(10'000, 10'000, "ab"), "picture of 10000 x 10000 pixels, expected at most 67108864 in all");
  fails(png(100'000, 100'000, "ab"), "");
  fails(png(0, 5, "ab"), "");
  fails(png(8, 8, "too short"), "broken picture");
  put(path, png(2, 2, std::string("\0ab\0cd", 6)));
  CHECK(gan::read_image(path, 1).pixels == Bytes{'a', 'b', 'c', 'd'});

  for (const bool jpeg : {false, true}) {
    const auto image = waves(24, 24, 3);
    jpeg ? put_jpg(folder / "good", image) : put_png(folder / "good", image);
    const std::string good = contents(folder / "good");
    CHECK(gan::read_image(folder / "good").width == 24);
    for (std::size_t length = 0; length < good.size(); length += 7) fails(good.substr(0, length), "");
    for (std::size_t at = 0; at < good.size(); at += 3) {  // damage anywhere: an error, or some picture
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ 0x55);
      put(path, bad);
      try {
        const auto read = gan::read_image(path);
        CHECK(static_cast<Index>(read.pixels.size()) == read.height * read.width * 3);
      } catch (const gan::Error&) {
      }
    }
  }
}
