#include "gan/io/npy.hpp"

#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

using gan::Tensor;

namespace {

std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TEST_CASE("an NPY file is a header of a multiple of 64 bytes, then the numbers", "[io]") {
  const TemporaryFolder folder;
  const auto path = folder.path() / "x.npy";
  const Tensor<float> x({2, 3}, {1, 2, 3, 4, 5, -6});
  gan::write_npy(path, x);
  const std::string file = bytes_of(path);
  REQUIRE(file.substr(0, 8) == std::string("\x93NUMPY\x01\0", 8));
  const std::size_t length = static_cast<unsigned char>(file[8]) + 256u * static_cast<unsigned char>(file[9]);
  REQUIRE((10 + length) % 64 == 0);
  const std::string header = file.substr(10, length);
  REQUIRE(header.starts_with("{'descr': '<f4', 'fortran_order': False, 'shape': (2,3,), }"));
  REQUIRE(header.ends_with("\n"));
  REQUIRE(file.size() == 10 + length + 6 * sizeof(float));
  std::vector<float> values(6);
  std::memcpy(values.data(), file.data() + 10 + length, 6 * sizeof(float));
  REQUIRE(values == std::vector<float>{1, 2, 3, 4, 5, -6});
}

TEST_CASE("NPY files of double, of one number, and where nothing can be written", "[io]") {
  const TemporaryFolder folder;
  gan::write_npy(folder.path() / "d.npy", Tensor<double>({1}, {0.5}));
  REQUIRE(bytes_of(folder.path() / "d.npy").find("'<f8', 'fortran_order': False, 'shape': (1,)") != std::string::npos);
  gan::write_npy(folder.path() / "s.npy", Tensor<double>::scalar(2));
  REQUIRE(bytes_of(folder.path() / "s.npy").find("'shape': (), }") != std::string::npos);
  REQUIRE_THROWS_WITH(gan::write_npy(folder.path() / "none" / "x.npy", Tensor<float>({1})), ContainsSubstring("x.npy"));
  REQUIRE_THROWS_WITH(gan::write_npy(folder.path() / "u.npy", Tensor<float>()), ContainsSubstring("undefined"));
}
