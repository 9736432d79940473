// Run: the loop around a game's steps.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <csignal>
#include <exception>
#include <filesystem>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "gan/core/finite.hpp"
#include "gan/core/warn.hpp"
#include "gan/io/folder_lock.hpp"
#include "gan/train/callback.hpp"
#include "gan/train/game.hpp"
#include "gan/train/signals.hpp"

namespace gan {

struct FitOptions {
  /// In all, counted by the source: a resumed run ends where an uninterrupted one would. 0: no limit; left out: one, or
  /// no limit when `steps` or `seconds` is given.
  std::optional<Index> epochs{};
  Index steps = 0;  ///< in all, counted by the game; 0: no limit
  /// Of this run; 0: no limit. Where a schedule goes by the whole run (schedule::whole_run) and nothing else limits it,
  /// the pace of the first twentieth (5 steps at least) becomes a number of steps, at which the run ends whatever the
  /// clock then says; it is saved (Game::planned_steps), and given as `steps` it makes the same bits.
  double seconds = 0;
};

/// How a run ended.
struct FitResult {
  Index steps = 0;       ///< of this run
  double seconds = 0;    ///< of this run
  bool stopped = false;  ///< by a callback, before all epochs and steps were done
  std::string reason;    ///< why, in words; also why there was no step to make
};

/// The state of a training run, as callbacks see it.
///
/// What a step or a callback throws leaves fit after every on_end. A step that threw may have changed one network and
/// not the other.
///
/// While a run lasts a pipe that was closed is an error of the write into it and no end of the program (SIGPIPE).
template <std::floating_point T>
class Run {
 public:
  Run(Game<T>& run_game, Source<T>& run_source, const FitOptions& run_options);

  Game<T>& game;
  Source<T>& source;
  const Index epoch_limit, step_limit;  ///< in all; 0: none
  const double second_limit;            ///< of this run; 0: none
  const StepResult& result;             ///< of the last step
  bool not_finite = false;              ///< a number is not finite: what was saved before is worth more

  /// Ends the run in order after this step; the first reason counts.
  void stop(const std::string& why) {
    if (!stopping_) reason_ = why;
    stopping_ = true;
  }
  const std::string& reason() const { return reason_; }

  /// Epochs the source has completed, in all.
  Index epochs() const { return source.epoch() + (source.position() == source.batches_per_epoch() ? 1 : 0); }
  /// Steps and seconds of this run.
  Index steps() const { return game.steps() - first_step_; }
  double seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }
  /// Whether the run has a limit, and the share of it that is done, in [0, 1]; 0 without.
  bool limited() const { return epoch_limit > 0 || step_limit > 0 || second_limit > 0; }
  double progress() const;
  /// Seconds this run will still take at its mean speed; 0 when that is not known.
  double remaining() const;

  /// Holds the folder (FolderLock) until the run has ended; several callbacks of a run may ask for the same one.
  void lock(const std::filesystem::path& folder);

 private:
  template <std::floating_point U>
  friend FitResult fit(Game<U>& game, Source<U>& source, const FitOptions& options,
                       const std::vector<Callback<U>*>& callbacks);

  using Clock = std::chrono::steady_clock;
  using Hook = void (Callback<T>::*)(Run&);

  FitResult go(const std::vector<Callback<T>*>& callbacks);
  bool done() const {
    return (epoch_limit > 0 && epochs() >= epoch_limit) || (step_limit > 0 && game.steps() >= step_limit) ||
           (by_plan_ && planned() && game.steps() >= game.planned_steps());
  }
  bool planned() const { return game.planned_steps() > 0; }
  void plan();
  double counted_progress() const;
  std::string nothing_to_do() const;
  // Of all; 0 when it is not known.
  Index last_step() const;
  // Calls f. What it throws leaves the run at its end, the first of several; it is told at once when it comes from one
  // who only watches, or is not the first. Returns false when the run must end.
  template <class F>
  bool attempt(Phase phase, F f);
  // Whether a callback takes the error for a reason to end in order.
  bool forgiven(const NotFinite& error);

