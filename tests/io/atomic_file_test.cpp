#include "gan/io/atomic_file.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <new>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

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

TEST_CASE("a link to a file that is not there yet is followed, too") {
  TemporaryFolder folder;
  fs::create_directory(folder / "far");
  fs::create_symlink("far/target", folder / "link");  // relative to the link's folder
  fs::create_symlink("../link", folder / "far" / "second");
  gan::write_file(folder / "far" / "second", "one", 3);
  CHECK(fs::is_symlink(folder / "link"));
  CHECK(fs::is_symlink(folder / "far" / "second"));
  CHECK(contents(folder / "far" / "target") == "one");
  gan::write_file(folder / "link", "two", 3);
  CHECK(contents(folder / "far" / "target") == "two");
  fs::create_symlink("b", folder / "a");
  fs::create_symlink("a", folder / "b");
  REQUIRE_THROWS_WITH(gan::write_file(folder / "a", "x", 1), ContainsSubstring("/a: cannot follow the link"));
  fs::create_symlink("nowhere/target", folder / "lost");
  REQUIRE_THROWS_WITH(gan::write_file(folder / "lost", "x", 1), ContainsSubstring("No such file"));
}

TEST_CASE("a file that is replaced keeps its permissions") {
  TemporaryFolder folder;
  for (const unsigned mode : {0600u, 0640u, 0444u, 0755u}) {
    put(folder / "file", "old");
    fs::permissions(folder / "file", fs::perms(mode));
    gan::write_file(folder / "file", "new", 3);
    CHECK(contents(folder / "file") == "new");
    CHECK(fs::status(folder / "file").permissions() == fs::perms(mode));
    fs::remove(folder / "file");
  }
}

TEST_CASE("temporaries are called .gan-<process>-<number>.tmp, and old ones of the same process are passed over") {
  TemporaryFolder folder;
  const std::string begin = ".gan-" + std::to_string(getpid()) + "-";
  fs::path name;
  {
    gan::AtomicFile file(folder / "file");
    name = fs::directory_iterator(folder.path())->path().filename();
    CHECK(name.string().find(begin) == 0);
    CHECK(name.extension() == ".tmp");
    const auto number = std::stoull(name.string().substr(begin.size()));
    CHECK(number > 1'000'000'000);  // not the first ones, which a killed process of the same number left
    put(folder / (begin + std::to_string(number + 1) + ".tmp"), "left");
    gan::AtomicFile second(folder / "second");
    second.write("x", 1);
    second.commit();
    CHECK(contents(folder / (begin + std::to_string(number + 1) + ".tmp")) == "left");
  }
  CHECK(contents(folder / "second") == "x");
}

TEST_CASE("memory that is not there is an error that says what for") {
  // As operator new and a container say it; asking for too much in earnest ends a program under AddressSanitizer.
  REQUIRE_THROWS_WITH(gan::detail::memory_for("a.idx", 7, []() -> int { throw std::bad_alloc(); }),
                      "a.idx: not enough memory for 7 bytes");
  REQUIRE_THROWS_WITH(gan::detail::memory_for("a.idx", 8, []() -> int { throw std::length_error("vector"); }),
                      "a.idx: not enough memory for 8 bytes");
  REQUIRE_THROWS_AS(gan::detail::memory_for("a.idx", 9, []() -> int { throw std::logic_error("other"); }),
                    std::logic_error);
  CHECK(gan::detail::memory_for("a.idx", 4, [] { return 5; }) == 5);
}

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
