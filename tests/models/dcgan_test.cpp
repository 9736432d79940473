// The DCGAN pair: shapes, layouts, mistakes, and training that resumes bit for bit with all its layers.
#include "gan/models/dcgan.hpp"

#include <cmath>
#include <vector>

#include "gan/loss/any_objective.hpp"
#include "gan/loss/any_penalty.hpp"
#include "support/catch.hpp"
#include "support/networks.hpp"
#include "support/warnings.hpp"

namespace {

using gan::Index;
using gan::Shape;

using Trainer = gan::Trainer<float>;

// Every option of the pair at once, 8 x 8 x 3.
struct Everything {
  gan::Rng rng{3};
  gan::DcganGenerator<float> generator{rng, {.latent = 4, .image = {8, 8, 3}, .width = 4}};
  gan::DcganDiscriminator<float> discriminator{rng,
                                               {.image = {8, 8, 3},
                                                .width = 4,
                                                .batch_norm = true,
                                                .dropout = 0.2,
                                                .spectral_norm = true,
                                                .minibatch_std_dev = true,
                                                .hidden = {6}}};
  Trainer trainer;

  explicit Everything(const char* objective, const char* penalty)
      : trainer(generator, discriminator,
                {.objective = gan::objective_named<float>(objective),
                 .penalty = gan::penalty_named<float>(penalty),
                 .average = gan::MovingAverageOptions{.decay = 0.9},
                 .samples = 2}) {}

  void steps(int from, int to) {
    for (int i = from; i < to; ++i) trainer.step(real_batch<float>(8, static_cast<std::uint64_t>(i), {8, 8, 3}));
  }
};

}  // namespace

TEST_CASE("the DCGAN pair fits images of any size that is a multiple of 4") {
  gan::Rng rng(1);
  const gan::NoGrad scope;
  for (const Shape& image : std::vector<Shape>{{28, 28, 1}, {32, 32, 3}, {64, 64, 3}, {4, 4, 2}, {12, 20, 1}}) {
    CAPTURE(image);
    gan::DcganGenerator<float> generator(rng, {.latent = 3, .image = image, .width = 2});
    gan::DcganDiscriminator<float> discriminator(rng, {.image = image, .width = 2});
    const auto samples = generator(generator.draw(rng, 2));
    REQUIRE(samples.shape() == image.inserted(0, 2));
    REQUIRE(samples.values().abs().maxCoeff() <= 1);
    REQUIRE(discriminator(samples).shape() == Shape{2, 1});
  }
}

TEST_CASE("widths double from layer to layer, and given layouts are taken as they are") {
  gan::Rng rng(1);
  gan::DcganDiscriminator<float> wide(rng, {.image = {64, 64, 3}, .width = 2});
  REQUIRE(wide.summary({64, 64, 3}).find("[n, 4, 4, 16]") != std::string::npos);
  gan::DcganGenerator<float> tutorial(rng, {.channels = {256, 128, 64}, .strides = {1, 2, 2}});
  // 100 x 12544 + 25 x (256 x 128 + 128 x 64 + 64), and scale and shift of the norms.
  REQUIRE(tutorial.parameter_count() == 1254400 + 25 * (256 * 128 + 128 * 64 + 64) + 2 * (12544 + 128 + 64));
  gan::DcganDiscriminator<float> critic(rng, {.channels = {64, 128}, .dropout = 0.3});
  REQUIRE(critic.parameter_count() == 25 * (64 + 64 * 128) + 64 + 128 + 7 * 7 * 128 + 1);
  gan::DcganDiscriminator<float> deep(rng, {.channels = {2, 4}, .kernel = 3, .hidden = {6, 5}});
  REQUIRE(deep.parameter_count() == 9 * (2 + 2 * 4) + 2 + 4 + 7 * 7 * 4 * 6 + 6 + 6 * 5 + 5 + 5 + 1);
  REQUIRE_THROWS_AS(gan::DcganDiscriminator<float>(rng, {.hidden = {0}}), gan::Error);
}

TEST_CASE("layouts that do not fit are errors with numbers") {
  gan::Rng rng(1);
  REQUIRE_THROWS_WITH(gan::DcganGenerator<float>(rng, {.image = {30, 28, 1}}),
                      ContainsSubstring("[30, 28, 1]") && ContainsSubstring("multiples of 4"));
  REQUIRE_THROWS_WITH(gan::DcganGenerator<float>(rng, {.channels = {8, 4}, .strides = {2}}),
                      ContainsSubstring("2 channels and 1 strides"));
  REQUIRE_THROWS_WITH(gan::DcganDiscriminator<float>(rng, {.channels = {8, 4, 2}, .strides = {2, 2, 2}}),
                      ContainsSubstring("multiply to 8"));
  REQUIRE_THROWS_AS(gan::DcganDiscriminator<float>(rng, {.width = 0}), gan::Error);
  REQUIRE_THROWS_WITH(gan::DcganDiscriminator<float>(rng, {.dropout = -1}), ContainsSubstring("rate -1"));
  REQUIRE_THROWS_WITH(gan::DcganDiscriminator<float>(rng, {.dropout = std::nan("")}), ContainsSubstring("rate nan"));
  REQUIRE_THROWS_WITH(gan::DcganGenerator<float>(rng, {.width = Index{1} << 60}), ContainsSubstring("at most 2^20"));
}

TEST_CASE("convolutions, norms, spectral norm and batch deviation resume bit for bit, whatever is minimized") {
  const gan::test::CollectWarnings silent;  // penalties beside batch norm: for bits they do
  for (const auto& [objective, penalty] :
       std::vector<std::pair<const char*, const char*>>{{"non-saturating", "lazy-r1"},
                                                        {"hinge", "none"},
                                                        {"wasserstein", "clip:0.1"},
                                                        {"least-squares", "r2:1"},
                                                        {"minimax", "dragan:0.1"},
                                                        {"relativistic-average", "zero-centered:0.1"},
                                                        {"relativistic-pairing", "r1:0.1+r2:0.1"},
                                                        {"wasserstein", "gradient-penalty"}}) {
    CAPTURE(objective, penalty);
    Everything straight(objective, penalty), before(objective, penalty), after(objective, penalty);
    straight.steps(0, 4);
    before.steps(0, 2);
    after.trainer.load(before.trainer.training_state(), before.trainer.metadata());
    after.steps(2, 4);
    REQUIRE(bits(after.trainer.training_state()) == bits(straight.trainer.training_state()));
    REQUIRE(after.trainer.metadata() == straight.trainer.metadata());
    const auto a = after.trainer.samples(), b = straight.trainer.samples();
    REQUIRE((a.values() == b.values()).all());
  }
}
