// A folder of PNG and JPEG pictures as a dataset.
#pragma once

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <mutex>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "gan/core/error.hpp"
#include "gan/core/parallel.hpp"
#include "gan/data/dataset.hpp"
#include "gan/data/image_file.hpp"

namespace gan {

struct ImageFolderOptions {
  Index height = 64, width = 64;
  Index channels = 3;      ///< 1: gray, 3: RGB
  bool recursive = false;  ///< also pictures in folders below, however deep
  PixelRange range = PixelRange::minus_one_to_one;
};

/// The files that end in .png, .jpg or .jpeg (in capitals, too), sorted by path. Throws when the folder cannot be read.
std::vector<std::filesystem::path> find_pictures(const std::filesystem::path& folder, bool recursive = false);

/// All pictures of the folder in the order of their paths, each fitted to [height, width, channels] by scaling and
/// cutting its middle out. They are kept as bytes. Throws when there are none, and when one cannot be read, naming the
/// file; see read_picture and fit_picture.
template <class T>
Dataset<T> load_image_folder(const std::filesystem::path& folder, const ImageFolderOptions& options = {});

namespace detail {

inline bool is_picture_name(const std::filesystem::path& path) {
  std::string ending = path.extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return ending == ".png" || ending == ".jpg" || ending == ".jpeg";
}

template <class Iterator>
void collect_pictures(const std::filesystem::path& folder, std::vector<std::filesystem::path>& found) {
  std::error_code error;
  Iterator entry(folder, error);
  for (; !error && entry != Iterator(); entry.increment(error)) {
    std::error_code ignored;  // a dangling link is found, and fails when it is read
    if (is_picture_name(entry->path()) && !entry->is_directory(ignored)) found.push_back(entry->path());
  }
  check(!error, "image folder ", folder.string(), ": cannot read it: ", error.message());
}

}  // namespace detail

inline std::vector<std::filesystem::path> find_pictures(const std::filesystem::path& folder, bool recursive) {
  std::vector<std::filesystem::path> found;
  if (recursive)
    detail::collect_pictures<std::filesystem::recursive_directory_iterator>(folder, found);
  else
    detail::collect_pictures<std::filesystem::directory_iterator>(folder, found);
  std::sort(found.begin(), found.end());
  return found;
}

template <class T>
Dataset<T> load_image_folder(const std::filesystem::path& folder, const ImageFolderOptions& options) {
  constexpr Index longest = 1 << 14;
  check(options.height >= 1 && options.width >= 1 && options.height <= longest && options.width <= longest,
        "image folder ", folder.string(), ": size ", options.height, " x ", options.width, ", expected 1 to ", longest,
        " pixels a side");
  check(options.channels == 1 || options.channels == 3, "image folder ", folder.string(), ": ", options.channels,
        " channels, expected 1 (gray) or 3 (RGB)");
  const auto paths = find_pictures(folder, options.recursive);
  check(!paths.empty(), "image folder ", folder.string(), ": expected .png, .jpg or .jpeg files, found none",
        options.recursive ? "" : " (folders below are searched with recursive = true)");

  const Shape shape{options.height, options.width, options.channels};
  const Index count = static_cast<Index>(paths.size());
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(count * shape.size()));
  std::mutex mutex;
  Index first_bad = count;  // of several broken files the first is named, whatever the threads do
  std::exception_ptr problem;
  parallel_for(count, 1, [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      try {
        const auto fitted = fit_picture(read_picture(paths[static_cast<std::size_t>(i)], options.channels),
                                        options.height, options.width);
        std::copy(fitted.pixels.begin(), fitted.pixels.end(), bytes.begin() + i * shape.size());
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (i < first_bad) {
          first_bad = i;
          problem = std::current_exception();
        }
        return;
      }
    }
  });
  if (problem) std::rethrow_exception(problem);
  return Dataset<T>::from_bytes(shape, std::move(bytes), {}, options.range);
}

}  // namespace gan
