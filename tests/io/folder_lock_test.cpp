#include "gan/io/folder_lock.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <optional>
#include <string>

#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

using gan::FolderLock;

TEST_CASE("a folder has one holder, also within a process, and nothing is left behind") {
  const TemporaryFolder folder;
  {
    const FolderLock lock(folder.path());
    CHECK_THROWS_WITH(FolderLock(folder.path()),
                      ContainsSubstring("folder " + folder.path().string() + ": in use by another run, of process " +
                                        std::to_string(getpid())));
    const TemporaryFolder other;
    CHECK_NOTHROW(FolderLock(other.path()));
  }
  CHECK(folder.entries() == 0);
  CHECK_NOTHROW(FolderLock(folder.path()));
  CHECK_THROWS_WITH(FolderLock(folder / "none"), ContainsSubstring((folder / "none").string()));
}

TEST_CASE("the lock dies with its process, and what that process was writing goes") {
  const TemporaryFolder folder;
  int ready[2];
  REQUIRE(pipe(ready) == 0);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const FolderLock lock(folder.path());
    gan::AtomicFile half(folder / "checkpoint");
    half.write("half", 4);
    if (write(ready[1], "x", 1) == 1)
      for (;;) pause();
    _exit(1);
  }
  char byte;
  REQUIRE(read(ready[0], &byte, 1) == 1);
  CHECK(folder.entries() == 2);  // the lock and the temporary
  CHECK_THROWS_WITH(FolderLock(folder.path()), ContainsSubstring("of process " + std::to_string(child)));
  kill(child, SIGKILL);
  REQUIRE(waitpid(child, nullptr, 0) == child);
  CHECK(folder.entries() == 2);
  put(folder / "mine.tmp", "x");
  put(folder / ".gan-1-0.tmp", "of a container, where every process has this number");
  {
    gan::AtomicFile alive(folder / "picture");  // of a program that does not take the lock
    const FolderLock lock(folder.path());
    CHECK(folder.entries() == 3);
    alive.write("whole", 5);
    alive.commit();
  }
  CHECK(contents(folder / "picture") == "whole");
  CHECK(contents(folder / "mine.tmp") == "x");
  CHECK(folder.entries() == 2);
  close(ready[0]);
  close(ready[1]);
}

TEST_CASE("a forked child does not end its parent's lock") {
  const TemporaryFolder folder;
  std::optional<FolderLock> lock(folder.path());
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    lock.reset();
    _exit(0);
  }
  REQUIRE(waitpid(child, nullptr, 0) == child);
  CHECK_THROWS_AS(FolderLock(folder.path()), gan::Error);
}

TEST_CASE("files are never opened as one of the standard streams") {
  const TemporaryFolder folder;
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    for (const int stream : {0, 1, 2}) close(stream);
    const int file = gan::open_descriptor(folder / "a", O_WRONLY | O_CREAT);
    gan::AtomicFile atomic(folder / "b");
    const bool lost = write(1, "stray", 5) < 0;
    atomic.write("whole", 5);
    atomic.commit();
    _exit(file > 2 && lost ? 0 : 1);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 0));
  CHECK(contents(folder / "b") == "whole");
}
