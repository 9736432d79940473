// A folder of PNG and JPEG pictures as a dataset.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <iterator>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "gan/core/error.hpp"
#include "gan/core/parallel.hpp"
#include "gan/core/warn.hpp"
#include "gan/data/dataset.hpp"
#include "gan/io/atomic_file.hpp"
#include "gan/io/image_reader.hpp"
#include "gan/io/memory_budget.hpp"

namespace gan {

/// What becomes of a folder in which a picture cannot be read: an error, or it is left out, with a warning that counts.
enum class Broken { error, skip };

struct ImageFolderOptions {
  Index height = 64, width = 64;
  Index channels = 3;      ///< 1: gray, 3: RGB
  bool recursive = false;  ///< also pictures in folders below, however deep
  PixelRange range = PixelRange::minus_one_to_one;
  Broken broken = Broken::error;
  /// Labels from the names of folders: the pictures of each folder in this one, however deep, are a class.
  bool classes = false;
  /// Bytes that decoding may take at a time, in all threads together; a picture that needs more is decoded alone.
  Index memory = Index{1} << 30;
};

/// The files that end in .png, .jpg, .jpeg, .jpe or .jfif (in capitals, too), sorted by path. Links to files and to
/// folders are followed; no folder is searched twice, so links may go round. Names that begin with a dot are left out;
/// pictures of other formats are, too, and a warning counts them. Throws when a folder cannot be read, naming it.
std::vector<std::filesystem::path> find_images(const std::filesystem::path& folder, bool recursive = false);

/// All pictures of the folder in the order of their paths, each fitted to [height, width, channels] by scaling and
/// cutting its middle out. They are kept as bytes. Classes are numbered from 0 in the order of their names, which the
/// dataset knows. Throws when there are none, when they do not fit into memory, and,
/// unless told to skip it, when one cannot be read: at the first one, naming the file; see read_image and
/// fit_image. With classes it throws also for pictures beside the folders, and for a folder without pictures.
template <class T>
Dataset<T> load_image_folder(const std::filesystem::path& folder, const ImageFolderOptions& options = {});

namespace detail {

class ImageSearch {
 public:
  ImageSearch(const std::filesystem::path& folder, bool recursive) : root_(folder), recursive_(recursive) {}

  std::vector<std::filesystem::path> run() {
    std::vector<std::filesystem::path> open{root_};
    std::error_code ignored;
    searched_.insert(std::filesystem::canonical(root_, ignored));
    while (!open.empty()) {
      const auto folder = std::move(open.back());
      open.pop_back();
      auto below = search(folder);
      // In the order of their names, so that of two ways into a folder always the same is taken.
      std::sort(below.begin(), below.end(), std::greater<>());
      open.insert(open.end(), below.begin(), below.end());
    }
    std::sort(found_.begin(), found_.end());
    tell();
    return std::move(found_);
  }

 private:
  /// Notes the folder's pictures and returns the folders below that are to be searched.
  std::vector<std::filesystem::path> search(const std::filesystem::path& folder) {
    std::vector<std::filesystem::path> below;
    std::error_code error;
    std::filesystem::directory_iterator entry(folder, error);
    for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
      const auto& path = entry->path();
      if (path.filename().native().front() == '.') continue;  // thumbnails, what a Mac leaves on other disks
      std::error_code ignored;
      if (entry->is_directory(ignored)) {
        if (recursive_) below.push_back(path);
        continue;
      }
      const std::string ending = small_ending(path);
      const auto is = [&](std::string_view other) { return ending == other; };
      if (std::any_of(readable.begin(), readable.end(), is))  // a dangling link is found, and fails when it is read
        found_.push_back(path);
      else if (std::any_of(others.begin(), others.end(), is))
        ++skipped_[ending];
    }
    check(!error, "image folder ", root_.string(), ": cannot read ", folder == root_ ? "it" : folder.string(), ": ",
          error.message());
    std::erase_if(below, [&](const auto& path) {
      std::error_code failed;
      const auto place = std::filesystem::canonical(path, failed);
      return !failed && !searched_.insert(place).second;
    });
    return below;
  }

  void tell() const {
    Index count = 0;
    std::string endings;
    for (const auto& [ending, files] : skipped_) {
      count += files;
      endings += (endings.empty() ? "" : ", ") + std::to_string(files) + " " + ending;
    }
    if (count > 0)
      warn_once("image folder " + root_.string() + ": " + std::to_string(count) +
                " pictures of other formats than PNG and JPEG were left out (" + endings + ")");
  }

  static constexpr std::array<std::string_view, 5> readable{".png", ".jpg", ".jpeg", ".jpe", ".jfif"};
  static constexpr std::array<std::string_view, 15> others{".webp", ".bmp",  ".gif",  ".tif", ".tiff",
                                                           ".heic", ".heif", ".avif", ".jp2", ".jxl",
                                                           ".ppm",  ".pgm",  ".tga",  ".dng", ".psd"};

