#include "gan/data/image_folder.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "gan/io/image_writer.hpp"
#include "support/catch.hpp"
#include "support/image_bytes.hpp"
#include "support/temporary_folder.hpp"
#include "support/warnings.hpp"

namespace fs = std::filesystem;
using gan::Index;
using gan::test::CollectWarnings;
using gan::test::gray_jpeg;

namespace {

void put_png(const fs::path& path, Index height, Index width, int level) {
  gan::write_png(path, gan::Tensor<float>::full({height, width, 3}, float(level)), 0, 255);
}

/// The names of the pictures found, one after the other.
std::string names(const fs::path& folder, bool recursive = true) {
  std::string all;
  for (const auto& path : gan::find_images(folder, recursive)) all += path.lexically_relative(folder).string() + " ";
  return all;
}

}  // namespace

TEST_CASE("a folder of pictures is a dataset in the order of the names") {
  TemporaryFolder folder;
  put_png(folder / "b.png", 20, 30, 0);
  put(folder / "a.JPG", gray_jpeg(1, 4, {255, 255, 255, 255}));
  put_png(folder / "c.png", 4, 4, 51);
  fs::rename(folder / "c.png", folder / "c.jpeg");  // the content counts
  put(folder / "notes.txt", "not a picture");
  fs::create_directories(folder / "below" / "deep.png");
  put_png(folder / "below" / "deep.png" / "d.png", 4, 4, 255);
  const gan::ImageFolderOptions options{.height = 8, .width = 6, .range = gan::PixelRange::zero_to_one};
  const auto data = gan::load_image_folder<float>(folder.path(), options);
  CHECK(data.size() == 3);
  CHECK(data.item_shape() == gan::Shape{8, 6, 3});
  const auto all = data.gather(std::vector<Index>{0, 1, 2});
  CHECK(all.at({0, 4, 4, 1}) == 1);
  CHECK(all.at({1, 4, 4, 1}) == 0);
  CHECK(all.at({2, 7, 5, 2}) == Approx(0.2));
  const auto gray =
      gan::load_image_folder<double>(folder.path(), {.height = 4, .width = 4, .channels = 1, .recursive = true});
  CHECK(gray.size() == 4);
  CHECK(gray.item_shape() == gan::Shape{4, 4, 1});

  put(folder / "ab.png", "broken");
  put(folder / "bb.png", "broken");
  REQUIRE_THROWS_WITH(gan::load_image_folder<float>(folder.path(), options),
                      ContainsSubstring("ab.png: expected a PNG"));
}

TEST_CASE("links to folders are followed, and may go round") {
  TemporaryFolder folder;
  fs::create_directories(folder / "data" / "cats");
  fs::create_directories(folder / "elsewhere" / "dogs");
  for (int i = 0; i < 3; ++i) put_png(folder / "data" / "cats" / (std::to_string(i) + ".png"), 4, 4, i);
  for (int i = 0; i < 4; ++i) put_png(folder / "elsewhere" / "dogs" / (std::to_string(i) + ".png"), 4, 4, i);
  fs::create_symlink("../elsewhere/dogs", folder / "data" / "dogs");
  fs::create_symlink("cats/0.png", folder / "data" / "one.png");
  CHECK(names(folder / "data") ==
        "cats/0.png cats/1.png cats/2.png dogs/0.png dogs/1.png dogs/2.png dogs/3.png one.png ");
  CHECK(gan::load_image_folder<float>(folder / "data", {.height = 4, .width = 4, .recursive = true}).size() == 8);
  CHECK(names(folder / "data", false) == "one.png ");
  // Back to the start, and a second way into the same folder
  fs::create_symlink("..", folder / "data" / "cats" / "up");
  fs::create_symlink("../data", folder / "elsewhere" / "round");
  fs::create_symlink("cats", folder / "data" / "again");
  CHECK(gan::find_images(folder / "data", true).size() == 8);
  // A folder of links only, and a link as the folder
  fs::create_directory(folder / "links");
  fs::create_symlink(folder / "data" / "cats", folder / "links" / "x");
  fs::create_symlink(folder / "elsewhere", folder / "links" / "y");
  CHECK(gan::find_images(folder / "links", true).size() == 8);
  fs::create_symlink("data", folder / "start");
  CHECK(gan::find_images(folder / "start", true).size() == 8);
}

