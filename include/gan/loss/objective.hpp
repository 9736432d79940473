// The game both networks play: what an objective is, its losses, and how often the discriminator is right.
#pragma once

#include <concepts>
#include <string>
#include <string_view>

#include "gan/core/describe.hpp"
#include "gan/core/finite.hpp"
#include "gan/core/random.hpp"
#include "gan/loss/accuracy.hpp"
#include "gan/loss/reduction.hpp"
#include "gan/loss/traits.hpp"
#include "gan/tensor/random.hpp"

namespace gan {

/// The discriminator's loss on real samples and on fakes, both scalars. A loss that is no sum of two is all in `real`,
/// and `fake` is undefined. It stands for its sum wherever a tensor is asked for.
template <std::floating_point T>
struct DiscriminatorLoss {
  Tensor<T> real, fake;

  Tensor<T> sum() const { return detail::sum_of_defined(real, fake); }
  operator Tensor<T>() const { return sum(); }

  /// Losses of several discriminators, weighted, and what is added to them, a penalty say.
  friend DiscriminatorLoss operator+(const DiscriminatorLoss& a, const DiscriminatorLoss& b) {
    return {detail::sum_of_defined(a.real, b.real), detail::sum_of_defined(a.fake, b.fake)};
  }
  friend DiscriminatorLoss operator*(double weight, const DiscriminatorLoss& loss) {
    return {weight * loss.real, loss.fake.defined() ? weight * loss.fake : loss.fake};
  }
  friend Tensor<T> operator+(const DiscriminatorLoss& loss, const Tensor<T>& term) { return loss.sum() + term; }
};

/// What a trainer asks of an objective. `real` and `fake` are the discriminator's scores, logits [n, 1] (or with more
/// axes, as a discriminator of patches has them); all losses are scalars to be minimized, and means over the scores.
///
///     static constexpr bool generator_needs_real = false;
///     DiscriminatorLoss<T> discriminator_loss(real, fake) const;       // or with Rng& before, if it draws
///     Tensor<T> generator_loss(real, fake) const;                      // `real` is undefined unless it is needed
///
/// It may also have describe() (core/describe.hpp), which resumed runs compare, accuracy(real, fake)
/// (loss/accuracy.hpp), check_options(), which throws when a number makes no sense, and tell the trainer what to warn
/// of: `takes_logits` when scores in [0, 1] can only be a mistake, `needs_bounded_slope` when the discriminator must
/// not be as steep as it likes. One that programs may choose by name has `name`, and an entry in Objectives
/// (loss/any_objective.hpp).
template <class O, class T>
concept Objective = requires(Rng& rng, const O& objective, const Tensor<T>& scores) {
  { objective.generator_needs_real } -> std::convertible_to<bool>;
  { objective.generator_loss(scores, scores) } -> std::same_as<Tensor<T>>;
  requires requires {
    { objective.discriminator_loss(scores, scores) } -> std::same_as<DiscriminatorLoss<T>>;
  } || requires {
    { objective.discriminator_loss(rng, scores, scores) } -> std::same_as<DiscriminatorLoss<T>>;
  };
};

/// The loss of any objective, whether it draws or not.
template <class T, Objective<T> O>
DiscriminatorLoss<T> discriminator_loss(Rng& rng, const O& objective, const Tensor<T>& real, const Tensor<T>& fake) {
  if constexpr (requires { objective.discriminator_loss(rng, real, fake); })
    return objective.discriminator_loss(rng, real, fake);
  else
    return objective.discriminator_loss(real, fake);
}

/// What an objective says of itself; false where it says nothing.
template <class O>
bool takes_logits(const O& objective) {
  return detail::ask_or(objective, false,
                        [](const auto& o) -> decltype(bool(o.takes_logits)) { return o.takes_logits; });
}
template <class O>
bool needs_bounded_slope(const O& objective) {
  return detail::ask_or(objective, false,
                        [](const auto& o) -> decltype(bool(o.needs_bounded_slope)) { return o.needs_bounded_slope; });
}

namespace detail {

/// Targets of that shape: `label`, except for samples (first axis) that are swapped to `other` with probability `flip`.
template <class T>
Tensor<T> flipped_labels(Rng& rng, const Shape& shape, double label, double other, double flip) {
  const NoGrad no_grad;
  Shape one_a_sample = shape;
  for (Index axis = 1; axis < shape.rank(); ++axis) one_a_sample = one_a_sample.with(axis, 1);
  const auto swapped = bernoulli<T>(rng, one_a_sample, flip);
  return broadcast_to(affine(swapped, other - label, label), shape);
}

inline void check_real_label(std::string_view objective, double real_label) {
  check(is_finite(real_label) && real_label > 0 && real_label <= 1, objective, ": real_label is ", real_label,
        ", expected a number in (0, 1]");
}

inline void check_flip(std::string_view objective, double flip) {
  check(is_finite(flip) && flip >= 0 && flip <= 1, objective, ": flip is ", flip, ", expected a probability in [0, 1]");
}

/// Of a loss that is asked for without an rng.
inline void check_no_flip(std::string_view objective, double flip) {
  check(flip == 0, objective, ": flip is ", flip,
        " and draws whose label is swapped, expected discriminator_loss(rng, real, fake)");
}

}  // namespace detail
}  // namespace gan
