// Files that are read and written with every step checked; writing never leaves a half file.
#pragma once

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <new>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

#include "gan/core/error.hpp"

namespace gan {

/// A regular file being read from its beginning. Throws, with path and reason, when it cannot be opened or is a folder,
/// pipe or device: those have no size to check a header against.
class InputFile {
 public:
  explicit InputFile(const std::filesystem::path& path);
  ~InputFile() { std::fclose(file_); }
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  const std::filesystem::path& path() const { return path_; }
  /// Length in bytes when it was opened, and how many of them have not been read.
  std::uint64_t size() const { return size_; }
  std::uint64_t remaining() const { return size_ - position_; }

  /// Reads exactly `bytes`; throws when the file ends before, naming `what` was expected.
  void read(void* to, std::uint64_t bytes, const char* what);

 private:
  std::filesystem::path path_;
  std::uint64_t size_ = 0, position_ = 0;
  std::FILE* file_ = nullptr;
};

/// A file that appears as a whole or not at all: bytes go to a temporary file in the same folder, which commit() syncs
/// to the disk and renames to `path`. Without commit(), or when anything fails, an older file of that name stays
/// untouched and the temporary is removed. A symbolic link is followed, also to a file that is not there yet, and an
/// older file's permissions are kept. Every failure throws with path and reason.
class AtomicFile {
 public:
  explicit AtomicFile(const std::filesystem::path& path);
  ~AtomicFile() { discard(); }
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(const void* from, std::size_t bytes);
  void commit();

 private:
  void discard() noexcept;
  [[noreturn]] void failed(const char* doing, int error);

  std::filesystem::path path_, temporary_;
  std::FILE* file_ = nullptr;
};

/// Writes one block of bytes as AtomicFile does.
inline void write_file(const std::filesystem::path& path, const void* from, std::size_t bytes) {
  AtomicFile file(path);
  file.write(from, bytes);
  file.commit();
}

/// Makes the folder, with those above it, unless it exists, and writes a file into it for trial: a long run learns at
/// its start that it could not save. Throws with path and reason.
void check_writable_folder(const std::filesystem::path& folder);

inline std::string system_message(int error) { return std::error_code(error, std::generic_category()).message(); }

inline std::filesystem::path folder_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

/// The name's ending in small letters of ASCII, whatever the locale.
inline std::string small_ending(const std::filesystem::path& path) {
  std::string ending = path.extension().string();
  for (char& c : ending)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return ending;
}

namespace detail {

/// make(), which takes `bytes` of memory; where there is not as much, an error that names what it was for.
template <class Make>
auto memory_for(const std::string& name, std::uint64_t bytes, const Make& make) {
  try {
    return make();
  } catch (const std::bad_alloc&) {
  } catch (const std::length_error&) {
  }
  fail(name, ": not enough memory for ", bytes, " bytes");
}

/// Where the links lead that begin at `path`: a name that is not a link, whether or not there is a file.
inline std::filesystem::path follow_links(const std::filesystem::path& path) {
  constexpr int most = 40;  // as many as Linux follows
  std::filesystem::path now = path;
  for (int i = 0; i <= most; ++i) {
    std::error_code error;
    if (!std::filesystem::is_symlink(now, error)) return now;
    const auto target = std::filesystem::read_symlink(now, error);
    check(!error, path.string(), ": cannot follow the link: ", error.message());
    now = folder_of(now) / target;  // an absolute target replaces the folder
  }
  fail(path.string(), ": cannot follow the link: more than ", most, " links, one to the other");
}

}  // namespace detail

/// open(2), never as one of the standard streams: where a program was started without them, what it prints would land
/// in the file. Returns -1 and leaves errno when it fails.
inline int open_descriptor(const std::filesystem::path& path, int flags) {
  int opened = -1;
  do opened = open(path.c_str(), flags | O_CLOEXEC, 0666);
  while (opened < 0 && errno == EINTR);
  if (opened < 0 || opened > 2) return opened;
  const int higher = fcntl(opened, F_DUPFD_CLOEXEC, 3);
  const int error = errno;
  close(opened);
  errno = error;
  return higher;
}

namespace detail {

/// A file that did not exist, opened for writing; its name does not depend on that of the file it will become, whose
/// length may already be the longest allowed. It is locked as long as it is open, which tells it from what a killed
/// program has left. Returns nullptr and leaves errno when it cannot be made.
inline std::FILE* open_temporary(const std::filesystem::path& folder, std::filesystem::path& name) {
  // A killed process may have left some, and in a container each process has the same number: begin anywhere.
  static std::atomic<std::uint64_t> counter{
      static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count())};
  for (int attempt = 0; attempt < 1000; ++attempt) {
    name = folder / (".gan-" + std::to_string(getpid()) + "-" + std::to_string(counter++) + ".tmp");
    errno = 0;
    const int descriptor = open_descriptor(name, O_WRONLY | O_CREAT | O_EXCL);
    if (descriptor >= 0) flock(descriptor, LOCK_EX | LOCK_NB);
    std::FILE* const file = descriptor >= 0 ? fdopen(descriptor, "wb") : nullptr;
    if (file != nullptr || errno != EEXIST) return file;
  }
  return nullptr;
}

/// Waits until what was written is on the disk.
inline bool sync_file(std::FILE* file) {
  if (std::fflush(file) != 0) return false;
  return fsync(fileno(file)) == 0 || errno == EINVAL || errno == ENOSYS;  // file systems that cannot sync
}

/// Makes a rename in the folder last through a power cut; without effect where folders cannot be synced.
inline void sync_folder(const std::filesystem::path& folder) {
  const int descriptor = open(folder.c_str(), O_RDONLY);
  if (descriptor < 0) return;
  fsync(descriptor);
  close(descriptor);
}

}  // namespace detail

