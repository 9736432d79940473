// FolderLock: one program at a time in a folder.
#pragma once

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#include "gan/core/error.hpp"
#include "gan/io/atomic_file.hpp"

namespace gan {

/// Holds a folder for its lifetime, by a lock that dies with the process. Taking it removes the temporary files
/// (AtomicFile) of programs that were killed. While it is held there is a file `.gan-lock` in the folder, with the
/// number of the process.
///
/// Throws, naming the folder and the process, when another one holds it, also another one of this process, and when the
/// folder cannot be written to. On file systems without locks it holds nothing.
class FolderLock {
 public:
  explicit FolderLock(const std::filesystem::path& folder);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  static void remove_temporaries(const std::filesystem::path& folder);

  std::filesystem::path file_;
  int descriptor_ = -1;
  pid_t process_ = getpid();
};

inline FolderLock::FolderLock(const std::filesystem::path& given) {
  const std::filesystem::path folder = given.empty() ? "." : given;
  file_ = folder / ".gan-lock";
  for (;;) {
    descriptor_ = open_descriptor(file_, O_RDWR | O_CREAT);
    check(descriptor_ >= 0, "folder ", folder.string(), ": cannot lock it: ", system_message(errno));
    if (flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
      const int error = errno;
      char holder[32];
      const ssize_t length = error == EWOULDBLOCK ? pread(descriptor_, holder, sizeof holder, 0) : 0;
      if (error == EINTR || error == EWOULDBLOCK) close(std::exchange(descriptor_, -1));
      if (error == EINTR) continue;
      check(error != EWOULDBLOCK, "folder ", folder.string(), ": in use by another run",
            length > 0 ? ", of process " + std::string(holder, static_cast<std::size_t>(length)) : std::string());
      return;
    }
    struct stat held {
    }, there{};
    if (fstat(descriptor_, &held) == 0 && stat(file_.c_str(), &there) == 0 && held.st_dev == there.st_dev &&
        held.st_ino == there.st_ino)
      break;
    close(std::exchange(descriptor_, -1));  // its holder has removed it in between
  }
  const std::string number = std::to_string(process_);
  if (ftruncate(descriptor_, 0) != 0 ||
      pwrite(descriptor_, number.data(), number.size(), 0) != static_cast<ssize_t>(number.size()))
    errno = 0;  // a full disk: the number is for people, the lock holds without
  remove_temporaries(folder);
}

inline FolderLock::~FolderLock() {
  if (descriptor_ < 0) return;
  if (getpid() == process_) {  // a forked child shares the lock and must not end it
    unlink(file_.c_str());
    flock(descriptor_, LOCK_UN);
  }
  close(descriptor_);
}

inline void FolderLock::remove_temporaries(const std::filesystem::path& folder) {
  std::error_code ignored;
  for (std::filesystem::directory_iterator at(folder, ignored), end; !ignored && at != end; at.increment(ignored)) {
    const std::string name = at->path().filename().string();
    if (!name.starts_with(".gan-") || !name.ends_with(".tmp")) continue;
    const int file = open_descriptor(at->path(), O_RDONLY | O_NONBLOCK | O_NOFOLLOW);
    if (file < 0) continue;
    if (flock(file, LOCK_EX | LOCK_NB) == 0) unlink(at->path().c_str());  // nobody is writing it
    close(file);
  }
}

}  // namespace gan
