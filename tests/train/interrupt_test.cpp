// What becomes of a training program whose terminal, pipe or patience ends: child processes that train.
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <functional>
#include <string>
#include <thread>

#include "gan/core/parallel.hpp"
#include "gan/data/loader.hpp"
#include "gan/train/callbacks/checkpoint.hpp"
#include "gan/train/callbacks/csv_log.hpp"
#include "gan/train/callbacks/every_steps.hpp"
#include "gan/train/callbacks/progress_bar.hpp"
#include "gan/train/callbacks/stop_on_interrupt.hpp"
#include "support/catch.hpp"
#include "support/networks.hpp"
#include "support/temporary_folder.hpp"

namespace {

using gan::Index;
using Pairf = SmallPair<float>;

struct Session {
  Pairf pair{1};
  gan::Loader<float> loader{ring_data<float>(20), {.batch = 4}};
  gan::Trainer<float> trainer{pair.generator, pair.discriminator};
};

/// A process that runs `work` with a pipe as its stdout, whose other end is `reading`; it exits with 0 unless by an
/// exception or a signal.
struct Child {
  explicit Child(const std::function<void()>& work) {
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    process = fork();
    REQUIRE(process >= 0);
    if (process == 0) {
      close(ends[0]);
      dup2(ends[1], 1);
      close(ends[1]);
      const int nowhere = open("/dev/null", O_WRONLY);
      dup2(nowhere, 2);  // warnings
      gan::set_threads(1);
      try {
        work();
      } catch (...) {
        _exit(1);
      }
      _exit(0);
    }
    close(ends[1]);
    reading = ends[0];
  }
  ~Child() {
    hang_up();
    if (process > 0) kill(process, SIGKILL), waitpid(process, nullptr, 0);
  }
  /// Whether something was printed.
  bool has_printed() const {
    char byte;
    return read(reading, &byte, 1) == 1;
  }
  void hang_up() {
    if (reading >= 0) close(std::exchange(reading, -1));
  }
  /// The exit code, minus the number of the signal that ended it, or 1000 when it does not end in ten seconds.
  int wait() {
    for (int tries = 0; tries < 1000; ++tries) {
      int status = 0;
      if (waitpid(process, &status, WNOHANG) == process) {
        process = -1;
        return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return 1000;
  }
  int reading = -1;
  pid_t process = -1;
};

/// Trains until something ends it, with the display before the checkpoint, and writes the step it came to.
void train(const std::filesystem::path& folder, const gan::FitOptions& options, bool interruptible) {
  Session s;
  gan::ProgressBar progress({.out = stdout, .seconds = 0});
  gan::Checkpoint checkpoint({.path = folder / "c", .every = 0});
  gan::StopOnInterrupt interrupt;
  auto wait = gan::every_steps(1, [](auto&) { std::this_thread::sleep_for(std::chrono::microseconds(200)); });
  if (interruptible)
    s.trainer.fit(s.loader, options, progress, wait, checkpoint, interrupt);
  else
    s.trainer.fit(s.loader, options, progress, wait, checkpoint);
  put(folder / "steps", std::to_string(s.trainer.steps()));
}

/// Whether the checkpoint is of the step where the run ended.
bool saved_at_its_end(const std::filesystem::path& folder) {
  return std::filesystem::exists(folder / "c") &&
         gan::load_safetensors<float>(folder / "c").metadata.at("step") == contents(folder / "steps");
}

}  // namespace

TEST_CASE("SIGINT, SIGTERM and SIGHUP save where the run is stopped") {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    INFO(signal);
    const TemporaryFolder folder;
    Child child([&] { train(folder.path(), {.epochs = 0}, true); });
    std::thread reader([&] {
      while (child.has_printed()) {
      }
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(60));
    kill(child.process, signal);
    if (signal == SIGHUP) kill(child.process, signal);  // the kernel and the shell send one each
    CHECK(child.wait() == 0);
    reader.join();
    CHECK(saved_at_its_end(folder.path()));
  }
}

TEST_CASE("signals are handled on a stack of their own") {
  static std::atomic<const char*> seen;
  const gan::detail::SignalCounter counter(SIGINT);
  struct sigaction set {};
  REQUIRE(sigaction(SIGINT, nullptr, &set) == 0);
  CHECK((set.sa_flags & SA_ONSTACK) != 0);
  stack_t stack{};
  REQUIRE(sigaltstack(nullptr, &stack) == 0);
  CHECK((stack.ss_flags & SS_DISABLE) == 0);
  // A handler with the same flags that notes where it stands.
  set.sa_handler = [](int) { seen = static_cast<const char*>(__builtin_frame_address(0)); };
  struct sigaction before {};
  REQUIRE(sigaction(SIGINT, &set, &before) == 0);
  raise(SIGINT);
  sigaction(SIGINT, &before, nullptr);
  const char* const low = static_cast<const char*>(stack.ss_sp);
  CHECK((seen.load() >= low && seen.load() < low + stack.ss_size));
  raise(SIGINT);
  CHECK(counter.raised());
}

TEST_CASE("a reader that goes away ends the run in order, or nothing when nobody asked for that") {
  for (const bool interruptible : {true, false}) {
    const TemporaryFolder folder;
    Child child([&] { train(folder.path(), {.epochs = 0, .steps = interruptible ? 0 : 300}, interruptible); });
    CHECK(child.has_printed());
    child.hang_up();  // as `| head -1` does
    CHECK(child.wait() == 0);
    CHECK(saved_at_its_end(folder.path()));
    CHECK((contents(folder / "steps") == "300") == !interruptible);
  }
}

TEST_CASE("Ctrl-C reaches the reader too: saved at the step of the signal") {
  const TemporaryFolder folder;
  Child child([&] { train(folder.path(), {.epochs = 0}, true); });
  CHECK(child.has_printed());
  child.hang_up();
  kill(child.process, SIGINT);
  CHECK(child.wait() == 0);
  CHECK(saved_at_its_end(folder.path()));
}

TEST_CASE("a reader that is stuck does not keep a run from ending") {
  const TemporaryFolder folder;
  Child child([&] { train(folder.path(), {.epochs = 0}, true); });
  for (int before = -1, now = 0, tries = 0; now != before && tries < 500; ++tries) {  // until the pipe is full
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    before = now;
    ioctl(child.reading, FIONREAD, &now);
  }
  kill(child.process, SIGTERM);
  CHECK(child.wait() == 0);
  CHECK(saved_at_its_end(folder.path()));
}

TEST_CASE("without standard streams nothing that is printed lands in a file") {
  const TemporaryFolder folder;
  Child child([&] {
    for (const int stream : {0, 1, 2}) close(stream);
    Session s;
    s.trainer.fit(s.loader, {.epochs = 4}, gan::ProgressBar({.out = stdout, .seconds = 0}),
                  gan::CsvLog({.path = folder / "losses.csv"}), gan::ProgressBar({.out = stderr, .seconds = 0}),
                  gan::Checkpoint({.path = folder / "c", .every = 1}));
    put(folder / "steps", std::to_string(s.trainer.steps()));
  });
  CHECK(child.wait() == 0);
  CHECK(saved_at_its_end(folder.path()));
  const std::string log = contents(folder / "losses.csv");
  CHECK(std::count(log.begin(), log.end(), '\n') == 21);
  CHECK(log.find("epoch ") == std::string::npos);
}
