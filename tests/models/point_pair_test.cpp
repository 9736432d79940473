// The pair for points, and its recipe: shapes, packs, mistakes, and a mixture of which it finds all modes.
#include "gan/models/point_pair.hpp"

#include <cmath>

#include "gan/data/toy.hpp"
#include "gan/metrics/modes.hpp"
#include "gan/ops/reduce.hpp"
#include "gan/train/point_recipe.hpp"
#include "gan/train/trainer.hpp"
#include "support/catch.hpp"

using gan::Index;
using gan::Rng;
using gan::Shape;
using gan::Tensor;

TEST_CASE("points of any number of dimensions, alone and in packs", "[models]") {
  Rng rng(1);
  for (const Index dimensions : {1, 2, 5})
    for (const Index pack : {1, 3})
      for (const Index frequencies : {0, 4}) {
        gan::PointGenerator<float> generator(
            rng, {.dimensions = dimensions, .latent = 3, .hidden = {8, 8}, .frequencies = frequencies});
        gan::PointDiscriminator<float> discriminator(
            rng, {.dimensions = dimensions, .pack = pack, .hidden = {8}, .frequencies = frequencies});
        const auto x = generator(generator.draw(rng, 6));
        CHECK(x.shape() == Shape{6, dimensions});
        CHECK(discriminator(gan::reshape(x, {6 / pack, pack * dimensions})).shape() == Shape{6 / pack, 1});
        CHECK_THROWS_WITH(discriminator(gan::normal<float>(rng, {6, pack * dimensions + 1})),
                          ContainsSubstring("packs of " + std::to_string(pack)));
      }
  // Each point of a pack is seen through the same features.
  gan::PointDiscriminator<float> both(rng, {.pack = 2, .frequencies = 4});
  CHECK(both.buffers()[0].tensor.shape() == Shape{2, 4});
  CHECK_THROWS_WITH(gan::PointGenerator<float>(rng, {.dimensions = 0}), ContainsSubstring("0 dimensions"));
  CHECK_THROWS_WITH(gan::PointDiscriminator<float>(rng, {.pack = 0}), ContainsSubstring("packs of 0"));
  CHECK_THROWS_WITH(gan::PointDiscriminator<float>(rng, {.frequency = 0}), ContainsSubstring("deviation 0"));
  CHECK_THROWS_WITH(gan::point_recipe<float>(0), ContainsSubstring("0 steps"));
}

TEST_CASE("the recipe finds the modes of a ring, and its penalty falls", "[models]") {
  constexpr Index steps = 1200;
  Rng rng(1);
  gan::PointGenerator<float> generator(rng);
  gan::PointDiscriminator<float> discriminator(rng);
  gan::Trainer<float> trainer(generator, discriminator, gan::point_recipe<float>(steps, 1));
  const auto real = [&] {
    auto points = gan::gaussian_ring<float>(rng, gan::point_recipe_batch);
    for (float& x : points) x /= 0.7f;
    return Tensor<float>({gan::point_recipe_batch, 2}, points);
  };
  trainer.step(real);
  const double first = trainer.result()["penalty"];
  while (trainer.steps() < steps) trainer.step(real);
  CHECK(trainer.result()["penalty"] < first);
  CHECK(trainer.generator_optimizer().learning_rate() < 1e-4);
  const auto samples = trainer.sample(generator.draw(rng, 1000)) * 0.7;
  const auto modes = gan::gaussian_ring_modes<float>();
  const auto found = gan::mode_coverage(samples, Tensor<float>({8, 2}, modes), gan::GaussianRingOptions{}.stddev);
  CHECK(found.covered == 8);
  CHECK(found.high_quality > 0.7);
}
