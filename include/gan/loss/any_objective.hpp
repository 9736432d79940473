// Any objective, chosen at run time: for trainers, and by name for programs with options on the command line.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "gan/core/finite.hpp"
#include "gan/loss/hinge.hpp"
#include "gan/loss/least_squares.hpp"
#include "gan/loss/non_saturating.hpp"
#include "gan/loss/objective.hpp"
#include "gan/loss/relativistic.hpp"
#include "gan/loss/type_list.hpp"
#include "gan/loss/wasserstein.hpp"

namespace gan {

/// The objectives that have a name. Whatever lists them reads this.
using Objectives =
    TypeList<NonSaturating, Minimax, LeastSquares, Hinge, Wasserstein, RelativisticAverage, RelativisticPairing>;

/// Holds any objective; NonSaturating unless it is told. An objective becomes one by itself, as in
/// `TrainerOptions{.objective = Hinge{}}`; that throws for options out of range.
template <std::floating_point T>
class AnyObjective {
 public:
  AnyObjective() : AnyObjective(NonSaturating{}) {}
  template <Objective<T> O>
  AnyObjective(O objective)
      : generator_needs_real(objective.generator_needs_real),
        takes_logits(gan::takes_logits(objective)),
        needs_bounded_slope(gan::needs_bounded_slope(objective)),
        description_(gan::describe(objective)),
        discriminator_loss_([objective](Rng& rng, const Tensor<T>& real, const Tensor<T>& fake) {
          return gan::discriminator_loss(rng, objective, real, fake);
        }),
        generator_loss_(
            [objective](const Tensor<T>& real, const Tensor<T>& fake) { return objective.generator_loss(real, fake); }),
        accuracy_([objective](const Tensor<T>& real, const Tensor<T>& fake) {
          return gan::accuracy(objective, real, fake);
        }) {
    detail::check_options_of(objective);
  }

  bool generator_needs_real, takes_logits, needs_bounded_slope;
  std::string describe() const { return description_; }
  DiscriminatorLoss<T> discriminator_loss(Rng& rng, const Tensor<T>& real, const Tensor<T>& fake) const {
    return discriminator_loss_(rng, real, fake);
  }
  Tensor<T> generator_loss(const Tensor<T>& real, const Tensor<T>& fake) const { return generator_loss_(real, fake); }
  Accuracy accuracy(const Tensor<T>& real, const Tensor<T>& fake) const { return accuracy_(real, fake); }

 private:
  std::string description_;
  std::function<DiscriminatorLoss<T>(Rng&, const Tensor<T>&, const Tensor<T>&)> discriminator_loss_;
  std::function<Tensor<T>(const Tensor<T>&, const Tensor<T>&)> generator_loss_;
  std::function<Accuracy(const Tensor<T>&, const Tensor<T>&)> accuracy_;
};

namespace detail {

inline constexpr NameList listed_objectives = [] {
  NameList names;
  Objectives::for_each([&]<class O>() { names.add("", O::name); });
  return names;
}();

}  // namespace detail

/// "non-saturating, minimax, ...".
inline constexpr std::string_view objective_names = detail::listed_objectives.view();

/// The objective of that name, with label smoothing where it has any. Throws for a name not in objective_names, and for
/// a label that the objective cannot have: one without labels takes 1 only.
template <std::floating_point T>
AnyObjective<T> objective_named(std::string_view name, double real_label = 1) {
  std::optional<AnyObjective<T>> found;
  Objectives::for_each([&]<class O>() {
    if (name != O::name) return;
    O objective{};
    if constexpr (requires { objective.real_label; })
      objective.real_label = real_label;
    else
      check(real_label == 1, name, ": real_label is ", real_label, ", expected 1, since it has no labels");
    found = AnyObjective<T>(objective);
  });
  if (!found) fail("no objective is named \"", name, "\", expected one of: ", objective_names);
  return *found;
}

}  // namespace gan
