#include "gan/io/jpeg.hpp"

#include <cstdlib>
#include <string>
#include <vector>

#include "gan/io/image_reader.hpp"
#include "support/catch.hpp"
#include "support/image_bytes.hpp"
#include "support/temporary_folder.hpp"

using gan::Index;
using namespace gan::test;
using Bytes = std::vector<std::uint8_t>;

namespace {

/// Reads these bytes as a file.
gan::Image read(const std::string& bytes, Index channels = 1) {
  TemporaryFolder folder;
  put(folder / "a.jpg", bytes);
  return gan::read_image(folder / "a.jpg", channels);
}

void refused(const std::string& bytes, const std::string& reason) {
  CAPTURE(reason);
  REQUIRE_THROWS_WITH(read(bytes), ContainsSubstring("a.jpg: ") && ContainsSubstring(reason));
  REQUIRE_THROWS_AS(read(bytes), gan::Error);
}

/// The value of each block, from its upper left pixel.
std::vector<int> blocks(const gan::Image& image) {
  std::vector<int> values;
  for (Index y = 0; y < image.height; y += 8)
    for (Index x = 0; x < image.width; x += 8)
      values.push_back(image.pixels[static_cast<std::size_t>((y * image.width + x) * image.channels)]);
  return values;
}

}  // namespace

TEST_CASE("a JPEG made of blocks is read") {
  const std::vector<int> values{0, 200, 100, 255, 31, 32};
  const auto image = read(gray_jpeg(3, 2, values));
  CHECK(image.height == 16);
  CHECK(image.width == 24);
  CHECK(blocks(image) == values);
  // Means in one scan for all components, then details that are all nothing.
  const auto color = read(jpeg_file(jpeg_tables() + jpeg_frame(8, 8, 3, 0xc2) + jpeg_scan(1, 3, 0, 0) +
                                    jpeg_data({{150, 128, 128}}, false) + jpeg_scan(2, 2, 1, 63) + std::string("\x7f")),
                          3);
  CHECK(Bytes(color.pixels.begin(), color.pixels.begin() + 3) == Bytes{150, 150, 150});
}

TEST_CASE("what lies behind a JPEG's end or in segments of applications is not part of it") {
  const std::vector<int> values{0, 200, 100, 255};
  const auto good = gray_jpeg(2, 2, values);
  const std::string starts = repeat("\xff\xda", 201);
  CHECK(blocks(read(good + starts)) == values);
  CHECK(blocks(read(gray_jpeg(2, 2, values, jpeg_segment(0xe2, "preview" + starts)))) == values);
  CHECK(blocks(read(gray_jpeg(2, 2, values, jpeg_segment(0xe2, gray_jpeg(1, 1, {7}))))) == values);
  CHECK(blocks(read(gray_jpeg(2, 2, values, jpeg_segment(0xfe, "\xff\xd9") + "garbage"))) == values);
  CHECK(blocks(read(good + gray_jpeg(1, 1, {7}))) == values);
  std::string film;
  for (std::uint32_t i = 0, x = 1; i < 1 << 20; ++i) film += static_cast<char>((x = x * 1664525 + 1013904223) >> 24);
  CHECK(blocks(read(good + film)) == values);
}

TEST_CASE("a JPEG's tables must fit") {
  // 654 symbols, which a decoder's memory for 256 does not hold
  const std::string counts("\0\0\0\3\0\0\0\0\0\0\0\0\x63\x63\x63\x63\xff", 17);
  const auto table = [](const std::string& data) { return jpeg_segment(0xc4, data); };
  const auto with = [](const std::string& segments) {
    return jpeg_file(jpeg_tables() + segments + jpeg_frame(8, 8, 1) + jpeg_scan(1, 1) + jpeg_data({{9}}));
  };
  refused(with(table(counts + std::string(654, '\0'))), "Huffman table of 654 symbols");
  refused(with(table(counts)), "symbols in 0 bytes");
  refused(with(table(std::string("\0\3", 2) + std::string(15, '\0') + "abc")), "more codes than their lengths allow");
  refused(with(table(std::string("\0\0\1\1", 4))), "Huffman table of 4 bytes");
  refused(with(table("\x04" + std::string(16, '\0'))), "Huffman table number 0x04");
  refused(with(table("\x20" + std::string(16, '\0'))), "Huffman table number 0x20");
  refused(with(table(std::string("\0\1", 2) + std::string(15, '\0') + "\x10")), "more than 15 bits");
  refused(with(jpeg_segment(0xdb, std::string(64, '\0'))), "quantization table 0x00 of 64 bytes");
  refused(with(jpeg_segment(0xdb, "\x10" + std::string(127, '\0'))), "quantization table 0x10 of 128 bytes");
  refused(with(jpeg_segment(0xdb, "\x04" + std::string(64, '\0'))), "quantization table 0x04");
  refused(with(jpeg_segment(0xdd, "\1")), "restart interval of 1 bytes");
  refused(with(std::string("\xff\xe1\0\1", 4)), "segment 0xE1 of 1 bytes");

  const auto needs = [](const std::string& tables) {
    return jpeg_file(tables + jpeg_frame(8, 8, 1) + jpeg_scan(1, 1) + jpeg_data({{9}}));
  };
  CHECK_NOTHROW(read(needs(jpeg_tables())));
  const std::string undefined = "a scan of component 1 uses a table that is not defined";
  refused(needs(jpeg_quantization()), undefined);
  refused(needs(jpeg_quantization() + jpeg_mean_table()), undefined);
  refused(needs(jpeg_quantization() + jpeg_detail_table()), undefined);
  refused(needs(jpeg_mean_table() + jpeg_detail_table()), undefined);
  refused(needs(jpeg_tables() + table(std::string(17, '\0'))), undefined);  // emptied
  refused("\xff\xd8" + jpeg_frame(8, 8, 1) + jpeg_scan(1, 1) + "\x12\x34\xff\xd9", undefined);
}

