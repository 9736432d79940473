// The structure of a JPEG file, checked before anything is decoded: ITU-T T.81.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "gan/core/error.hpp"
#include "gan/io/checked_image.hpp"

namespace gan::detail {

/// Walks the segments of a file that begins with SOI and makes a file of those that decoding needs: tables, frame and
/// scans, each proved to fit, and the two marks that tell how colors are stored.
class JpegCheck {
 public:
  JpegCheck(const std::string& name, std::span<const std::uint8_t> bytes) : name_(name), bytes_(bytes) {}

  CheckedImage run() {
    image_.bytes.reserve(bytes_.size() + 2);
    image_.bytes = {0xff, soi};
    at_ = 2;
    for (;;) {
      const std::uint8_t marker = next_marker();
      if (marker == eoi) break;
      segment(marker);
    }
    check(!components_.empty(), name_, ": broken JPEG: it has no frame (SOF)");
    for (const auto& component : components_)
      check(component.next[0] >= 0, name_, ": broken JPEG: component ", component.id, " is in no scan");
    image_.bytes.insert(image_.bytes.end(), {0xff, eoi});
    return std::move(image_);
  }

 private:
  static constexpr std::uint8_t soi = 0xd8, eoi = 0xd9, sos = 0xda;

  struct Component {
    int id = 0, across = 0, down = 0, table = 0;
    Index blocks = 0;  ///< of 8 x 8, in a scan of its own
    /// For each coefficient the lowest bit sent, -1 before its first scan.
    std::array<int, 64> next = [] {
      std::array<int, 64> none;
      none.fill(-1);
      return none;
    }();
  };

  /// Goes to the next marker outside segments; bytes that belong to nothing are passed over, as other readers do.
  std::uint8_t next_marker() {
    while (at_ < bytes_.size()) {
      if (bytes_[at_++] != 0xff) continue;
      while (at_ < bytes_.size() && bytes_[at_] == 0xff) ++at_;
      if (at_ < bytes_.size() && bytes_[at_++] != 0) return bytes_[at_ - 1];
    }
    fail(name_, ": truncated: the JPEG has no end (EOI) in ", bytes_.size(), " bytes");
  }

  void segment(std::uint8_t marker) {
    check(marker >= 0xc0 && !(marker >= 0xd0 && marker <= soi), name_, ": broken JPEG: marker ", hex(marker),
          " between segments");
    check(bytes_.size() - at_ >= 2, name_, ": truncated: a JPEG segment at byte ", at_);
    const std::size_t length = std::size_t{bytes_[at_]} << 8 | bytes_[at_ + 1];
    check(length >= 2 && length <= bytes_.size() - at_, name_, ": broken JPEG: segment ", hex(marker), " of ", length,
          " bytes, found ", bytes_.size() - at_);
    data_ = bytes_.subspan(at_ + 2, length - 2);
    at_ += length;
    switch (marker) {
      case 0xc0:
      case 0xc1:
      case 0xc2:
        read_frame(marker);
        break;
      case 0xc4:
        read_huffman_tables();
        break;
      case 0xdb:
        read_quantization_tables();
        break;
      case 0xdd:
        check(data_.size() == 2, name_, ": broken JPEG: restart interval of ", data_.size(), " bytes");
        restart_ = data_[0] << 8 | data_[1];
        break;
      case sos:
        return read_scan();
      case 0xdc:  // number of lines: known from the frame already
        check(data_.size() == 2 && (data_[0] << 8 | data_[1]) == image_.height, name_,
              ": JPEG that changes its height behind the scan");
        return;
      case 0xe0:
        if (!begins("JFIF")) return;
        break;
      case 0xe1:
        if (begins("Exif") && !oriented_) {
          oriented_ = true;
          image_.orientation = exif_orientation(data_.subspan(std::min<std::size_t>(6, data_.size())));
        }
        return;
      case 0xee:
        if (!begins("Adobe") || data_.size() < 12) return;
        adobe_ = data_[11];
        break;
      default:
        // Comments and applications
        if (marker == 0xfe || (marker >= 0xe0 && marker <= 0xef)) return;
        fail(name_, ": JPEG of a kind that is not supported (", kind(marker), "): expected baseline or progressive, ",
             "Huffman coded");
    }
    keep(marker);
  }

  static const char* kind(std::uint8_t marker) {
    return marker == 0xc3                                       ? "lossless"
           : marker == 0xc9 || marker == 0xca || marker == 0xcc ? "arithmetic coding"
           : marker >= 0xc5 && marker <= 0xcf                   ? "hierarchical or lossless"
                                                                : "unknown segment";
  }

