// Callbacks that decide when a run stops, and one that makes a callback of a function.
#pragma once

#include <csignal>
#include <list>
#include <string>
#include <utility>

#include "gan/core/finite.hpp"
#include "gan/train/run.hpp"
#include "gan/train/signals.hpp"

namespace gan {

/// Ends the run in order when a loss is not finite, instead of by an exception. A checkpoint on disk stays as it was.
struct StopWhenNotFinite {
  bool on_not_finite(auto& run, const Error& error) {
    run.reason = error.what();
    return true;
  }
};

/// Ends the run after that many seconds: 0 or more, infinity for never.
struct TimeBudget {
  double seconds;

  void on_start(auto&) {
    check(!is_nan(seconds) && seconds >= 0, "time budget: ", seconds, " seconds, expected 0 or more");
  }
  bool on_step(auto& run) {
    if (run.seconds() < seconds) return false;
    run.reason = "the time is up";
    return true;
  }
  /// Share of the time that is used, for progress displays.
  double progress(const auto& run) const { return run.seconds() / seconds; }
};

/// Ends the run in order on SIGINT (Ctrl-C), SIGTERM, SIGHUP (the terminal was closed) and SIGPIPE (the reader of what
/// was printed has gone); a second SIGINT or SIGTERM acts as usual. Runs in several threads may have one each: all end.
class StopOnInterrupt {
 public:
  void on_start(auto&) {
    signals_.clear();
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) signals_.emplace_back(signal);
  }
  bool on_step(auto& run) {
    for (const auto& signal : signals_)
      if (signal.raised()) {
        run.reason = "interrupted";
        return true;
      }
    return false;
  }
  void on_end(auto&) { signals_.clear(); }

 private:
  std::list<detail::SignalCounter> signals_;
};

/// A callback that calls `f(run)` every `steps` steps, 1 or more; it may return true to stop:
///
///     trainer.fit(loader, {}, gan::every_steps(100, [](auto& run) { std::cout << run.result.step << '\n'; }));
template <class F>
struct EverySteps {
  Index steps;
  F f;

  void on_start(auto&) { check(steps >= 1, "every_steps: ", steps, ", expected 1 or more"); }
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
