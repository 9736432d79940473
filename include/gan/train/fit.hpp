// Run: the loop around a trainer's steps, and the hooks that callbacks have.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <exception>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>

#include "gan/core/warn.hpp"
#include "gan/data/loader.hpp"
#include "gan/io/folder_lock.hpp"
#include "gan/train/signals.hpp"

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
  std::string reason;    ///< why, in words; also why there was no step to make
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

/// When a callback has its turn, whatever the order of the arguments: `static constexpr gan::Phase phase = ...;` in its
/// struct, `act` without.
///
/// What `act` does to the trainer in a step or at the end of an epoch is in the checkpoint of that step, so it comes
/// first; at the start and at the end of a run saving does. An exception of `act` ends the run, in order. Those of
/// `record` and `show` are warnings, told once each: no log, picture or display ends a run or keeps it from being
/// saved.
enum class Phase {
  act,     ///< changes the trainer or decides when the run stops; a function of the user's own
  record,  ///< writes what was: CsvLog
  save,    ///< writes what a run needs to go on: Checkpoint
  show     ///< for people: displays, pictures, warnings
};

/// The state of a training run, as callbacks see it.
///
/// A callback is a plain struct with any of these hooks, templates in the type of the run; one that returns true (or
/// what converts to it) stops the run, and may say why in `run.reason`:
///
///     struct Callback {
///       void on_start(auto& run);      // before the first step; throwing here costs nothing
///       bool on_step(auto& run);       // after each step: run.result has its losses
///       bool on_epoch(auto& run);      // after the last step of an epoch
///       bool on_not_finite(auto& run, const Error& error);  // a step or a hook threw NotFinite; true: end in order
///       void on_end(auto& run);        // after the last step, however the run ended, when its on_start was called
///     };
///
/// What a step or a callback throws leaves fit after every on_end. A step that threw may have changed one network and
/// not the other.
///
/// While a run lasts a pipe that was closed is an error of the write into it and no end of the program (SIGPIPE).
template <class Trainer>
class Run {
 public:
  using Scalar = typename Trainer::Scalar;

  Run(Trainer& run_trainer, Loader<Scalar>& run_loader, const FitOptions& run_options)
      : trainer(run_trainer),
        loader(run_loader),
        epoch_limit(run_options.epochs.value_or(run_options.steps > 0 ? 0 : 1)),
        step_limit(run_options.steps) {
    check(epoch_limit >= 0 && step_limit >= 0, "fit: ", epoch_limit, " epochs and ", step_limit,
          " steps, expected 0 or more");
  }

  Trainer& trainer;
  Loader<Scalar>& loader;
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

  /// Holds the folder (FolderLock) until the run has ended; several callbacks of a run may ask for the same one.
  void lock(const std::filesystem::path& folder) {
    std::error_code unknown;
    const auto name = std::filesystem::weakly_canonical(folder.empty() ? "." : folder, unknown);
    if (auto& held = locks_[unknown ? folder : name]; !held) held = std::make_unique<FolderLock>(folder);
  }

  /// Calls `step` and the hooks until all is done.
  template <class... Callbacks>
  FitResult go(const std::function<StepResult()>& step, Callbacks&... callbacks);

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr Phase at_step[] = {Phase::act, Phase::record, Phase::save, Phase::show};
  static constexpr Phase at_ends[] = {Phase::save, Phase::record, Phase::act, Phase::show};

  bool done() const {
    return (epoch_limit > 0 && epochs() >= epoch_limit) || (step_limit > 0 && trainer.steps() >= step_limit);
  }
  std::string nothing_to_do() const {
    return "0 steps: the loader has completed " + std::to_string(epochs()) + " epochs and the trainer " +
           std::to_string(trainer.steps()) + " steps, which is all that was asked for";
  }
  template <class Callback>
  static constexpr bool has_hook = requires(Callback& c, Run& run) {
    c.on_start(run);
  }
  || requires(Callback& c, Run& run) { c.on_step(run); }
  || requires(Callback& c, Run& run) { c.on_epoch(run); }
  || requires(Callback& c, Run& run, const Error& e) { c.on_not_finite(run, e); }
  || requires(Callback& c, Run& run) { c.on_end(run); };
  template <class Callback>
  static constexpr Phase phase_of() {
    if constexpr (requires { std::integral_constant<Phase, Callback::phase>{}; })
      return Callback::phase;
    else
      return Phase::act;
  }
  // Calls f(callback, its number) for the callbacks of that phase.
  template <class F, class... Callbacks>
  static void each([[maybe_unused]] Phase phase, [[maybe_unused]] F f, Callbacks&... callbacks) {
    [[maybe_unused]] std::size_t number = 0;
    ((phase_of<Callbacks>() == phase ? f(callbacks, number) : void(), ++number), ...);
  }
  // True when the callback has the hook and the hook asks to stop.
  template <class Callback, class Hook>
  static bool call(Callback& callback, Hook hook) {
    if constexpr (std::is_invocable_v<Hook, Callback&>) {
      if constexpr (std::is_convertible_v<std::invoke_result_t<Hook, Callback&>, bool>)
        return hook(callback);
      else
        hook(callback);
    }
    return false;
  }
  // Calls f. What it throws leaves the run at its end, the first of several; it is told at once when it comes from one
  // who only watches, or is not the first. Returns false when the run must end.
  template <class F, class... Callbacks>
  bool attempt(Phase phase, F f, Callbacks&... callbacks);
  // Whether a callback takes the error for a reason to end in order.
  template <class... Callbacks>
  bool forgiven(const Error& error, Callbacks&... callbacks);