TEST_CASE("hidden files are left out, and pictures of other formats are counted") {
  TemporaryFolder folder;
  put_png(folder / "a.png", 4, 4, 1);
  for (const char* name : {"._a.png", ".hidden.jpg", "b.webp", "c.WEBP", "d.bmp", "notes.txt"}) put(folder / name, "x");
  fs::create_directory(folder / ".thumbnails");
  put(folder / ".thumbnails" / "a.png", "x");
  CollectWarnings warnings;
  CHECK(names(folder.path()) == "a.png ");
  REQUIRE(warnings.texts().size() == 1);
  CHECK(warnings.count("3 pictures of other formats than PNG and JPEG were left out (1 .bmp, 2 .webp)") == 1);
  CHECK(warnings.count(folder.path().string()) == 1);
}

TEST_CASE("a picture that cannot be read ends the load at once, or is skipped and counted") {
  TemporaryFolder folder;
  for (int i = 10; i < 40; ++i) put_png(folder / (std::to_string(i) + ".png"), 4, 4, i);
  put(folder / "15.png", "broken");
  put(folder / "25.png", contents(folder / "20.png").substr(0, 60));
  REQUIRE(mkfifo((folder / "30.jpg").c_str(), 0600) == 0);
  const gan::ImageFolderOptions strict{.height = 4, .width = 4, .channels = 1, .range = gan::PixelRange::zero_to_one};
  for (int i = 0; i < 5; ++i)
    REQUIRE_THROWS_WITH(gan::load_image_folder<float>(folder.path(), strict), ContainsSubstring("15.png: expected"));
  auto lenient = strict;
  lenient.broken = gan::Broken::skip;
  CollectWarnings warnings;
  const auto data = gan::load_image_folder<float>(folder.path(), lenient);
  CHECK(data.size() == 28);
  CHECK(warnings.count("3 of 31 pictures cannot be read and were left out, the first: ") == 1);
  CHECK(warnings.count("15.png: expected a PNG or JPEG") == 1);
  std::vector<int> levels;
  for (Index i = 0; i < data.size(); ++i)
    levels.push_back(static_cast<int>(std::lround(255 * data.gather(std::vector<Index>{i}).at({0, 0, 0, 0}))));
  std::vector<int> expected;
  for (int i = 10; i < 40; ++i)
    if (i != 15 && i != 25) expected.push_back(i);
  CHECK(levels == expected);
  TemporaryFolder bad;
  put(bad / "a.png", "x");
  REQUIRE_THROWS_WITH(gan::load_image_folder<float>(bad.path(), lenient), ContainsSubstring("none of 1 pictures"));
}

TEST_CASE("a folder below that cannot be read is named itself") {
  if (geteuid() == 0) {
    WARN("skipped: root reads everything");
    return;
  }
  TemporaryFolder folder;
  fs::create_directories(folder / "a" / "shut");
  fs::permissions(folder / "a" / "shut", fs::perms::none);
  REQUIRE_THROWS_WITH(gan::find_images(folder.path(), true),
                      ContainsSubstring("cannot read") && ContainsSubstring("a/shut"));
  fs::permissions(folder / "a" / "shut", fs::perms::owner_all);
}

TEST_CASE("threads share one budget of memory, and more than the budget is taken alone") {
  gan::MemoryBudget budget(100);
  std::atomic<int> taken{0}, most{0}, alone{0};
  const auto work = [&](int bytes) {
    for (int i = 0; i < 200; ++i) {
      const gan::MemoryBudget::Share share(budget, static_cast<std::uint64_t>(bytes));
      const int now = taken += bytes;
      if (bytes > 100 && now == bytes) ++alone;
      for (int seen = most; bytes <= 100 && now > seen && !most.compare_exchange_weak(seen, now);) {
      }
      std::this_thread::yield();
      taken -= bytes;
    }
  };
  std::vector<std::thread> threads;
  for (const int bytes : {30, 40, 60, 100, 1000}) threads.emplace_back(work, bytes);
  for (auto& thread : threads) thread.join();
  CHECK(most <= 100);
  CHECK(alone == 200);

  TemporaryFolder folder;
  for (int i = 0; i < 8; ++i) put_png(folder / (std::to_string(i) + ".png"), 30, 30, i);
  for (const Index memory : {1, 10'000, 100'000})
    CHECK(gan::load_image_folder<float>(folder.path(), {.height = 4, .width = 4, .memory = memory}).size() == 8);
  REQUIRE_THROWS_WITH(gan::load_image_folder<float>(folder.path(), {.memory = 0}),
                      ContainsSubstring("0 bytes of memory"));
}

