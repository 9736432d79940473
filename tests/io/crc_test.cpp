#include "gan/io/crc.hpp"

#include <string>

#include "support/catch.hpp"

namespace {

template <class Crc>
auto crc_of(const std::string& text, std::size_t cut = 0) {
  Crc crc;
  crc.add(text.data(), cut);
  crc.add(text.data() + cut, text.size() - cut);
  return crc.value();
}

}  // namespace

TEST_CASE("check values are the published ones, however the bytes are cut") {
  const std::string nine = "123456789";
  CHECK(crc_of<gan::Crc32>(nine) == 0xcbf43926u);
  CHECK(crc_of<gan::Crc64>(nine) == 0x995dc9bbdf1939faull);
  CHECK(crc_of<gan::Crc32>("") == 0);
  const std::string text = "forty-two bytes of text for the tables of 8";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    CHECK(crc_of<gan::Crc32>(text, cut) == crc_of<gan::Crc32>(text));
    CHECK(crc_of<gan::Crc64>(text, cut) == crc_of<gan::Crc64>(text));
  }
}
