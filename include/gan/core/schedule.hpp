// Schedules: numbers that change with the step, as factors of a base value.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <limits>
#include <numbers>
#include <type_traits>
#include <utility>

#include "gan/core/error.hpp"
#include "gan/core/finite.hpp"
#include "gan/core/shape.hpp"

namespace gan {

/// The factor of the base value (learning rate, deviation of instance noise ...) at a step; steps count from 0. It is
/// made from a function of the step, or of the step and the number of steps of the whole run:
///
///     gan::Schedule halves = [](gan::Index step) { return step < 1000 ? 1.0 : 0.5; };
class Schedule {
 public:
  Schedule() {}  // not defaulted: GCC 12 fails on options with such a member in a member's initializer
  Schedule(std::nullptr_t) {}
  template <class F>
  requires(!std::is_same_v<F, Schedule> && std::is_invocable_r_v<double, F&, Index>) Schedule(F function) {
    if constexpr (std::is_same_v<F, std::function<double(Index)>>)
      if (!function) return;
    value_ = [function = std::move(function)](Index step, Index) { return function(step); };
  }
  /// function(step, planned), where planned, at least 1, is the number of steps of the whole run.
  ///
  /// Who trains by the clock does not know that number at first (FitOptions::seconds), and who gives it must get the
  /// same bits. So a schedule stands still for the first twentieth of the run (held_steps): it is function(0, planned),
  /// and both numbers count from there. A function that does not look at `planned` meanwhile may begin at once: held =
  /// false.
  static Schedule of_whole_run(std::function<double(Index step, Index planned)> function, bool held = true) {
    Schedule schedule;
    schedule.whole_run_ = true;
    if (held)
      schedule.value_ = [function = std::move(function)](Index step, Index planned) {
        const Index still = held_steps(planned);
        return function(std::max<Index>(0, step - still), planned - still);
      };
    else
      schedule.value_ = std::move(function);
    return schedule;
  }
  /// A twentieth of the run, and 5 steps at least, or all but one.
  static Index held_steps(Index planned) { return std::max(planned / 20, std::min<Index>(5, planned - 1)); }

  /// Whether there is one.
  explicit operator bool() const { return static_cast<bool>(value_); }
  /// Whether it depends on the length of the run.
  bool whole_run() const { return whole_run_; }
  /// Throws when it depends on the length of the run and planned is not at least 1: whoever calls it must know.
  double operator()(Index step, Index planned = 0) const {
    check(!whole_run_ || planned >= 1,
          "schedule: it goes by the whole run, and nobody has said how many steps that is: ",
          "train with fit, or call plan_steps");
    return value_(step, planned);
  }

 private:
  std::function<double(Index, Index)> value_;
  bool whole_run_ = false;
};

// All throw for a period below 1 (cosine and linear: but for whole_run), and for factors and fractions that are
// negative or not finite.
namespace schedule {

/// In place of a total: as many steps as the run has (FitOptions), whether that is said in steps, epochs or seconds.
inline constexpr Index whole_run = std::numeric_limits<Index>::min();

/// 1.
Schedule constant();
/// factor^floor(step / every).
Schedule step(Index every, double factor);
/// factor^step.
Schedule exponential(double factor);
/// From 1 to final_fraction along half a cosine over `total` steps, and final_fraction from there on (Loshchilov and
/// Hutter, 2016).
Schedule cosine(Index total, double final_fraction = 0);
/// The same along a straight line.
Schedule linear(Index total, double final_fraction = 0);
/// (step + 1) / steps for the first `steps` steps; then `then`, which counts its steps from the end of the warm-up.
Schedule linear_warmup(Index steps, Schedule then = constant());

}  // namespace schedule

namespace detail {

inline void check_period(const char* schedule, Index period) {
  check(period >= 1, "schedule ", schedule, ": ", period, " steps, expected at least 1");
}

inline void check_schedule_factor(const char* schedule, double factor) {
  check(is_finite(factor) && factor >= 0, "schedule ", schedule, ": factor ", factor,
        ", expected a finite number of 0 or more");
}

/// f of the share of `total` steps, or of the whole run, that is over, in [0, 1].
template <class F>
Schedule of_share(const char* schedule, Index total, F f) {
  const auto share = [](Index step, Index steps) {
    return static_cast<double>(std::clamp<Index>(step, 0, steps)) / static_cast<double>(steps);
  };
  if (total == schedule::whole_run)
    return Schedule::of_whole_run([=](Index step, Index planned) { return f(share(step, planned)); });
  check_period(schedule, total);
  return [=](Index step) { return f(share(step, total)); };
}

}  // namespace detail

namespace schedule {

inline Schedule constant() {
  return [](Index) { return 1.0; };
}

inline Schedule step(Index every, double factor) {
  detail::check_period("step", every);
  detail::check_schedule_factor("step", factor);
  return [=](Index step) { return std::pow(factor, static_cast<double>(step / every)); };
}

inline Schedule exponential(double factor) {
  detail::check_schedule_factor("exponential", factor);
  return [=](Index step) { return std::pow(factor, static_cast<double>(step)); };
}

inline Schedule cosine(Index total, double final_fraction) {
  detail::check_schedule_factor("cosine", final_fraction);
  return detail::of_share("cosine", total, [=](double share) {
    return final_fraction + (1 - final_fraction) * 0.5 * (1 + std::cos(std::numbers::pi * share));
  });
}

inline Schedule linear(Index total, double final_fraction) {
  detail::check_schedule_factor("linear", final_fraction);
  return detail::of_share("linear", total, [=](double share) { return 1 + (final_fraction - 1) * share; });
}

inline Schedule linear_warmup(Index steps, Schedule then) {
  detail::check_period("linear_warmup", steps);
  check(static_cast<bool>(then), "schedule linear_warmup: no schedule to go on with");
  const bool of_run = then.whole_run();
  const auto value = [=, then = std::move(then)](Index step, Index planned) {
    return step < steps ? static_cast<double>(step + 1) / static_cast<double>(steps)
                        : then(step - steps, std::max<Index>(1, planned - steps));
  };
  if (of_run) return Schedule::of_whole_run(value, false);  // `then` is held
  return [=](Index step) { return value(step, 0); };
}

}  // namespace schedule
}  // namespace gan