TEST_CASE("folders are classes by their names") {
  TemporaryFolder folder;
  for (const char* name : {"owls", "cats", "dogs/small", "dogs/large", ".hidden"})
    fs::create_directories(folder / "data" / name);
  const fs::path data_folder = folder / "data";
  put_png(data_folder / "owls" / "a.png", 4, 4, 0);
  put_png(data_folder / "cats" / "z.png", 4, 4, 51);
  put_png(data_folder / "dogs" / "b.png", 4, 4, 102);
  put_png(data_folder / "dogs" / "small" / "a.png", 4, 4, 153);
  put_png(data_folder / "dogs" / "large" / "a.png", 4, 4, 204);
  put(data_folder / "notes.txt", "not a picture");
  gan::ImageFolderOptions options{
      .height = 2, .width = 2, .range = gan::PixelRange::zero_to_one, .classes = true, .memory = 1000};
  for (const fs::path& from : {data_folder, data_folder / ""}) {
    const auto data = gan::load_image_folder<float>(from, options);
    CHECK(data.class_names() == std::vector<std::string>{"cats", "dogs", "owls"});
    CHECK(data.classes() == 3);
    const auto labels = data.labels();
    CHECK(std::vector<Index>(labels.begin(), labels.end()) == std::vector<Index>{0, 1, 1, 1, 2});
    const auto all = data.gather(std::vector<Index>{0, 1, 4});
    CHECK(all.at({0, 0, 0, 0}) == Approx(0.2));
    CHECK(all.at({1, 0, 0, 0}) == Approx(0.4));
    CHECK(all.at({2, 0, 0, 0}) == 0);
  }

  put(data_folder / "cats" / "broken.png", "broken");
  REQUIRE_THROWS_WITH(gan::load_image_folder<float>(data_folder, options), ContainsSubstring("broken.png"));
  options.broken = gan::Broken::skip;
  {
    const CollectWarnings warnings;
    const auto data = gan::load_image_folder<float>(data_folder, options);
    const auto labels = data.labels();
    CHECK(std::vector<Index>(labels.begin(), labels.end()) == std::vector<Index>{0, 1, 1, 1, 2});
    CHECK(data.gather(std::vector<Index>{0}).at({0, 0, 0, 0}) == Approx(0.2));
  }

  fs::create_directories(data_folder / "newts");
  REQUIRE_THROWS_WITH(gan::load_image_folder<float>(data_folder, options),
                      ContainsSubstring("no pictures of class \"newts\", one of 4"));
  put_png(data_folder / "stray.png", 4, 4, 0);
  REQUIRE_THROWS_WITH(
      gan::load_image_folder<float>(data_folder, options),
      ContainsSubstring("1 of 7 pictures have no class, the first: stray.png") && ContainsSubstring("the 4 classes"));
  put_png(folder / "flat.png", 4, 4, 0);
  fs::remove_all(data_folder);
  REQUIRE_THROWS_WITH(gan::load_image_folder<float>(folder.path(), options),
                      ContainsSubstring("expected a folder for each class, found none"));
}

TEST_CASE("folders without pictures and bad sizes are errors") {
  TemporaryFolder folder;
  REQUIRE_THROWS_WITH(gan::load_image_folder<float>(folder.path()),
                      ContainsSubstring(folder.path().string()) && ContainsSubstring("found none"));
  REQUIRE_THROWS_WITH(gan::load_image_folder<float>(folder / "none"), ContainsSubstring("none: cannot read it"));
  REQUIRE_THROWS_WITH(gan::load_image_folder<float>(folder.path(), {.height = 0}), ContainsSubstring("size 0 x 64"));
  REQUIRE_THROWS_WITH(gan::load_image_folder<float>(folder.path(), {.channels = 2}), ContainsSubstring("2 channels"));
}
