// Which average of its networks a player keeps for sampling.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <variant>

#include "gan/train/moving_average.hpp"
#include "gan/train/options_text.hpp"
#include "gan/train/power_average.hpp"

namespace gan {

/// Of a fixed length, or of one that grows with the run:
///
///     {.average = gan::MovingAverageOptions{.decay = 0.999}}
///     {.average = gan::PowerAverageOptions{.relative_width = 0.1}}
using AverageOptions = std::variant<MovingAverageOptions, PowerAverageOptions>;

/// The average of these tensors. Throws for options out of range.
template <std::floating_point T>
std::unique_ptr<StateAverage<T>> make_average(const AverageOptions& options, NamedTensors<T> values) {
  if (const auto* power = std::get_if<PowerAverageOptions>(&options))
    return std::make_unique<PowerAverage<T>>(std::move(values), *power);
  return std::make_unique<MovingAverage<T>>(std::move(values), std::get<MovingAverageOptions>(options));
}

/// As resumed runs compare it.
inline std::string average_text(const AverageOptions& options) {
  if (const auto* power = std::get_if<PowerAverageOptions>(&options))
    return described("power", {{"relative_width", power->relative_width}});
  const auto& moving = std::get<MovingAverageOptions>(options);
  return described("decay=" + number_text(moving.decay), {{"warm_up", moving.warm_up}});
}

}  // namespace gan
