// Named tensors in a file, in the safetensors format: https://github.com/huggingface/safetensors.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <type_traits>
#include <unordered_set>
#include <utility>
#include <vector>

#include "gan/core/error.hpp"
#include "gan/io/atomic_file.hpp"
#include "gan/io/safetensors_checksum.hpp"
#include "gan/io/safetensors_dtype.hpp"
#include "gan/io/safetensors_header.hpp"
#include "gan/tensor/named_tensors.hpp"

namespace gan {

template <class T>
struct SafetensorsFile {
  NamedTensors<T> tensors;  ///< in the order of their data
  std::map<std::string, std::string> metadata;
};

struct SafetensorsSaving {
  bool checksum = false;  ///< one more entry in the metadata, by which any flipped bit is found; others ignore it
};
struct SafetensorsLoading {
  bool require_checksum = false;  ///< refuse a file without one; one that is there is always verified
  /// Take numbers of all kinds, F16, BF16, F32, F64, BOOL, I8 ... U64, rounded to T; otherwise those of type T only.
  bool convert = false;
};

/// Writes tensors as F32 (float) or F64 (double) in the given order, replacing an older file as a whole; see
/// AtomicFile. Throws for a name that is empty, used twice, "__metadata__" or not UTF-8, for an undefined tensor, for
/// metadata named "gan.crc64", the check sum's own name, and when the file cannot be written.
template <class T>
void save_safetensors(const std::filesystem::path& path, const NamedTensors<T>& tensors,
                      const std::map<std::string, std::string>& metadata = {}, const SafetensorsSaving& options = {});

/// Reads all tensors. Everything is verified before memory is taken for any: the header against the file's size and the
/// format's limit of 100 MB, its JSON, and that the tensors are of type T (unless they are to be converted) and cover
/// the data exactly, each in its place; then the check sum, if there is one (it is not among the metadata given back).
/// Throws with file, what was expected and what was found.
template <class T>
SafetensorsFile<T> load_safetensors(const std::filesystem::path& path, const SafetensorsLoading& options = {});

namespace detail {

static_assert(std::endian::native == std::endian::little, "safetensors files are little-endian, as this code assumes");

template <class T>
constexpr const char* safetensors_dtype() {
  static_assert(std::is_same_v<T, float> || std::is_same_v<T, double>);
  return std::is_same_v<T, float> ? "F32" : "F64";
}

/// The kind of an entry's numbers: that of T, or any when they are to be converted.
template <class T>
SafetensorsDtype<T> dtype_of(const std::string& file, const SafetensorsEntry& entry, bool convert) {
  std::string names;
  for (const auto& dtype : safetensors_dtypes<T>()) {
    if (!convert && dtype.name != safetensors_dtype<T>()) continue;
    if (dtype.name == entry.dtype) return dtype;
    names += (names.empty() ? "" : ", ") + std::string(dtype.name);
  }
  fail(file, ": tensor \"", entry.name, "\": expected dtype ", names, ", found ", printable(entry.dtype),
       convert ? "" : " (SafetensorsLoading::convert takes others)");
}

/// The entry's shape, after comparing it and the data it points to with each other.
inline Shape checked_shape(const std::string& file, const SafetensorsEntry& entry, std::uint64_t bytes_each) {
  constexpr std::uint64_t limit = std::numeric_limits<Index>::max() / 16;
  std::array<Index, Shape::max_rank> lengths{};
  std::uint64_t product = 1;
  for (std::size_t i = 0; i < entry.shape.size(); ++i) {
    const std::uint64_t length = entry.shape[i];
    check(length == 0 || (length <= limit && product <= limit / length), file, ": tensor \"", entry.name,
          "\": its shape has more elements than memory can hold");
    lengths[i] = static_cast<Index>(length);
    product *= std::max<std::uint64_t>(length, 1);
  }
  const Shape shape(std::span<const Index>(lengths.data(), entry.shape.size()));
  const std::uint64_t bytes = static_cast<std::uint64_t>(shape.size()) * bytes_each;
  check(entry.begin <= entry.end && entry.end - entry.begin == bytes, file, ": tensor \"", entry.name, "\": expected ",
        bytes, " bytes of data for ", entry.dtype, " ", shape, ", found data_offsets [", entry.begin, ", ", entry.end,
        "]");
  return shape;
}

/// Sorts the entries by their data and verifies that they cover [0, bytes) without overlap or hole.
inline void sort_and_check_cover(const std::string& file, std::vector<SafetensorsEntry>& entries, std::uint64_t bytes) {
  std::stable_sort(entries.begin(), entries.end(),
                   [](const auto& a, const auto& b) { return a.begin != b.begin ? a.begin < b.begin : a.end < b.end; });
  std::uint64_t covered = 0;
  for (const auto& entry : entries) {
    check(entry.end <= bytes, file, ": tensor \"", entry.name, "\": data_offsets [", entry.begin, ", ", entry.end,
          "] go beyond the data: expected at most ", bytes, " (file truncated?)");
    check(entry.begin == covered, file, ": tensor \"", entry.name, "\": expected its data to begin at ", covered,
          ", found ", entry.begin, entry.begin < covered ? ": tensors overlap" : ": bytes that belong to no tensor");
    covered = entry.end;
  }
  check(covered == bytes, file, ": trailing bytes: expected ", covered, " bytes of data after the header, found ",
        bytes);
}

}  // namespace detail

template <class T>
void save_safetensors(const std::filesystem::path& path, const NamedTensors<T>& tensors,
                      const std::map<std::string, std::string>& metadata, const SafetensorsSaving& options) {
  const std::string file_name = path.string();
  std::vector<detail::SafetensorsEntry> entries;
  entries.reserve(tensors.size());
  std::unordered_set<std::string> names;
  std::uint64_t position = 0;
  for (const auto& [name, tensor] : tensors) {
    check(!name.empty() && name != "__metadata__", file_name, ": a tensor cannot be saved under the name \"", name,
          '"');
    check(names.insert(name).second, file_name, ": two tensors are named \"", name, '"');
    check(tensor.defined(), file_name, ": tensor \"", name, "\" has no value to save");
    const std::uint64_t end = position + static_cast<std::uint64_t>(tensor.size()) * sizeof(T);
    entries.push_back(
        {name, detail::safetensors_dtype<T>(), {tensor.shape().begin(), tensor.shape().end()}, position, end});
    position = end;
  }
  check(!metadata.contains(detail::checksum_key), file_name, ": metadata cannot be saved under the name \"",
        detail::checksum_key, "\", which is the check sum's own");
  auto noted = metadata;
  if (options.checksum) noted.emplace(detail::checksum_key, detail::blank_checksum);
  std::string header = detail::make_safetensors_header(file_name, entries, noted);
  if (options.checksum) {
    Crc64 crc = detail::begin_checksum(header);
    for (const auto& [name, tensor] : tensors)
      crc.add(tensor.data(), static_cast<std::size_t>(tensor.size()) * sizeof(T));
    detail::replace_checksum(header, detail::blank_checksum, detail::checksum_text(crc));
  }
  const std::uint64_t length = header.size();
  AtomicFile file(path);
  file.write(&length, sizeof length);
  file.write(header.data(), header.size());
  for (const auto& [name, tensor] : tensors)
    file.write(tensor.data(), static_cast<std::size_t>(tensor.size()) * sizeof(T));
  file.commit();
}

template <class T>
SafetensorsFile<T> load_safetensors(const std::filesystem::path& path, const SafetensorsLoading& options) {
  InputFile file(path);
  const std::string file_name = path.string();
  auto header = detail::read_safetensors_header(file);
  std::vector<Shape> shapes;
  std::vector<detail::SafetensorsDtype<T>> dtypes;
  detail::sort_and_check_cover(file_name, header.entries, file.remaining());
  for (const auto& entry : header.entries) {
    dtypes.push_back(detail::dtype_of<T>(file_name, entry, options.convert));
    shapes.push_back(detail::checked_shape(file_name, entry, dtypes.back().bytes));
  }

  const auto noted = header.metadata.extract(detail::checksum_key);
  check(!noted.empty() || !options.require_checksum, file_name, ": has no check sum (metadata \"", detail::checksum_key,
        "\"): damaged, or saved by another program");
  check(noted.empty() || detail::replace_checksum(header.text, noted.mapped(), detail::blank_checksum), file_name,
        ": damaged: its check sum is not one of 16 digits");
  Crc64 crc = detail::begin_checksum(header.text);

  SafetensorsFile<T> result;
  result.metadata = std::move(header.metadata);
  result.tensors.reserve(header.entries.size());
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    auto tensor = Tensor<T>::empty(shapes[i]);
    const auto read = [&](void* to, std::size_t bytes) {
      file.read(to, bytes, "tensor data");
      if (!noted.empty()) crc.add(to, bytes);
    };
    T* const values = tensor.mutable_data();
    if (dtypes[i].name == detail::safetensors_dtype<T>()) {
      read(values, static_cast<std::size_t>(tensor.size()) * sizeof(T));
    } else {
      std::array<unsigned char, 1 << 15> block;
      const auto fitting = static_cast<Index>(block.size() / dtypes[i].bytes);
      for (Index begin = 0; begin < tensor.size(); begin += fitting) {
        const Index count = std::min(fitting, tensor.size() - begin);
        read(block.data(), static_cast<std::size_t>(count) * dtypes[i].bytes);
        dtypes[i].convert(block.data(), count, values + begin);
      }
    }
    result.tensors.push_back({std::move(header.entries[i].name), std::move(tensor)});
  }
  check(noted.empty() || noted.mapped() == detail::checksum_text(crc), file_name, ": damaged: its check sum is ",
        detail::checksum_text(crc), ", expected ", noted.empty() ? "" : noted.mapped());
  return result;
}

}  // namespace gan
