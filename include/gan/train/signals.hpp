// Signals that end a program, counted in the place of that while a run lasts.
#pragma once

#include <atomic>
#include <csignal>
#include <cstddef>
#include <memory>
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

/// A stack of this thread's own for signal handlers. Generated kernels of products may keep their stack pointer in a
/// buffer while they run (seen of oneDNN 2.6), and what a signal puts below it would then be written over the heap.
class HandlerStack {
 public:
  /// Makes it once a thread, unless the program has made one.
  static void ensure() {
    thread_local HandlerStack one;
    (void)one;
  }
  HandlerStack() {
    stack_t now{};
    if (sigaltstack(nullptr, &now) != 0 || !(now.ss_flags & SS_DISABLE)) return;
    memory_ = std::make_unique<std::byte[]>(size);
    stack_t own{};
    own.ss_sp = memory_.get();
    own.ss_size = size;
    if (sigaltstack(&own, nullptr) != 0) memory_.reset();
  }
  ~HandlerStack() {
    if (!memory_) return;
    stack_t none{};
    none.ss_flags = SS_DISABLE;
    sigaltstack(&none, nullptr);
  }
  HandlerStack(const HandlerStack&) = delete;
  HandlerStack& operator=(const HandlerStack&) = delete;

 private:
  static constexpr std::size_t size = std::size_t{1} << 16;  // AMX's registers alone take 8 KB of a signal's frame
  std::unique_ptr<std::byte[]> memory_;
};

/// As long as one of these lives for a signal, the signal is counted and does not end the program; what was there
/// before comes back with the last one, so that runs in several threads may end in any order. The second SIGINT or
/// SIGTERM acts as usual. SIGHUP and SIGPIPE stay ignored where they were (nohup). System calls are not restarted: a
/// write into a pipe that nobody reads must not outlast the signal.
class SignalCounter {
 public:
  /// For SIGINT, SIGTERM, SIGHUP or SIGPIPE.
  explicit SignalCounter(int signal) : slot_(slot_of(signal)), seen_(slot_.count.load()) {
    HandlerStack::ensure();
    const std::scoped_lock lock(mutex());
    if (slot_.holders++ == 0) sigaction(signal, nullptr, &slot_.before);
    const bool once = signal == SIGINT || signal == SIGTERM;
    if (!once && slot_.before.sa_handler == SIG_IGN) return;
    struct sigaction counting {};
    counting.sa_handler = handle;
    sigemptyset(&counting.sa_mask);
    counting.sa_flags = static_cast<int>(SA_ONSTACK) | (once ? static_cast<int>(SA_RESETHAND) : 0);
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
