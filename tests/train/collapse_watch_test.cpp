// The collapse watch: warns of runs that collapse, in words, and is silent about those that do not.
#include "gan/train/callbacks/collapse_watch.hpp"

#include <limits>
#include <memory>

#include "gan/data/loader.hpp"
#include "gan/loss/penalty.hpp"
#include "gan/loss/r1_r2.hpp"
#include "gan/loss/relativistic.hpp"
#include "gan/nn/dense.hpp"
#include "gan/ops/concatenate.hpp"
#include "gan/ops/elementwise.hpp"
#include "gan/ops/slice.hpp"
#include "gan/optim/sgd.hpp"
#include "gan/train/callbacks/stop_when_not_finite.hpp"
#include "gan/train/checkpoint.hpp"
#include "support/catch.hpp"
#include "support/networks.hpp"
#include "support/temporary_folder.hpp"

namespace {

using gan::Index;
using gan::Rng;
using gan::Tensor;
using CollapseWatch = gan::CollapseWatch<float>;
using Kind = CollapseWatch::Kind;
using D = gan::MlpDiscriminator<float>;

gan::CollapseWatchOptions quiet(Index every = 10, Index patience = 3) {
  return {.every = every, .patience = patience, .out = nullptr};
}

/// Points in the plane, which depend on z as far as `spread` says, and lie around (center, center).
class Affine : public gan::Generator<float> {
 public:
  explicit Affine(Rng& rng, float spread = 1, float center = 0)
      : Generator(rng, {.latent = 2}), spread_(spread), center_(center) {}
  Tensor<float> forward(const Tensor<float>& z) override { return dense_(z * spread_) + center_; }

 private:
  float spread_, center_;
  gan::Dense<float> dense_{this, "dense", 2, 2};
};

/// A generator and a discriminator on the ring.
struct Game {
  explicit Game(gan::TrainerOptions<float> options = {}, float spread = 1, float center = 0)
      : generator(rng, spread, center), trainer(generator, discriminator, std::move(options)) {}
  void run(CollapseWatch& watch, Index steps) {
    trainer.fit(loader, {.epochs = 0, .steps = trainer.steps() + steps}, watch);
  }

  Rng rng{1};
  Affine generator;
  D discriminator{rng, {.item = {2}, .hidden = {32, 32}}};
  gan::Loader<float> loader{ring_data<float>(512), {.batch = 64}};
  gan::Trainer<float> trainer;
};

Index count(const CollapseWatch& watch, Kind kind) {
  Index found = 0;
  for (const auto& warning : watch.warnings()) found += warning.kind == kind ? 1 : 0;
  return found;
}

/// The first warning of that kind.
std::string text(const CollapseWatch& watch, Kind kind) {
  for (const auto& warning : watch.warnings())
    if (warning.kind == kind) return warning.text;
  return "no warning";
}

/// Plays a run to the watch: sets what it is shown, one measurement a step.
struct Actor {
  /// Trains nothing: a step notes what it is told to, and moves the weights by a hair.
  struct Trainer : gan::Trainer<float> {
    using gan::Trainer<float>::Trainer;
    void step(gan::Source<float>&) override {
      for (const auto& [name, value] : numbers) note(name, value);
      for (auto& p : generator().parameters()) p.tensor.mutable_values() *= 1.000001f;
      for (auto& p : discriminator().parameters()) p.tensor.mutable_values() *= 1.000001f;
    }
    std::vector<std::pair<std::string, double>> numbers{};
  };

  explicit Actor(CollapseWatch& watched, std::vector<gan::Augmentation<float>> augmentations = {})
      : watch(watched), loader(ring_data<float>(64), {.batch = 4}, std::move(augmentations)) {
    watch.on_start(run);
  }

  /// `times` steps with those scores, that loss, and gradients of those norms.
  void show(int times, double real, double fake, double loss, double generator_norm = 1, double discriminator_norm = 1,
            double penalty = 0) {
    for (; times > 0; --times) {
      trainer.numbers = {{"discriminator_loss", loss},
                         {"penalty", penalty},
                         {"real_score", real},
                         {"fake_score", fake},
                         {"generator_gradient", generator_norm},
                         {"discriminator_gradient", discriminator_norm}};
      trainer.advance(loader);
      watch.on_step(run);
    }
  }

