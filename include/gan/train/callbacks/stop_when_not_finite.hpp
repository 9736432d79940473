// StopWhenNotFinite: a callback that ends a run in order when a loss is not finite.
#pragma once

#include <concepts>

#include "gan/train/fit.hpp"

namespace gan {

/// Ends the run in order when a loss or a gradient is not finite, instead of by an exception. A checkpoint on disk
/// stays as it was.
template <std::floating_point T = float>
class StopWhenNotFinite : public Callback<T> {
 public:
  bool on_not_finite(Run<T>&, const NotFinite&) override { return true; }
};

}  // namespace gan
