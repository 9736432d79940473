// The structure of a PNG file, checked before anything is decoded: https://www.w3.org/TR/png/.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gan/core/error.hpp"
#include "gan/io/checked_image.hpp"
#include "gan/io/crc.hpp"

namespace gan::detail {

inline constexpr std::array<std::uint8_t, 8> png_signature{0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};

/// Walks the chunks of a file that begins with the signature and makes a file of those that decoding needs: IHDR, PLTE,
/// tRNS, one IDAT, IEND.
class PngCheck {
 public:
  PngCheck(const std::string& name, std::span<const std::uint8_t> bytes) : name_(name), bytes_(bytes) {}

  CheckedImage run() {
    std::size_t at = png_signature.size();
    for (;;) {
      check(bytes_.size() - at >= 12, name_, ": truncated: the PNG has no end (chunk IEND) in ", bytes_.size(),
            " bytes");
      const std::uint64_t length = number(bytes_.data() + at);
      const std::string_view type(reinterpret_cast<const char*>(bytes_.data()) + at + 4, 4);
      check(length <= bytes_.size() - at - 12, name_, ": truncated: a PNG chunk of ", length, " bytes at byte ", at,
            ", found ", bytes_.size() - at - 12);
      const auto data = bytes_.subspan(at + 8, static_cast<std::size_t>(length));
      check(header_ || type == "IHDR", name_, ": broken PNG: expected chunk IHDR first");
      if (type == "IEND") break;
      chunk(type, data);
      at += 12 + data.size();
    }
    return finish();
  }

 private:
  static std::uint32_t number(const std::uint8_t* at) {
    return std::uint32_t{at[0]} << 24 | std::uint32_t{at[1]} << 16 | std::uint32_t{at[2]} << 8 | at[3];
  }

  /// Whether the four bytes behind the data are the sum of type and data.
  static bool whole(std::span<const std::uint8_t> data) {
    Crc32 crc;
    crc.add(data.data() - 4, data.size() + 4);
    return crc.value() == number(data.data() + data.size());
  }

  void chunk(std::string_view type, std::span<const std::uint8_t> data) {
    if (type == "eXIf") {
      if (whole(data)) image_.orientation = exif_orientation(data);
      return;
    }
    const bool transparency = type == "tRNS";
    if ((type[0] & 0x20) != 0 && !transparency) return;  // others that a reader may leave out
    check(type == "IHDR" || type == "PLTE" || type == "IDAT" || transparency, name_,
          ": PNG chunk of a kind that is not known, \"", printable(type), "\"");
    check(whole(data), name_, ": damaged: the check sum of PNG chunk ", type, " does not fit its data");
    if (type == "IHDR") return read_header(data);
    if (type == "IDAT") {
      check(color_ != 3 || !palette_.empty(), name_, ": broken PNG: a palette picture without chunk PLTE");
      pixels_.insert(pixels_.end(), data.begin(), data.end());
      return;
    }
    check(pixels_.empty(), name_, ": broken PNG: chunk ", type, " behind the pixels");
    if (type == "PLTE") {
      if (color_ != 3) return;  // only a hint
      check(palette_.empty() && !data.empty() && data.size() % 3 == 0 && data.size() <= 768, name_,
            ": broken PNG: palette of ", data.size(), " bytes");
      palette_.assign(data.begin(), data.end());
      return;
    }
    if (color_ == 4 || color_ == 6) return;  // has an alpha channel
    const std::size_t most = color_ == 3 ? palette_.size() / 3 : color_ == 0 ? 2 : 6;
    check(transparent_.empty() && !data.empty() && (color_ == 3 ? data.size() <= most : data.size() == most), name_,
          ": broken PNG: chunk tRNS of ", data.size(), " bytes, expected ", color_ == 3 ? "at most " : "", most);
    transparent_.assign(data.begin(), data.end());
  }