  CollapseWatch& watch;
  Rng rng{1};
  Affine generator{rng};
  D discriminator{rng, {.item = {2}, .hidden = {4}}};
  Trainer trainer{generator, discriminator};
  gan::Loader<float> loader;
  gan::Run<float> run{trainer, loader, {}};
};

}  // namespace

TEST_CASE("a run that goes well stays silent") {
  SmallPair<float> pair(1, {.hidden = 32});
  gan::Trainer<float> trainer(pair.generator, pair.discriminator,
                              {.objective = gan::RelativisticPairing{},
                               .penalty = gan::combine(gan::R1{.gamma = 0.1}, gan::R2{.gamma = 0.1}),
                               .generator_optimizer = gan::AdamOptions{.learning_rate = 2e-3},
                               .discriminator_optimizer = gan::AdamOptions{.learning_rate = 2e-3}});
  gan::Loader<float> loader(ring_data<float>(512), {.batch = 64});
  CollapseWatch watch(quiet(20));
  trainer.fit(loader, {.epochs = 0, .steps = 1000}, watch);
  for (const auto& warning : watch.warnings()) UNSCOPED_INFO(warning.step << ": " << warning.text);
  CHECK(watch.warnings().empty());
  const auto& m = watch.last();
  CHECK(m.step == 1000);
  CHECK(m.real_distance == Approx(1.27).epsilon(0.1));  // 4 / pi on a circle
  CHECK(m.diversity == Approx(m.sample_distance / m.real_distance));
  CHECK((m.diversity > 0.6 && m.diversity < 1.4));
  CHECK(m.energy_distance < 0.5);
  CHECK((m.generator_gradient > 1e-6 && m.discriminator_gradient > 1e-6));
}

TEST_CASE("samples that do not depend on the noise are all alike") {
  Game game({}, 0.01f);
  CollapseWatch watch(quiet());
  game.run(watch, 20);
  CHECK(watch.warnings().empty());  // not before its time
  game.run(watch, 80);
  REQUIRE(count(watch, Kind::samples_alike) == 1);
  CHECK(watch.warnings()[0].step == 30);
  CHECK(watch.last().diversity < 0.05);
  CHECK_THAT(text(watch, Kind::samples_alike), ContainsSubstring("all samples alike: two of them are 0.0") &&
                                                   ContainsSubstring(" % of what real samples are (1.") &&
                                                   ContainsSubstring("Try the relativistic-pairing objective"));
}

TEST_CASE("a discriminator that is sure of itself wins, and a saturating generator has no gradient left") {
  Game game({.objective = gan::Minimax{},
             .generator_optimizer = gan::AdamOptions{.learning_rate = 1e-6},
             .discriminator_optimizer = gan::AdamOptions{.learning_rate = 5e-3}},
            1, 8);
  auto options = quiet();
  options.min_gradient_norm = 1e-3;
  CollapseWatch watch(options);
  game.run(watch, 300);
  REQUIRE(count(watch, Kind::discriminator_wins) == 1);
  CHECK_THAT(text(watch, Kind::discriminator_wins),
             ContainsSubstring("the discriminator wins: D(x) 0.9") && ContainsSubstring(", D(G(z)) 0.0") &&
                 ContainsSubstring("its loss 0.0") && ContainsSubstring("Try a penalty (R1)"));
  REQUIRE(count(watch, Kind::gradients_vanish) >= 1);
  CHECK_THAT(text(watch, Kind::gradients_vanish), ContainsSubstring("gradients vanish: the norm of the generator's") &&
                                                      ContainsSubstring("in the place of minimax"));
  CHECK(count(watch, Kind::generator_wins) == 0);
}

