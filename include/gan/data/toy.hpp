// Distributions in the plane that show mode collapse and fit at a glance: ring, grid, any mixture, Swiss roll, two
// moons.
#pragma once

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numbers>
#include <numeric>
#include <span>
#include <vector>

#include "gan/core/error.hpp"
#include "gan/core/finite.hpp"
#include "gan/core/random.hpp"
#include "gan/core/weights.hpp"

namespace gan {

// Every sampler returns n points as x, y, x, y, ... ([n, 2] row-major), element type float or double, and throws for a
// count outside [0, 2^30] and for options outside the ranges given.

/// Mixture of `modes` equal Gaussians on a circle. The defaults are the 2D-ring of VEEGAN (Srivastava et al., 2017) and
/// PacGAN (Lin et al., 2018). 1 <= modes <= 2^20, radius >= 0, stddev >= 0.
struct GaussianRingOptions {
  Index modes = 8;
  double radius = 1, stddev = 0.01;
};

/// Mixture of side x side equal Gaussians on a square lattice around 0: centers at (column - (side - 1) / 2) spacing.
/// The defaults are the 2D-grid of VEEGAN and PacGAN, 25 modes at -4, -2, 0, 2, 4. 1 <= side <= 2^10, spacing >= 0,
/// stddev >= 0.
struct GaussianGridOptions {
  Index side = 5;
  double spacing = 2, stddev = 0.05;
};

/// scale (t cos t, t sin t) with t uniform in [first_turn, last_turn] 2 pi, plus noise: the Swiss roll seen from its
/// end. The defaults keep it within about 1.1 of 0. 0 <= first_turn < last_turn, scale > 0, stddev >= 0.
struct SwissRollOptions {
  double first_turn = 0.75, last_turn = 2.25;
  double scale = 1 / (4.5 * std::numbers::pi), stddev = 0.01;
};

/// Two interleaved half circles of radius 1, plus noise: (cos t, sin t) and (1 - cos t, 1/2 - sin t), t uniform in
/// [0, pi], moved so that the mean is 0. stddev >= 0.
struct TwoMoonsOptions {
  double stddev = 0.05;
};

template <class T>
std::vector<T> gaussian_ring(Rng& rng, Index n, const GaussianRingOptions& options = {});
template <class T>
std::vector<T> gaussian_grid(Rng& rng, Index n, const GaussianGridOptions& options = {});
/// Gaussians of that deviation around `centers` [modes, 2], as frequent as their weights say, which need not sum to 1;
/// none: equally frequent. Throws for centers that are not finite, and weights that are not above 0 or not one a mode.
template <class T>
std::vector<T> gaussian_mixture(Rng& rng, Index n, std::span<const T> centers, double stddev,
                                std::span<const double> weights = {});
template <class T>
std::vector<T> swiss_roll(Rng& rng, Index n, const SwissRollOptions& options = {});
template <class T>
std::vector<T> two_moons(Rng& rng, Index n, const TwoMoonsOptions& options = {});

/// Centers of the modes, [modes, 2], for metrics of coverage. Ring: counter-clockwise from (radius, 0). Grid: row after
/// row of equal y, x ascending.
template <class T>
std::vector<T> gaussian_ring_modes(const GaussianRingOptions& options = {});
template <class T>
std::vector<T> gaussian_grid_modes(const GaussianGridOptions& options = {});

namespace detail {

inline constexpr Index max_points = Index{1} << 30, max_modes = Index{1} << 20;

inline void check_points(const char* name, Index n, double stddev) {
  check(n >= 0 && n <= max_points, name, ": ", n, " points, expected a count in [0, ", max_points, "]");
  check(is_finite(stddev) && stddev >= 0, name, ": stddev ", stddev, ", expected at least 0");
}

/// [n, 2] of noise, to which the samplers add the places.
template <class T>
std::vector<T> toy_noise(Rng& rng, Index n, double stddev) {
  std::vector<T> points(static_cast<std::size_t>(2 * n));
  rng.normal(std::span<T>(points), T(0), static_cast<T>(stddev));
  return points;
}

template <class T>
std::vector<T> mixture(Rng& rng, Index n, std::span<const T> modes, double stddev,
                       std::span<const double> weights = {}) {
  std::vector<T> points = toy_noise<T>(rng, n, stddev);
  std::vector<Index> chosen(static_cast<std::size_t>(n));
  if (weights.empty()) {
    rng.integers(chosen, 0, std::ssize(modes) / 2);
  } else {
    std::vector<double> up_to(weights.size()), places(chosen.size());
    std::partial_sum(weights.begin(), weights.end(), up_to.begin());
    rng.uniform(std::span<double>(places), 0.0, up_to.back());
    for (std::size_t i = 0; i < chosen.size(); ++i)
      chosen[i] = std::min(std::upper_bound(up_to.begin(), up_to.end(), places[i]), up_to.end() - 1) - up_to.begin();
  }
  for (std::size_t i = 0; i < chosen.size(); ++i)
    for (std::size_t axis = 0; axis < 2; ++axis)
      points[2 * i + axis] += modes[2 * static_cast<std::size_t>(chosen[i]) + axis];
  return points;
}

}  // namespace detail

template <class T>
std::vector<T> gaussian_ring_modes(const GaussianRingOptions& options) {
  check(options.modes >= 1 && options.modes <= detail::max_modes, "ring: ", options.modes,
        " modes, expected a number in [1, ", detail::max_modes, "]");
  check(is_finite(options.radius) && options.radius >= 0, "ring: radius ", options.radius, ", expected at least 0");
  std::vector<T> modes;
  for (Index k = 0; k < options.modes; ++k) {
    const double angle = 2 * std::numbers::pi * static_cast<double>(k) / static_cast<double>(options.modes);
    modes.push_back(static_cast<T>(options.radius * std::cos(angle)));
    modes.push_back(static_cast<T>(options.radius * std::sin(angle)));
  }
  return modes;
}

template <class T>
std::vector<T> gaussian_grid_modes(const GaussianGridOptions& options) {
  constexpr Index most = Index{1} << 10;
  check(options.side >= 1 && options.side <= most, "grid: side ", options.side, ", expected one in [1, ", most, "]");
  check(is_finite(options.spacing) && options.spacing >= 0, "grid: spacing ", options.spacing, ", expected at least 0");
  const double middle = static_cast<double>(options.side - 1) / 2;
  std::vector<T> modes;
  for (Index row = 0; row < options.side; ++row)
    for (Index column = 0; column < options.side; ++column) {
      modes.push_back(static_cast<T>((static_cast<double>(column) - middle) * options.spacing));
      modes.push_back(static_cast<T>((static_cast<double>(row) - middle) * options.spacing));
    }
  return modes;
}

template <class T>
std::vector<T> gaussian_ring(Rng& rng, Index n, const GaussianRingOptions& options) {
  detail::check_points("ring", n, options.stddev);
  const auto modes = gaussian_ring_modes<T>(options);
  return detail::mixture<T>(rng, n, modes, options.stddev);
}

template <class T>
std::vector<T> gaussian_grid(Rng& rng, Index n, const GaussianGridOptions& options) {
  detail::check_points("grid", n, options.stddev);
  const auto modes = gaussian_grid_modes<T>(options);
  return detail::mixture<T>(rng, n, modes, options.stddev);
}

template <class T>
std::vector<T> gaussian_mixture(Rng& rng, Index n, std::span<const T> centers, double stddev,
                                std::span<const double> weights) {
  const char* const name = "gaussian_mixture";
  detail::check_points(name, n, stddev);
  check(!centers.empty() && centers.size() % 2 == 0 && std::ssize(centers) <= 2 * detail::max_modes, name, ": ",
        centers.size(), " numbers of centers, expected two of each of 1 to ", detail::max_modes, " modes");
  for (const T value : centers) check(is_finite(value), name, ": a center at ", value, ", expected a finite number");
  sum_of_weights(name, "modes", weights, std::ssize(centers) / 2);
  return detail::mixture<T>(rng, n, centers, stddev, weights);
}

template <class T>
std::vector<T> swiss_roll(Rng& rng, Index n, const SwissRollOptions& options) {
  detail::check_points("swiss_roll", n, options.stddev);
  check(is_finite(options.first_turn) && is_finite(options.last_turn) && options.first_turn >= 0 &&
            options.first_turn < options.last_turn,
        "swiss_roll: turns from ", options.first_turn, " to ", options.last_turn, ", expected 0 <= first < last");
  check(is_finite(options.scale) && options.scale > 0, "swiss_roll: scale ", options.scale, ", expected above 0");
  std::vector<T> points = detail::toy_noise<T>(rng, n, options.stddev);
  std::vector<double> turns(static_cast<std::size_t>(n));
  rng.uniform(std::span<double>(turns), options.first_turn, options.last_turn);
  for (std::size_t i = 0; i < turns.size(); ++i) {
    const double t = 2 * std::numbers::pi * turns[i];
    points[2 * i] += static_cast<T>(options.scale * t * std::cos(t));
    points[2 * i + 1] += static_cast<T>(options.scale * t * std::sin(t));
  }
  return points;
}

template <class T>
std::vector<T> two_moons(Rng& rng, Index n, const TwoMoonsOptions& options) {
  detail::check_points("two_moons", n, options.stddev);
  std::vector<T> points = detail::toy_noise<T>(rng, n, options.stddev);
  std::vector<double> places(static_cast<std::size_t>(n));
  rng.uniform(std::span<double>(places), -1.0, 1.0);  // the sign is the moon
  for (std::size_t i = 0; i < places.size(); ++i) {
    const double t = std::numbers::pi * std::abs(places[i]), side = places[i] < 0 ? -1 : 1;
    // The moons are each other turned by half a circle about (1/2, 1/4), which is the mean.
    points[2 * i] += static_cast<T>(side * (std::cos(t) - 0.5));
    points[2 * i + 1] += static_cast<T>(side * (std::sin(t) - 0.25));
  }
  return points;
}

}  // namespace gan