  Index first_step_ = 0;
  double first_progress_ = 0;
  double first_seconds_ = 0;  // that the first step of this run took, which is slower than others
  bool by_plan_ = false;      // the game's planned steps are the limit
  bool stopping_ = false;
  std::string reason_;
  Clock::time_point start_{};
  std::exception_ptr failure_;
  std::vector<Callback<T>*> callbacks_;
  std::map<std::filesystem::path, std::unique_ptr<FolderLock>> locks_;
};

/// Lets the game make steps on the source's batches until a limit is reached or a callback stops the run.
template <std::floating_point T>
FitResult fit(Game<T>& game, Source<T>& source, const FitOptions& options, const std::vector<Callback<T>*>& callbacks) {
  return Run<T>(game, source, options).go(callbacks);
}

template <std::floating_point T>
Run<T>::Run(Game<T>& run_game, Source<T>& run_source, const FitOptions& run_options)
    : game(run_game),
      source(run_source),
      epoch_limit(run_options.epochs.value_or(run_options.steps > 0 || run_options.seconds > 0 ? 0 : 1)),
      step_limit(run_options.steps),
      second_limit(run_options.seconds),
      result(run_game.result()) {
  check(epoch_limit >= 0 && step_limit >= 0, "fit: ", epoch_limit, " epochs and ", step_limit,
        " steps, expected 0 or more");
  check(!is_nan(second_limit) && second_limit >= 0, "fit: ", second_limit, " seconds, expected 0 or more");
}

template <std::floating_point T>
double Run<T>::counted_progress() const {
  double share = 0;
  if (step_limit > 0) share = static_cast<double>(game.steps()) / static_cast<double>(step_limit);
  if (by_plan_ && planned()) share = static_cast<double>(game.steps()) / static_cast<double>(game.planned_steps());
  if (epoch_limit > 0)
    share = std::max(share, (static_cast<double>(source.epoch()) +
                             static_cast<double>(source.position()) / static_cast<double>(source.batches_per_epoch())) /
                                static_cast<double>(epoch_limit));
  return std::min(share, 1.0);
}

template <std::floating_point T>
double Run<T>::progress() const {
  const double by_time = second_limit > 0 && !(by_plan_ && planned()) ? std::min(1.0, seconds() / second_limit) : 0;
  return std::max(counted_progress(), by_time);
}

template <std::floating_point T>
double Run<T>::remaining() const {
  const double share = counted_progress();
  const double counted = share > first_progress_ ? seconds() * (1 - share) / (share - first_progress_) : 0;
  if (second_limit <= 0 || (by_plan_ && planned())) return counted;
  const double left = std::max(0.0, second_limit - seconds());
  return counted > 0 ? std::min(counted, left) : left;
}

template <std::floating_point T>
void Run<T>::lock(const std::filesystem::path& folder) {
  std::error_code unknown;
  const auto name = std::filesystem::weakly_canonical(folder.empty() ? "." : folder, unknown);
  if (auto& held = locks_[unknown ? folder : name]; !held) held = std::make_unique<FolderLock>(folder);
}

template <std::floating_point T>
std::string Run<T>::nothing_to_do() const {
  return "0 steps: the source has completed " + std::to_string(epochs()) + " epochs and the game " +
         std::to_string(game.steps()) + " steps, which is all that was asked for";
}

template <std::floating_point T>
Index Run<T>::last_step() const {
  const double by_epochs = static_cast<double>(epoch_limit) * static_cast<double>(source.batches_per_epoch()) /
                           static_cast<double>(game.batches_per_step());
  const auto planned = static_cast<Index>(std::min(by_epochs, 1e15));
  if (step_limit == 0) return planned;
  return planned > 0 ? std::min(planned, step_limit) : step_limit;
}

