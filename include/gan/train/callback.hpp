// Callback: what watches a run, saves it, shows it or ends it.
#pragma once

#include <concepts>

#include "gan/core/error.hpp"

namespace gan {

template <std::floating_point T>
class Run;

/// When a callback has its turn, whatever the order of the arguments.
///
/// What `act` does to the game in a step or at the end of an epoch is in the checkpoint of that step, so it comes
/// first; at the start and at the end of a run saving does. An exception of `act` ends the run, in order. Those of
/// `record` and `show` are warnings, told once each: no log, picture or display ends a run or keeps it from being
/// saved.
enum class Phase {
  act,     ///< changes the game or decides when the run stops
  record,  ///< writes what was: CsvLog
  save,    ///< writes what a run needs to go on: Checkpoint
  show     ///< for people: displays, pictures, warnings
};

/// Derive from it and override what is wanted; run.stop("why") ends the run in order:
///
///     struct Report : gan::Callback<float> {
///       void on_step(gan::Run<float>& run) override { std::cout << run.result["generator_loss"] << '\n'; }
///     };
///     trainer.fit(loader, {.epochs = 3}, Report());
template <std::floating_point T = float>
class Callback {
 public:
  using Scalar = T;

  virtual ~Callback() = default;

  /// Before the first step; throwing here costs nothing.
  virtual void on_start(Run<T>&) {}
  /// After each step: run.result has its numbers.
  virtual void on_step(Run<T>&) {}
  /// After the last step of an epoch.
  virtual void on_epoch(Run<T>&) {}
  /// A step or a hook threw NotFinite; true ends the run in order.
  virtual bool on_not_finite(Run<T>&, const NotFinite&) { return false; }
  /// After the last step, however the run ended, when on_start was called.
  virtual void on_end(Run<T>&) {}

  virtual Phase phase() const { return Phase::act; }
};

}  // namespace gan
