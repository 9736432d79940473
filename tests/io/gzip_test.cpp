// The library as it is where zlib was not found: in a namespace of another name, beside the one of the other tests.
#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

#undef GAN_HAS_ZLIB
#define gan gan_without_zlib
#include "gan/io/idx.hpp"

TEST_CASE("without zlib, compressed files are refused with the remedy") {
  TemporaryFolder folder;
  put(folder / "a.gz", "\x1f\x8b\x08 and more");
  REQUIRE_THROWS_WITH(gan::read_idx(folder / "a.gz"),
                      ContainsSubstring("a.gz") && ContainsSubstring("gzip -d") && ContainsSubstring("zlib1g-dev"));
  gan::write_idx(folder / "plain", {2}, std::vector<std::uint8_t>{1, 2});
  CHECK(gan::read_idx(folder / "plain").bytes == std::vector<std::uint8_t>{1, 2});
}
