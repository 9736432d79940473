// Schedules: numbers that change with the step, as factors of a base value.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>
#include <utility>

#include "gan/core/finite.hpp"
#include "gan/core/shape.hpp"

namespace gan {

/// The factor of the base value (learning rate, deviation of instance noise ...) at a step; steps count from 0.
using Schedule = std::function<double(Index step)>;

// All throw for a period below 1, and for factors and fractions that are negative or not finite.
namespace schedule {

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

// How much of `total` steps is over, in [0, 1].
inline double share_of_steps(Index step, Index total) {
  return static_cast<double>(std::clamp<Index>(step, 0, total)) / static_cast<double>(total);
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
  detail::check_period("cosine", total);
  detail::check_schedule_factor("cosine", final_fraction);
  return [=](Index step) {
    const double remaining = 0.5 * (1 + std::cos(std::numbers::pi * detail::share_of_steps(step, total)));
    return final_fraction + (1 - final_fraction) * remaining;
  };
}

inline Schedule linear(Index total, double final_fraction) {
  detail::check_period("linear", total);
  detail::check_schedule_factor("linear", final_fraction);
  return [=](Index step) { return 1 + (final_fraction - 1) * detail::share_of_steps(step, total); };
}

inline Schedule linear_warmup(Index steps, Schedule then) {
  detail::check_period("linear_warmup", steps);
  check(static_cast<bool>(then), "schedule linear_warmup: no schedule to go on with");
  return [=, then = std::move(then)](Index step) {
    return step < steps ? static_cast<double>(step + 1) / static_cast<double>(steps) : then(step - steps);
  };
}

}  // namespace schedule
}  // namespace gan
