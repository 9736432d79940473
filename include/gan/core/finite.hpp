// Finding NaN and infinity by their bits: under -ffast-math comparisons, and std::isfinite with them, find none.
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <concepts>
#include <cstdint>
#include <span>
#include <type_traits>

#include "gan/core/parallel.hpp"

namespace gan {

namespace detail {

template <std::floating_point T>
requires(sizeof(T) == 4 || sizeof(T) == 8) struct FloatBits {
  using Word = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  static constexpr Word exponent = sizeof(T) == 4 ? Word(0x7f800000u) : Word(0x7ff0000000000000u);
  static constexpr Word magnitude = Word(~Word(0)) >> 1;
};

}  // namespace detail

/// Whether x is neither NaN nor infinite, whatever the compiler was told to assume.
template <std::floating_point T>
constexpr bool is_finite(T x) {
  using Bits = detail::FloatBits<T>;
  return (std::bit_cast<typename Bits::Word>(x) & Bits::exponent) != Bits::exponent;
}

/// Whether x is NaN, likewise.
template <std::floating_point T>
constexpr bool is_nan(T x) {
  using Bits = detail::FloatBits<T>;
  return (std::bit_cast<typename Bits::Word>(x) & Bits::magnitude) > Bits::exponent;
}

/// Whether all values are finite, at the speed of memory.
template <std::floating_point T>
bool all_finite(std::span<const T> values) {
  using Bits = detail::FloatBits<T>;
  std::atomic<bool> finite{true};
  parallel_for(static_cast<Index>(values.size()), 1 << 15, [&](Index begin, Index end) {
    const T* const x = values.data();
    constexpr Index block = 1 << 12;  // asked now and then, so that an early NaN ends the search
    for (Index from = begin; from < end && finite.load(std::memory_order_relaxed); from += block) {
      typename Bits::Word bad = 0;
      for (Index i = from; i < std::min(from + block, end); ++i) {
        const auto bits = std::bit_cast<typename Bits::Word>(x[i]) & Bits::exponent;
        bad |= static_cast<typename Bits::Word>(bits == Bits::exponent);
      }
      if (bad) finite.store(false, std::memory_order_relaxed);
    }
  });
  return finite.load();
}

}  // namespace gan
