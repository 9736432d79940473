// How the image pair is trained: the settings that won.
#pragma once

#include <cstdint>
#include <utility>

#include "gan/loss/hinge.hpp"
#include "gan/optim/adam.hpp"
#include "gan/train/trainer_options.hpp"

namespace gan {

/// Samples a step that image_recipe is tuned for.
inline constexpr Index image_recipe_batch = 64;

/// Options of the trainer for ImageGenerator and ImageDiscriminator, or for any discriminator with spectral norm on all
/// its layers: the hinge loss; Adam without momentum (beta 0, 0.99) at high rates, the discriminator's four times the
/// generator's, which fall along a cosine over the whole run, so that a run needs an end (FitOptions); and an average
/// to sample from whose half-life is a twelfth of the steps so far. Batches of 64. `rate` is the generator's.
///
///     gan::ImageGenerator<float> generator(rng, {.image = {32, 32, 3}});
///     gan::ImageDiscriminator<float> discriminator(rng, {.image = {32, 32, 3}});
///     gan::Trainer<float> trainer(generator, discriminator, gan::image_recipe<float>(seed));
template <std::floating_point T>
TrainerOptions<T> image_recipe(std::uint64_t seed = 0, double rate = 1e-3) {
  const auto adam = [](double own) { return AdamOptions{.learning_rate = own, .beta1 = 0, .beta2 = 0.99}; };
  const Schedule falling = schedule::cosine(schedule::whole_run, 0.05);
  return {.objective = Hinge(),
          .generator_optimizer = adam(rate),
          .discriminator_optimizer = adam(4 * rate),
          .generator_schedule = falling,
          .discriminator_schedule = falling,
          .average = PowerAverageOptions{.relative_width = 0.1},
          .seed = seed};
}

}  // namespace gan
