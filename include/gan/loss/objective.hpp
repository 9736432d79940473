// The game both networks play: losses of discriminator and generator from logits, and the two of Goodfellow et al.
#pragma once

#include <concepts>

#include "gan/core/describe.hpp"
#include "gan/core/finite.hpp"
#include "gan/core/random.hpp"
#include "gan/loss/bce.hpp"
#include "gan/tensor/random.hpp"

namespace gan {

/// What the trainer asks of an objective. `real` and `fake` are the discriminator's scores, logits [n, 1] (or with more
/// axes, as a discriminator of patches has them); both losses are scalars to be minimized. `discriminator_loss` is the
/// sum of its real and its fake term, each averaged. `generator_loss` is given an undefined `real` unless
/// `generator_needs_real`.
///
/// It may also have a `describe()` (core/describe.hpp), which resumed runs compare, and tell the trainer what to warn
/// of: `takes_logits` when scores in [0, 1] can only be a mistake, `needs_bounded_slope` when the discriminator must
/// not be as steep as it likes.
template <class O, class T>
concept Objective = requires(Rng& rng, const O& objective, const Tensor<T>& scores) {
  { O::generator_needs_real } -> std::convertible_to<bool>;
  { objective.discriminator_loss(rng, scores, scores) } -> std::same_as<Tensor<T>>;
  { objective.generator_loss(scores, scores) } -> std::same_as<Tensor<T>>;
};

/// Discriminator: mean(-log sigmoid(real)) + mean(-log(1 - sigmoid(fake))). Generator: mean(-log sigmoid(fake)), the
/// non-saturating loss of Goodfellow et al., 2014.
struct NonSaturating {
  double real_label =
      1;            ///< target of real samples in the discriminator's loss: one-sided smoothing (Salimans et al., 2016)
  double flip = 0;  ///< probability that a sample's label is swapped in the discriminator's loss
  static constexpr bool generator_needs_real = false;
  static constexpr bool takes_logits = true;
  std::string describe() const { return described("non-saturating", {{"real_label", real_label}, {"flip", flip}}); }

  template <class T>
  Tensor<T> discriminator_loss(Rng& rng, const Tensor<T>& real, const Tensor<T>& fake) const;
  template <class T>
  Tensor<T> generator_loss(const Tensor<T>& real, const Tensor<T>& fake) const;
};

/// The same discriminator; generator: mean(log(1 - sigmoid(fake))), the zero-sum game of Goodfellow et al., 2014. It
/// gives the generator almost no gradient once the discriminator is sure of itself.
struct Minimax {
  double real_label = 1;  ///< as in NonSaturating
  double flip = 0;        ///< as in NonSaturating
  static constexpr bool generator_needs_real = false;
  static constexpr bool takes_logits = true;
  std::string describe() const { return described("minimax", {{"real_label", real_label}, {"flip", flip}}); }

  template <class T>
  Tensor<T> discriminator_loss(Rng& rng, const Tensor<T>& real, const Tensor<T>& fake) const;
  template <class T>
  Tensor<T> generator_loss(const Tensor<T>& real, const Tensor<T>& fake) const;
};

template <class O>
bool takes_logits(const O& objective) {
  if constexpr (requires { bool(objective.takes_logits); })
    return objective.takes_logits;
  else
    return false;
}

template <class O>
bool needs_bounded_slope(const O& objective) {
  if constexpr (requires { bool(objective.needs_bounded_slope); })
    return objective.needs_bounded_slope;
  else
    return false;
}

namespace detail {

/// One score a sample, at least one sample.
template <class T>
void check_scores(const char* objective, const char* what, const Tensor<T>& scores) {
  check(scores.defined(), objective, ": the scores of ", what, " are undefined");
  check(scores.rank() >= 1 && scores.size() > 0, objective, ": the scores of ", what, " are ", scores.shape(),
        ", expected [n, 1] with n > 0");
}

/// The same of both, and nothing but the number of samples differs.
template <class T>
void check_scores(const char* objective, const Tensor<T>& real, const Tensor<T>& fake) {
  check_scores(objective, "real samples", real);
  check_scores(objective, "fakes", fake);
  check(real.shape().with(0, 1) == fake.shape().with(0, 1), objective, ": scores ", real.shape(),
        " of real samples and ", fake.shape(), " of fakes differ in more than the batch size");
}

/// Targets of that shape: `label`, except for samples (first axis) that are swapped to `other` with probability `flip`.
template <class T>
Tensor<T> flipped_labels(Rng& rng, const Shape& shape, double label, double other, double flip) {
  const NoGrad no_grad;
  Shape one_a_sample = shape;
  for (Index axis = 1; axis < shape.rank(); ++axis) one_a_sample = one_a_sample.with(axis, 1);
  const auto swapped = bernoulli<T>(rng, one_a_sample, flip);
  return broadcast_to(affine(swapped, other - label, label), shape);
}

inline void check_real_label(const char* objective, double real_label) {
  check(is_finite(real_label) && real_label > 0 && real_label <= 1, objective, ": real_label is ", real_label,
        ", expected a number in (0, 1]");
}

inline void check_flip(const char* objective, double flip) {
  check(is_finite(flip) && flip >= 0 && flip <= 1, objective, ": flip is ", flip, ", expected a probability in [0, 1]");
}

template <class T>
Tensor<T> bce_discriminator_loss(Rng& rng, const char* objective, const Tensor<T>& real, const Tensor<T>& fake,
                                 double real_label, double flip) {
  check_scores(objective, real, fake);
  check_real_label(objective, real_label);
  check_flip(objective, flip);
  if (flip == 0) return bce_with_logits(real, real_label) + bce_with_logits(fake, 0.0);
  const auto real_targets = flipped_labels<T>(rng, real.shape(), real_label, 0, flip);
  const auto fake_targets = flipped_labels<T>(rng, fake.shape(), 0, real_label, flip);
  return bce_with_logits(real, real_targets) + bce_with_logits(fake, fake_targets);
}

}  // namespace detail

template <class T>
Tensor<T> NonSaturating::discriminator_loss(Rng& rng, const Tensor<T>& real, const Tensor<T>& fake) const {
  return detail::bce_discriminator_loss(rng, "non-saturating", real, fake, real_label, flip);
}

template <class T>
Tensor<T> NonSaturating::generator_loss(const Tensor<T>&, const Tensor<T>& fake) const {
  detail::check_scores("non-saturating", "fakes", fake);
  return bce_with_logits(fake, 1.0);
}

template <class T>
Tensor<T> Minimax::discriminator_loss(Rng& rng, const Tensor<T>& real, const Tensor<T>& fake) const {
  return detail::bce_discriminator_loss(rng, "minimax", real, fake, real_label, flip);
}

template <class T>
Tensor<T> Minimax::generator_loss(const Tensor<T>&, const Tensor<T>& fake) const {
  detail::check_scores("minimax", "fakes", fake);
  return neg(bce_with_logits(fake, 0.0));
}

}  // namespace gan