  Index first_step_ = 0;
  double first_progress_ = 0;
  Clock::time_point start_{};
  std::exception_ptr failure_;
  std::map<std::filesystem::path, std::unique_ptr<FolderLock>> locks_;
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
template <class F, class... Callbacks>
bool Run<Trainer>::attempt(Phase phase, F f, Callbacks&... callbacks) {
  std::exception_ptr exception;
  std::string text = "an exception";
  try {
    f();
    return true;
  } catch (const NotFinite& error) {
    const bool first = !std::exchange(not_finite, true);
    if (first && forgiven(error, callbacks...)) return false;
    exception = std::current_exception();
    text = error.what();
  } catch (const std::exception& error) {
    exception = std::current_exception();
    text = error.what();
    if (phase == Phase::record || phase == Phase::show) return warn_once(text), true;
  } catch (...) {
    exception = std::current_exception();
  }
  if (failure_) warn_once(text);
  if (!failure_) failure_ = exception;
  if (reason.empty()) reason = text;
  return false;
}

template <class Trainer>
template <class... Callbacks>
bool Run<Trainer>::forgiven([[maybe_unused]] const Error& error, Callbacks&... callbacks) {
  bool any = false;
  const auto ask = [&](auto& c) -> decltype(c.on_not_finite(*this, error)) { return c.on_not_finite(*this, error); };
  for (const Phase phase : at_step)
    each(
        phase, [&](auto& c, std::size_t) { attempt(phase, [&] { any = call(c, ask) || any; }); }, callbacks...);
  return any;
}

template <class Trainer>
template <class... Callbacks>
FitResult Run<Trainer>::go(const std::function<StepResult()>& step, Callbacks&... callbacks) {
  static_assert((has_hook<Callbacks> && ...), "fit: a callback without any hook that can be called; is it const?");
  const detail::SignalCounter closed_pipes(SIGPIPE);
  start_ = Clock::now();
  first_step_ = trainer.steps();
  first_progress_ = progress();
  [[maybe_unused]] const auto on_start = [this](auto& c) -> decltype(c.on_start(*this)) { return c.on_start(*this); };
  [[maybe_unused]] const auto on_step = [this](auto& c) -> decltype(c.on_step(*this)) { return c.on_step(*this); };
  [[maybe_unused]] const auto on_epoch = [this](auto& c) -> decltype(c.on_epoch(*this)) { return c.on_epoch(*this); };
  [[maybe_unused]] const auto on_end = [this](auto& c) -> decltype(c.on_end(*this)) { return c.on_end(*this); };

  bool stop = false, begun = true;
  std::array<bool, sizeof...(Callbacks)> started{};
  for (const Phase phase : at_ends)
    each(
        phase,
        [&](auto& c, std::size_t number) {
          if (!begun) return;
          begun = attempt(Phase::act, [&] { stop = call(c, on_start) || stop; });
          started[number] = begun;
        },
        callbacks...);
  if (begun && !stop && done()) reason = nothing_to_do();

  while (begun && !stop && !done()) {
    const Index completed = epochs();
    stop = !attempt(
        Phase::act, [&] { result = step(); }, callbacks...);
    if (stop) break;
    const bool epoch_ended = epochs() > completed;
    for (const Phase phase : at_step) {
      const auto visit = [&](auto hook) {
        if (not_finite) return;
        each(
            phase,
            [&](auto& c, std::size_t) {
              const bool fine = attempt(
                  phase, [&] { stop = call(c, hook) || stop; }, callbacks...);
              stop = stop || !fine;
            },
            callbacks...);
      };
      visit(on_step);
      if (epoch_ended) visit(on_epoch);
    }
  }

  for (const Phase phase : at_ends)
    each(
        phase,
        [&](auto& c, std::size_t number) {
          if (started[number])
            attempt(
                phase, [&] { call(c, on_end); }, callbacks...);
        },
        callbacks...);
  locks_.clear();
  if (failure_) std::rethrow_exception(failure_);
  return {steps(), seconds(), stop && !done(), reason};
}

}  // namespace gan