TEST_CASE("a discriminator that learns nothing gives up") {
  Game game({.generator_optimizer = gan::AdamOptions{.learning_rate = 1e-6},
             .discriminator_optimizer = gan::AdamOptions{.learning_rate = 1e-9}},
            1, 8);
  for (auto& p : game.discriminator.parameters()) p.tensor.mutable_values() *= 1e-3f;
  CollapseWatch watch(quiet());
  game.run(watch, 50);
  REQUIRE(count(watch, Kind::generator_wins) == 1);
  CHECK_THAT(text(watch, Kind::generator_wins),
             ContainsSubstring("the discriminator has given up: D(x) 0.50, D(G(z)) 0.50") &&
                 ContainsSubstring("Try a higher rate"));
}

TEST_CASE("gradients explode, and the end of a run by them is explained") {
  Game game({.generator_optimizer = gan::SgdOptions{.learning_rate = 1e4},
             .discriminator_optimizer = gan::SgdOptions{.learning_rate = 1e4}});
  CollapseWatch watch(quiet(1));
  gan::StopWhenNotFinite<float> stop;
  const auto ended = game.trainer.fit(game.loader, {.epochs = 0, .steps = 200}, watch, stop);
  REQUIRE(ended.stopped);
  REQUIRE(count(watch, Kind::gradients_explode) >= 2);
  CHECK_THAT(text(watch, Kind::gradients_explode),
             ContainsSubstring("gradients explode: the norm of the ") && ContainsSubstring("clip_gradient_norm"));
  CHECK_THAT(watch.warnings().back().text, ContainsSubstring("gradients explode: player \"discriminator\": ") &&
                                               ContainsSubstring("their norms were"));
  CHECK(watch.warnings().back().step == game.trainer.steps() + 1);
}

TEST_CASE("samples that stay far from real ones are told of after a while, whatever the scores") {
  auto options = quiet();
  options.settled = 200;
  CollapseWatch watch(options);
  Game game({.generator_optimizer = gan::AdamOptions{.learning_rate = 1e-6},
             .discriminator_optimizer = gan::AdamOptions{.learning_rate = 1e-5}},
            1, 8);
  game.run(watch, 190);
  CHECK(count(watch, Kind::samples_far) == 0);
  game.run(watch, 100);
  REQUIRE(count(watch, Kind::samples_far) == 1);
  CHECK_THAT(text(watch, Kind::samples_far), ContainsSubstring("samples stay far from real ones: energy distance ") &&
                                                 ContainsSubstring("Try the non-saturating objective"));
}

namespace {

/// No gradient reaches its first layer, and a bias before a norm has none that matters.
class Detached : public gan::Generator<float> {
 public:
  explicit Detached(Rng& rng) : Generator(rng, {.latent = 3}) {}
  Tensor<float> forward(const Tensor<float>& z) override {
    return output_(gan::relu(norm_(second_(first_(z).detach()))));
  }

 private:
  gan::Dense<float> first_{this, "first", 3, 8}, second_{this, "second", 8, 8}, output_{this, "output", 8, 2};
  gan::BatchNorm<float> norm_{this, "norm", 8};
};

}  // namespace

TEST_CASE("weights that stand still are named, those frozen on purpose are not") {
  Rng rng(1);
  Detached generator(rng);
  D discriminator(rng, {.item = {2}, .hidden = {16}});
  gan::Loader<float> loader(ring_data<float>(256), {.batch = 32});
  gan::Trainer<float> trainer(generator, discriminator);
  CollapseWatch watch(quiet());
  trainer.fit(loader, {.epochs = 0, .steps = 100}, watch);
  REQUIRE(count(watch, Kind::weights_stand_still) == 1);
  CHECK_THAT(text(watch, Kind::weights_stand_still),
             ContainsSubstring("1 of the generator's 3 weights stand still: first.weight. Look for"));
  for (auto& p : generator.parameters())
    if (p.name.starts_with("first")) p.tensor.set_requires_grad(false);
  CollapseWatch again(quiet());
  trainer.fit(loader, {.epochs = 0, .steps = 200}, again);
  CHECK(count(again, Kind::weights_stand_still) == 0);
}

