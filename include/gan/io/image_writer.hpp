// Pictures: single ones and grids of samples as PNG files, through stb_image_write.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "gan/core/error.hpp"
#include "gan/core/finite.hpp"
#include "gan/io/atomic_file.hpp"
#include "gan/io/stb_image_write.hpp"
#include "gan/tensor/tensor.hpp"

namespace gan {

struct GridOptions {
  Index columns = 0;       ///< 0: as square as possible
  Index padding = 2;       ///< pixels between and around the images
  double low = -1;         ///< the value that becomes black
  double high = 1;         ///< the value that becomes white, or full color
  double background = -1;  ///< value of the padding and of places without an image
};

/// Writes one image [h, w, c] (c 1: gray, 3: RGB) or [h, w]. Values from `low` to `high` become 0 to 255, values
/// outside are clamped, NaN becomes 0. An older file is replaced as a whole. Throws for other shapes, for more than
/// 2^28 bytes, unless low < high, for a name that does not end in .png, and when the file cannot be written.
template <class T>
void write_png(const std::filesystem::path& path, const Tensor<T>& image, double low = -1, double high = 1);

/// Writes images [n, h, w, c] (c 1 or 3) or [n, h, w], row by row from the upper left corner, under the same rules.
/// Throws also for n = 0 and for negative columns or padding.
template <class T>
void write_grid(const std::filesystem::path& path, const Tensor<T>& images, const GridOptions& options = {});

/// The bytes such a picture is made of: `low` and below become 0, `high` and above 255, NaN 0.
template <class T>
std::vector<std::uint8_t> to_bytes(const Tensor<T>& x, double low = -1, double high = 1);

namespace detail {

inline constexpr Index largest_image = Index{1} << 28;

/// Readers of folders go by the ending: a PNG file of another name would be passed over, or taken for what it is not.
inline void check_png_name(const std::filesystem::path& path) {
  check(small_ending(path) == ".png", "cannot write \"", path.string(),
        "\": a PNG file, expected a name that ends in .png");
}

/// Encodes and writes bytes [height, width, channels].
inline void write_png_bytes(const std::filesystem::path& path, const std::uint8_t* pixels, Index height, Index width,
                            Index channels) {
#ifdef GAN_HAS_STB_IMAGE_WRITE
  int length = 0;
  const auto size = [](Index n) { return static_cast<int>(n); };
  const std::unique_ptr<unsigned char, void (*)(unsigned char*)> png(
      stb_write::gan_stbi_write_png_to_mem(pixels, size(width * channels), size(width), size(height), size(channels),
                                           &length),
      [](unsigned char* memory) { std::free(memory); });
  check(png != nullptr && length > 0, path.string(), ": not enough memory for a PNG of ", width, " x ", height);
  write_file(path, png.get(), static_cast<std::size_t>(length));
#else
  (void)pixels, (void)height, (void)width, (void)channels;
  fail(path.string(),
       ": this program was built without stb_image_write.h, which writes PNG files: install it (Debian and "
       "Ubuntu: libstb-dev) and build again");
#endif
}

/// Maps values to bytes by a range.
template <class T>
class ToByte {
 public:
  ToByte(const std::filesystem::path& path, double low, double high) : low_(low), scale_(255 / (high - low)) {
    check(is_finite(low) && is_finite(high) && low < high && is_finite(high - low), path.string(), ": range from ", low,
          " to ", high, ", expected low < high");
  }
  std::uint8_t operator()(T x) const {
    if (is_nan(x)) return 0;
    const double level = (static_cast<double>(x) - low_) * scale_ + 0.5;
    return level >= 1 ? static_cast<std::uint8_t>(std::min(level, 255.0)) : std::uint8_t{0};
  }

 private:
  double low_, scale_;
};

}  // namespace detail

template <class T>
std::vector<std::uint8_t> to_bytes(const Tensor<T>& x, double low, double high) {
  const detail::ToByte<T> to_byte("to_bytes", low, high);
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(x.size()));
  std::transform(x.data(), x.data() + x.size(), bytes.begin(), to_byte);
  return bytes;
}

template <class T>
void write_png(const std::filesystem::path& path, const Tensor<T>& image, double low, double high) {
  detail::check_png_name(path);
  const Shape& shape = image.shape();
  check((shape.rank() == 2 || (shape.rank() == 3 && (shape[2] == 1 || shape[2] == 3))) && shape.size() > 0,
        path.string(), ": cannot write a tensor of shape ", shape,
        " as a picture: expected [h, w], [h, w, 1] or [h, w, 3]");
  write_grid(path, image.view(shape.inserted(0, 1)), {.columns = 1, .padding = 0, .low = low, .high = high});
}

template <class T>
void write_grid(const std::filesystem::path& path, const Tensor<T>& images, const GridOptions& options) {
  detail::check_png_name(path);
  const Shape& shape = images.shape();
  check((shape.rank() == 3 || (shape.rank() == 4 && (shape[3] == 1 || shape[3] == 3))) && shape.size() > 0,
        path.string(), ": cannot write a tensor of shape ", shape,
        " as pictures: expected [n, h, w], [n, h, w, 1] or [n, h, w, 3]");
  const Index count = shape[0], height = shape[1], width = shape[2], channels = shape.rank() == 4 ? shape[3] : 1;
  constexpr Index longest = 1 << 24;
  const Index pad = options.padding;
  check(options.columns >= 0 && pad >= 0 && pad <= longest, path.string(), ": grid of ", options.columns,
        " columns with padding ", pad, ", expected 0 or more");
  Index columns = std::min(options.columns, count);
  if (columns == 0)  // the last correction is for roots that are not exact
    for (columns = static_cast<Index>(std::sqrt(static_cast<double>(count))); columns * columns < count;) ++columns;
  const Index rows = (count - 1) / columns + 1;
  const auto side = [&](Index n, Index length) {
    check(length <= longest && n <= longest / (length + pad), path.string(), ": grid of ", rows, " x ", columns,
          " images of ", height, " x ", width, " pixels is too large");
    return n * (length + pad) + pad;
  };
  const Index full_height = side(rows, height), full_width = side(columns, width);
  check(full_height <= detail::largest_image / full_width / channels, path.string(), ": picture of ", full_width, " x ",
        full_height, " x ", channels, " bytes, expected at most ", detail::largest_image);

  const detail::ToByte<T> to_byte(path, options.low, options.high);
  const auto background = to_byte(static_cast<T>(options.background));
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(full_height * full_width * channels), background);
  const T* from = images.data();
  for (Index i = 0; i < count; ++i) {
    const Index top = pad + i / columns * (height + pad), left = pad + i % columns * (width + pad);
    for (Index y = 0; y < height; ++y, from += width * channels) {
      std::uint8_t* const to = pixels.data() + ((top + y) * full_width + left) * channels;
      std::transform(from, from + width * channels, to, to_byte);
    }
  }
  detail::write_png_bytes(path, pixels.data(), full_height, full_width, channels);
}

}  // namespace gan