template <std::floating_point T>
template <class F>
bool Run<T>::attempt(Phase phase, F f) {
  std::exception_ptr exception;
  std::string text = "an exception";
  try {
    f();
    return true;
  } catch (const NotFinite& error) {
    const bool first = !std::exchange(not_finite, true);
    if (first && forgiven(error)) return false;
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
  stop(text);
  return false;
}

template <std::floating_point T>
bool Run<T>::forgiven(const NotFinite& error) {
  bool any = false;
  for (Callback<T>* callback : callbacks_)
    attempt(callback->phase(), [&] { any = callback->on_not_finite(*this, error) || any; });
  if (any) stop(error.what());
  return any;
}

// The number of steps of the whole run, from the pace so far but for the first step, while schedules still stand at
// their beginning.
template <std::floating_point T>
void Run<T>::plan() {
  if (!by_plan_ || planned()) return;
  const Index made = game.steps();
  if (steps() == 1) first_seconds_ = seconds();
  const bool over = seconds() >= second_limit;
  if (steps() < 6 && !over) return;
  const double a_second = static_cast<double>(steps() - 1) / std::max(1e-9, seconds() - first_seconds_);
  const double rest = over ? 0 : (second_limit - seconds()) * a_second;
  const Index all = made + static_cast<Index>(std::min(std::round(rest), 1e15));
  if (made < Schedule::held_steps(all)) return;
  // As many that they would have stood still until now.
  game.plan_steps(Schedule::held_steps(all) >= made - 1 ? all : 20 * (made - 1));
}

template <std::floating_point T>
FitResult Run<T>::go(const std::vector<Callback<T>*>& callbacks) {
  struct Awaited {
    Game<T>& game;
    ~Awaited() { game.awaits_plan_ = false; }
  } const awaited{game};
  if (game.needs_plan()) {
    const Index last = last_step();
    check(last > 0 || second_limit > 0,
          "fit: a schedule goes by the whole run, which has no end: expected a limit of "
          "epochs, steps or seconds");
    by_plan_ = game.awaits_plan_ = last == 0;
    if (last > 0) game.plan_steps(last);
  }
  game.rehearse(source, last_step());
  const detail::SignalCounter closed_pipes(SIGPIPE);
  callbacks_ = callbacks;
  start_ = Clock::now();
  first_step_ = game.steps();
  first_progress_ = counted_progress();
  const auto each = [this](std::initializer_list<Phase> phases, auto visit) {
    for (const Phase phase : phases)
      for (Callback<T>* callback : callbacks_)
        if (callback->phase() == phase) visit(*callback);
  };
  std::vector<Callback<T>*> started;
  bool begun = true;
  each({Phase::save, Phase::record, Phase::act, Phase::show}, [&](Callback<T>& callback) {
    if (!begun) return;
    begun = attempt(Phase::act, [&] { callback.on_start(*this); });
    if (begun) started.push_back(&callback);
  });
  if (begun && !stopping_ && done()) reason_ = nothing_to_do();

  while (begun && !stopping_ && !done()) {
    const Index completed = epochs();
    if (!attempt(Phase::act, [&] { game.advance(source); })) break;
    const bool epoch_ended = epochs() > completed;
    for (const Phase phase : {Phase::act, Phase::record, Phase::save, Phase::show})
      for (const Hook hook : {&Callback<T>::on_step, &Callback<T>::on_epoch}) {
        if (hook == &Callback<T>::on_epoch && !epoch_ended) continue;
        each({phase}, [&](Callback<T>& callback) {
          if (!not_finite) attempt(phase, [&] { (callback.*hook)(*this); });
        });
      }
    plan();
    if (second_limit > 0 && seconds() >= second_limit && !(by_plan_ && planned())) stop("the time is up");
  }

  each({Phase::save, Phase::record, Phase::act, Phase::show}, [&](Callback<T>& callback) {
    if (std::find(started.begin(), started.end(), &callback) != started.end())
      attempt(callback.phase(), [&] { callback.on_end(*this); });
  });
  locks_.clear();
  if (failure_) std::rethrow_exception(failure_);
  return {steps(), seconds(), stopping_ && !done(), reason_};
}

template <std::floating_point T>
template <class... Callbacks>
FitResult Game<T>::fit(Source<T>& source, const FitOptions& options, Callbacks&&... callbacks) {
  static_assert(
      (std::is_base_of_v<Callback<T>, std::remove_reference_t<Callbacks>> && ...),
      "fit: a callback of another scalar type than the game's, or none at all: derive it from gan::Callback<T>");
  return gan::fit<T>(*this, source, options, {static_cast<Callback<T>*>(&callbacks)...});
}

}  // namespace gan
