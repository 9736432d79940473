// What is asked of every step: finite losses and gradients, samples that fit, schedules that give usable numbers.
#pragma once

#include <cmath>
#include <span>
#include <string>

#include "gan/core/describe.hpp"
#include "gan/core/finite.hpp"
#include "gan/core/schedule.hpp"
#include "gan/ops/reshape.hpp"
#include "gan/tensor/named_tensors.hpp"

namespace gan {

/// Throws NotFinite, with the name of the network, unless the loss is a finite number.
template <class T>
void check_loss(const char* network, const Tensor<T>& loss, Index step) {
  const T value = loss.item();
  if (is_finite(value)) [[likely]]
    return;
  // A NaN's sign says nothing.
  const char* const text = is_nan(value) ? "nan" : std::signbit(value) ? "-inf" : "inf";
  throw NotFinite("trainer: the loss of the " + std::string(network) + " is " + text + " at step " +
                  std::to_string(step));
}

template <class T>
bool all_finite(const Tensor<T>& x) {
  return all_finite(std::span<const T>(x.data(), static_cast<std::size_t>(x.size())));
}

/// Throws NotFinite, with the names of network and parameter, unless all gradients are finite.
template <class T>
void check_gradients(const char* network, const NamedTensors<T>& parameters, Index step) {
  for (const auto& [name, parameter] : parameters)
    if (const Tensor<T> gradient = parameter.grad(); gradient.defined() && !all_finite(gradient))
      throw NotFinite("trainer: the gradient of \"" + std::string(network) + "." + name + "\" is not finite at step " +
                      std::to_string(step));
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

/// Throws unless the discriminator's scores are [n, ...].
template <class T>
void check_scores_of(const Tensor<T>& scores, Index n) {
  check(scores.defined() && scores.rank() >= 1 && scores.shape()[0] == n, "trainer: discriminator gives ",
        scores.defined() ? scores.shape() : Shape{}, " for ", n, " samples, expected [", n, ", 1]");
}

/// schedule(step), for steps from 0. Throws, with `name` and the step, unless it is finite and not negative.
inline double value_at(const char* name, const Schedule& schedule, Index step) {
  const double value = schedule(step);
  check(is_finite(value) && value >= 0, "trainer: ", name, " is ", number_text(value), " at step ", step + 1,
        ", expected a finite number, 0 or more");
  return value;
}

}  // namespace gan