  const std::filesystem::path& root_;
  bool recursive_;
  std::vector<std::filesystem::path> found_;
  std::set<std::filesystem::path> searched_;
  std::map<std::string, Index> skipped_;
};

struct FolderLabels {
  std::vector<Index> labels;
  std::vector<std::string> names;
};

/// The class of each path is the first folder below `folder`; classes are sorted by name.
inline FolderLabels folder_labels(const std::string& what, const std::filesystem::path& folder,
                                  const std::vector<std::filesystem::path>& paths) {
  std::map<std::string, Index> pictures;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    std::error_code ignored;
    if (name.front() != '.' && entry.is_directory(ignored)) pictures.emplace(name, 0);
  }
  check(!pictures.empty(), what, ": expected a folder for each class, found none");
  FolderLabels found;
  for (const auto& [name, count] : pictures) found.names.push_back(name);
  std::vector<std::string> beside;
  for (const auto& path : paths) {
    const auto place = path.lexically_relative(folder);
    if (!place.has_parent_path()) {
      beside.push_back(place.string());
      continue;
    }
    const auto of = pictures.find(place.begin()->string());
    ++of->second;
    found.labels.push_back(static_cast<Index>(std::distance(pictures.begin(), of)));
  }
  check(beside.empty(), what, ": ", beside.size(), " of ", paths.size(),
        " pictures have no class, the first: ", beside.empty() ? "" : beside.front(),
        "; expected them in the folders of the ", pictures.size(), " classes");
  for (const auto& [name, count] : pictures)
    check(count > 0, what, ": no pictures of class \"", name, "\", one of ", pictures.size());
  return found;
}

}  // namespace detail

inline std::vector<std::filesystem::path> find_images(const std::filesystem::path& folder, bool recursive) {
  return detail::ImageSearch(folder, recursive).run();
}

template <class T>
Dataset<T> load_image_folder(const std::filesystem::path& folder, const ImageFolderOptions& options) {
  const std::string name = "image folder " + folder.string();
  constexpr Index longest = 1 << 14;
  check(options.height >= 1 && options.width >= 1 && options.height <= longest && options.width <= longest, name,
        ": size ", options.height, " x ", options.width, ", expected 1 to ", longest, " pixels a side");
  check(options.channels == 1 || options.channels == 3, name, ": ", options.channels,
        " channels, expected 1 (gray) or 3 (RGB)");
  check(options.memory >= 1, name, ": ", options.memory, " bytes of memory, expected at least 1");
  const auto paths = find_images(folder, options.recursive || options.classes);
  check(!paths.empty(), name, ": expected .png, .jpg or .jpeg files, found none",
        options.recursive || options.classes ? "" : " (folders below are searched with recursive = true)");

  auto [labels, names] = options.classes ? detail::folder_labels(name, folder, paths) : detail::FolderLabels{};
  const Shape shape{options.height, options.width, options.channels};
  const Index count = static_cast<Index>(paths.size()), item = shape.size();
  const auto size = static_cast<std::uint64_t>(count) * static_cast<std::uint64_t>(item);
  auto bytes = image_bytes(name, size);
  // Files and pixels in two parts of the budget: who waits for pixels holds a file, never the other way round.
  const auto memory = static_cast<std::uint64_t>(options.memory);
  MemoryBudget files(memory / 4), pixels(memory - memory / 4);
  std::atomic<Index> next{0};
  std::atomic<bool> stop{false};
  std::mutex mutex;
  std::map<Index, std::string> broken;
  const auto load = [&](Index i) {
    const auto& path = paths[static_cast<std::size_t>(i)];
    std::error_code ignored;  // what cannot be opened says so when it is
    const auto length = std::filesystem::file_size(path, ignored);
    const MemoryBudget::Share file_share(files, ignored ? 0 : 3 * std::min(length, largest_image_file));
    const auto file = open_image(path);
    const MemoryBudget::Share pixel_share(pixels, file.memory);
    const auto image = turned(path.string(), decode_image(path.string(), file, options.channels), file.orientation);
    const auto fitted = fit_image(image, options.height, options.width);
    std::copy(fitted.pixels.begin(), fitted.pixels.end(), bytes.begin() + i * item);
  };
  // Each thread takes the next picture: when one is broken, all before it were taken, and the first of several is
  // known.
  parallel_for(threads(), 1, [&](Index, Index) {
    for (Index i; !stop && (i = next++) < count;) {
      std::string reason;
      try {
        load(i);
        continue;
      } catch (const std::exception& error) {
        reason = error.what();
      }
      const std::lock_guard lock(mutex);
      broken.emplace(i, std::move(reason));
      if (options.broken == Broken::error) stop = true;
    }
  });
  if (broken.empty())
    return Dataset<T>::from_bytes(shape, std::move(bytes), std::move(labels), options.range,
                                  {.names = std::move(names)});

  check(options.broken == Broken::skip, broken.begin()->second);
  const auto skipped = static_cast<Index>(broken.size());
  check(skipped < count, name, ": none of ", count, " pictures can be read, the first: ", broken.begin()->second);
  warn_once(name + ": " + std::to_string(skipped) + " of " + std::to_string(count) +
            " pictures cannot be read and were left out, the first: " + broken.begin()->second);
  auto to = bytes.begin();
  auto to_label = labels.begin();
  for (Index i = 0; i < count; ++i) {
    if (broken.contains(i)) continue;
    to = std::copy_n(bytes.begin() + i * item, item, to);
    if (options.classes) *to_label++ = labels[static_cast<std::size_t>(i)];
  }
  bytes.erase(to, bytes.end());
  labels.erase(to_label, labels.end());
  return Dataset<T>::from_bytes(shape, std::move(bytes), std::move(labels), options.range, {.names = std::move(names)});
}

}  // namespace gan