inline InputFile::InputFile(const std::filesystem::path& path) : path_(path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  check(std::filesystem::exists(status), path.string(),
        ": cannot open: ", error ? error.message() : system_message(ENOENT));
  check(std::filesystem::is_regular_file(status), path.string(), ": is not a regular file");
  size_ = std::filesystem::file_size(path, error);
  check(!error, path.string(), ": cannot read its size: ", error.message());
  errno = 0;
  file_ = std::fopen(path.string().c_str(), "rb");
  check(file_ != nullptr, path.string(), ": cannot open: ", system_message(errno));
}

inline void InputFile::read(void* to, std::uint64_t bytes, const char* what) {
  check(bytes <= remaining(), path_.string(), ": truncated: expected ", bytes, " bytes of ", what, " at byte ",
        position_, ", found ", remaining());
  errno = 0;
  const std::size_t got = bytes == 0 ? 0 : std::fread(to, 1, static_cast<std::size_t>(bytes), file_);
  check(got == bytes, path_.string(), ": cannot read ", what, " at byte ", position_ + got, ": ",
        errno != 0 ? system_message(errno) : std::string("the file became shorter"));
  position_ += bytes;
}

inline AtomicFile::AtomicFile(const std::filesystem::path& path) : path_(detail::follow_links(path)) {
  check(path_.has_filename(), "cannot write \"", path.string(), "\": expected the name of a file");
  std::error_code error;
  const auto before = std::filesystem::status(path_, error);
  const bool exists = std::filesystem::exists(before);
  check(!exists || std::filesystem::is_regular_file(before), path_.string(),
        ": cannot write: exists and is not a regular file");
  file_ = detail::open_temporary(folder_of(path_), temporary_);
  if (file_ == nullptr) {
    temporary_.clear();
    failed("create a file in its folder", errno);
  }
  if (exists && std::filesystem::status(temporary_, error).permissions() != before.permissions()) {
    std::filesystem::permissions(temporary_, before.permissions(), error);
    if (error) failed("keep its permissions", error.value());
  }
}

inline void AtomicFile::write(const void* from, std::size_t bytes) {
  check(file_ != nullptr, path_.string(), ": written to after it was closed");
  if (bytes == 0) return;
  errno = 0;
  if (std::fwrite(from, 1, bytes, file_) != bytes) failed("write", errno);
}

inline void AtomicFile::commit() {
  check(file_ != nullptr, path_.string(), ": committed after it was closed");
  errno = 0;
  if (!detail::sync_file(file_)) failed("write", errno);
  if (std::fclose(std::exchange(file_, nullptr)) != 0) failed("write", errno);
  std::error_code error;
  std::filesystem::rename(temporary_, path_, error);
  if (error) failed("replace", error.value());
  temporary_.clear();
  detail::sync_folder(folder_of(path_));
}

inline void AtomicFile::discard() noexcept {
  if (file_ != nullptr) std::fclose(std::exchange(file_, nullptr));
  if (temporary_.empty()) return;
  std::error_code ignored;
  std::filesystem::remove(temporary_, ignored);
  temporary_.clear();
}

inline void AtomicFile::failed(const char* doing, int error) {
  discard();
  fail(path_.string(), ": cannot ", doing, ": ", system_message(error));
}

inline void check_writable_folder(const std::filesystem::path& folder) {
  std::error_code error;
  const auto path = folder.empty() ? std::filesystem::path(".") : folder;
  std::filesystem::create_directories(path, error);
  check(!error, "folder ", path.string(), ": cannot make it: ", error.message());
  check(std::filesystem::is_directory(path, error), "folder ", path.string(), ": is not a folder");
  std::filesystem::path name;
  std::FILE* const file = detail::open_temporary(path, name);
  check(file != nullptr, "folder ", path.string(), ": cannot write into it: ", system_message(errno));
  errno = 0;
  const bool written = std::fputc(0, file) != EOF && std::fflush(file) == 0;
  const int reason = errno;
  std::fclose(file);
  std::filesystem::remove(name, error);
  check(written, "folder ", path.string(), ": cannot write into it: ", system_message(reason));
}

}  // namespace gan
