// Options of the trainer of a pair.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "gan/core/schedule.hpp"
#include "gan/loss/any_objective.hpp"
#include "gan/loss/any_penalty.hpp"
#include "gan/optim/any_optimizer.hpp"
#include "gan/tensor/condition.hpp"
#include "gan/train/adaptive_probability.hpp"
#include "gan/train/average_options.hpp"
#include "gan/train/options_text.hpp"

namespace gan {

/// What a term of the pair's game is given: all that one update of a network is made of. Where the discriminator sees
/// packs of k samples, scores, extra outputs and condition have n / k rows.
template <std::floating_point T>
struct Pass {
  const Tensor<T>& z;     ///< noise [n, latent] of the fakes
  const Tensor<T>& real;  ///< samples [n, ...]
  const Tensor<T>& fake;  ///< samples [n, ...]; with history in the generator's update only
  const Condition<T>& condition;
  const Tensor<T>& real_scores;  ///< [n, 1]; undefined in the generator's update unless the objective needs it
  const Tensor<T>& fake_scores;
  const Tensor<T>& real_extra;  ///< [n, k], the discriminator's further outputs; undefined without
  const Tensor<T>& fake_extra;
  Rng& rng;
  Index step;  ///< of the trainer, from 0
};

/// A further loss of one of the two, e.g. AC-GAN's classes, InfoGAN's codes, a distance to a target:
///
///     {"class", [](const auto& pass) { return gan::cross_entropy(pass.fake_extra, pass.condition.labels); }}
///
/// An undefined tensor means nothing at this step.
template <std::floating_point T>
struct PairTerm {
  std::string name;
  std::function<Tensor<T>(const Pass<T>&)> value;
  double weight = 1;
};

/// A differentiable change of what the discriminator sees, of real samples and fakes alike: x [n, ...] -> [n, ...].
template <std::floating_point T>
using View = std::function<Tensor<T>(Rng& rng, const Tensor<T>& x)>;

template <std::floating_point T>
struct TrainerOptions {
  AnyObjective<T> objective{};
  AnyPenalty<T> penalty{};
  AnyOptimizer<T> generator_optimizer{};
  AnyOptimizer<T> discriminator_optimizer{};  ///< its own rate, for two time scales (Heusel et al., 2017)
  Schedule generator_schedule{};              ///< factor of the learning rate by step; none: 1
  Schedule discriminator_schedule{};
  Index discriminator_steps = 1;  ///< updates a step, each with a real batch of its own
  Index generator_steps = 1;
  double clip_gradient_norm = 0;  ///< limit of each network's global gradient norm; 0: none
  Schedule instance_noise{};      ///< deviation by step of noise on all that the discriminator sees; none: 0
  std::vector<View<T>> views =
      std::initializer_list<View<T>>{};  ///< what else the discriminator sees samples through, in order
  bool same_view = false;                ///< the real and the fake sample of a pair are seen through the same draw
  /// How often samples are seen through the views; none: all are.
  std::optional<AdaptiveProbability> adaptive_views{};
  Index pack = 1;  ///< samples the discriminator sees at once, joined along the last axis (PacGAN)
  std::vector<PairTerm<T>> generator_terms = std::initializer_list<PairTerm<T>>{};  // {} alone: as in AnyPenalty
  std::vector<PairTerm<T>> discriminator_terms = std::initializer_list<PairTerm<T>>{};
  std::optional<AverageOptions> average{};  ///< of the generator, for sampling
  /// Of the generator, for averages chosen after training; see PlayerOptions.
  std::vector<double> power_averages = std::initializer_list<double>{};
  bool joint_pass = true;  ///< real and fake in one pass, unless the discriminator mixes its batch
  Index samples = 64;      ///< size of the fixed noise batch
  std::uint64_t seed = 0;  ///< of noise, penalties and label flips, and of what the networks draw in training
};

/// Throws for options out of range, NaN among them.
template <std::floating_point T>
void check_trainer_options(const TrainerOptions<T>& o) {
  check(o.discriminator_steps >= 1 && o.generator_steps >= 1 && o.pack >= 1 && o.samples >= 1,
        "trainer: ", o.discriminator_steps, " discriminator steps, ", o.generator_steps, " generator steps, packs of ",
        o.pack, ", ", o.samples, " samples, expected at least 1 of each");
  for (const auto* terms : {&o.generator_terms, &o.discriminator_terms})
    for (const auto& term : *terms)
      check(!term.name.empty() && term.value && is_finite(term.weight), "trainer: term \"", term.name, "\" of weight ",
            number_text(term.weight), ", expected a name, a function and a finite weight");
  for (const auto& view : o.views) check(static_cast<bool>(view), "trainer: a view is empty, expected a function");
  if (o.adaptive_views) {
    check(!o.views.empty(), "trainer: adaptive views without a view");
    o.adaptive_views->update(0, 0, 0);  // throws for what is out of range
  }
}

/// All of them but the players', as resumed runs compare them.
template <std::floating_point T>
OptionTexts trainer_option_texts(const TrainerOptions<T>& o) {
  const auto yes_no = [](bool on) { return std::string(on ? "yes" : "no"); };
  const auto names = [](const std::vector<PairTerm<T>>& terms) {
    std::string all;
    for (const auto& term : terms) all += (all.empty() ? "" : " + ") + number_text(term.weight) + " " + term.name;
    return all.empty() ? "none" : all;
  };
  return {{"objective", o.objective.describe()},
          {"penalty", o.penalty.describe()},
          {"instance_noise", presence_text(o.instance_noise)},
          {"views", std::to_string(o.views.size())},
          {"same_view", yes_no(o.same_view)},
          {"adaptive_views", o.adaptive_views ? described("adaptive", {{"target", o.adaptive_views->target},
                                                                       {"images", o.adaptive_views->images},
                                                                       {"limit", o.adaptive_views->limit}})
                                              : "none"},
          {"generator_steps", std::to_string(o.generator_steps)},
          {"discriminator_steps", std::to_string(o.discriminator_steps)},
          {"generator_terms", names(o.generator_terms)},
          {"discriminator_terms", names(o.discriminator_terms)},
          {"pack", std::to_string(o.pack)},
          {"joint_pass", yes_no(o.joint_pass)}};
}

}  // namespace gan
