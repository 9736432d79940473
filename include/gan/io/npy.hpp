// NPY, the file format of NumPy's arrays, written.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <filesystem>
#include <string>

#include "gan/io/atomic_file.hpp"
#include "gan/tensor/tensor.hpp"

namespace gan {

/// Writes x [...] as numpy.load(path) reads it, float32 or float64, in format version 1.0 (NumPy Enhancement Proposal
/// 1). Throws when the file cannot be written; an older one is whole then.
template <std::floating_point T>
void write_npy(const std::filesystem::path& path, const Tensor<T>& x) {
  static_assert(std::endian::native == std::endian::little, "NPY files are written as numbers lie in memory");
  check(x.defined(), path.string(), ": the tensor is undefined");
  std::string header("{'descr': '<f");
  header += sizeof(T) == 4 ? '4' : '8';
  header += "', 'fortran_order': False, 'shape': (";
  for (const Index length : x.shape()) header += std::to_string(length) + ",";
  header += "), }";
  constexpr std::size_t before = 10, block = 64;  // what stands before the header, and what the data is aligned to
  header.append(block - 1 - (before + header.size()) % block, ' ');
  header += '\n';
  std::string start("\x93NUMPY\x01\0", 8);
  start += static_cast<char>(header.size() & 0xff);
  start += static_cast<char>(header.size() >> 8);
  AtomicFile file(path);
  file.write(start.data(), start.size());
  file.write(header.data(), header.size());
  file.write(x.data(), static_cast<std::size_t>(x.size()) * sizeof(T));
  file.commit();
}

}  // namespace gan
