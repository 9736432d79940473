// How the point pair is trained: the settings that find all modes.
#pragma once

#include <cmath>
#include <cstdint>
#include <utility>

#include "gan/loss/r1_r2.hpp"
#include "gan/loss/relativistic.hpp"
#include "gan/optim/adam.hpp"
#include "gan/train/trainer_options.hpp"

namespace gan {

/// Samples a step that point_recipe is tuned for, and steps that a ring of 8 and a grid of 25 modes take.
inline constexpr Index point_recipe_batch = 128, point_recipe_steps = 15000;

/// Options of the trainer for PointGenerator and PointDiscriminator over that many steps: relativistic pairing with R1
/// and R2 (Huang et al., 2024), whose weight must be large until all modes are found and falls exponentially to 0.003
/// after that, because it blurs the discriminator; Adam without momentum (beta 0, 0.99) at high rates that fall along a
/// cosine; a moving average to sample from. The data should have a deviation near 1. Throws for fewer than 1 step.
///
///     gan::PointGenerator<float> generator(rng);
///     gan::PointDiscriminator<float> discriminator(rng);
///     gan::Trainer<float> trainer(generator, discriminator, gan::point_recipe<float>());
///
/// For more than 50 modes: several generators share them out (GeneratorEnsemble), 25 of width 48 for a grid of 100,
/// with batches of 500 and features of deviation 6 in the discriminator.
template <std::floating_point T>
TrainerOptions<T> point_recipe(Index steps = point_recipe_steps, std::uint64_t seed = 0) {
  AnyPenalty<T> penalty = R1{.gamma = 1};
  penalty.add(R2{.gamma = 1});
  const Schedule falling = schedule::cosine(steps, 0.01);
  penalty.scale_by(schedule::exponential(std::pow(0.003, 1 / static_cast<double>(steps))));
  return {.objective = RelativisticPairing(),
          .penalty = std::move(penalty),
          .generator_optimizer = AdamOptions{.learning_rate = 4e-3, .beta1 = 0, .beta2 = 0.99},
          .discriminator_optimizer = AdamOptions{.learning_rate = 3e-3, .beta1 = 0, .beta2 = 0.99},
          .generator_schedule = falling,
          .discriminator_schedule = falling,
          .average = MovingAverageOptions{.decay = 0.999},
          .seed = seed};
}

}  // namespace gan
