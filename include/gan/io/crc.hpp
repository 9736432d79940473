// Cyclic redundancy checks: any single flipped bit, and any burst no longer than the check, changes the value.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace gan {

/// The remainder of bytes, lowest bit first, modulo a polynomial of Word's width (given with its bits reversed, without
/// its highest term); begun with ones and inverted at the end. Eight bytes a step by tables.
template <class Word, Word polynomial>
class Crc {
 public:
  void add(const void* from, std::size_t bytes) {
    static_assert(std::endian::native == std::endian::little, "eight bytes are read as one number");
    const auto* at = static_cast<const unsigned char*>(from);
    for (; bytes >= 8; bytes -= 8, at += 8) {
      std::uint64_t x;
      std::memcpy(&x, at, 8);
      x ^= state_;
      Word sum = 0;
      for (std::size_t i = 0; i < 8; ++i) sum ^= tables[7 - i][x >> (8 * i) & 255];
      state_ = sum;
    }
    for (; bytes > 0; --bytes) state_ = tables[0][(state_ ^ *at++) & 255] ^ state_ >> 8;
  }
  Word value() const { return ~state_; }

 private:
  /// tables[k][b]: what byte b becomes by k more bytes of zeros.
  static constexpr auto tables = [] {
    std::array<std::array<Word, 256>, 8> made{};
    for (std::size_t b = 0; b < 256; ++b) {
      Word x = static_cast<Word>(b);
      for (int bit = 0; bit < 8; ++bit) x = (x & 1) != 0 ? x >> 1 ^ polynomial : x >> 1;
      made[0][b] = x;
    }
    for (std::size_t k = 1; k < 8; ++k)
      for (std::size_t b = 0; b < 256; ++b) made[k][b] = made[0][made[k - 1][b] & 255] ^ made[k - 1][b] >> 8;
    return made;
  }();

  Word state_ = static_cast<Word>(~Word{0});
};

using Crc32 = Crc<std::uint32_t, 0xEDB88320u>;            ///< of PNG and gzip
using Crc64 = Crc<std::uint64_t, 0xC96C5795D7870F42ull>;  ///< of ECMA-182, as xz has it

}  // namespace gan
