// Callback: ends a run after some time.
#pragma once

#include <list>

#include "gan/core/finite.hpp"
#include "gan/train/fit.hpp"

namespace gan {

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

}  // namespace gan