TEST_CASE("equal real samples are told of before the first step") {
  Game game;
  gan::Loader<float> same(gan::Dataset<float>::from({2}, std::vector<float>(200, 0.5f)), {.batch = 8});
  CollapseWatch watch(quiet());
  game.trainer.fit(same, {.epochs = 0, .steps = 5}, watch);
  REQUIRE(watch.warnings().size() == 1);
  CHECK(watch.warnings()[0].kind == Kind::real_samples_alike);
  CHECK(watch.warnings()[0].step == 0);
  CHECK_THAT(watch.warnings()[0].text, ContainsSubstring("real samples alike: the first 32 of them are equal"));
}

TEST_CASE("each episode is told once, after its patience, and the next one again") {
  CollapseWatch watch(quiet(1, 3));
  Actor actor(watch);
  actor.show(2, 0.99, 0.001, 0.01);
  actor.show(1, 0.8, 0.3, 0.9);  // recovers in time
  actor.show(2, 0.99, 0.001, 0.01);
  CHECK(watch.warnings().empty());
  actor.show(10, 0.99, 0.001, 0.01);
  CHECK(count(watch, Kind::discriminator_wins) == 1);
  actor.show(5, 0.9, 0.03, 0.2);  // better, but not yet good
  actor.show(5, 0.99, 0.001, 0.01);
  CHECK(count(watch, Kind::discriminator_wins) == 1);
  actor.show(1, 0.8, 0.3, 0.9);
  actor.show(5, 0.99, 0.001, 0.01);
  CHECK(count(watch, Kind::discriminator_wins) == 2);
  CHECK(watch.warnings().size() == 2);
}

TEST_CASE("scores are judged by the game they belong to") {
  const auto warnings = [](double real, double fake, double loss, double penalty = 0) {
    CollapseWatch watch(quiet(1, 2));
    Actor(watch).show(10, real, fake, loss, 1, 1, penalty);
    return watch.warnings().empty() ? std::string("silent") : watch.warnings()[0].text;
  };
  CHECK(warnings(0.6, 0.4, 1.2) == "silent");
  CHECK(warnings(0.9, 0.06, 0.2) == "silent");
  CHECK(warnings(0.5, 0.5, 1.39) == "silent");        // the samples are near enough: it may be the end of the game
  CHECK(warnings(0.9999, 0.0001, -18) == "silent");   // a Wasserstein critic far along
  CHECK(warnings(0.501, 0.500, -0.002) == "silent");  // and one with clipped weights at its start
  CHECK(warnings(0.9999, 0.9990, 0.3) == "silent");   // relativistic scores that have drifted
  CHECK_THAT(warnings(0.90, 0.001, 0.33), ContainsSubstring("discriminator wins"));     // smoothed labels
  CHECK_THAT(warnings(0.75, 0.25, 0.001), ContainsSubstring("discriminator wins"));     // hinge, all beyond the margins
  CHECK_THAT(warnings(0.75, 0.25, 5.001, 5), ContainsSubstring("discriminator wins"));  // the penalty does not count
  CHECK_THAT(warnings(0.4, 0.7, 1.8), ContainsSubstring("the generator wins: D(x) 0.40, D(G(z)) 0.70"));
}

TEST_CASE("gradients of either network are judged") {
  const auto warnings = [](double generator, double discriminator) {
    CollapseWatch watch(quiet(1, 2));
    Actor(watch).show(10, 0.6, 0.4, 1.2, generator, discriminator);
    std::string all;
    for (const auto& warning : watch.warnings()) all += warning.text;
    return all;
  };
  CHECK(warnings(1e-4, 1e3).empty());
  CHECK_THAT(warnings(3e-8, 1), ContainsSubstring("gradients vanish: the norm of the generator's is 3e-08"));
  CHECK_THAT(warnings(1, 3e-8), ContainsSubstring("gradients vanish: the norm of the discriminator's is 3e-08"));
  CHECK_THAT(warnings(2e5, 1), ContainsSubstring("gradients explode: the norm of the generator's is 2e+05"));
  CHECK_THAT(warnings(1, std::numeric_limits<double>::quiet_NaN()),
             ContainsSubstring("gradients explode: the norm of the discriminator's is "));
}