  void read_header(std::span<const std::uint8_t> data) {
    check(!header_ && data.size() == 13, name_, ": broken PNG: chunk IHDR of ", data.size(),
          " bytes, expected one of 13");
    header_ = true;
    std::copy_n(data.begin(), 13, ihdr_.begin());
    image_.width = number(data.data());
    image_.height = number(data.data() + 4);
    depth_ = data[8];
    color_ = data[9];
    check_image_size(name_, image_.width, image_.height);
    const bool deep = depth_ == 8 || depth_ == 16, shallow = depth_ == 1 || depth_ == 2 || depth_ == 4;
    const bool legal = color_ == 0                                 ? deep || shallow
                       : color_ == 3                               ? depth_ == 8 || shallow
                       : color_ == 2 || color_ == 4 || color_ == 6 ? deep
                                                                   : false;
    check(legal, name_, ": broken PNG: color type ", color_, " with ", depth_, " bits");
    check(data[10] == 0 && data[11] == 0 && data[12] <= 1, name_, ": PNG of unknown compression ", int{data[10]},
          ", filter ", int{data[11]}, " or interlacing ", int{data[12]});
  }

  std::uint64_t channels() const { return color_ == 2 ? 3 : color_ == 4 ? 2 : color_ == 6 ? 4 : 1; }

  /// Bytes of the filtered rows before they are compressed.
  std::uint64_t unpacked() const {
    const auto rows = [&](Index width, Index height) -> std::uint64_t {
      if (width <= 0 || height <= 0) return 0;
      const std::uint64_t bits = static_cast<std::uint64_t>(width) * channels() * static_cast<std::uint64_t>(depth_);
      return ((bits + 7) / 8 + 1) * static_cast<std::uint64_t>(height);
    };
    if (ihdr_[12] == 0) return rows(image_.width, image_.height);
    // First column and row of the seven passes of Adam7, and their distances.
    constexpr std::array<std::array<Index, 4>, 7> passes{
        {{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}}};
    std::uint64_t sum = 0;
    for (const auto& [left, top, across, down] : passes)
      sum += rows((image_.width - left + across - 1) / across, (image_.height - top + down - 1) / down);
    return sum;
  }

  CheckedImage finish() {
    // No deflate stream expands more: a larger claim is known to be wrong before anything is inflated.
    constexpr std::uint64_t largest_ratio = 1032;
    const std::uint64_t raw = unpacked(), packed = pixels_.size();
    check(packed * largest_ratio >= raw, name_, ": broken PNG: ", packed, " bytes of data for ", image_.width, " x ",
          image_.height, " pixels, which need ", raw, " bytes when unpacked");
    const auto count = static_cast<std::uint64_t>(image_.width * image_.height);
    const std::uint64_t stored = 4 * (depth_ == 16 ? 2 : 1);  // bytes a pixel, with alpha
    image_.alpha = color_ == 4 || color_ == 6 || !transparent_.empty();
    image_.largest_block = std::max({2 * raw + (1 << 16), count * stored, packed});
    image_.memory = raw + packed + count * (stored * (ihdr_[12] != 0 ? 2 : 1) + 8);

    auto& out = image_.bytes;
    out.reserve(packed + 2048);
    out.assign(png_signature.begin(), png_signature.end());
    put("IHDR", ihdr_);
    if (!palette_.empty()) {
      palette_.resize(768);  // a pixel's number beyond the palette is black
      put("PLTE", palette_);
    }
    if (!transparent_.empty()) put("tRNS", transparent_);
    put("IDAT", pixels_);
    put("IEND", {});
    return std::move(image_);
  }

  /// Appends a chunk; its sum is left out, since the decoder does not look at it.
  void put(const char* type, std::span<const std::uint8_t> data) {
    auto& out = image_.bytes;
    for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<std::uint8_t>(data.size() >> shift & 255));
    out.insert(out.end(), type, type + 4);
    out.insert(out.end(), data.begin(), data.end());
    out.insert(out.end(), 4, 0);
  }

  static std::string printable(std::string_view text) {
    std::string shown(text);
    for (char& c : shown) c = c < 32 || c == 127 ? '?' : c;
    return shown;
  }

  const std::string& name_;
  std::span<const std::uint8_t> bytes_;
  bool header_ = false;
  int depth_ = 0, color_ = 0;
  std::array<std::uint8_t, 13> ihdr_{};
  std::vector<std::uint8_t> palette_, transparent_, pixels_;
  CheckedImage image_;
};

}  // namespace gan::detail
