// Run: the loop around a trainer's steps, and the hooks that callbacks have.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "gan/data/loader.hpp"
#include "gan/core/metadata.hpp"

namespace gan {

struct FitOptions {
  /// In all, counted by the loader: a resumed run ends where an uninterrupted one would. 0: no limit; left out: one, or
  /// no limit when `steps` is given.
  std::optional<Index> epochs{};
  Index steps = 0;  ///< in all, counted by the trainer; 0: no limit
};

/// How a run ended.
struct FitResult {
  Index steps = 0;       ///< of this run
  double seconds = 0;    ///< of this run
  bool stopped = false;  ///< by a callback, before all epochs and steps were done
  std::string reason;    ///< why, in words
};

/// What one step did, averaged over its updates of each network.
struct StepResult {
  Index step = 0;  ///< number of this step, from 1
  double discriminator_loss = 0;
  double generator_loss = 0;
  double penalty = 0;     ///< part of the discriminator's loss
  double real_score = 0;  ///< mean of sigmoid(D(x)), before the discriminator's update
  double fake_score = 0;  ///< mean of sigmoid(D(G(z))), likewise
};

/// The state of a training run, as callbacks see it.
///
/// A callback is a plain struct with any of these hooks, templates in the type of the run; one that returns true stops
/// the run, and may say why in `run.reason`:
///
///     struct Callback {
///       void on_start(auto& run);      // before the first step; throwing here costs nothing
///       bool on_step(auto& run);       // after each step: run.result has its losses
///       bool on_epoch(auto& run);      // after the last step of an epoch
///       bool on_not_finite(auto& run, const Error& error);  // a step or an on_step threw NotFinite
///       void on_end(auto& run);        // after the last step, however it ended, unless by an exception
///     };
template <class Trainer>
class Run {
 public:
  using T = typename Trainer::T;

  Run(Trainer& run_trainer, Loader<T>& run_loader, const FitOptions& run_options)
      : trainer(run_trainer),
        loader(run_loader),
        epoch_limit(run_options.epochs.value_or(run_options.steps > 0 ? 0 : 1)),
        step_limit(run_options.steps) {
    check(epoch_limit >= 0 && step_limit >= 0, "fit: ", epoch_limit, " epochs and ", step_limit,
          " steps, expected 0 or more");
  }

  Trainer& trainer;
  Loader<T>& loader;
  const Index epoch_limit, step_limit;  ///< in all; 0: none
  StepResult result;                    ///< of the last step
  std::string reason;                   ///< why the run stopped
  bool not_finite = false;              ///< a loss or a parameter is not finite: what was saved before is worth more

  /// Epochs the loader has completed, in all.
  Index epochs() const { return loader.epoch() + (loader.position() == loader.batches_per_epoch() ? 1 : 0); }
  /// Steps and seconds of this run.
  Index steps() const { return trainer.steps() - first_step_; }
  double seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }
  /// Share of the run that is done, in [0, 1]; 0 when neither epochs nor steps are limited.
  double progress() const;
  /// Seconds this run will still take at its mean speed; 0 when that is not known.
  double remaining() const {
    const double share = progress();
    return share > first_progress_ ? seconds() * (1 - share) / (share - first_progress_) : 0;
  }

  /// Calls `step` and the hooks until all is done.
  template <class... Callbacks>
  FitResult go(const std::function<StepResult()>& step, Callbacks&... callbacks);

 private:
  using Clock = std::chrono::steady_clock;

  bool done() const {
    return (epoch_limit > 0 && epochs() >= epoch_limit) || (step_limit > 0 && trainer.steps() >= step_limit);
  }
  template <class Callback>
  static constexpr bool has_hook = requires(Callback& c, Run& run) {
    c.on_start(run);
  }
  || requires(Callback& c, Run& run) { c.on_step(run); }
  || requires(Callback& c, Run& run) { c.on_epoch(run); }
  || requires(Callback& c, Run& run, const Error& e) { c.on_not_finite(run, e); }
  || requires(Callback& c, Run& run) { c.on_end(run); };
  // True when the callback has the hook and the hook asks to stop.
  template <class Callback, class Hook>
  static bool call(Callback& callback, Hook hook) {
    if constexpr (std::is_invocable_v<Hook, Callback&>) {
      if constexpr (std::is_same_v<std::invoke_result_t<Hook, Callback&>, bool>)
        return hook(callback);
      else
        hook(callback);
    }
    return false;
  }
  template <class Hook, class... Callbacks>
  static bool call_all([[maybe_unused]] Hook hook, Callbacks&... callbacks) {
    bool stop = false;
    ((stop = call(callbacks, hook) || stop), ...);
    return stop;
  }

  Index first_step_ = 0;
  double first_progress_ = 0;
  Clock::time_point start_{};
};

template <class Trainer>
double Run<Trainer>::progress() const {
  double share = 0;
  if (step_limit > 0) share = static_cast<double>(trainer.steps()) / static_cast<double>(step_limit);
  if (epoch_limit > 0)
    share = std::max(share, (static_cast<double>(loader.epoch()) +
                             static_cast<double>(loader.position()) / static_cast<double>(loader.batches_per_epoch())) /
                                static_cast<double>(epoch_limit));
  return std::min(share, 1.0);
}

template <class Trainer>
template <class... Callbacks>
FitResult Run<Trainer>::go(const std::function<StepResult()>& step, Callbacks&... callbacks) {
  static_assert((has_hook<Callbacks> && ...), "fit: a callback without any hook that can be called; is it const?");
  start_ = Clock::now();
  first_step_ = trainer.steps();
  first_progress_ = progress();
  bool stop = call_all([this](auto& c) -> decltype(c.on_start(*this)) { return c.on_start(*this); }, callbacks...);
  while (!stop && !done()) {
    const Index completed = epochs();
    try {
      result = step();
      stop = call_all([this](auto& c) -> decltype(c.on_step(*this)) { return c.on_step(*this); }, callbacks...);
    } catch (const NotFinite& error) {
      not_finite = true;
      if (!call_all([&](auto& c) -> decltype(c.on_not_finite(*this, error)) { return c.on_not_finite(*this, error); },
                    callbacks...))
        throw;
      stop = true;
      break;
    }
    if (epochs() > completed)
      stop =
          call_all([this](auto& c) -> decltype(c.on_epoch(*this)) { return c.on_epoch(*this); }, callbacks...) || stop;
  }
  call_all([this](auto& c) -> decltype(c.on_end(*this)) { return c.on_end(*this); }, callbacks...);
  return {steps(), seconds(), stop && !done(), reason};
}

}  // namespace gan
