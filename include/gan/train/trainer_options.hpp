// Options of the trainer of a pair, and how they are written down.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "gan/core/finite.hpp"
#include "gan/core/schedule.hpp"
#include "gan/train/moving_average.hpp"
#include "gan/train/options_text.hpp"

namespace gan {

template <class Objective, class Optimizer, class Penalty>
struct TrainerOptions {
  Objective objective{};
  Penalty penalty{};
  typename Optimizer::Options generator_optimizer{};
  typename Optimizer::Options discriminator_optimizer{};  ///< its own rate, for two time scales (Heusel et al., 2017)
  Schedule generator_schedule{};                          ///< factor of the learning rate by step; none: 1
  Schedule discriminator_schedule{};
  Index discriminator_steps = 1;  ///< updates a step, each with a real batch of its own
  Index generator_steps = 1;
  double clip_gradient_norm = 0;  ///< limit of each network's global gradient norm; 0: none
  Schedule instance_noise{};      ///< deviation by step of noise on all that the discriminator sees; none: 0
  Index pack = 1;                 ///< samples the discriminator sees at once, joined along the last axis (PacGAN)
  std::optional<MovingAverageOptions> average{};  ///< of the generator, for sampling
  bool joint_pass = true;  ///< real and fake in one pass, unless the discriminator mixes its batch
  Index samples = 64;      ///< size of the fixed noise batch
  std::uint64_t seed = 0;  ///< of noise, penalties and label flips
};

/// Throws for options out of range, NaN among them.
template <class O, class Opt, class P>
void check_trainer_options(const TrainerOptions<O, Opt, P>& o) {
  check(o.discriminator_steps >= 1 && o.generator_steps >= 1 && o.pack >= 1 && o.samples >= 1,
        "trainer: ", o.discriminator_steps, " discriminator steps, ", o.generator_steps, " generator steps, packs of ",
        o.pack, ", ", o.samples, " samples, expected at least 1 of each");
  check(!is_nan(o.clip_gradient_norm) && o.clip_gradient_norm >= 0, "trainer: gradient norm limit ",
        number_text(o.clip_gradient_norm), ", expected 0 or more");
  for (const double rate :
       {double(o.generator_optimizer.learning_rate), double(o.discriminator_optimizer.learning_rate)})
    check(is_finite(rate) && rate >= 0, "trainer: learning rate ", number_text(rate),
          ", expected a finite number, 0 or more");
  if (o.average)
    check(is_finite(o.average->decay), "trainer: moving average of decay ", number_text(o.average->decay),
          ", expected [0, 1)");
}

/// What resumed runs compare. The seed is not among them: random generators go on from their saved states.
template <class O, class Opt, class P>
OptionTexts option_texts(const TrainerOptions<O, Opt, P>& o) {
  const auto yes_no = [](bool on) { return std::string(on ? "yes" : "no"); };
  return {{"objective", describe(o.objective)},
          {"penalty", describe(o.penalty)},
          {"generator_rate", number_text(o.generator_optimizer.learning_rate)},
          {"discriminator_rate", number_text(o.discriminator_optimizer.learning_rate)},
          {"generator_optimizer", describe(o.generator_optimizer)},
          {"discriminator_optimizer", describe(o.discriminator_optimizer)},
          {"generator_schedule", presence_text(o.generator_schedule)},
          {"discriminator_schedule", presence_text(o.discriminator_schedule)},
          {"instance_noise", presence_text(o.instance_noise)},
          {"generator_steps", std::to_string(o.generator_steps)},
          {"discriminator_steps", std::to_string(o.discriminator_steps)},
          {"clip_gradient_norm", number_text(o.clip_gradient_norm)},
          {"pack", std::to_string(o.pack)},
          {"average",
           o.average ? described("decay=" + number_text(o.average->decay), {{"warm_up", o.average->warm_up}}) : "none"},
          {"joint_pass", yes_no(o.joint_pass)}};
}

}  // namespace gan