TEST_CASE("a JPEG's frame and scans must fit, and the bytes must be there for its size") {
  refused("\xff\xd8" + jpeg_frame(8192, 8192, 1) + "\xff\xd9", "component 1 is in no scan");
  refused(jpeg_file(jpeg_tables() + jpeg_frame(64, 64, 1)), "component 1 is in no scan");
  refused(jpeg_file(jpeg_tables()), "it has no frame");
  refused(jpeg_file(jpeg_tables() + jpeg_scan(1, 1)), "a scan before the frame");
  const auto frame = [](const std::string& segment, const std::string& rest = "") {
    return jpeg_file(jpeg_tables() + segment + jpeg_scan(1, 1) + jpeg_data({{9}}) + rest);
  };
  refused(frame(jpeg_frame(8192, 8192, 1)), "a scan of 2 bytes, expected at least 262144 for 8192 x 8192 pixels");
  refused(frame(jpeg_frame(8192, 8192, 1, 0xc2)), "scan of coefficients 0 to 63");
  refused(frame(jpeg_frame(20000, 8, 1)), "picture of 20000 x 8 pixels");
  refused(frame(jpeg_frame(10000, 10000, 1)), "picture of 10000 x 10000 pixels");
  refused(frame(jpeg_frame(8, 0, 1)), "picture of 8 x 0 pixels");
  refused(frame(jpeg_frame(8, 8, 2)), "JPEG of 2 components");
  refused(frame(jpeg_frame(8, 8, 1, 0xc9)), "not supported (arithmetic coding)");
  refused(frame(jpeg_frame(8, 8, 1, 0xc3)), "not supported (lossless)");
  refused(frame(jpeg_frame(8, 8, 1) + jpeg_frame(8, 8, 1)), "a second frame");
  refused(frame(jpeg_segment(0xc0, std::string("\x0c\0\x08\0\x08\1\1\x11\0", 9))), "JPEG of 12 bits");
  refused(frame(jpeg_segment(0xc0, std::string("\x08\0\x08\0\x08\1\1\x51\0", 9))), "5 x 1 samples");
  refused(frame(jpeg_segment(0xc0, std::string("\x08\0\x08\0\x08\1\1\x11\4", 9))), "table 4");
  refused(frame(jpeg_segment(0xc0, std::string("\x08\0\x08\0\x08\3\1\x11\0\1\x11\0\2\x11\0", 15))), "are called 1");
  refused(frame(jpeg_segment(0xc0, std::string("\x08\0\x08\0\x08\3\1\x21\0\2\x31\0\3\x11\0", 15))), "whole ratio");
  refused(frame(jpeg_frame(8, 8, 3)), "component 2 is in no scan");
  refused(frame(jpeg_frame(8, 8, 1), jpeg_scan(1, 1) + jpeg_data({{9}})), "a second time");
  refused(frame(jpeg_frame(8, 8, 1), jpeg_scan(2, 2) + jpeg_data({{9}})), "scan of component 2");
  refused(frame(jpeg_frame(8, 8, 1), "\xff\xda\xff\xda"), "segment 0xDA of 65498 bytes");
  // Restart marks: one block each, of four
  const auto restarts = [](const std::string& data) {
    return jpeg_file(jpeg_tables() + jpeg_segment(0xdd, std::string("\0\1", 2)) + jpeg_frame(16, 16, 1) +
                     jpeg_scan(1, 1) + data);
  };
  const std::string one = jpeg_data({{9}});
  CHECK(blocks(read(restarts(one + "\xff\xd0" + one + "\xff\xd1" + one + "\xff\xd2" + one))) == std::vector<int>(4, 9));
  refused(restarts(one + "\xff\xd0" + one + "\xff\xd1" + one + one), "2 restart marks, expected 3");
  const auto good = gray_jpeg(4, 4, std::vector<int>(16, 99));
  for (std::size_t length = 0; length < good.size(); ++length) refused(good.substr(0, length), "");
}

