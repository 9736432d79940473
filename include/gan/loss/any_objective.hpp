// Any objective, chosen at run time, by name: for programs with options on the command line.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "gan/core/finite.hpp"
#include "gan/loss/hinge.hpp"
#include "gan/loss/least_squares.hpp"
#include "gan/loss/objective.hpp"
#include "gan/loss/relativistic.hpp"
#include "gan/loss/wasserstein.hpp"

namespace gan {

/// Holds any objective.
template <std::floating_point T>
class AnyObjective {
 public:
  AnyObjective() : AnyObjective(NonSaturating{}) {}
  template <class O>
  requires Objective<O, T>
  explicit AnyObjective(O objective)
      : generator_needs_real(O::generator_needs_real),
        takes_logits(gan::takes_logits(objective)),
        needs_bounded_slope(gan::needs_bounded_slope(objective)),
        description_(gan::describe(objective)),
        discriminator_loss_([objective](Rng& rng, const auto& real, const auto& fake) {
          return objective.discriminator_loss(rng, real, fake);
        }),
        generator_loss_(
            [objective](const auto& real, const auto& fake) { return objective.generator_loss(real, fake); }) {}

  bool generator_needs_real, takes_logits, needs_bounded_slope;
  std::string describe() const { return description_; }
  Tensor<T> discriminator_loss(Rng& rng, const Tensor<T>& real, const Tensor<T>& fake) const {
    return discriminator_loss_(rng, real, fake);
  }
  Tensor<T> generator_loss(const Tensor<T>& real, const Tensor<T>& fake) const { return generator_loss_(real, fake); }

 private:
  std::string description_;
  std::function<Tensor<T>(Rng&, const Tensor<T>&, const Tensor<T>&)> discriminator_loss_;
  std::function<Tensor<T>(const Tensor<T>&, const Tensor<T>&)> generator_loss_;
};

inline constexpr std::string_view objective_names =
    "non-saturating, minimax, least-squares, hinge, wasserstein, relativistic-average, relativistic-pairing";

/// The objective of that name, with label smoothing where it has any. Throws for a name not in objective_names, and for
/// a label that the objective cannot have: one without labels takes 1 only.
template <std::floating_point T>
AnyObjective<T> objective_named(std::string_view name, double real_label = 1) {
  const auto check_label = [&](bool fits, const char* expected) {
    check(is_finite(real_label) && fits, "objective \"", name, "\": label ", real_label, " of real samples, expected ",
          expected);
  };
  if (name == "least-squares")
    check_label(true, "a finite number");
  else if (name == "non-saturating" || name == "minimax" || name == "relativistic-average")
    check_label(real_label > 0 && real_label <= 1, "a number in (0, 1]");
  else
    check_label(real_label == 1, "1, since it has no labels");
  if (name == "non-saturating") return AnyObjective<T>(NonSaturating{.real_label = real_label});
  if (name == "minimax") return AnyObjective<T>(Minimax{.real_label = real_label});
  if (name == "least-squares") return AnyObjective<T>(LeastSquares{.real_label = real_label});
  if (name == "hinge") return AnyObjective<T>(Hinge{});
  if (name == "wasserstein") return AnyObjective<T>(Wasserstein{});
  if (name == "relativistic-average") return AnyObjective<T>(RelativisticAverage{.real_label = real_label});
  if (name == "relativistic-pairing") return AnyObjective<T>(RelativisticPairing{});
  fail("no objective is named \"", name, "\", expected one of: ", objective_names);
}

}  // namespace gan
