// The JSON header of a safetensors file: made, and read with nothing taken on trust.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "gan/core/error.hpp"
#include "gan/core/shape.hpp"
#include "gan/io/atomic_file.hpp"

namespace gan::detail {

/// One tensor of a header; its data are bytes [begin, end) after the header.
struct SafetensorsEntry {
  std::string name, dtype;
  std::vector<std::uint64_t> shape;
  std::uint64_t begin = 0, end = 0;
};

struct SafetensorsHeader {
  std::vector<SafetensorsEntry> entries;
  std::map<std::string, std::string> metadata;
  std::string text;  ///< as it is in the file
};

/// The reference implementation's limit.
inline constexpr std::uint64_t largest_safetensors_header = 100'000'000;

/// Text from a file, quoted and shortened for a message.
inline std::string printable(std::string_view text) {
  constexpr std::size_t longest = 60;
  std::string quoted = "\"";
  for (const char c : text.substr(0, longest)) quoted += static_cast<unsigned char>(c) < 32 || c == 127 ? '?' : c;
  return quoted + (text.size() > longest ? "...\"" : "\"");
}

/// Receives the parser's events: no tree is built, duplicates are seen, and depth is limited by what is expected next.
class SafetensorsParser {
 public:
  using Json = nlohmann::json;

  explicit SafetensorsParser(const std::string& file) : file_(file) {}
  SafetensorsHeader take() { return std::move(header_); }

  bool start_object(std::size_t) {
    if (place_ == Place::start) {
      place_ = Place::top;
    } else if (place_ == Place::top) {
      if (key_ == "__metadata__") {
        place_ = Place::metadata;
      } else {
        place_ = Place::tensor;
        seen_ = 0;
        header_.entries.emplace_back().name = key_;
      }
    } else {
      unexpected("an object");
    }
    return true;
  }

  bool key(std::string& key) {
    if (place_ == Place::top) {
      check(names_.insert(key).second, file_, ": the header has two entries named ", printable(key));
    } else if (place_ == Place::metadata) {
      check(!header_.metadata.contains(key), file_, ": the metadata has two entries named ", printable(key));
    } else {
      const unsigned bit = key == "dtype" ? 1 : key == "shape" ? 2 : key == "data_offsets" ? 4 : 0;
      check(bit != 0, where(), ": expected dtype, shape and data_offsets, found ", printable(key));
      check((seen_ & bit) == 0, where(), ": has ", key, " twice");
      seen_ |= bit;
    }
    key_ = key;
    return true;
  }

  bool end_object() {
    if (place_ == Place::tensor) {
      check(seen_ == 7, where(), ": expected dtype, shape and data_offsets, found no ",
            (seen_ & 1) == 0   ? "dtype"
            : (seen_ & 2) == 0 ? "shape"
                               : "data_offsets");
      place_ = Place::top;
    } else {
      place_ = place_ == Place::metadata ? Place::top : Place::end;
    }
    return true;
  }

  bool start_array(std::size_t) {
    if (place_ != Place::tensor || key_ == "dtype") unexpected("an array");
    place_ = key_ == "shape" ? Place::shape : Place::offsets;
    count_ = 0;
    return true;
  }

  bool end_array() {
    check(place_ != Place::offsets || count_ == 2, where(), ": expected 2 data_offsets, found ", count_);
    place_ = Place::tensor;
    return true;
  }

  bool number_unsigned(std::uint64_t value) {
    auto& entry = place_ == Place::shape || place_ == Place::offsets ? header_.entries.back() : none_;
    if (place_ == Place::shape) {
      check(count_ < static_cast<std::size_t>(Shape::max_rank), where(), ": expected a shape of at most ",
            Shape::max_rank, " axes, found more");
      entry.shape.push_back(value);
    } else if (place_ == Place::offsets) {
      check(count_ < 2, where(), ": expected 2 data_offsets, found more");
      (count_ == 0 ? entry.begin : entry.end) = value;
    } else {
      unexpected("a number");
    }
    ++count_;
    return true;
  }

  bool string(std::string& value) {
    if (place_ == Place::metadata)
      header_.metadata.emplace(key_, value);
    else if (place_ == Place::tensor && key_ == "dtype")
      header_.entries.back().dtype = value;
    else
      unexpected("a string");
    return true;
  }

