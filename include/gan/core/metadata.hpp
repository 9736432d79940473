// Counters and states of random generators as text, for the metadata of checkpoints.
#pragma once

#include <array>
#include <bit>
#include <charconv>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "gan/core/error.hpp"
#include "gan/core/finite.hpp"
#include "gan/core/random.hpp"

namespace gan {

/// Name and value of every option, in the order in which differences are told.
using OptionTexts = std::vector<std::pair<std::string, std::string>>;

/// "seed stream position".
inline std::string to_text(const RngState& state) {
  return std::to_string(state.seed) + " " + std::to_string(state.stream) + " " + std::to_string(state.position);
}

/// A learning rate bit for bit, as a whole number: what a program has set need not be short in decimals.
inline std::string rate_bits(double rate) { return std::to_string(std::bit_cast<std::uint64_t>(rate)); }

/// Reads values out of a map of texts. Throws, naming `what` and the key, when one is missing or is not a number.
class MetadataReader {
 public:
  MetadataReader(std::string what, const std::map<std::string, std::string>& values)
      : what_(std::move(what)), values_(values) {}

  /// A whole number, 0 to 2^62: a run may add to it what it likes.
  Index count(const std::string& key) const {
    const auto [number] = numbers<1>(key);
    check(number <= std::uint64_t{1} << 62, what_, ": \"", key, "\" is \"", number,
          "\", too large for a count, expected at most 2^62");
    return static_cast<Index>(number);
  }

  /// Any number of 64 bits.
  std::uint64_t seed(const std::string& key) const { return numbers<1>(key)[0]; }

  /// A learning rate, written by rate_bits.
  double rate(const std::string& key) const {
    const double value = std::bit_cast<double>(seed(key));
    check(is_finite(value) && value >= 0, what_, ": \"", key, "\" is \"", values_.at(key),
          "\", expected the bits of a finite number, 0 or more");
    return value;
  }

  RngState rng(const std::string& key) const {
    const auto [seed, stream, position] = numbers<3>(key);
    return {seed, stream, position};
  }

 private:
  template <std::size_t n>
  std::array<std::uint64_t, n> numbers(const std::string& key) const {
    const auto found = values_.find(key);
    check(found != values_.end(), what_, ": \"", key, "\" is missing from its metadata");
    std::array<std::uint64_t, n> result{};
    const char *at = found->second.data(), *end = at + found->second.size();
    for (std::size_t i = 0; i < n; ++i) {
      if (i > 0 && at != end && *at == ' ') ++at;
      const auto [next, error] = std::from_chars(at, end, result[i]);
      check(error == std::errc() && (i + 1 < n || next == end), what_, ": \"", key, "\" is \"", found->second,
            "\", expected ", n, " whole numbers");
      at = next;
    }
    return result;
  }

  std::string what_;
  const std::map<std::string, std::string>& values_;
};

}  // namespace gan