namespace {

/// Draws in evaluation mode too, as generators with noise inputs do.
class Noisy : public gan::Generator<float> {
 public:
  explicit Noisy(Rng& rng) : Generator(rng, {.latent = 3}) {}
  Tensor<float> forward(const Tensor<float>& z) override {
    return output_(norm_(dropout_(hidden_(z)))) + gan::normal<float>(rng(), {z.shape()[0], 2}, 0, 0.1);
  }

 private:
  gan::Dense<float> hidden_{this, "hidden", 3, 8};
  gan::Dropout<float> dropout_{this, "dropout", 0.3};
  gan::BatchNorm<float> norm_{this, "norm", 8};
  gan::Dense<float> output_{this, "output", 8, 2};
};

struct NoisySession {
  NoisySession() : generator(rng), trainer(generator, discriminator, {.average = gan::MovingAverageOptions{}}) {}
  void run(Index steps, bool watched) {
    CollapseWatch watch(quiet(1, 1));
    if (watched)
      trainer.fit(loader, {.epochs = 0, .steps = steps}, watch);
    else
      trainer.fit(loader, {.epochs = 0, .steps = steps});
    CHECK(watch.last().step == (watched ? steps : 0));
  }

  Rng rng{1};
  Noisy generator;
  D discriminator{rng, {.item = {2}, .hidden = {8}, .dropout = 0.2, .spectral_norm = true}};
  gan::Loader<float> loader{ring_data<float>(64), {.batch = 8}};
  gan::Trainer<float> trainer;
};

}  // namespace

TEST_CASE("a run has the same bits with the watch and without, resumed too") {
  const TemporaryFolder folder;
  NoisySession plain, watched, resumed;
  plain.run(12, false);
  watched.run(6, true);
  gan::save_checkpoint<float>(folder / "c", watched.trainer, &watched.loader);
  watched.run(12, true);
  gan::load_checkpoint<float>(folder / "c", resumed.trainer, &resumed.loader);
  resumed.run(12, true);
  CHECK(everything(watched.trainer) == everything(plain.trainer));
  CHECK(everything(resumed.trainer) == everything(plain.trainer));
  CHECK(bits(resumed.trainer.samples()) == bits(plain.trainer.samples()));
  CHECK(watched.generator.training());
}

namespace {

/// A game that is not a pair's.
struct Alone : gan::Game<float> {
  Alone() : Game(7) {}
  void step(gan::Source<float>& in) override { in.next(); }
  std::string kind() const override { return "Alone"; }
};

}  // namespace

TEST_CASE("a game that is not a pair's is refused before the first step") {
  Alone alone;
  gan::Loader<float> loader(ring_data<float>(64), {.batch = 8});
  CollapseWatch watch(quiet(1));
  CHECK_THROWS_WITH(alone.fit(loader, {.steps = 1}, watch),
                    ContainsSubstring("watches the pair of a Trainer, not a Alone"));
  CHECK(alone.steps() == 0);
}

TEST_CASE("the watch may die before the trainer, and go from one trainer to another") {
  Game first, second;
  {
    CollapseWatch brief(quiet(1));
    first.run(brief, 3);
    CHECK(brief.last().generator_gradient > 0);
  }
  first.trainer.step(first.loader.next().samples);
  CollapseWatch watch(quiet(2));
  first.run(watch, 5);
  CHECK(watch.last().step == 8);
  CHECK(watch.last().generator_gradient > 0);
  second.run(watch, 3);
  CHECK(watch.last().step == 2);
  auto third = std::make_unique<Game>();
  third->run(watch, 4);
  third.reset();
  third = std::make_unique<Game>();  // at the same place, as it happens
  third->run(watch, 6);
  CHECK(watch.last().step == 6);
  const auto seen = watch.last().discriminator_gradient;
  CHECK(seen > 0);
  third->run(watch, 2);
  CHECK(watch.last().discriminator_gradient != seen);
}

