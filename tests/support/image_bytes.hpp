// PNG and JPEG files put together byte by byte, right ones and wrong ones.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gan/io/crc.hpp"

namespace gan::test {

inline std::string big_endian(std::uint64_t value, int bytes) {
  std::string text;
  for (int i = bytes - 1; i >= 0; --i) text += static_cast<char>(value >> (8 * i) & 255);
  return text;
}
inline std::string repeat(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

// PNG

inline std::string png_chunk(const std::string& type, const std::string& data) {
  const std::string body = type + data;
  Crc32 crc;
  crc.add(body.data(), body.size());
  return big_endian(data.size(), 4) + body + big_endian(crc.value(), 4);
}
inline std::string png_header(std::uint64_t width, std::uint64_t height, int color, int depth, int interlaced = 0) {
  return png_chunk("IHDR", big_endian(width, 4) + big_endian(height, 4) + static_cast<char>(depth) +
                               static_cast<char>(color) + std::string(2, '\0') + static_cast<char>(interlaced));
}
/// zlib data of up to 65,535 bytes as they are, not compressed. (The decoder does not look at their sum.)
inline std::string stored(const std::string& data) {
  std::string text = "\x78\x01\x01";
  for (const std::uint64_t n : {data.size(), data.size() ^ 0xffff}) {
    text += static_cast<char>(n & 255);
    text += static_cast<char>(n >> 8 & 255);
  }
  return text + data + std::string(4, '\0');
}
/// A whole file of chunks between signature and end.
inline std::string png_file(const std::string& chunks) { return "\x89PNG\r\n\x1a\n" + chunks + png_chunk("IEND", ""); }

// JPEG: blocks of 8 x 8 with one value each

inline std::string jpeg_segment(int marker, const std::string& data) {
  return "\xff" + big_endian(static_cast<std::uint64_t>(marker), 1) + big_endian(data.size() + 2, 2) + data;
}
/// The names of the components are 1, 2 ...; one sample a pixel.
inline std::string jpeg_frame(int width, int height, int components, int marker = 0xc0) {
  std::string data = big_endian(8, 1) + big_endian(static_cast<std::uint64_t>(height), 2) +
                     big_endian(static_cast<std::uint64_t>(width), 2) + static_cast<char>(components);
  for (int i = 1; i <= components; ++i) data += static_cast<char>(i) + std::string("\x11\0", 2);
  return jpeg_segment(marker, data);
}
/// A table of 64 times 8: a block's mean is its first coefficient.
inline std::string jpeg_quantization() { return jpeg_segment(0xdb, std::string(1, '\0') + std::string(64, '\x08')); }
/// Differences of up to 9 bits, and one code for "nothing more in this block".
inline std::string jpeg_mean_table() {
  std::string data("\0\0\1\5\1\1\1\1\1\1\0\0\0\0\0\0\0", 17);
  for (char i = 0; i < 12; ++i) data += i;
  return jpeg_segment(0xc4, data);
}
inline std::string jpeg_detail_table() {
  return jpeg_segment(0xc4, std::string("\x10\1", 2) + std::string(15, '\0') + std::string(1, '\0'));
}
inline std::string jpeg_tables() { return jpeg_quantization() + jpeg_mean_table() + jpeg_detail_table(); }
/// The start of a scan of components `first` to `last`.
inline std::string jpeg_scan(int first, int last, int from = 0, int to = 63, int bits = 0) {
  std::string data(1, static_cast<char>(last - first + 1));
  for (int i = first; i <= last; ++i) data += static_cast<char>(i) + std::string(1, '\0');
  return jpeg_segment(0xda, data + static_cast<char>(from) + static_cast<char>(to) + static_cast<char>(bits));
}
/// The bits of blocks with these values, the components of each block one after the other.
inline std::string jpeg_data(const std::vector<std::vector<int>>& blocks, bool details = true) {
  constexpr const char* codes[] = {"00", "010", "011", "100", "101", "110", "1110", "11110", "111110", "1111110"};
  std::string bits;
  std::vector<int> last(4, 128);
  for (const auto& block : blocks)
    for (std::size_t c = 0; c < block.size(); ++c) {
      const int difference = block[c] - last[c];
      last[c] = block[c];
      int size = 0;
      while (std::abs(difference) >> size != 0) ++size;
      bits += codes[size];
      const int value = difference > 0 ? difference : difference + (1 << size) - 1;
      for (int i = size - 1; i >= 0; --i) bits += (value >> i & 1) != 0 ? '1' : '0';
      if (details) bits += '0';
    }
  while (bits.size() % 8 != 0) bits += '1';
  std::string data;
  for (std::size_t i = 0; i < bits.size(); i += 8) {
    int byte = 0;
    for (std::size_t k = i; k < i + 8; ++k) byte = 2 * byte + (bits[k] == '1' ? 1 : 0);
    data += static_cast<char>(byte);
    if (byte == 0xff) data += '\0';
  }
  return data;
}
inline std::string jpeg_file(const std::string& segments) { return "\xff\xd8" + segments + "\xff\xd9"; }
/// A gray file of width x height blocks; `head` comes first.
inline std::string gray_jpeg(int width, int height, const std::vector<int>& values, const std::string& head = "") {
  std::vector<std::vector<int>> blocks;
  for (const int value : values) blocks.push_back({value});
  return jpeg_file(head + jpeg_tables() + jpeg_frame(8 * width, 8 * height, 1) + jpeg_scan(1, 1) + jpeg_data(blocks));
}

/// An Exif block's TIFF data with this orientation behind another entry, in either order of bytes.
inline std::string exif_data(int orientation, bool little) {
  const auto number = [&](std::uint64_t value, int bytes) {
    std::string text = big_endian(value, bytes);
    return little ? std::string(text.rbegin(), text.rend()) : text;
  };
  return (little ? "II" : "MM") + number(42, 2) + number(8, 4) + number(2, 2) +            // one directory of two
         number(0x010f, 2) + number(2, 2) + number(4, 4) + "abc" + std::string(1, '\0') +  // maker
         number(0x0112, 2) + number(3, 2) + number(1, 4) + number(static_cast<std::uint64_t>(orientation), 2) +
         number(0, 2) + number(0, 4);
}

}  // namespace gan::test