  void read_frame(std::uint8_t marker) {
    check(components_.empty(), name_, ": broken JPEG: a second frame (SOF)");
    check(data_.size() >= 6 && data_.size() == 6 + 3 * std::size_t{data_[5]}, name_, ": broken JPEG: frame of ",
          data_.size(), " bytes");
    check(data_[0] == 8, name_, ": JPEG of ", int{data_[0]}, " bits, expected 8");
    image_.height = data_[1] << 8 | data_[2];
    image_.width = data_[3] << 8 | data_[4];
    check_image_size(name_, image_.width, image_.height);
    const std::size_t count = data_[5];
    check(count == 1 || count == 3 || count == 4, name_, ": JPEG of ", count,
          " components, expected 1 (gray), 3 (color) or 4 (ink, as Adobe marks it)");
    progressive_ = marker == 0xc2;
    int widest = 1, tallest = 1;
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint8_t* const from = data_.data() + 6 + 3 * i;
      components_.push_back({.id = from[0], .across = from[1] >> 4, .down = from[1] & 15, .table = from[2]});
      const auto& c = components_.back();
      check(c.across >= 1 && c.across <= 4 && c.down >= 1 && c.down <= 4 && c.table <= 3, name_,
            ": broken JPEG: component ", c.id, " of ", c.across, " x ", c.down, " samples with table ", c.table);
      check(find(c.id) == components_.size() - 1, name_, ": broken JPEG: two components are called ", c.id);
      widest = std::max(widest, c.across);
      tallest = std::max(tallest, c.down);
    }
    const auto ceil = [](Index a, Index b) { return (a + b - 1) / b; };
    units_ = ceil(image_.width, 8 * widest) * ceil(image_.height, 8 * tallest);
    Index plane = 0, largest = 0;
    for (auto& c : components_) {
      check(widest % c.across == 0 && tallest % c.down == 0, name_, ": JPEG with ", c.across, " x ", c.down,
            " samples where another component has ", widest, " x ", tallest, ", expected a whole ratio");
      c.blocks = ceil(ceil(image_.width * c.across, widest), 8) * ceil(ceil(image_.height * c.down, tallest), 8);
      largest = std::max(largest, units_ * c.across * c.down * 64);
      plane += units_ * c.across * c.down * 64;
    }
    const Index pixels = image_.width * image_.height;
    most_work_ = plane + (1 << 22);  // 64 visits of each block
    image_.largest_block = static_cast<std::uint64_t>(std::max(2 * largest, 3 * pixels) + (1 << 16));
    image_.memory = static_cast<std::uint64_t>(plane * (progressive_ ? 3 : 1) + 6 * pixels) + bytes_.size();
  }

  void read_huffman_tables() {
    for (std::size_t i = 0; i < data_.size();) {
      check(data_.size() - i >= 17, name_, ": broken JPEG: Huffman table of ", data_.size() - i, " bytes");
      const int ac = data_[i] >> 4, id = data_[i] & 15;
      check(ac <= 1 && id <= 3, name_, ": broken JPEG: Huffman table number ", hex(data_[i]));
      std::size_t count = 0, codes = 0;  // codes: in units of the longest, of which there are 2^16
      for (std::size_t bits = 1; bits <= 16; ++bits) {
        count += data_[i + bits];
        codes += std::size_t{data_[i + bits]} << (16 - bits);
      }
      check(count <= 256 && count <= data_.size() - i - 17, name_, ": broken JPEG: Huffman table of ", count,
            " symbols in ", data_.size() - i - 17, " bytes, expected at most 256");
      check(codes <= 1 << 16, name_, ": broken JPEG: Huffman table with more codes than their lengths allow");
      const auto symbols = data_.subspan(i + 17, count);
      check(ac == 1 || std::all_of(symbols.begin(), symbols.end(), [](auto x) { return x <= 15; }), name_,
            ": broken JPEG: Huffman table with a difference of more than 15 bits");
      huffman_[static_cast<std::size_t>(ac)][static_cast<std::size_t>(id)] = count > 0;
      i += 17 + count;
    }
  }

  void read_quantization_tables() {
    for (std::size_t i = 0; i < data_.size();) {
      const std::size_t wide = data_[i] >> 4, id = data_[i] & 15;
      check(wide <= 1 && id <= 3 && data_.size() - i >= 65 + 64 * wide, name_, ": broken JPEG: quantization table ",
            hex(data_[i]), " of ", data_.size() - i, " bytes");
      quantization_[id] = true;
      i += 65 + 64 * wide;
    }
  }