  bool number_integer(std::int64_t value) { unexpected("a negative number (" + std::to_string(value) + ")"); }
  bool number_float(double, const std::string& text) { unexpected("the number " + printable(text)); }
  bool null() { unexpected("null"); }
  bool boolean(bool) { unexpected("true or false"); }
  bool binary(std::vector<std::uint8_t>&) { unexpected("binary data"); }

  template <class Exception>
  bool parse_error(std::size_t at, const std::string&, const Exception& error) {
    fail(file_, ": the header is not valid JSON at its byte ", at, ": ", printable(error.what()));
  }

 private:
  enum class Place { start, top, metadata, tensor, shape, offsets, end };

  std::string where() const { return file_ + ": tensor " + printable(header_.entries.back().name); }

  [[noreturn]] void unexpected(const std::string& found) const {
    switch (place_) {
      case Place::start:
      case Place::end:
        fail(file_, ": the header: expected a JSON object, found ", found);
      case Place::top:
        fail(file_, ": entry ", printable(key_), " of the header: expected an object, found ", found);
      case Place::metadata:
        fail(file_, ": metadata ", printable(key_), ": expected a string, found ", found);
      case Place::tensor:
        fail(where(), ": ", key_, ": expected ", key_ == "dtype" ? "a string" : "an array", ", found ", found);
      case Place::shape:
      case Place::offsets:
        break;
    }
    fail(where(), ": ", key_, ": expected whole numbers from 0 to 2^64 - 1, found ", found);
  }

  const std::string& file_;
  SafetensorsHeader header_;
  SafetensorsEntry none_;
  Place place_ = Place::start;
  std::string key_;
  std::unordered_set<std::string> names_;
  unsigned seen_ = 0;
  std::size_t count_ = 0;
};

/// Reads length and header; the file then stands at the data.
inline SafetensorsHeader read_safetensors_header(InputFile& file) {
  const std::string name = file.path().string();
  check(file.size() >= 8, name, ": not a safetensors file: expected at least 8 bytes, found ", file.size());
  std::uint64_t length = 0;
  file.read(&length, sizeof length, "header length");
  check(length <= largest_safetensors_header, name, ": expected a header of at most ", largest_safetensors_header,
        " bytes, found a length of ", length, ": not a safetensors file?");
  check(length <= file.remaining(), name, ": truncated: expected a header of ", length, " bytes, found ",
        file.remaining());
  std::string text(static_cast<std::size_t>(length), '\0');
  file.read(text.data(), length, "header");
  check(!text.empty() && text.front() == '{', name, ": the header: expected a JSON object, which begins with {");
  // The parser takes a zero byte for the end of the text, whatever follows.
  check(text.find('\0') == std::string::npos, name, ": the header is not valid JSON: it contains a zero byte");
  SafetensorsParser parser(name);
  nlohmann::json::sax_parse(text.begin(), text.end(), &parser);
  auto header = parser.take();
  header.text = std::move(text);
  return header;
}

/// The header's text, padded with spaces so that the data begin at a multiple of 8 bytes.
inline std::string make_safetensors_header(const std::string& file, const std::vector<SafetensorsEntry>& entries,
                                           const std::map<std::string, std::string>& metadata) {
  const auto quoted = [&](const std::string& text) {
    try {
      return nlohmann::json(text).dump();
    } catch (const nlohmann::json::exception&) {
      fail(file, ": cannot save the name or text ", printable(text), ": expected UTF-8");
    }
  };
  std::string header;
  const auto begin_entry = [&] { header += header.empty() ? '{' : ','; };
  if (!metadata.empty()) {
    begin_entry();
    header += "\"__metadata__\":{";
    for (const auto& [key, value] : metadata) {
      if (header.back() != '{') header += ',';
      header += quoted(key) + ':' + quoted(value);
    }
    header += '}';
  }
  for (const auto& entry : entries) {
    begin_entry();
    header += quoted(entry.name) + ":{\"dtype\":\"" + entry.dtype + "\",\"shape\":[";
    for (const std::uint64_t length : entry.shape) {
      if (header.back() != '[') header += ',';
      header += std::to_string(length);
    }
    header += "],\"data_offsets\":[" + std::to_string(entry.begin) + ',' + std::to_string(entry.end) + "]}";
  }
  header += header.empty() ? "{}" : "}";
  header.append((8 - header.size() % 8) % 8, ' ');
  check(header.size() <= largest_safetensors_header, file, ": ", header.size(), " bytes of names and metadata, ",
        "expected at most ", largest_safetensors_header);
  return header;
}

}  // namespace gan::detail
