// IDX, the file format of MNIST: arrays of unsigned bytes, plain or compressed with gzip.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "gan/core/shape.hpp"
#include "gan/io/atomic_file.hpp"
#include "gan/io/gzip.hpp"

namespace gan {

/// `shape.size()` bytes, row-major.
struct IdxArray {
  Shape shape;
  std::vector<std::uint8_t> bytes;
};

/// Reads an IDX file of unsigned bytes with 1 to 4 axes, plain or gzip, which is told from its first bytes, not from
/// its name. Throws for anything else, for a file shorter or longer than its header says, and for corrupt gzip data.
/// Memory is taken only for bytes that the file can hold. Format: http://yann.lecun.com/exdb/mnist/ (LeCun et al.,
/// 1998).
IdxArray read_idx(const std::filesystem::path& path);

/// Writes one, replacing an older file as a whole. Throws unless there are shape.size() bytes in 1 to 4 axes, each
/// shorter than 2^32.
void write_idx(const std::filesystem::path& path, const Shape& shape, std::span<const std::uint8_t> bytes);

namespace detail {

inline constexpr std::size_t idx_max_rank = 4;

inline std::uint32_t big_endian(const std::uint8_t* bytes) {
  return std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 | std::uint32_t{bytes[2]} << 8 | bytes[3];
}

/// Shape and number of bytes that an IDX header announces. `read(to, bytes)` gives the header's bytes or throws.
template <class Read>
Shape read_idx_header(const std::string& name, Read&& read) {
  std::array<std::uint8_t, 4 + 4 * idx_max_rank> header{};
  read(header.data(), std::size_t{4});
  check(header[0] == 0 && header[1] == 0, name, ": not an IDX file: expected it to begin with two zero bytes, found ",
        int{header[0]}, " ", int{header[1]});
  check(header[2] == 8, name, ": expected IDX type 8 (unsigned byte), found ", int{header[2]});
  const std::size_t rank = header[3];
  check(rank >= 1 && rank <= idx_max_rank, name, ": expected IDX of 1 to ", idx_max_rank, " axes, found ", rank);
  read(header.data() + 4, 4 * rank);

  constexpr std::uint64_t limit = std::numeric_limits<Index>::max() / 16;
  std::array<Index, idx_max_rank> lengths{};
  std::uint64_t product = 1;
  for (std::size_t i = 0; i < rank; ++i) {
    const std::uint32_t length = big_endian(header.data() + 4 + 4 * i);
    lengths[i] = static_cast<Index>(length);
    check(length == 0 || product <= limit / length, name, ": the IDX header claims more elements than memory can hold");
    product *= std::max<std::uint64_t>(length, 1);
  }
  return Shape(std::span<const Index>(lengths.data(), rank));
}

inline IdxArray read_plain_idx(InputFile& file) {
  IdxArray array;
  array.shape = read_idx_header(file.path().string(),
                                [&](std::uint8_t* to, std::size_t bytes) { file.read(to, bytes, "IDX header"); });
  const auto size = static_cast<std::uint64_t>(array.shape.size());
  check(size == file.remaining(), file.path().string(), ": ", size < file.remaining() ? "trailing bytes" : "truncated",
        ": the header's shape ", array.shape, " needs ", size, " bytes of data, found ", file.remaining());
  array.bytes =
      memory_for(file.path().string(), size, [&] { return std::vector<std::uint8_t>(static_cast<std::size_t>(size)); });
  file.read(array.bytes.data(), size, "data");
  return array;
}

inline IdxArray read_gzip_idx(InputFile& file) {
  GzipReader reader(file);
  const std::string name = file.path().string();
  IdxArray array;
  array.shape = read_idx_header(name, [&](std::uint8_t* to, std::size_t bytes) {
    const std::size_t got = reader.read(to, bytes);
    check(got == bytes, name, ": truncated: expected ", bytes, " more bytes of IDX header in the gzip data, found ",
          got);
  });
  const auto size = static_cast<std::size_t>(array.shape.size());
  check(size / largest_gzip_ratio <= file.size(), name, ": the header's shape ", array.shape, " needs ", size,
        " bytes of data, more than gzip can pack into a file of ", file.size());
  // Grown as the data turns up: a small file that claims much takes no more memory than it inflates to.
  constexpr std::size_t piece = std::size_t{1} << 20;
  std::size_t got = 0;
  do {
    const std::size_t wanted = std::min(size - got, std::max(piece, got));
    memory_for(name, size, [&] { return array.bytes.resize(got + wanted); });
    const std::size_t found = reader.read(array.bytes.data() + got, wanted);
    check(found == wanted, name, ": truncated: the header's shape ", array.shape, " needs ", size,
          " bytes of data, found ", got + found, " in the gzip data");
    got += found;
  } while (got < size);
  std::uint8_t extra = 0;  // reading to the end of the stream also verifies its checksum
  check(reader.read(&extra, 1) == 0, name, ": trailing bytes: the header's shape ", array.shape, " needs ", size,
        " bytes of data, found more in the gzip data");
  return array;
}

}  // namespace detail

inline IdxArray read_idx(const std::filesystem::path& path) {
  std::array<std::uint8_t, 2> magic{};
  {
    InputFile file(path);
    check(file.size() >= 4, path.string(), ": not an IDX file: expected at least 4 bytes, found ", file.size());
    file.read(magic.data(), magic.size(), "IDX header");
  }
  InputFile file(path);
  return magic[0] == 0x1f && magic[1] == 0x8b ? detail::read_gzip_idx(file) : detail::read_plain_idx(file);
}

inline void write_idx(const std::filesystem::path& path, const Shape& shape, std::span<const std::uint8_t> bytes) {
  check(shape.rank() >= 1 && shape.rank() <= static_cast<Index>(detail::idx_max_rank), path.string(),
        ": cannot write shape ", shape, " as IDX: expected 1 to ", detail::idx_max_rank, " axes");
  check(static_cast<Index>(bytes.size()) == shape.size(), path.string(), ": ", bytes.size(), " bytes for shape ", shape,
        ", expected ", shape.size());
  std::vector<std::uint8_t> header{0, 0, 8, static_cast<std::uint8_t>(shape.rank())};
  for (const Index length : shape) {
    check(static_cast<std::uint64_t>(length) <= 0xffffffffu, path.string(), ": cannot write shape ", shape,
          " as IDX: expected axes shorter than 2^32");
    for (int shift = 24; shift >= 0; shift -= 8) header.push_back(static_cast<std::uint8_t>(length >> shift & 0xff));
  }
  AtomicFile file(path);
  file.write(header.data(), header.size());
  file.write(bytes.data(), bytes.size());
  file.commit();
}

}  // namespace gan
