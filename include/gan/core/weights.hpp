// Relative weights of alternatives.
#pragma once

#include <iterator>
#include <numeric>
#include <span>

#include "gan/core/error.hpp"
#include "gan/core/finite.hpp"
#include "gan/core/shape.hpp"

namespace gan {

/// The sum of relative weights, one of each of `count` alternatives, which are called `what`; without any, all weigh 1.
/// Throws unless they are as many, all above 0, and of a finite sum.
inline double sum_of_weights(const char* name, const char* what, std::span<const double> weights, Index count) {
  check(weights.empty() || std::ssize(weights) == count, name, ": ", weights.size(),
        " weights, expected one of each of ", count, " ", what);
  for (const double weight : weights)
    check(is_finite(weight) && weight > 0, name, ": weight ", weight, ", expected a number above 0");
  const double sum =
      weights.empty() ? static_cast<double>(count) : std::accumulate(weights.begin(), weights.end(), 0.0);
  check(is_finite(sum), name, ": weights whose sum is not finite");
  return sum;
}

}  // namespace gan
