// PowerAverage: averages of a network's state whose length can be chosen after training.
#pragma once

#include <Eigen/QR>
#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "gan/core/finite.hpp"
#include "gan/nn/module.hpp"
#include "gan/train/state_average.hpp"

namespace gan {

/// The exponent gamma of the power-function average with relative width sigma, the standard deviation of its weights
/// over the time trained: sigma^2 = (gamma + 1) / ((gamma + 2)^2 (gamma + 3)) (Karras et al., 2024). Throws unless
/// sigma is in (0, 1 / sqrt(12)], whose end, gamma = 0, is the mean of all updates.
inline double power_exponent(double relative_width) {
  check(is_finite(relative_width) && relative_width >= 1e-4 && relative_width <= std::sqrt(1.0 / 12) + 1e-12,
        "power average: relative width ", relative_width, ", expected a number in [0.0001, ", std::sqrt(1.0 / 12), "]");
  // sigma falls as gamma rises.
  double low = 0, high = 2 / relative_width;
  for (int i = 0; i < 200; ++i) {
    const double gamma = (low + high) / 2;
    const double sigma = std::sqrt((gamma + 1) / (gamma + 3)) / (gamma + 2);
    (sigma > relative_width ? low : high) = gamma;
  }
  return (low + high) / 2;
}

struct PowerAverageOptions {
  double relative_width =
      0.1;  ///< sigma of power_exponent; 0.05 and 0.1 together can make all others between 0 and 0.2
};

/// average = beta average + (1 - beta) value with beta = (1 - 1 / t)^(gamma + 1) at update t, for every parameter and
/// buffer of a module: weights proportional to t^gamma, whose width is a share of the time trained, so that nothing is
/// left of the first values and no decay has to be fitted to the length of the run (Karras et al., 2024, EDM2). From
/// snapshots of two of them reconstruct() makes the average of any width, at any time, after training.
template <std::floating_point T>
class PowerAverage : public StateAverage<T> {
 public:
  /// Throws for a relative width out of range.
  explicit PowerAverage(Module<T>& module, const PowerAverageOptions& options = {})
      : PowerAverage(module.state(), options) {}
  /// Of these tensors, which it keeps handles of.
  explicit PowerAverage(NamedTensors<T> values, const PowerAverageOptions& options = {})
      : StateAverage<T>(std::move(values)), options_(options), gamma_(power_exponent(options.relative_width)) {}

  void update() override {
    const double t = static_cast<double>(this->updates() + 1);
    this->advance(-std::expm1((gamma_ + 1) * std::log1p(-1 / t)));  // 1 - beta; 1 at the first update
  }

  double relative_width() const { return options_.relative_width; }
  double exponent() const { return gamma_; }

 private:
  PowerAverageOptions options_;
  double gamma_;
};

/// A power-function average as it was after `updates` updates.
template <std::floating_point T>
struct PowerSnapshot {
  Index updates = 0;
  double relative_width = 0;
  NamedTensors<T> state{};  ///< copies; see snapshot()
};

/// What a player's power averages are called in checkpoints, "generator_power0".
inline std::string power_average_name(const std::string& player, std::size_t i) {
  return player + "_power" + std::to_string(i);
}

template <std::floating_point T>
PowerSnapshot<T> snapshot(const PowerAverage<T>& average) {
  PowerSnapshot<T> copy{average.updates(), average.relative_width(), {}};
  for (const auto& [name, tensor] : average.state()) copy.state.push_back({name, tensor.clone()});
  return copy;
}

namespace detail {

// A profile t^gamma on [0, end], with integral 1: the weight of each moment in an average.
struct PowerProfile {
  double gamma, end;

  /// The integral of the product of two.
  friend double product(const PowerProfile& a, const PowerProfile& b) {
    const double shorter = std::log(std::min(a.end, b.end)), total = a.gamma + b.gamma + 1;
    return (a.gamma + 1) * (b.gamma + 1) / total *
           std::exp(total * shorter - (a.gamma + 1) * std::log(a.end) - (b.gamma + 1) * std::log(b.end));
  }
};

/// Factors whose sum over `known` profiles is nearest to `target`, by least squares.
inline std::vector<double> power_factors(const std::vector<PowerProfile>& known, const PowerProfile& target) {
  const auto count = static_cast<Index>(known.size());
  Eigen::MatrixXd products(count, count);
  Eigen::VectorXd aims(count);
  for (Index i = 0; i < count; ++i) {
    const auto& one = known[static_cast<std::size_t>(i)];
    for (Index j = 0; j < count; ++j) products(i, j) = product(one, known[static_cast<std::size_t>(j)]);
    aims(i) = product(one, target);
  }
  // Scaled to a diagonal of ones; neighbours are nearly parallel, hence the rank-revealing solver.
  const Eigen::VectorXd scale = products.diagonal().cwiseSqrt().cwiseInverse();
  const Eigen::MatrixXd scaled = scale.asDiagonal() * products * scale.asDiagonal();
  const Eigen::VectorXd found = scaled.completeOrthogonalDecomposition().solve(scale.cwiseProduct(aims));
  std::vector<double> factors;
  for (Index i = 0; i < count; ++i) factors.push_back(found(i) * scale(i));
  return factors;
}

}  // namespace detail

/// The power-function average with that relative width after `updates` updates (0: those of the latest snapshot), as
/// the sum of snapshots whose profile is nearest to its own (Karras et al., 2024). Good between and around the stored
/// widths; more snapshots make it better. Throws for no snapshots, for names or shapes that differ between them, for a
/// time after the last one, and for a width out of range.
template <std::floating_point T>
NamedTensors<T> reconstruct(const std::vector<PowerSnapshot<T>>& snapshots, double relative_width, Index updates = 0) {
  check(!snapshots.empty(), "power average: no snapshots to reconstruct from");
  const auto& first = snapshots.front().state;
  std::vector<detail::PowerProfile> known;
  Index last = 0;
  for (const auto& s : snapshots) {
    check(s.updates >= 1, "power average: a snapshot after ", s.updates, " updates, expected 1 or more");
    check(s.state.size() == first.size(), "power average: snapshots of ", first.size(), " and of ", s.state.size(),
          " tensors");
    for (std::size_t i = 0; i < first.size(); ++i)
      check(s.state[i].name == first[i].name && s.state[i].tensor.shape() == first[i].tensor.shape(),
            "power average: snapshots differ in \"", first[i].name, "\" ", first[i].tensor.shape(), ", \"",
            s.state[i].name, "\" ", s.state[i].tensor.shape());
    known.push_back({power_exponent(s.relative_width), static_cast<double>(s.updates)});
    last = std::max(last, s.updates);
  }
  check(updates >= 0 && updates <= last, "power average: the average after ", updates, " updates from snapshots up to ",
        last);
  const auto factors = detail::power_factors(
      known, {power_exponent(relative_width), static_cast<double>(updates == 0 ? last : updates)});
  NamedTensors<T> result;
  std::vector<double> total;
  for (std::size_t i = 0; i < first.size(); ++i) {
    total.assign(static_cast<std::size_t>(first[i].tensor.size()), 0);
    for (std::size_t k = 0; k < snapshots.size(); ++k) {
      const T* from = snapshots[k].state[i].tensor.data();
      for (std::size_t j = 0; j < total.size(); ++j) total[j] += factors[k] * static_cast<double>(from[j]);
    }
    auto sum = Tensor<T>::empty(first[i].tensor.shape());
    std::transform(total.begin(), total.end(), sum.mutable_data(), [](double v) { return static_cast<T>(v); });
    result.push_back({first[i].name, sum});
  }
  return result;
}

}  // namespace gan
