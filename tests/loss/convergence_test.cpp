// Every objective and every penalty in a short game whose end is known: a generator that learns the mean and the
// deviation of a normal distribution.
#include <cmath>
#include <string>

#include "gan/loss/any_objective.hpp"
#include "gan/loss/any_penalty.hpp"
#include "gan/ops/matmul.hpp"
#include "gan/optim/adam.hpp"
#include "support/catch.hpp"

using namespace gan;

namespace {

using F = Tensor<float>;
constexpr Index batch = 64;
constexpr double real_mean = 1.5, real_stddev = 0.5;

struct Outcome {
  double mean, stddev;
};

struct Settings {
  double discriminator_rate = 1e-2, generator_rate = 4e-3;
  Index steps = 2000, discriminator_steps = 1;
};

/// Plays on x = shift + e^log_scale z against a discriminator with one hidden layer; the generator's parameters are
/// averaged over the last third.
template <class Objective, class Penalty>
Outcome play(const Objective& objective, const Penalty& penalty, const Settings& settings = {}) {
  Rng rng(17);
  F shift({1}, {0}), log_scale({1, 1}, {0});
  F w1 = normal<float>(rng, {1, 32}), b1 = normal<float>(rng, {32}), w2 = normal<float>(rng, {32, 1}, 0, 0.2), b2({1});
  const NamedTensors<float> generator_parameters = {{"shift", shift}, {"log_scale", log_scale}};
  const NamedTensors<float> parameters = {{"w1", w1}, {"b1", b1}, {"w2", w2}, {"b2", b2}};
  for (const auto& list : {generator_parameters, parameters})
    for (auto [name, tensor] : list) tensor.set_requires_grad();
  // Momentum makes such games swing (Gidel et al., 2019).
  Adam<float> generator_optimizer(generator_parameters,
                                  {.learning_rate = settings.generator_rate, .beta1 = 0, .beta2 = 0.99});
  Adam<float> optimizer(parameters, {.learning_rate = settings.discriminator_rate, .beta1 = 0, .beta2 = 0.99});
  const auto generator = [&] { return linear(normal<float>(rng, {batch, 1}), exp(log_scale), shift); };
  const auto discriminator = [&](const F& x) { return linear(leaky_relu(linear(x, w1, b1), 0.2), w2, b2); };
  const auto reals = [&] { return normal<float>(rng, {batch, 1}, real_mean, real_stddev); };

  Outcome outcome{0, 0};
  const Index averaged = settings.steps / 3;
  for (Index step = 0; step < settings.steps; ++step) {
    for (Index i = 0; i < settings.discriminator_steps; ++i) {
      const F real = reals(), fake = generator().detach();
      F loss = discriminator_loss(rng, objective, discriminator(real), discriminator(fake));
      const F extra = penalty(rng, discriminator, real, fake, optimizer.steps());
      if (extra.defined()) loss = loss + extra;
      optimizer.zero_grad();
      for (const auto& leaf : backward(loss)) REQUIRE(optimizer.owns(leaf));
      optimizer.step();
      if constexpr (requires { penalty.after_step(parameters); }) penalty.after_step(parameters);
    }
    const F real_scores = Objective::generator_needs_real ? discriminator(reals()) : F();
    generator_optimizer.zero_grad();
    backward(objective.generator_loss(real_scores, discriminator(generator())));
    generator_optimizer.step();
    if (step >= settings.steps - averaged) {
      outcome.mean += shift.item() / static_cast<double>(averaged);
      outcome.stddev += std::exp(log_scale.item()) / static_cast<double>(averaged);
    }
  }
  return outcome;
}

void require_learnt(const std::string& game, const Outcome& outcome) {
  CAPTURE(game, outcome.mean, outcome.stddev);
  CHECK(outcome.mean == Approx(real_mean).margin(0.15));
  CHECK(outcome.stddev == Approx(real_stddev).margin(0.15));
}

}  // namespace

TEST_CASE("every objective learns a normal distribution") {
  const R1 calm{.gamma = 0.3};
  Objectives::for_each([&]<class O>() {
    const auto outcome =
        O::generator_needs_real ? play(O{}, R1{.gamma = 0.05}, {.discriminator_steps = 3}) : play(O{}, calm);
    require_learnt(std::string(O::name), outcome);
  });
  require_learnt("non-saturating, smoothed", play(NonSaturating{.real_label = 0.9, .flip = 0.02}, calm));
}

TEST_CASE("every penalty lets the game end where it should") {
  require_learnt("WGAN-GP", play(Wasserstein{}, GradientPenalty{.weight = 0.1}, {.discriminator_steps = 3}));
  require_learnt("WGAN-GP, one-sided",
                 play(Wasserstein{}, GradientPenalty{.one_sided = true}, {.discriminator_steps = 3}));
  require_learnt("WGAN", play(Wasserstein{}, ClipWeights{0.3}, {.discriminator_steps = 3}));
  require_learnt("DRAGAN", play(NonSaturating{}, Dragan{.weight = 0.1}));
  require_learnt("R1 and R2", play(RelativisticPairing{}, combine(R1{.gamma = 0.05}, R2{.gamma = 0.05}),
                                   {.discriminator_steps = 3}));
  require_learnt("lazy R1", play(NonSaturating{}, R1{.gamma = 0.3, .every = 4}));
  require_learnt("zero-centered", play(NonSaturating{}, ZeroCentered{.weight = 0.3}));
}
