// Philox4x32-10, the block function under all random numbers: one block, and many at a time as vector code.
#pragma once

#include <array>
#include <cstdint>

namespace gan {

/// The block function Philox4x32-10: 128 bits of counter and 64 bits of key -> 128 random bits.
/// Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011.
constexpr std::array<std::uint32_t, 4> philox4x32_10(std::array<std::uint32_t, 4> counter,
                                                     std::array<std::uint32_t, 2> key);

namespace detail {

/// Blocks are made 32 at a time, word by word, so that plain loops over the lanes become vector code (compilers unroll
/// shorter loops before they vectorize, and then vectorize worse).
inline constexpr int philox_lanes = 32;
struct alignas(64) PhiloxChunk {
  std::uint32_t word[4][philox_lanes];
};

constexpr std::uint32_t low_word(std::uint64_t x) { return static_cast<std::uint32_t>(x); }
constexpr std::uint32_t high_word(std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32); }
constexpr std::uint64_t join(std::uint32_t high, std::uint32_t low) { return std::uint64_t{high} << 32 | low; }

constexpr void philox_round(std::uint32_t& a, std::uint32_t& b, std::uint32_t& c, std::uint32_t& d, std::uint32_t key0,
                            std::uint32_t key1) {
  const std::uint64_t p = std::uint64_t{0xD2511F53u} * a, q = std::uint64_t{0xCD9E8D57u} * c;
  a = high_word(q) ^ b ^ key0;
  b = low_word(q);
  c = high_word(p) ^ d ^ key1;
  d = low_word(p);
}

constexpr std::uint32_t weyl(std::uint32_t key, std::uint32_t step, int round) {
  return key + step * static_cast<std::uint32_t>(round);
}
inline constexpr std::uint32_t weyl0 = 0x9E3779B9u, weyl1 = 0xBB67AE85u;

/// The blocks with key `seed` and counter (position, stream), at position ... position + 31.
inline PhiloxChunk philox_chunk(std::uint64_t seed, std::uint64_t stream, std::uint64_t position) {
  PhiloxChunk chunk;
  auto& [a, b, c, d] = chunk.word;
  for (int i = 0; i < philox_lanes; ++i) {
    const std::uint64_t at = position + static_cast<std::uint64_t>(i);
    a[i] = low_word(at), b[i] = high_word(at), c[i] = low_word(stream), d[i] = high_word(stream);
  }
  for (int round = 0; round < 10; ++round) {
    const std::uint32_t key0 = weyl(low_word(seed), weyl0, round);
    const std::uint32_t key1 = weyl(high_word(seed), weyl1, round);
    for (int i = 0; i < philox_lanes; ++i) philox_round(a[i], b[i], c[i], d[i], key0, key1);
  }
  return chunk;
}

}  // namespace detail

/// High half of the 128-bit product, in standard C++.
constexpr std::uint64_t multiply_high(std::uint64_t x, std::uint64_t y) {
  const std::uint64_t x0 = detail::low_word(x), x1 = detail::high_word(x), y0 = detail::low_word(y),
                      y1 = detail::high_word(y);
  const std::uint64_t middle = x1 * y0 + detail::high_word(x0 * y0);
  return x1 * y1 + detail::high_word(middle) + detail::high_word(x0 * y1 + detail::low_word(middle));
}

constexpr std::array<std::uint32_t, 4> philox4x32_10(std::array<std::uint32_t, 4> counter,
                                                     std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round)
    detail::philox_round(counter[0], counter[1], counter[2], counter[3], detail::weyl(key[0], detail::weyl0, round),
                         detail::weyl(key[1], detail::weyl1, round));
  return counter;
}

}  // namespace gan