  void read_scan() {
    check(!components_.empty(), name_, ": broken JPEG: a scan before the frame");
    check(components_.size() != 4 || adobe_ == 0 || adobe_ == 2, name_,
          ": JPEG of 4 components without Adobe's mark: nobody can tell whether it holds ink, and which way round");
    const std::size_t count = data_.empty() ? 0 : data_[0];
    check(count >= 1 && count <= components_.size() && data_.size() == 4 + 2 * count, name_, ": broken JPEG: scan of ",
          count, " components in ", data_.size(), " bytes");
    const int first = data_[1 + 2 * count], last = progressive_ ? data_[2 + 2 * count] : 63;
    const int before = data_[3 + 2 * count] >> 4, low = data_[3 + 2 * count] & 15;
    const bool refines = before != 0;
    check(progressive_ ? first <= last && last <= 63 && low <= 13 && (first == 0) == (last == 0) &&
                             (first == 0 || count == 1) && (!refines || before == low + 1)
                       : first == 0 && before == 0 && low == 0,
          name_, ": broken JPEG: scan of coefficients ", first, " to ", last, ", bits ", before, " to ", low);
    Index blocks = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const int id = data_[1 + 2 * i], dc = data_[2 + 2 * i] >> 4, ac = data_[2 + 2 * i] & 15;
      const std::size_t which = find(id);
      check(which < components_.size() && dc <= 3 && ac <= 3, name_, ": broken JPEG: scan of component ", id,
            " with Huffman tables ", dc, " and ", ac);
      auto& c = components_[which];
      const bool needs_dc = first == 0 && !refines, needs_ac = !progressive_ || first > 0;
      check((!needs_dc || huffman_[0][static_cast<std::size_t>(dc)]) &&
                (!needs_ac || huffman_[1][static_cast<std::size_t>(ac)]) &&
                quantization_[static_cast<std::size_t>(c.table)],
            name_, ": broken JPEG: a scan of component ", id, " uses a table that is not defined");
      check(first == 0 || c.next[0] >= 0, name_, ": broken JPEG: component ", id, " has details before its mean");
      for (auto k = static_cast<std::size_t>(first); k <= static_cast<std::size_t>(last); ++k) {
        check(c.next[k] == (refines ? before : -1), name_, ": broken JPEG: a scan sends bits of component ", id,
              " a second time, or before those above them");
        c.next[k] = low;
      }
      blocks += count == 1 ? c.blocks : units_ * c.across * c.down;
    }
    work_ += blocks * (refines ? 1 + (last - first) / 8 : 1);
    check(work_ <= most_work_, name_, ": JPEG of more scans than a picture of ", image_.width, " x ", image_.height,
          " pixels can need");
    keep(sos);
    // A code has at least one bit; of coefficients above the mean one code may stand for many blocks.
    const Index bits = !progressive_ ? 2 * blocks : first == 0 ? blocks : 1;
    read_scan_data(bits, count == 1 ? blocks : units_);
  }

  /// Keeps what follows up to the next marker: at least `bits`, with restart marks between its `units`.
  void read_scan_data(Index bits, Index units) {
    const std::size_t begin = at_;
    Index found = 0, restarts = 0;
    for (std::size_t piece = begin;;) {
      const void* const hit =
          piece < bytes_.size() ? std::memchr(bytes_.data() + piece, 0xff, bytes_.size() - piece) : nullptr;
      check(hit != nullptr, name_, ": truncated: the JPEG ends within a scan");
      at_ = static_cast<std::size_t>(static_cast<const std::uint8_t*>(hit) - bytes_.data());
      found += static_cast<Index>(at_ - piece);
      std::size_t code = at_ + 1;
      while (code < bytes_.size() && bytes_[code] == 0xff) ++code;
      check(code < bytes_.size(), name_, ": truncated: the JPEG ends within a scan");
      const bool restart = bytes_[code] >= 0xd0 && bytes_[code] <= 0xd7;
      if (bytes_[code] != 0 && !restart) break;
      restart ? ++restarts : ++found;
      piece = code + 1;
    }
    check(8 * found >= bits, name_, ": broken JPEG: a scan of ", found, " bytes, expected at least ", (bits + 7) / 8,
          " for ", image_.width, " x ", image_.height, " pixels");
    const Index expected = restart_ == 0 ? 0 : (units - 1) / restart_;
    check(restarts >= expected && restarts <= expected + 1, name_, ": broken JPEG: a scan with ", restarts,
          " restart marks, expected ", expected);
    image_.bytes.insert(image_.bytes.end(), bytes_.begin() + static_cast<Index>(begin),
                        bytes_.begin() + static_cast<Index>(at_));
  }

  std::size_t find(int id) const {
    std::size_t i = 0;
    while (i < components_.size() && components_[i].id != id) ++i;
    return i;
  }

  bool begins(const char* text) const {
    const std::size_t length = std::strlen(text) + 1;
    return data_.size() >= length && std::memcmp(data_.data(), text, length) == 0;
  }

  void keep(std::uint8_t marker) {
    image_.bytes.insert(image_.bytes.end(), {0xff, marker, static_cast<std::uint8_t>((data_.size() + 2) >> 8),
                                             static_cast<std::uint8_t>((data_.size() + 2) & 255)});
    image_.bytes.insert(image_.bytes.end(), data_.begin(), data_.end());
  }

  static std::string hex(std::uint8_t byte) {
    constexpr const char* digits = "0123456789ABCDEF";
    return {'0', 'x', digits[byte >> 4], digits[byte & 15]};
  }

  const std::string& name_;
  std::span<const std::uint8_t> bytes_, data_;
  std::size_t at_ = 0;
  bool progressive_ = false, oriented_ = false;
  int adobe_ = -1, restart_ = 0;
  std::array<std::array<bool, 4>, 2> huffman_{};
  std::array<bool, 4> quantization_{};
  std::vector<Component> components_;
  Index units_ = 0, work_ = 0, most_work_ = 0;
  CheckedImage image_;
};

}  // namespace gan::detail
