#include "gan/io/idx.hpp"

#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

namespace {

std::string header(const std::vector<std::uint32_t>& lengths, int type = 8) {
  std::string text{'\0', '\0', static_cast<char>(type), static_cast<char>(lengths.size())};
  for (const std::uint32_t length : lengths)
    for (int shift = 24; shift >= 0; shift -= 8) text += static_cast<char>(length >> shift & 0xff);
  return text;
}

std::string text_of(const gan::IdxArray& array) { return {array.bytes.begin(), array.bytes.end()}; }

}  // namespace

TEST_CASE("IDX files of every rank come back as they were written") {
  TemporaryFolder folder;
  for (const gan::Shape& shape :
       {gan::Shape{5}, gan::Shape{2, 3}, gan::Shape{2, 3, 4}, gan::Shape{2, 1, 3, 300}, gan::Shape{0, 28, 28}}) {
    std::vector<std::uint8_t> bytes(static_cast<std::size_t>(shape.size()));
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i * 7);
    gan::write_idx(folder / "a", shape, bytes);
    const auto array = gan::read_idx(folder / "a");
    CHECK(array.shape == shape);
    CHECK(array.bytes == bytes);
  }
  gan::write_idx(folder / "b", {2, 258}, std::vector<std::uint8_t>(516, 9));
  CHECK(contents(folder / "b") == header({2, 258}) + std::string(516, 9));
}

TEST_CASE("IDX refuses what it cannot write") {
  TemporaryFolder folder;
  const std::vector<std::uint8_t> bytes(6);
  REQUIRE_THROWS_WITH(gan::write_idx(folder / "a", {2, 4}, bytes),
                      ContainsSubstring("6 bytes for shape [2, 4], expected 8"));
  REQUIRE_THROWS_AS(gan::write_idx(folder / "a", {}, std::vector<std::uint8_t>(1)), gan::Error);
  REQUIRE_THROWS_AS(gan::write_idx(folder / "a", {1, 1, 1, 2, 3}, bytes), gan::Error);
  CHECK(folder.entries() == 0);
}

TEST_CASE("broken IDX files are errors with file, expected and found") {
  TemporaryFolder folder;
  const auto path = folder / "broken";
  const auto fails = [&](const std::string& bytes, const std::string& message) {
    put(path, bytes);
    REQUIRE_THROWS_WITH(gan::read_idx(path), ContainsSubstring(path.string()) && ContainsSubstring(message));
  };
  fails("", "expected at least 4 bytes, found 0");
  fails("abcdefgh", "expected it to begin with two zero bytes, found 97 98");
  fails(header({2}, 13) + "ab", "expected IDX type 8 (unsigned byte), found 13");
  fails(header({}), "expected IDX of 1 to 4 axes, found 0");
  fails(header({1, 1, 1, 1, 1}) + "a", "expected IDX of 1 to 4 axes, found 5");
  fails(header({3, 2}) + "abcde", "truncated: the header's shape [3, 2] needs 6 bytes of data, found 5");
  fails(header({3, 2}) + "abcdefg", "trailing bytes: the header's shape [3, 2] needs 6 bytes of data, found 7");
  fails(header({0xffffffffu, 0xffffffffu}) + "a", "more elements than memory can hold");
  fails(header({0xffffffffu, 0xffffffffu, 0xffffffffu, 0xffffffffu}) + "a", "more elements than memory can hold");
  fails(header({0xffffffffu, 0xffffffffu, 0xffffffffu, 0}) + "a", "more elements than memory can hold");
  fails(header({0xffffffffu, 1000}) + "a", "needs 4294967295000 bytes of data, found 1");
  REQUIRE_THROWS_WITH(gan::read_idx(folder / "none"), ContainsSubstring("none: cannot open"));
  REQUIRE_THROWS_AS(gan::read_idx(folder.path()), gan::Error);

  const std::string good = header({3, 2}) + "abcdef";
  for (std::size_t length = 0; length < good.size(); ++length) fails(good.substr(0, length), "");
  put(path, good);
  CHECK(text_of(gan::read_idx(path)) == "abcdef");
}

#if defined(GAN_HAS_ZLIB) && GAN_HAS_ZLIB
namespace {

std::string gzip(const std::string& text) {
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string packed(deflateBound(&stream, static_cast<uLong>(text.size())) + 100, '\0');
  std::string copy = text;
  stream.next_in = reinterpret_cast<Bytef*>(copy.data());
  stream.avail_in = static_cast<uInt>(copy.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

}  // namespace

TEST_CASE("compressed IDX files are recognized by their bytes") {
  TemporaryFolder folder;
  std::string data;
  for (int i = 0; i < 3'000'000; ++i) data += static_cast<char>(static_cast<unsigned>(i) * 2654435761u >> 20);
  put(folder / "a", gzip(header({3000, 1000}) + data));
  const auto array = gan::read_idx(folder / "a");
  CHECK(array.shape == gan::Shape{3000, 1000});
  CHECK(text_of(array) == data);
  // gzip files may be joined.
  put(folder / "b", gzip(header({2, 3})) + gzip("abc") + gzip("") + gzip("def"));
  CHECK(text_of(gan::read_idx(folder / "b")) == "abcdef");
}

TEST_CASE("broken compressed IDX files are errors") {
  TemporaryFolder folder;
  const auto path = folder / "broken.gz";
  const auto fails = [&](const std::string& bytes, const std::string& message) {
    put(path, bytes);
    REQUIRE_THROWS_WITH(gan::read_idx(path), ContainsSubstring(path.string()) && ContainsSubstring(message));
  };
  fails(gzip("\0"), "expected 4 more bytes of IDX header");
  fails(gzip(header({3, 2}) + "abcde"), "needs 6 bytes of data, found 5 in the gzip data");
  fails(gzip(header({3, 2}) + "abcdefg"), "needs 6 bytes of data, found more");
  const std::string good = gzip(header({3, 20}) + "an array of bytes that deflate packs with matches, of bytes!");
  put(path, good);
  CHECK(gan::read_idx(path).bytes.size() == 60);
  fails(good + "garbage", "corrupt gzip data");
  for (std::size_t length = 0; length < good.size(); ++length) fails(good.substr(0, length), "");
  const auto right = text_of(gan::read_idx((put(path, good), path)));
  int errors = 0;
  for (std::size_t at = 0; at < good.size(); ++at)
    for (int bit = 0; bit < 8; ++bit) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ 1 << bit);
      put(path, bad);
      try {  // some bits of gzip's header mean nothing here
        const auto array = gan::read_idx(path);
        CHECK(text_of(array) == right);
      } catch (const gan::Error&) {
        ++errors;
      }
    }
  CHECK(errors > static_cast<int>(good.size() - 8) * 8);
}

TEST_CASE("compressed IDX files cannot take memory that they do not fill") {
  TemporaryFolder folder;
  put(folder / "claim", gzip(header({0xffffffffu, 16}) + "a"));
  REQUIRE_THROWS_WITH(gan::read_idx(folder / "claim"), ContainsSubstring("more than gzip can pack into a file of"));
  put(folder / "bomb", gzip(header({4}) + std::string(50'000'000, 'a')));
  REQUIRE_THROWS_WITH(gan::read_idx(folder / "bomb"), ContainsSubstring("trailing bytes"));
}
#endif
