// Counters and states of random generators as text, for the metadata of checkpoints.
#pragma once

#include <array>
#include <charconv>
#include <cstdint>
#include <limits>
#include <locale>
#include <map>
#include <sstream>
#include <string>
#include <utility>

#include "gan/core/error.hpp"
#include "gan/core/finite.hpp"
#include "gan/core/random.hpp"

namespace gan {

/// "seed stream position".
inline std::string to_text(const RngState& state) {
  return std::to_string(state.seed) + " " + std::to_string(state.stream) + " " + std::to_string(state.position);
}

/// The shortest text that reads back as this very number, whatever the locale.
inline std::string to_text(double value) {
  char text[32];
  const auto [end, error] = std::to_chars(text, text + sizeof text, value);
  return std::string(text, error == std::errc() ? end : text);
}

/// Reads values out of a map of texts. Throws, naming `what` and the key, when one is missing or is not a number.
class MetadataReader {
 public:
  MetadataReader(std::string what, const std::map<std::string, std::string>& values)
      : what_(std::move(what)), values_(values) {}

  /// A whole number, 0 or more.
  Index count(const std::string& key) const {
    const auto [number] = numbers<1>(key);
    check(number <= static_cast<std::uint64_t>(std::numeric_limits<Index>::max()), what_, ": \"", key, "\" is ", number,
          ", too large for a count");
    return static_cast<Index>(number);
  }

  /// Any number of 64 bits.
  std::uint64_t seed(const std::string& key) const { return numbers<1>(key)[0]; }

  /// A finite number.
  double number(const std::string& key) const {
    const auto found = values_.find(key);
    check(found != values_.end(), what_, ": \"", key, "\" is missing from its metadata");
    std::istringstream in(found->second);
    in.imbue(std::locale::classic());
    double value = 0;
    check((in >> value) && in.eof() && is_finite(value), what_, ": \"", key, "\" is \"", found->second,
          "\", expected a number");
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
