// One PNG or JPEG picture, decoded through stb_image and fitted to a given size.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "gan/core/error.hpp"
#include "gan/core/file.hpp"
#include "gan/core/shape.hpp"
#include "gan/data/stb_image.hpp"

namespace gan {

/// Bytes [height, width, channels], row-major.
struct Picture {
  Index height = 0, width = 0, channels = 0;
  std::vector<std::uint8_t> pixels;
};

/// Decodes a PNG or JPEG file to gray (channels 1) or RGB (3); transparent parts show white, 16 bits become 8, and the
/// rotation that a camera notes beside the picture is not applied. Throws, naming the file, when it cannot be read, is
/// neither PNG nor JPEG, is broken, or is larger than 2^26 pixels: the size is read before anything is decoded.
Picture read_picture(const std::filesystem::path& path, Index channels = 3);

/// Scales a picture so that it just covers [height, width] and cuts its middle out. Scaling is linear between pixels,
/// and when it shrinks, a mean weighted by distance over all pixels that an output pixel covers (no aliasing).
Picture fit_picture(const Picture& picture, Index height, Index width);

namespace detail {

inline constexpr std::int64_t largest_decoded_picture = std::int64_t{1} << 26;
inline constexpr std::uint64_t largest_picture_file = std::uint64_t{1} << 30;
inline constexpr Index most_jpeg_scans = 200;

/// Scans of a progressive JPEG: each is a pass over all pixels, however few bytes it takes. FF is always followed by 0
/// in the data between markers.
inline Index count_scans(const std::vector<std::uint8_t>& bytes) {
  Index scans = 0;
  for (std::size_t i = 0; i + 1 < bytes.size(); ++i) scans += bytes[i] == 0xff && bytes[i + 1] == 0xda;
  return scans;
}

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
    const double centre = start + (static_cast<double>(i) + 0.5) * scale;
    const Index first = std::clamp<Index>(static_cast<Index>(std::floor(centre - radius)), 0, in - r.taps);
    float* const weights = r.weights.data() + i * r.taps;
    double sum = 0;
    for (Index k = 0; k < r.taps; ++k) {
      const double distance = std::abs(static_cast<double>(first + k) + 0.5 - centre);
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

inline Picture read_picture(const std::filesystem::path& path, Index channels) {
  const std::string name = path.string();
  check(channels == 1 || channels == 3, name, ": ", channels, " channels asked for, expected 1 (gray) or 3 (RGB)");
#ifdef GAN_HAS_STB_IMAGE
  InputFile file(path);
  check(file.size() <= detail::largest_picture_file, name, ": picture file of ", file.size(),
        " bytes, expected at most ", detail::largest_picture_file);
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(file.size()));
  file.read(bytes.data(), bytes.size(), "picture");

  namespace stb = detail::stb_read;
  const int length = static_cast<int>(bytes.size());
  int width = 0, height = 0, stored = 0;
  const auto reason = [] {
    const char* const text = stb::stbi_failure_reason();
    return text != nullptr ? text : "unknown reason";
  };
  check(stb::stbi_info_from_memory(bytes.data(), length, &width, &height, &stored) != 0, name,
        ": expected a PNG or JPEG picture: ", reason());
  check(width > 0 && height > 0 && std::int64_t{width} * height <= detail::largest_decoded_picture, name,
        ": picture of ", width, " x ", height, " pixels, expected at most ", detail::largest_decoded_picture,
        " in all");
  const Index scans = bytes[0] == 0xff ? detail::count_scans(bytes) : 1;
  check(scans <= detail::most_jpeg_scans, name, ": JPEG of ", scans, " scans, expected at most ",
        detail::most_jpeg_scans);

  const bool alpha = stored == 2 || stored == 4;
  const Index decoded = channels + (alpha ? 1 : 0);
  const std::unique_ptr<stb::stbi_uc, void (*)(stb::stbi_uc*)> data(
      stb::stbi_load_from_memory(bytes.data(), length, &width, &height, &stored, static_cast<int>(decoded)),
      [](stb::stbi_uc* memory) { std::free(memory); });
  check(data != nullptr, name, ": broken picture: ", reason());

  const Index count = Index{height} * width;
  Picture picture{height, width, channels, std::vector<std::uint8_t>(static_cast<std::size_t>(count * channels))};
  if (!alpha) {
    std::copy_n(data.get(), count * channels, picture.pixels.data());
    return picture;
  }
  for (Index i = 0; i < count; ++i) {
    const stb::stbi_uc* const from = data.get() + i * decoded;
    const int opacity = from[channels];
    for (Index c = 0; c < channels; ++c)
      picture.pixels[static_cast<std::size_t>(i * channels + c)] =
          static_cast<std::uint8_t>((from[c] * opacity + 255 * (255 - opacity) + 127) / 255);
  }
  return picture;
#else
  fail(name,
       ": this program was built without stb_image.h, which reads PNG and JPEG: install it (Debian and Ubuntu: "
       "libstb-dev) and build again");
#endif
}

inline Picture fit_picture(const Picture& picture, Index height, Index width) {
  const Index channels = picture.channels;
  check(height >= 1 && width >= 1 && height <= (1 << 14) && width <= (1 << 14), "fit_picture: size ", height, " x ",
        width, ", expected 1 to ", 1 << 14, " pixels a side");
  check(picture.height >= 1 && picture.width >= 1 && channels >= 1 &&
            static_cast<Index>(picture.pixels.size()) == picture.height * picture.width * channels,
        "fit_picture: ", picture.pixels.size(), " bytes for a picture of ", picture.height, " x ", picture.width, " x ",
        channels);
  if (picture.height == height && picture.width == width) return picture;
  const double scale = std::min(static_cast<double>(picture.height) / static_cast<double>(height),
                                static_cast<double>(picture.width) / static_cast<double>(width));
  const auto across = detail::make_resampling(picture.width, width, scale);
  const auto down = detail::make_resampling(picture.height, height, scale);

  // Rows are narrowed one at a time and added to the output rows they belong to.
  const Index row_size = width * channels;
  std::vector<float> sums(static_cast<std::size_t>(height * row_size)), row(static_cast<std::size_t>(row_size));
  Index open = 0;  // first output row that is not complete
  for (Index y = down.first.front(); y < down.first.back() + down.taps; ++y) {
    const std::uint8_t* const from = picture.pixels.data() + y * picture.width * channels;
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
  Picture fitted{height, width, channels, std::vector<std::uint8_t>(sums.size())};
  std::transform(sums.begin(), sums.end(), fitted.pixels.begin(),
                 [](float x) { return static_cast<std::uint8_t>(std::clamp(x + 0.5f, 0.0f, 255.0f)); });
  return fitted;
}

}  // namespace gan
