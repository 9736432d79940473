// Folders of runs, for programs: the next free one, and the one to go on with.
#pragma once

#include <filesystem>
#include <string>
#include <system_error>

#include "gan/core/error.hpp"

namespace gan {

namespace detail {

/// base, base-2, base-3 ...
inline std::filesystem::path numbered_folder(const std::filesystem::path& base, int number) {
  return number == 1 ? base : std::filesystem::path(base.string() + "-" + std::to_string(number));
}

inline constexpr int most_folders = 100000;

}  // namespace detail

/// The first of base, base-2, base-3, ... that does not exist or is an empty folder; it exists afterwards. Throws when
/// it cannot be made.
inline std::filesystem::path free_folder(const std::filesystem::path& base) {
  for (int number = 1; number <= detail::most_folders; ++number) {
    const auto folder = detail::numbered_folder(base, number);
    std::error_code error, ignored;
    if (std::filesystem::create_directories(folder, error)) return folder;
    if (std::filesystem::is_directory(folder, ignored) && std::filesystem::is_empty(folder, ignored) && !ignored)
      return folder;
    check(std::filesystem::exists(folder, ignored), "folder ", folder.string(), ": cannot make it: ", error.message());
  }
  fail("folder ", base.string(), ": ", detail::most_folders, " of them exist");
}

/// Of base, base-2, base-3, ... the folder whose `file` was written last. Throws when none has one.
inline std::filesystem::path newest_folder(const std::filesystem::path& base,
                                           const std::string& file = "checkpoint.safetensors") {
  std::filesystem::path newest;
  std::filesystem::file_time_type time{};
  std::error_code error;
  for (int number = 1; number <= detail::most_folders; ++number) {
    const auto folder = detail::numbered_folder(base, number);
    if (number > 1 && !std::filesystem::exists(folder, error)) break;
    const auto written = std::filesystem::last_write_time(folder / file, error);
    if (error || (!newest.empty() && written < time)) continue;
    newest = folder;
    time = written;
  }
  check(!newest.empty(), "folder ", base.string(), ": holds no ", file, " to go on with, nor do ", base.string(),
        "-2 and so on");
  return newest;
}

}  // namespace gan
