#include "gan/io/image_writer.hpp"

#include <limits>
#include <string>
#include <vector>

#include "gan/io/image_reader.hpp"
#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

using gan::Index;
using gan::Tensor;
using Bytes = std::vector<std::uint8_t>;

TEMPLATE_TEST_CASE("values become bytes: scaled, rounded, clamped, NaN black", "", float, double) {
  TemporaryFolder folder;
  using Limits = std::numeric_limits<TestType>;
  const Tensor<TestType> image({2, 4}, {-1, 1, 0, TestType(0.5), -3, 1e30f, Limits::quiet_NaN(), Limits::infinity()});
  gan::write_png(folder / "a.png", image);
  const auto read = gan::read_image(folder / "a.png", 1);
  CHECK(read.height == 2);
  CHECK(read.width == 4);
  CHECK(read.pixels == Bytes{0, 255, 128, 191, 0, 255, 0, 255});
  gan::write_png(folder / "a.png", image, 0, 0.5);
  CHECK(gan::read_image(folder / "a.png", 1).pixels == Bytes{0, 255, 0, 255, 0, 255, 0, 255});
}

TEST_CASE("color pictures keep their channels") {
  TemporaryFolder folder;
  gan::write_png(folder / "a.png", Tensor<float>({1, 2, 3}, {0, 0.2f, 0.4f, 0.6f, 0.8f, 1}), 0, 1);
  const auto read = gan::read_image(folder / "a.png", 3);
  CHECK(read.channels == 3);
  CHECK(read.pixels == Bytes{0, 51, 102, 153, 204, 255});
}

TEST_CASE("a grid places images row by row with padding and background") {
  TemporaryFolder folder;
  // Three images of 1 x 2 in two columns
  const Tensor<float> images({3, 1, 2, 1}, {0.1f, 0.2f, 0.3f, 0.4f, 0.5f, 0.6f});
  gan::write_grid(folder / "a.png", images, {.columns = 2, .padding = 1, .low = 0, .high = 1, .background = 1});
  const auto read = gan::read_image(folder / "a.png", 1);
  CHECK(read.height == 5);
  CHECK(read.width == 7);
  const std::uint8_t w = 255;
  CHECK(read.pixels == Bytes{w, w, w, w, w,   w,   w, w, 26, 51, w, 77, 102, w, w, w, w, w,
                             w, w, w, w, 128, 153, w, w, w,  w,  w, w,  w,   w, w, w, w});
}

TEST_CASE("grids are square when not told otherwise") {
  TemporaryFolder folder;
  const auto size = [&](Index count, Index columns) {
    gan::write_grid(folder / "a.png", Tensor<float>::zeros({count, 5, 5}), {.columns = columns, .padding = 0});
    const auto read = gan::read_image(folder / "a.png", 1);
    return std::pair{read.height / 5, read.width / 5};
  };
  using Size = std::pair<Index, Index>;
  CHECK(size(1, 0) == Size{1, 1});
  CHECK(size(9, 0) == Size{3, 3});
  CHECK(size(10, 0) == Size{3, 4});
  CHECK(size(17, 0) == Size{4, 5});
  CHECK(size(10, 3) == Size{4, 3});
  CHECK(size(2, 10) == Size{1, 2});
  gan::write_grid(folder / "a.png", Tensor<double>::zeros({4, 3, 3, 3}));
  CHECK(gan::read_image(folder / "a.png").width == 2 * 3 + 3 * 2);
}

TEST_CASE("pictures that cannot be written are errors, and the old file stays") {
  TemporaryFolder folder;
  const auto path = folder / "a.png";
  put(path, "old");
  const auto zeros = [](const gan::Shape& shape) { return Tensor<float>::zeros(shape); };
  REQUIRE_THROWS_WITH(gan::write_png(path, zeros({4})), ContainsSubstring("a.png") && ContainsSubstring("shape [4]"));
  REQUIRE_THROWS_AS(gan::write_png(path, zeros({4, 4, 2})), gan::Error);
  REQUIRE_THROWS_AS(gan::write_png(path, zeros({0, 4})), gan::Error);
  REQUIRE_THROWS_WITH(gan::write_grid(path, zeros({0, 4, 4, 1})), ContainsSubstring("[0, 4, 4, 1]"));
  REQUIRE_THROWS_AS(gan::write_grid(path, zeros({2, 784})), gan::Error);
  REQUIRE_THROWS_AS(gan::write_grid(path, zeros({2, 4, 4, 4})), gan::Error);
  REQUIRE_THROWS_AS(gan::write_grid(path, zeros({2, 4, 4}), {.columns = -1}), gan::Error);
  REQUIRE_THROWS_AS(gan::write_grid(path, zeros({2, 4, 4}), {.padding = -1}), gan::Error);
  REQUIRE_THROWS_WITH(gan::write_grid(path, zeros({2, 4, 4}), {.low = 1, .high = 1}), ContainsSubstring("low < high"));
  REQUIRE_THROWS_AS(gan::write_png(path, zeros({4, 4}), 0, std::numeric_limits<double>::infinity()), gan::Error);
  REQUIRE_THROWS_WITH(gan::write_grid(path, zeros({4, 1, 1}), {.padding = 1 << 24}), ContainsSubstring("too large"));
  REQUIRE_THROWS_WITH(gan::write_grid(path, zeros({4, 1, 1}), {.padding = 1 << 20}), ContainsSubstring("at most"));
  REQUIRE_THROWS_WITH(gan::write_png(path / "b.png", zeros({2, 2})), ContainsSubstring("b.png: cannot"));
  FileSizeLimit limit(10);
  REQUIRE_THROWS_WITH(gan::write_png(path, zeros({2, 2})), ContainsSubstring("a.png: cannot write"));
  CHECK(contents(path) == "old");
  CHECK(folder.entries() == 1);
}

TEST_CASE("names that are no names of PNG files are refused, others are written byte for byte") {
  TemporaryFolder folder;
  const auto picture = Tensor<float>::zeros({2, 2});
  for (const char* name : {"a.jpg", "a", "a.png.txt", ".png", "a.png/", "a.webp"})
    REQUIRE_THROWS_WITH(gan::write_png(folder / name, picture),
                        ContainsSubstring((folder / name).string()) && ContainsSubstring("ends in .png"));
  REQUIRE_THROWS_WITH(gan::write_grid("", Tensor<float>::zeros({1, 2, 2})), ContainsSubstring("ends in .png"));
  CHECK(folder.entries() == 0);
  const std::string strange = "\xff\xfe \xc3\xbc\n.PNG";  // not UTF-8
  gan::write_png(folder / strange, picture);
  CHECK(gan::read_image(folder / strange).width == 2);
  const std::string longest = std::string(251, 'n') + ".png";
  gan::write_png(folder / longest, picture);
  CHECK(std::filesystem::exists(folder / longest));
  REQUIRE_THROWS_WITH(gan::write_png(folder / ("n" + longest), picture),
                      ContainsSubstring("n.png: cannot") && ContainsSubstring("File name too long"));
  CHECK(folder.entries() == 2);
}
