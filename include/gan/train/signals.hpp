// Signals that end a program, counted in the place of that while a run lasts.
#pragma once

#include <atomic>
#include <csignal>
#include <mutex>

namespace gan::detail {

struct SignalSlot {
  int signal;
  std::atomic<unsigned> count{0};
  int holders = 0;
  struct sigaction before {};
};
static_assert(std::atomic<unsigned>::is_always_lock_free, "counted in a signal handler");
inline SignalSlot signal_slots[4] = {{SIGINT}, {SIGTERM}, {SIGHUP}, {SIGPIPE}};

/// As long as one of these lives for a signal, the signal is counted and does not end the program; what was there
/// before comes back with the last one, so that runs in several threads may end in any order. The second SIGINT or
/// SIGTERM acts as usual. SIGHUP and SIGPIPE stay ignored where they were (nohup). System calls are not restarted: a
/// write into a pipe that nobody reads must not outlast the signal.
class SignalCounter {
 public:
  /// For SIGINT, SIGTERM, SIGHUP or SIGPIPE.
  explicit SignalCounter(int signal) : slot_(slot_of(signal)), seen_(slot_.count.load()) {
    const std::scoped_lock lock(mutex());
    if (slot_.holders++ == 0) sigaction(signal, nullptr, &slot_.before);
    const bool once = signal == SIGINT || signal == SIGTERM;
    if (!once && slot_.before.sa_handler == SIG_IGN) return;
    struct sigaction counting {};
    counting.sa_handler = handle;
    sigemptyset(&counting.sa_mask);
    counting.sa_flags = once ? static_cast<int>(SA_RESETHAND) : 0;
    sigaction(signal, &counting, nullptr);
  }
  ~SignalCounter() {
    const std::scoped_lock lock(mutex());
    if (--slot_.holders == 0) sigaction(slot_.signal, &slot_.before, nullptr);
  }
  SignalCounter(const SignalCounter&) = delete;
  SignalCounter& operator=(const SignalCounter&) = delete;

  /// Whether the signal came since this was made.
  bool raised() const { return slot_.count.load() != seen_; }

 private:
  static std::mutex& mutex() {
    static std::mutex one;
    return one;
  }
  static SignalSlot& slot_of(int signal) {
    for (SignalSlot& slot : signal_slots)
      if (slot.signal == signal) return slot;
    return signal_slots[0];
  }
  static void handle(int signal) { slot_of(signal).count.fetch_add(1); }

  SignalSlot& slot_;
  unsigned seen_;
};

}  // namespace gan::detail
