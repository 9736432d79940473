// What is asked of every step: finite losses and gradients, samples that fit, schedules that give usable numbers.
#pragma once

#include <cmath>
#include <string>
#include <string_view>

#include "gan/core/describe.hpp"
#include "gan/core/finite.hpp"
#include "gan/core/schedule.hpp"
#include "gan/ops/reshape.hpp"
#include "gan/optim/clip.hpp"
#include "gan/tensor/named_tensors.hpp"

namespace gan {

/// Throws NotFinite, with the name of the player, unless the loss is a finite number.
template <class T>
void check_loss(const std::string& player, const Tensor<T>& loss, Index step) {
  const T value = loss.item();
  if (is_finite(value)) [[likely]]
    return;
  // A NaN's sign says nothing.
  const char* const text = is_nan(value) ? "nan" : std::signbit(value) ? "-inf" : "inf";
  throw NotFinite("player \"" + player + "\": its loss is " + text + " at step " + std::to_string(step));
}

/// The norm of all gradients together. Throws NotFinite, with the names of player and parameter, unless all are finite.
template <class T>
double checked_norm(const std::string& player, const NamedTensors<T>& parameters, Index step) {
  double squares = 0;
  for (const auto& [name, parameter] : parameters) {
    const Tensor<T> gradient = parameter.grad();
    if (!gradient.defined()) continue;
    const double sum = sum_of_squares(gradient);
    if (!is_finite(sum) && !all_finite(gradient)) [[unlikely]]
      throw NotFinite("player \"" + player + "\": the gradient of \"" + name + "\" is not finite at step " +
                      std::to_string(step));
    squares += sum;
  }
  return std::sqrt(squares);
}

namespace detail {

inline Shape without_ones(const Shape& shape) {
  Shape result;
  for (Index axis = 0; axis < shape.rank(); ++axis)
    if (axis == 0 || shape[axis] != 1) result = result.inserted(result.rank(), shape[axis]);
  return result;
}

/// Whether real samples [n, ...] are samples of that shape in another spelling: equal but for axes of length 1, or flat
/// on one side, [n, k].
inline bool same_layout(const Shape& real, const Shape& samples) {
  if (real.rank() < 1 || samples.rank() < 1 || real[0] != samples[0] || real.size() != samples.size()) return false;
  return real.rank() == 2 || samples.rank() == 2 || without_ones(real) == without_ones(samples);
}

}  // namespace detail

/// Real samples as the generator spells its own. Throws when they are of another layout: reshaping would scramble them.
template <class T>
Tensor<T> in_layout(const Tensor<T>& real, const Shape& samples) {
  if (real.shape() == samples) return real;
  check(detail::same_layout(real.shape(), samples), "trainer: generated samples ", samples,
        " do not match real samples ", real.shape(), ", expected one shape, channels-last: [n, h, w, c]");
  return reshape(real, samples);
}

/// schedule(step), for steps from 0 of a run of `planned`. Throws, with `name` and the step, unless it is finite and
/// not negative.
inline double value_at(std::string_view name, const Schedule& schedule, Index step, Index planned) {
  const double value = schedule(step, planned);
  check(is_finite(value) && value >= 0, name, " is ", number_text(value), " at step ", step + 1,
        ", expected a finite number, 0 or more");
  return value;
}

/// Throws, with `name` and the step, unless the schedule gives usable numbers at the next step and at the last.
inline void check_schedule(std::string_view name, const Schedule& schedule, Index next, Index last, Index planned) {
  if (!schedule) return;
  value_at(name, schedule, next, planned);
  if (last > next) value_at(name, schedule, last, planned);
}

}  // namespace gan
