// Callbacks that decide when a run stops, and one that makes a callback of a function.
#pragma once

#include <csignal>
#include <string>
#include <utility>

#include "gan/train/run.hpp"

namespace gan {

/// Ends the run in order when a loss is not finite, instead of by an exception. A checkpoint on disk stays as it was.
struct StopWhenNotFinite {
  bool on_not_finite(auto& run, const Error& error) {
    run.reason = error.what();
    return true;
  }
};

/// Ends the run after that many seconds.
struct TimeBudget {
  double seconds;

  bool on_step(auto& run) {
    if (run.seconds() < seconds) return false;
    run.reason = "the time is up";
    return true;
  }
  /// Share of the time that is used, for progress displays.
  double progress(const auto& run) const { return run.seconds() / seconds; }
};

/// Ends the run in order on SIGINT (Ctrl-C) and SIGTERM; the second signal acts as usual.
class StopOnInterrupt {
 public:
  void on_start(auto&) {
    restore();
    flag() = 0;
    for (std::size_t i = 0; i < 2; ++i) before_[i] = std::signal(signals[i], handle);
  }
  bool on_step(auto& run) {
    if (!flag()) return false;
    run.reason = "interrupted";
    return true;
  }
  void on_end(auto&) { restore(); }
  ~StopOnInterrupt() { restore(); }

 private:
  using Handler = void (*)(int);
  static constexpr int signals[] = {SIGINT, SIGTERM};

  static volatile std::sig_atomic_t& flag() {
    static volatile std::sig_atomic_t interrupted = 0;
    return interrupted;
  }
  static void handle(int signal) {
    flag() = 1;
    std::signal(signal, SIG_DFL);
  }
  void restore() {
    for (std::size_t i = 0; i < 2; ++i)
      if (const Handler before = std::exchange(before_[i], SIG_ERR); before != SIG_ERR) std::signal(signals[i], before);
  }

  Handler before_[2] = {SIG_ERR, SIG_ERR};
};

/// A callback that calls `f(run)` every `steps` steps; it may return true to stop:
///
///     trainer.fit(loader, {}, gan::every_steps(100, [](auto& run) { std::cout << run.result.step << '\n'; }));
template <class F>
struct EverySteps {
  Index steps;
  F f;

  auto on_step(auto& run) -> decltype(f(run)) {
    if (run.trainer.steps() % steps == 0) return f(run);
    return decltype(f(run))();
  }
};
template <class F>
EverySteps<F> every_steps(Index steps, F f) {
  check(steps >= 1, "every_steps: ", steps, ", expected 1 or more");
  return {steps, std::move(f)};
}

}  // namespace gan