TEST_CASE("warnings go to a file, or to a function, as lines") {
  const TemporaryFolder folder;
  {
    std::FILE* file = std::fopen((folder / "log").string().c_str(), "w");
    REQUIRE(file);
    CollapseWatch watch({.every = 1, .patience = 1, .out = file});
    Actor(watch).show(3, 0.4, 0.7, 1.8);
    std::fclose(file);
    CHECK(contents(folder / "log") == "warning: step 1: " + watch.warnings()[0].text + "\n");
  }
  std::string lines;
  CollapseWatch watch({.every = 1, .patience = 1, .sink = [&](const std::string& line) { lines += line + "|"; }});
  Actor(watch).show(3, 0.4, 0.7, 1.8);
  CHECK(lines == "warning: step 1: " + watch.warnings()[0].text + "|");
}

namespace {

/// Points get a third coordinate, or lose their second.
void longer(Rng& rng, Tensor<float>& images) {
  images = gan::concatenate<float>({images, gan::normal<float>(rng, {images.shape()[0], 1})}, 1);
}
void shorter(Rng&, Tensor<float>& images) { images = gan::slice(images, 1, 0, 1); }

}  // namespace

TEST_CASE("real samples are augmented before they are compared, and have the size of generated ones") {
  Game game;
  for (const auto& augmentation : {gan::Augmentation<float>(longer), gan::Augmentation<float>(shorter)}) {
    CollapseWatch watch(quiet(1));
    CHECK_THROWS_WITH(Actor(watch, {augmentation}),
                      ContainsSubstring("collapse watch: generated samples have 2 values, real ones [32, ") &&
                          ContainsSubstring("after the loader's augmentations"));
  }

  gan::Loader<float> far(ring_data<float>(64), {.batch = 8}, {[](Rng&, Tensor<float>& x) { x = x * 100.f; }});
  CollapseWatch watch(quiet(1));
  game.trainer.fit(far, {.steps = 1}, watch);
  CHECK(watch.last().real_distance > 100);

  SmallPair<float> three(1, {.item = {3}});
  gan::Trainer<float> trainer(three.generator, three.discriminator);
  gan::Loader<float> grown(ring_data<float>(64), {.batch = 8}, {longer}),
      same(ring_data<float>(64), {.batch = 8}, {longer});
  trainer.fit(grown, {.steps = 9}, watch);
  CHECK(watch.last().energy_distance >= 0);
  for (int i = 0; i < 9; ++i) same.next();
  CHECK(bits(same.next().samples) == bits(grown.next().samples));  // the watch draws nothing of the loader's
}

TEST_CASE("equal real samples leave diversity unknown; options out of range are errors") {
  Game game;
  for (const Index items : {1, 5}) {
    gan::Loader<float> loader(gan::Dataset<float>::from({2}, std::vector<float>(static_cast<std::size_t>(2 * items))),
                              {.batch = 4, .drop_last = false});
    CollapseWatch watch(quiet(1, 1));
    game.trainer.fit(loader, {.epochs = 0, .steps = game.trainer.steps() + 2}, watch);
    CHECK(watch.last().diversity < 0);
    CHECK(watch.last().sample_distance > 0);
    CHECK(count(watch, Kind::samples_alike) == 0);
  }
  REQUIRE_THROWS_WITH(CollapseWatch({.every = 0}), ContainsSubstring("every 0 steps"));
  REQUIRE_THROWS_WITH(CollapseWatch({.patience = 0}), ContainsSubstring("patience 0"));
  REQUIRE_THROWS_WITH(CollapseWatch({.samples = 1}), ContainsSubstring("1 samples, expected 2 to 4096"));
  REQUIRE_THROWS_WITH(CollapseWatch({.samples = 5000}), ContainsSubstring("5000 samples"));
  REQUIRE_THROWS_WITH(CollapseWatch({.min_diversity = -1}), ContainsSubstring("limits -1"));
  REQUIRE_THROWS_WITH(CollapseWatch({.max_score_gap = std::numeric_limits<double>::quiet_NaN()}),
                      ContainsSubstring("nan"));
  REQUIRE_THROWS_WITH(CollapseWatch({.min_gradient_norm = 5, .max_gradient_norm = 4}),
                      ContainsSubstring("max_gradient_norm > min_gradient_norm"));
}
