// A check sum over a whole safetensors file, kept in its own metadata.
#pragma once

#include <cstdint>
#include <string>

#include "gan/io/crc.hpp"

namespace gan::detail {

/// The metadata's key. Its value has 16 digits: the CRC-64 of the header's length, of the header with zeros in place of
/// these digits, and of the data, as they are in the file.
inline constexpr const char* checksum_key = "gan.crc64";
inline constexpr const char* blank_checksum = "0000000000000000";

/// The sum's digits: small hexadecimal, so that there is one way only to write it.
inline std::string checksum_text(const Crc64& crc) {
  std::string text;
  for (int shift = 60; shift >= 0; shift -= 4) text += "0123456789abcdef"[crc.value() >> shift & 15];
  return text;
}

/// Writes the value `after` in place of `before`; false where the header does not have it just so.
inline bool replace_checksum(std::string& header, const std::string& before, const std::string& after) {
  const std::string key = std::string("\"") + checksum_key + "\":\"";
  const auto at = header.find(key + before + '"');
  if (at == std::string::npos || before.size() != after.size()) return false;
  header.replace(at + key.size(), after.size(), after);
  return true;
}

/// Begins the sum of a file: length and text of its header, with the sum's own value blank.
inline Crc64 begin_checksum(const std::string& blank_header) {
  Crc64 crc;
  const std::uint64_t length = blank_header.size();
  crc.add(&length, sizeof length);
  crc.add(blank_header.data(), blank_header.size());
  return crc;
}

}  // namespace gan::detail
