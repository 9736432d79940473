// Callback: ends a run in order when a loss is not finite.
#pragma once

#include <list>

#include "gan/train/fit.hpp"

namespace gan {

/// Ends the run in order when a loss is not finite, instead of by an exception. A checkpoint on disk stays as it was.
struct StopWhenNotFinite {
  bool on_not_finite(auto& run, const Error& error) {
    run.reason = error.what();
    return true;
  }
};

}  // namespace gan
