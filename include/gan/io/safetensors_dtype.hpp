// The kinds of numbers that a safetensors file may hold, and how they become float or double.
#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>

#include "gan/core/shape.hpp"

namespace gan::detail {

/// IEEE 754 binary16: 1 sign, 5 exponent, 10 mantissa bits.
inline float from_half(std::uint16_t bits) {
  const int exponent = bits >> 10 & 31, mantissa = bits & 1023;
  float value = 0;
  if (exponent == 31)
    value = mantissa == 0 ? std::numeric_limits<float>::infinity() : std::numeric_limits<float>::quiet_NaN();
  else
    value = std::ldexp(static_cast<float>(exponent == 0 ? mantissa : mantissa + 1024), std::max(exponent, 1) - 25);
  return bits >> 15 ? -value : value;
}

/// The upper half of a float.
inline float from_bfloat16(std::uint16_t bits) { return std::bit_cast<float>(std::uint32_t{bits} << 16); }

/// A kind of number: its name in the format, its size, and how `count` of them become T, rounded to the nearest.
template <std::floating_point T>
struct SafetensorsDtype {
  std::string_view name;
  std::uint64_t bytes;
  void (*convert)(const unsigned char* from, Index count, T* to);
};

template <std::floating_point T, class Stored, auto Value>
constexpr SafetensorsDtype<T> safetensors_dtype_of(std::string_view name) {
  return {name, sizeof(Stored), [](const unsigned char* from, Index count, T* to) {
            for (Index i = 0; i < count; ++i) {
              Stored stored;
              std::memcpy(&stored, from + static_cast<std::size_t>(i) * sizeof stored, sizeof stored);
              to[i] = static_cast<T>(Value(stored));
            }
          }};
}

template <std::floating_point T>
constexpr auto safetensors_dtypes() {
  constexpr auto same = [](auto x) { return x; };
  return std::array{safetensors_dtype_of<T, std::uint16_t, from_half>("F16"),
                    safetensors_dtype_of<T, std::uint16_t, from_bfloat16>("BF16"),
                    safetensors_dtype_of<T, float, same>("F32"),
                    safetensors_dtype_of<T, double, same>("F64"),
                    safetensors_dtype_of<T, std::uint8_t, [](std::uint8_t x) { return x != 0; }>("BOOL"),
                    safetensors_dtype_of<T, std::int8_t, same>("I8"),
                    safetensors_dtype_of<T, std::uint8_t, same>("U8"),
                    safetensors_dtype_of<T, std::int16_t, same>("I16"),
                    safetensors_dtype_of<T, std::uint16_t, same>("U16"),
                    safetensors_dtype_of<T, std::int32_t, same>("I32"),
                    safetensors_dtype_of<T, std::uint32_t, same>("U32"),
                    safetensors_dtype_of<T, std::int64_t, same>("I64"),
                    safetensors_dtype_of<T, std::uint64_t, same>("U64")};
}

}  // namespace gan::detail
