// Objectives and penalties chosen at run time, by name: for programs with options on the command line.
#pragma once

#include <charconv>
#include <cmath>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gan/loss/critic.hpp"
#include "gan/loss/gradient_penalty.hpp"
#include "gan/loss/least_squares.hpp"
#include "gan/loss/objective.hpp"
#include "gan/loss/penalty.hpp"
#include "gan/loss/relativistic.hpp"
#include "gan/optim/clip.hpp"
#include "gan/optim/schedule.hpp"

namespace gan {

/// Holds any objective.
template <std::floating_point T>
class AnyObjective {
 public:
  AnyObjective() : AnyObjective(NonSaturating{}) {}
  template <class O>
  requires Objective<O, T>
  AnyObjective(O objective)
      : generator_needs_real(O::generator_needs_real),
        discriminator_loss_([objective](const auto& real, const auto& fake, Rng& rng) {
          return objective.discriminator_loss(real, fake, rng);
        }),
        generator_loss_(
            [objective](const auto& real, const auto& fake) { return objective.generator_loss(real, fake); }) {}

  bool generator_needs_real;
  Tensor<T> discriminator_loss(const Tensor<T>& real, const Tensor<T>& fake, Rng& rng) const {
    return discriminator_loss_(real, fake, rng);
  }
  Tensor<T> generator_loss(const Tensor<T>& real, const Tensor<T>& fake) const { return generator_loss_(real, fake); }

 private:
  std::function<Tensor<T>(const Tensor<T>&, const Tensor<T>&, Rng&)> discriminator_loss_;
  std::function<Tensor<T>(const Tensor<T>&, const Tensor<T>&)> generator_loss_;
};

/// Holds any number of penalties, and adds them up; times factor(step), if one is given, with the steps that the
/// discriminator has made.
template <std::floating_point T>
class AnyPenalty {
 public:
  using Discriminate = std::function<Tensor<T>(const Tensor<T>&)>;

  AnyPenalty() = default;
  template <class P>
  requires(!std::is_same_v<P, AnyPenalty>) AnyPenalty(P penalty) { add(std::move(penalty)); }
  template <class P>
  AnyPenalty& add(P penalty) {
    penalties_.push_back([penalty](const Discriminate& d, const Tensor<T>& real, const Tensor<T>& fake, Rng& rng,
                                   Index step) { return penalty.template operator()<T>(d, real, fake, rng, step); });
    if constexpr (requires(const NamedTensors<T>& parameters) { penalty.after_step(parameters); })
      after_step_.push_back([penalty](const NamedTensors<T>& parameters) { penalty.after_step(parameters); });
    return *this;
  }
  AnyPenalty& scale_by(Schedule factor) {
    factor_ = std::move(factor);
    return *this;
  }

  Tensor<T> operator()(const Discriminate& discriminator, const Tensor<T>& real, const Tensor<T>& fake, Rng& rng,
                       Index step) const {
    Tensor<T> total;
    for (const auto& penalty : penalties_) {
      const Tensor<T> value = penalty(discriminator, real, fake, rng, step);
      if (value.defined()) total = total.defined() ? total + value : value;
    }
    if (total.defined() && factor_) total = total * factor_(step);
    return total;
  }
  void after_step(const NamedTensors<T>& discriminator_parameters) const {
    for (const auto& f : after_step_) f(discriminator_parameters);
  }

 private:
  std::vector<std::function<Tensor<T>(const Discriminate&, const Tensor<T>&, const Tensor<T>&, Rng&, Index)>>
      penalties_;
  std::vector<std::function<void(const NamedTensors<T>&)>> after_step_;
  Schedule factor_;
};

inline constexpr std::string_view objective_names =
    "non-saturating, minimax, least-squares, hinge, wasserstein, relativistic-average, relativistic-pairing";
inline constexpr std::string_view penalty_names =
    "none, clip, gradient-penalty, one-sided-gradient-penalty, dragan, r1, r2, lazy-r1, lazy-r2, zero-centered";

/// The objective of that name, with label smoothing where it has any. Throws for a name not in objective_names.
template <std::floating_point T>
AnyObjective<T> objective_named(std::string_view name, double real_label = 1) {
  if (name == "non-saturating") return AnyObjective<T>(NonSaturating{.real_label = real_label});
  if (name == "minimax") return AnyObjective<T>(Minimax{.real_label = real_label});
  if (name == "least-squares") return AnyObjective<T>(LeastSquares{.real_label = real_label});
  if (name == "hinge") return AnyObjective<T>(Hinge{});
  if (name == "wasserstein") return AnyObjective<T>(Wasserstein{});
  if (name == "relativistic-average") return AnyObjective<T>(RelativisticAverage{.real_label = real_label});
  if (name == "relativistic-pairing") return AnyObjective<T>(RelativisticPairing{});
  fail("no objective is named \"", name, "\", expected one of: ", objective_names);
}

/// Penalties "name" or "name:weight", joined with "+": "r1:0.5+r2:0.5". The weight is gamma for R1 and R2, and the
/// limit for clip; without it each has its default. Throws for a name not in penalty_names and a weight that is no
/// number.
template <std::floating_point T>
AnyPenalty<T> penalty_named(std::string_view text) {
  AnyPenalty<T> all;
  for (std::size_t begin = 0, end = 0; end != std::string_view::npos; begin = end + 1) {
    end = text.find('+', begin);
    const std::string_view item = text.substr(begin, end == std::string_view::npos ? end : end - begin);
    const std::string_view name = item.substr(0, item.find(':'));
    const auto weight = [&](double otherwise) {
      if (name.size() == item.size()) return otherwise;
      const std::string_view number = item.substr(name.size() + 1);
      double value = 0;
      const auto [last, error] = std::from_chars(number.data(), number.data() + number.size(), value);
      check(error == std::errc() && last == number.data() + number.size() && value >= 0 && std::isfinite(value),
            "penalty \"", item, "\": \"", number, "\" is not a weight, expected a number, 0 or more");
      return value;
    };
    if (name == "clip")
      all.add(ClipWeights{weight(0.01)});
    else if (name == "gradient-penalty")
      all.add(GradientPenalty{.weight = weight(10)});
    else if (name == "one-sided-gradient-penalty")
      all.add(GradientPenalty{.weight = weight(10), .one_sided = true});
    else if (name == "dragan")
      all.add(Dragan{.weight = weight(10)});
    else if (name == "r1")
      all.add(R1{.gamma = weight(10)});
    else if (name == "r2")
      all.add(R2{.gamma = weight(10)});
    else if (name == "lazy-r1")
      all.add(R1{.gamma = weight(10), .every = 16});
    else if (name == "lazy-r2")
      all.add(R2{.gamma = weight(10), .every = 16});
    else if (name == "zero-centered")
      all.add(ZeroCentered{.weight = weight(10)});
    else
      check(name == "none", "no penalty is named \"", name, "\", expected one of: ", penalty_names);
  }
  return all;
}

}  // namespace gan
