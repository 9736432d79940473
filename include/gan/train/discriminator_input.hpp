// DiscriminatorInput: what a discriminator is shown of samples.
#pragma once

#include <concepts>
#include <utility>

#include "gan/nn/module.hpp"
#include "gan/ops/arithmetic.hpp"
#include "gan/ops/condition.hpp"
#include "gan/tensor/random.hpp"
#include "gan/train/checks.hpp"
#include "gan/train/trainer_options.hpp"

namespace gan {

/// Samples [n, ...] as the discriminator of a pair sees them, real ones and fakes alike: through the views, with
/// instance noise, and in packs, [n / pack, ...]. How often adaptive views are in force is a buffer of the owner,
/// "view_probability".
template <std::floating_point T>
class DiscriminatorInput {
 public:
  /// Keeps a reference of the options; what is random comes from the owner.
  DiscriminatorInput(Module<T>* owner, const TrainerOptions<T>& options)
      : owner_(*owner), options_(options), probability_(owner, "view_probability", Shape{}, init::zeros()) {}

  /// At a step, from 0, of a run of `planned`. Throws for a view that changes the shape, and for a deviation of the
  /// noise that is no number or negative.
  Tensor<T> operator()(const Tensor<T>& x, Index step, Index planned) {
    Rng& rng = owner_.rng();
    Tensor<T> y = x;
    for (const auto& view : options_.views) y = view(rng, y);
    check(y.shape() == x.shape(), "trainer: the views make ", y.shape(), " of samples ", x.shape(),
          ", expected the same shape");
    if (options_.adaptive_views) {
      Shape one_a_sample = x.shape();
      for (Index axis = 1; axis < x.rank(); ++axis) one_a_sample = one_a_sample.with(axis, 1);
      y = x + bernoulli<T>(rng, one_a_sample, probability()) * (y - x);
    }
    if (options_.instance_noise)
      if (const double stddev = value_at("trainer: instance_noise", options_.instance_noise, step, planned); stddev > 0)
        y = y + normal<T>(rng, y.shape(), 0, stddev);
    return pack_samples(y, options_.pack);
  }

  /// Both, by the same random numbers where the options ask for it (`same_view`).
  std::pair<Tensor<T>, Tensor<T>> both(const Tensor<T>& real, const Tensor<T>& fake, Index step, Index planned) {
    const RngState before = owner_.rng().state();
    Tensor<T> seen_real = (*this)(real, step, planned);
    if (options_.same_view) owner_.rng().set_state(before);
    return {std::move(seen_real), (*this)(fake, step, planned)};
  }

  /// Moves the probability after `shown` real samples, of which the discriminator got that share right.
  void adapt(double accuracy, Index shown) {
    *probability_.mutable_data() = static_cast<T>(options_.adaptive_views->update(probability(), accuracy, shown));
  }
  double probability() const { return static_cast<double>(probability_.item()); }

 private:
  Module<T>& owner_;
  const TrainerOptions<T>& options_;
  Buffer<T> probability_;
};

}  // namespace gan
