#include "gan/core/file.hpp"

#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

#ifndef _WIN32
#include <sys/stat.h>
#endif

namespace fs = std::filesystem;

TEST_CASE("a written file appears at commit, as a whole") {
  TemporaryFolder folder;
  const auto path = folder / "file";
  put(path, "old");
  {
    gan::AtomicFile file(path);
    file.write("new text", 8);
    CHECK(contents(path) == "old");
    file.commit();
  }
  CHECK(contents(path) == "new text");
  CHECK(folder.entries() == 1);
  gan::write_file(folder / "empty", nullptr, 0);
  CHECK(fs::file_size(folder / "empty") == 0);
}

TEST_CASE("a file that is not committed leaves the old one and no temporary") {
  TemporaryFolder folder;
  put(folder / "file", "old");
  {
    gan::AtomicFile file(folder / "file");
    file.write("new", 3);
    CHECK(folder.entries() == 2);
  }
  CHECK(contents(folder / "file") == "old");
  CHECK(folder.entries() == 1);
}

TEST_CASE("a relative name and the longest name are written") {
  TemporaryFolder folder;
  const auto before = fs::current_path();
  fs::current_path(folder.path());
  gan::write_file("plain", "x", 1);
  gan::write_file(std::string(255, 'n'), "y", 1);
  fs::current_path(before);
  CHECK(contents(folder / "plain") == "x");
  CHECK(contents(folder / std::string(255, 'n')) == "y");
}

TEST_CASE("writing to a bad path is an error with the path") {
  TemporaryFolder folder;
  put(folder / "file", "old");
  REQUIRE_THROWS_WITH(gan::write_file(folder / "file" / "below", "x", 1),
                      ContainsSubstring("below") && ContainsSubstring("Not a directory"));
  REQUIRE_THROWS_WITH(gan::write_file(folder / "missing" / "file", "x", 1), ContainsSubstring("No such file"));
  REQUIRE_THROWS_WITH(gan::write_file(folder.path(), "x", 1), ContainsSubstring("not a regular file"));
  REQUIRE_THROWS_AS(gan::write_file("", "x", 1), gan::Error);
  CHECK(contents(folder / "file") == "old");
  CHECK(folder.entries() == 1);
}

TEST_CASE("a link is followed, not replaced") {
  TemporaryFolder folder;
  fs::create_directory(folder / "far");
  put(folder / "far" / "target", "old");
  fs::create_symlink(folder / "far" / "target", folder / "link");
  gan::write_file(folder / "link", "new", 3);
  CHECK(fs::is_symlink(folder / "link"));
  CHECK(contents(folder / "far" / "target") == "new");
}

#ifndef _WIN32
TEST_CASE("a full disk is an error and leaves the old file") {
  TemporaryFolder folder;
  put(folder / "file", "old");
  const std::vector<char> much(1 << 20, 'x');
  {
    FileSizeLimit limit(1 << 16);
    REQUIRE_THROWS_WITH(gan::write_file(folder / "file", much.data(), much.size()),
                        ContainsSubstring((folder / "file").string()) && ContainsSubstring("cannot write: "));
  }
  // What is still in the buffer of the C library fails at the end.
  {
    FileSizeLimit limit(4);
    REQUIRE_THROWS_WITH(gan::write_file(folder / "file", much.data(), 100), ContainsSubstring("cannot write: "));
    REQUIRE_NOTHROW(gan::write_file(folder / "small", much.data(), 4));
  }
  CHECK(contents(folder / "file") == "old");
  CHECK(folder.entries() == 2);
}

TEST_CASE("a pipe is not read") {
  TemporaryFolder folder;
  REQUIRE(mkfifo((folder / "pipe").c_str(), 0600) == 0);
  REQUIRE_THROWS_WITH(gan::InputFile(folder / "pipe"), ContainsSubstring("not a regular file"));
  REQUIRE_THROWS_WITH(gan::write_file(folder / "pipe", "x", 1), ContainsSubstring("not a regular file"));
}
#endif

TEST_CASE("reading knows what is left") {
  TemporaryFolder folder;
  put(folder / "file", "abcdef");
  gan::InputFile file(folder / "file");
  char text[4]{};
  file.read(text, 4, "letters");
  CHECK(std::string(text, 4) == "abcd");
  CHECK(file.size() == 6);
  CHECK(file.remaining() == 2);
  REQUIRE_THROWS_WITH(file.read(text, 3, "letters"),
                      ContainsSubstring("file: truncated: expected 3 bytes of letters at byte 4, found 2"));
  REQUIRE_THROWS_WITH(gan::InputFile(folder / "none"), ContainsSubstring("none: cannot open: No such file"));
  REQUIRE_THROWS_WITH(gan::InputFile(folder.path()), ContainsSubstring("not a regular file"));
}

TEST_CASE("a file that became shorter is an error") {
  TemporaryFolder folder;
  put(folder / "file", "abcdef");
  gan::InputFile file(folder / "file");
  fs::resize_file(folder / "file", 2);
  char text[4];
  REQUIRE_THROWS_WITH(file.read(text, 4, "letters"), ContainsSubstring("became shorter"));
}

TEST_CASE("a folder for output is made, or refused at once") {
  TemporaryFolder folder;
  gan::check_writable_folder(folder / "a" / "b");
  CHECK(fs::is_directory(folder / "a" / "b"));
  CHECK(fs::is_empty(folder / "a" / "b"));
  gan::check_writable_folder(folder / "a" / "b");
  gan::check_writable_folder("");
  put(folder / "file", "");
  REQUIRE_THROWS_WITH(gan::check_writable_folder(folder / "file"), ContainsSubstring("file"));
  REQUIRE_THROWS_WITH(gan::check_writable_folder(folder / "file" / "below"), ContainsSubstring("Not a directory"));
#ifdef __linux__
  REQUIRE_THROWS_WITH(gan::check_writable_folder("/proc/self"), ContainsSubstring("folder /proc/self: cannot write"));
#endif
}