TEST_CASE("the scans of a progressive JPEG are those that the format needs") {
  const auto with = [](const std::string& scans, int side = 16) {
    return jpeg_file(jpeg_tables() + jpeg_frame(side, side, 1, 0xc2) + scans);
  };
  const std::string mean = jpeg_scan(1, 1, 0, 0) + jpeg_data({{9}, {80}, {7}, {200}}, false);
  CHECK(blocks(read(with(mean))) == std::vector<int>{9, 80, 7, 200});
  // Each coefficient alone, and its bits one by one: more than 200 scans of a small picture are right.
  std::string many = mean;
  for (int k = 1; k < 64; ++k)
    for (int low = 3; low >= 0; --low)
      many += jpeg_scan(1, 1, k, k, (low == 3 ? 0 : low + 1) << 4 | low) + std::string(1, '\0');
  CHECK(blocks(read(with(many))) == std::vector<int>{9, 80, 7, 200});
  refused(with(repeat(mean, 201)), "a second time");
  refused(with(jpeg_scan(1, 1, 1, 5) + std::string(1, '\0') + mean), "has details before its mean");
  refused(with(mean + jpeg_scan(1, 1, 1, 5, 0x10) + std::string(1, '\0')), "before those above them");
  refused(with(mean + jpeg_scan(1, 1, 1, 5, 0x31) + std::string(1, '\0')), "bits 3 to 1");
  refused(with(mean + jpeg_scan(1, 1, 5, 4)), "coefficients 5 to 4");
  refused(with(jpeg_scan(1, 1, 0, 5) + jpeg_data({{9}})), "coefficients 0 to 5");
  refused(with(mean + jpeg_scan(1, 1, 1, 64)), "coefficients 1 to 64");
  refused(with(jpeg_scan(1, 1, 0, 0) + "ab", 8192), "expected at least 131072 for 8192 x 8192 pixels");
  // 13 refinements of 63 coefficients one by one, by few bytes, over many blocks: more work than any picture needs
  std::string costly = jpeg_scan(1, 1, 0, 0) + std::string(131072, '\0');
  for (int k = 1; k < 64; ++k)
    for (int low = 13; low >= 0; --low)
      costly += jpeg_scan(1, 1, k, k, (low == 13 ? 0 : low + 1) << 4 | low) + std::string(1, '\0');
  refused(with(costly, 8192), "more scans than a picture of 8192 x 8192 pixels can need");
}

TEST_CASE("four components are ink by Adobe's mark, and refused without") {
  const auto ink = [](const std::vector<int>& values, const std::string& head) {
    return jpeg_file(head + jpeg_tables() + jpeg_frame(8, 8, 4) + jpeg_scan(1, 4) + jpeg_data({values}));
  };
  const auto adobe = [](char transform) {
    return jpeg_segment(0xee, std::string("Adobe\0\x64\0\0\0\0", 11) + transform);
  };
  const auto first = [](const gan::Image& image) { return Bytes(image.pixels.begin(), image.pixels.begin() + 3); };
  CHECK(first(read(ink({0, 255, 255, 255}, adobe(0)), 3)) == Bytes{0, 255, 255});
  CHECK(first(read(ink({76, 85, 255, 255}, adobe(2)), 3)) == Bytes{1, 255, 255});
  refused(ink({255, 0, 0, 0}, ""), "4 components without Adobe's mark");
  refused(ink({255, 0, 0, 0}, adobe(1)), "4 components without Adobe's mark");
}

TEST_CASE("a camera's note turns the picture, in all eight cases and both orders of bytes") {
  const std::vector<int> stored{10, 20, 30, 40, 50, 60};  // two rows of three
  const std::vector<std::vector<int>> shown{
      {10, 20, 30, 40, 50, 60}, {30, 20, 10, 60, 50, 40}, {60, 50, 40, 30, 20, 10}, {40, 50, 60, 10, 20, 30},
      {10, 40, 20, 50, 30, 60}, {40, 10, 50, 20, 60, 30}, {60, 30, 50, 20, 40, 10}, {30, 60, 20, 50, 10, 40}};
  const auto with = [&](const std::string& tiff) {
    return gray_jpeg(3, 2, stored, jpeg_segment(0xe1, std::string("Exif\0\0", 6) + tiff));
  };
  for (int orientation = 1; orientation <= 8; ++orientation)
    for (const bool little : {true, false}) {
      CAPTURE(orientation, little);
      const auto image = read(with(exif_data(orientation, little)), 3);
      CHECK(image.height == (orientation < 5 ? 16 : 24));
      CHECK(image.width == (orientation < 5 ? 24 : 16));
      CHECK(blocks(image) == shown[static_cast<std::size_t>(orientation - 1)]);
    }
  // A note that makes no sense leaves the picture as it is stored.
  const std::string six = exif_data(6, true);
  for (std::size_t length = 0; length + 8 < six.size(); ++length)
    CHECK(blocks(read(with(six.substr(0, length)))) == stored);
  for (const int orientation : {0, 9, 65535}) CHECK(blocks(read(with(exif_data(orientation, false)))) == stored);
  std::string far = six;
  far[7] = '\x7f';
  CHECK(blocks(read(with(far))) == stored);
}
