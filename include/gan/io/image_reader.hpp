// One PNG or JPEG picture, decoded through stb_image and fitted to a given size.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "gan/core/error.hpp"
#include "gan/core/shape.hpp"
#include "gan/io/atomic_file.hpp"
#include "gan/io/checked_image.hpp"
#include "gan/io/jpeg.hpp"
#include "gan/io/png.hpp"
#include "gan/io/stb_image.hpp"

namespace gan {

/// Bytes [height, width, channels], row-major.
struct Image {
  Index height = 0, width = 0, channels = 0;
  std::vector<std::uint8_t> pixels;
};

/// Decodes a PNG or JPEG file to gray (channels 1) or RGB (3). It comes as it is shown: transparent parts are white,
/// and where a camera noted that it was held turned (Exif's orientation), the picture is turned. 16 bits become 8; ink
/// (four components, in Adobe's form) becomes light; what lies behind the picture's end is not looked at. Throws,
/// naming the file, when it cannot be read, is neither PNG nor JPEG, is truncated or damaged, has other than 1, 3 or 4
/// components, or is larger than 2^26 pixels or 2^14 a side: all of this is found by a walk over the file's structure,
/// which also compares its size with the bytes there are, before anything is decoded or memory taken.
Image read_image(const std::filesystem::path& path, Index channels = 3);

/// Scales a picture so that it just covers [height, width] and cuts its middle out. Scaling is linear between pixels,
/// and when it shrinks, a mean weighted by distance over all pixels that an output pixel covers (no aliasing). Throws
/// for sides outside [1, 2^14], and for a picture whose sizes are not those of its bytes.
Image fit_image(const Image& image, Index height, Index width);

inline constexpr std::uint64_t largest_image_file = std::uint64_t{1} << 30;

namespace detail {

inline constexpr Index largest_fitted_image = Index{3} << 28;  // three channels of the longest sides

}  // namespace detail

/// `size` zeros, or an error that names what they are for.
inline std::vector<std::uint8_t> image_bytes(const std::string& name, std::uint64_t size) {
  return detail::memory_for(name, size, [&] { return std::vector<std::uint8_t>(static_cast<std::size_t>(size)); });
}

namespace detail {

/// For each output position, which inputs it is made of: weights[i * taps + k] belongs to input first[i] + k.
struct Resampling {
  Index taps = 0;
  std::vector<Index> first;
  std::vector<float> weights;
};

/// `out` positions, `scale` input pixels each, around the middle of `in`. Weights are a triangle as wide as an output
/// pixel, at least as an input pixel, and sum to 1 at the edges, too.
inline Resampling make_resampling(Index in, Index out, double scale) {
  const double radius = std::max(1.0, scale), start = (static_cast<double>(in) - static_cast<double>(out) * scale) / 2;
  Resampling r;
  r.taps = std::min(in, static_cast<Index>(2 * std::ceil(radius)) + 1);
  r.first.resize(static_cast<std::size_t>(out));
  r.weights.resize(static_cast<std::size_t>(out * r.taps));
  for (Index i = 0; i < out; ++i) {
    const double center = start + (static_cast<double>(i) + 0.5) * scale;
    const Index first = std::clamp<Index>(static_cast<Index>(std::floor(center - radius)), 0, in - r.taps);
    float* const weights = r.weights.data() + i * r.taps;
    double sum = 0;
    for (Index k = 0; k < r.taps; ++k) {
      const double distance = std::abs(static_cast<double>(first + k) + 0.5 - center);
      const double weight = std::max(0.0, 1 - distance / radius);
      weights[k] = static_cast<float>(weight);
      sum += weight;
    }
    for (Index k = 0; k < r.taps; ++k) weights[k] = static_cast<float>(weights[k] / sum);
    r.first[static_cast<std::size_t>(i)] = first;
  }
  return r;
}

}  // namespace detail

/// Reads a picture file and checks its structure.
inline CheckedImage open_image(const std::filesystem::path& path) {
  const std::string name = path.string();
  InputFile file(path);
  check(file.size() <= largest_image_file, name, ": picture file of ", file.size(), " bytes, expected at most ",
        largest_image_file);
  auto bytes = image_bytes(name, file.size());
  file.read(bytes.data(), bytes.size(), "picture");
  const auto begins = [&](std::span<const std::uint8_t> mark) {
    return bytes.size() >= mark.size() && std::equal(mark.begin(), mark.end(), bytes.begin());
  };
  constexpr std::array<std::uint8_t, 2> jpeg_mark{0xff, 0xd8};
  return detail::memory_for(name, 3 * file.size(), [&] {
    if (begins(detail::png_signature)) return detail::PngCheck(name, bytes).run();
    check(begins(jpeg_mark), name, ": expected a PNG or JPEG picture, found neither's first bytes");
    return detail::JpegCheck(name, bytes).run();
  });
}

/// The picture as Exif's orientation says: 2 mirrored, 3 half a turn, 4 upside down, 5 rows and columns exchanged,
/// 6 a quarter to the right, 7 exchanged about the other diagonal, 8 a quarter to the left.
inline Image turned(const std::string& name, Image image, int orientation) {
  if (orientation == 1) return image;
  const bool exchanged = orientation >= 5;
  const bool from_right = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool from_below = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  const Index channels = image.channels, rows = image.height, columns = image.width;
  Image out{exchanged ? columns : rows, exchanged ? rows : columns, channels, image_bytes(name, image.pixels.size())};
  std::uint8_t* to = out.pixels.data();
  for (Index y = 0; y < out.height; ++y)
    for (Index x = 0; x < out.width; ++x, to += channels) {
      const Index row = exchanged ? x : y, column = exchanged ? y : x;
      const Index at = (from_below ? rows - 1 - row : row) * columns + (from_right ? columns - 1 - column : column);
      std::copy_n(image.pixels.data() + at * channels, channels, to);
    }
  return out;
}

/// Gray (channels 1) or RGB (3) bytes of a checked file.
inline Image decode_image(const std::string& name, const CheckedImage& file, Index channels) {
#ifdef GAN_HAS_STB_IMAGE
  namespace stb = detail::stb_read;
  int width = 0, height = 0, stored = 0;
  const Index decoded = channels + (file.alpha ? 1 : 0);
  stb::largest_block = static_cast<std::size_t>(file.largest_block);
  stb::asked_too_much = false;
  const std::unique_ptr<stb::stbi_uc, void (*)(stb::stbi_uc*)> data(
      stb::gan_stbi_load_from_memory(file.bytes.data(), static_cast<int>(file.bytes.size()), &width, &height, &stored,
                                     static_cast<int>(decoded)),
      [](stb::stbi_uc* memory) { std::free(memory); });
  const char* const reason = stb::asked_too_much              ? "its data unpack to more than its size says"
                             : stb::gan_stbi_failure_reason() ? stb::gan_stbi_failure_reason()
                                                              : "unknown reason";
  check(data != nullptr && width == file.width && height == file.height, name, ": broken picture: ", reason);

  const Index count = file.height * file.width;
  Image image{file.height, file.width, channels, image_bytes(name, static_cast<std::uint64_t>(count * channels))};
  if (!file.alpha) {
    std::copy_n(data.get(), count * channels, image.pixels.data());
    return image;
  }
  for (Index i = 0; i < count; ++i) {
    const stb::stbi_uc* const from = data.get() + i * decoded;
    const int opacity = from[channels];
    for (Index c = 0; c < channels; ++c)
      image.pixels[static_cast<std::size_t>(i * channels + c)] =
          static_cast<std::uint8_t>((from[c] * opacity + 255 * (255 - opacity) + 127) / 255);
  }
  return image;
#else
  (void)file, (void)channels;
  fail(name,
       ": this program was built without stb_image.h, which reads PNG and JPEG: install it (Debian and Ubuntu: "
       "libstb-dev) and build again");
#endif
}

inline Image read_image(const std::filesystem::path& path, Index channels) {
  const std::string name = path.string();
  check(channels == 1 || channels == 3, name, ": ", channels, " channels asked for, expected 1 (gray) or 3 (RGB)");
  const auto file = open_image(path);
  return turned(name, decode_image(name, file, channels), file.orientation);
}

inline Image fit_image(const Image& image, Index height, Index width) {
  const Index channels = image.channels;
  check(height >= 1 && width >= 1 && height <= (1 << 14) && width <= (1 << 14), "fit_image: size ", height, " x ",
        width, ", expected 1 to ", 1 << 14, " pixels a side");
  const Index size = static_cast<Index>(image.pixels.size());
  check(image.height >= 1 && image.width >= 1 && channels >= 1 && image.height <= size / image.width / channels &&
            image.height * image.width * channels == size,
        "fit_image: ", size, " bytes for a picture of ", image.height, " x ", image.width, " x ", channels);
  check(channels <= detail::largest_fitted_image / (height * width), "fit_image: ", height, " x ", width, " x ",
        channels, " bytes asked for, expected at most ", detail::largest_fitted_image);
  if (image.height == height && image.width == width) return image;
  const double scale = std::min(static_cast<double>(image.height) / static_cast<double>(height),
                                static_cast<double>(image.width) / static_cast<double>(width));
  const auto across = detail::make_resampling(image.width, width, scale);
  const auto down = detail::make_resampling(image.height, height, scale);

  // Rows are narrowed one at a time and added to the output rows they belong to.
  const Index row_size = width * channels;
  std::vector<float> sums(static_cast<std::size_t>(height * row_size)), row(static_cast<std::size_t>(row_size));
  Index open = 0;  // first output row that is not complete
  for (Index y = down.first.front(); y < down.first.back() + down.taps; ++y) {
    const std::uint8_t* const from = image.pixels.data() + y * image.width * channels;
    for (Index x = 0; x < width; ++x) {
      const float* const weights = across.weights.data() + x * across.taps;
      const std::uint8_t* const start = from + across.first[static_cast<std::size_t>(x)] * channels;
      for (Index c = 0; c < channels; ++c) {
        float sum = 0;
        for (Index k = 0; k < across.taps; ++k) sum += weights[k] * static_cast<float>(start[k * channels + c]);
        row[static_cast<std::size_t>(x * channels + c)] = sum;
      }
    }
    while (open < height && down.first[static_cast<std::size_t>(open)] + down.taps <= y) ++open;
    for (Index out = open; out < height && down.first[static_cast<std::size_t>(out)] <= y; ++out) {
      const float weight =
          down.weights[static_cast<std::size_t>(out * down.taps + y - down.first[static_cast<std::size_t>(out)])];
      float* const to = sums.data() + out * row_size;
      for (Index i = 0; i < row_size; ++i) to[i] += weight * row[static_cast<std::size_t>(i)];
    }
  }
  Image fitted{height, width, channels, std::vector<std::uint8_t>(sums.size())};
  std::transform(sums.begin(), sums.end(), fitted.pixels.begin(),
                 [](float x) { return static_cast<std::uint8_t>(std::clamp(x + 0.5f, 0.0f, 255.0f)); });
  return fitted;
}

}  // namespace gan
