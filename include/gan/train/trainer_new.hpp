// Trainer: the game of two, a generator against a discriminator, by alternating updates.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gan/data/source.hpp"
#include "gan/models/discriminator.hpp"
#include "gan/models/generator.hpp"
#include "gan/ops/condition.hpp"
#include "gan/ops/shaping.hpp"
#include "gan/train/choice.hpp"
#include "gan/train/game.hpp"

namespace gan {

/// What a term of the pair's game is given: all that one update of a network is made of.
template <std::floating_point T>
struct Pass {
  const Tensor<T>& z;        ///< noise [n, latent] of the fakes
  const Tensor<T>& real;     ///< samples [n, ...]
  const Tensor<T>& fake;     ///< samples [n, ...]; with history in the generator's update only
  const Condition<T>& condition;
  const Tensor<T>& real_scores;  ///< [n, 1], of real; undefined in the generator's update unless the objective needs it
  const Tensor<T>& fake_scores;
  const Tensor<T>& real_extra;   ///< [n, k], the discriminator's further outputs; undefined without
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
using View = std::function<Tensor<T>(const Tensor<T>& x, Rng& rng, Index step)>;

template <std::floating_point T>
struct TrainerOptions {
  AnyObjective<T> objective = NonSaturating{};
  AnyPenalty<T> penalty{};
  AnyOptimizer<T> generator_optimizer{};
  AnyOptimizer<T> discriminator_optimizer{};  ///< its own rate, for two time scales (Heusel et al., 2017)
  Schedule generator_schedule{};              ///< factor of the learning rate by step; none: 1
  Schedule discriminator_schedule{};
  Index discriminator_steps = 1;  ///< updates a step, each with a real batch of its own
  Index generator_steps = 1;
  double clip_gradient_norm = 0;  ///< limit of each network's global gradient norm; 0: none
  Schedule instance_noise{};      ///< standard deviation by step of noise on all that the discriminator sees; none: 0
  std::vector<View<T>> views{};   ///< what else the discriminator sees samples through, in order
  bool same_view = false;         ///< the real and the fake sample of a pair are seen through the same draw
  Index pack = 1;                 ///< samples the discriminator sees at once, joined along the last axis (PacGAN)
  std::vector<PairTerm<T>> generator_terms{};
  std::vector<PairTerm<T>> discriminator_terms{};
  std::optional<MovingAverageOptions> average{};  ///< of the generator, for sampling
  bool joint_pass = true;  ///< real and fake in one pass, unless the discriminator mixes its batch
  Index samples = 64;      ///< size of the fixed noise batch
  std::uint64_t seed = 0;  ///< of noise, penalties and label flips
};

/// Trains a generator (z [n, latent] -> samples) against a discriminator (samples -> logits [n, 1]):
///
///     gan::Trainer trainer(generator, discriminator, {.penalty = gan::R1{.gamma = 1}});
///     trainer.fit(loader, {.epochs = 10}, gan::ProgressBar());
///
/// A step is `discriminator_steps` updates of the discriminator on fresh real batches and as many generated ones, which
/// are made without history, then `generator_steps` updates of the generator through the frozen discriminator. The
/// generator's first update takes the fakes of the discriminator's last one: their forward pass is not run twice.
///
/// Fakes are made for the real batch's condition, and both networks are told it (Module::condition).
template <std::floating_point T>
class Trainer : public Game<T> {
 public:
  using Options = TrainerOptions<T>;

  /// Both networks become children of the trainer, "generator" and "discriminator", until it is gone. Throws for
  /// options out of range and for networks that belong to another module.
  Trainer(Generator<T>& generator, Discriminator<T>& discriminator, TrainerOptions<T> options = {});

  void step(Source<T>& in) override;
  /// One step on a batch of real samples [n, ...]. Throws with several discriminator steps, which need a batch each.
  StepResult step(const Tensor<T>& real, const Condition<T>& condition = {});

  /// Samples for the fixed noise and the fixed condition.
  std::vector<Tensor<T>> samples() override;

  std::string kind() const override { return "Trainer"; }

 private:
  struct Scores {
    Tensor<T> real, fake, real_extra, fake_extra;
  };

  Generator<T>& adopted(Generator<T>& generator) {
    this->adopt(generator, "generator");
    return generator;
  }
  Discriminator<T>& adopted(Discriminator<T>& discriminator) {
    this->adopt(discriminator, "discriminator");
    return discriminator;
  }
  static Rng seeded(std::uint64_t seed) { return Rng(seed, 0x747261696e); }

  Tensor<T> tell(Layer<T>& network, const Tensor<T>& x, const Condition<T>& condition) {
    return condition.empty() ? network(x) : network(x, condition);
  }
  Tensor<T> seen(const Tensor<T>& x);
  void split(const Tensor<T>& output, Index n, Tensor<T>& score, Tensor<T>& extra);
  Scores score(const Tensor<T>& real, const Tensor<T>& fake, const Condition<T>& condition);
  void update_discriminator(const Tensor<T>& z, const Tensor<T>& real, const Tensor<T>& fake,
                            const Condition<T>& condition);
  void update_generator(const Tensor<T>& z, const Tensor<T>& real, const Tensor<T>& fake,
                        const Condition<T>& condition);

  Generator<T>& generator_;
  Discriminator<T>& discriminator_;
  TrainerOptions<T> options_;
  Player<T> generator_player_, discriminator_player_;
  Tensor<T> fixed_noise_;
};

template <std::floating_point T>
Trainer<T>::Trainer(Generator<T>& generator, Discriminator<T>& discriminator, TrainerOptions<T> options)
    : Game<T>(options.seed, 0x747261696e),
      generator_(adopted(generator)),
      discriminator_(adopted(discriminator)),
      options_(std::move(options)),
      generator_player_(this, "generator", {&generator_}, options_.generator_optimizer,
                        {options_.generator_schedule, options_.clip_gradient_norm, options_.average}),
      discriminator_player_(this, "discriminator", {&discriminator_}, options_.discriminator_optimizer,
                            {options_.discriminator_schedule, options_.clip_gradient_norm, {}}) {
  check(options_.discriminator_steps >= 1 && options_.generator_steps >= 1 && options_.pack >= 1 &&
            options_.samples >= 1,
        "trainer: ", options_.discriminator_steps, " discriminator steps, ", options_.generator_steps,
        " generator steps, packs of ", options_.pack, ", ", options_.samples, " samples, expected at least 1 of each");
  fixed_noise_ = generator_.draw(this->rng(), options_.samples);
}

template <std::floating_point T>
void Trainer<T>::step(Source<T>& in) {
  Tensor<T> z, real, fake;
  Condition<T> condition;
  for (Index i = 1; i <= options_.discriminator_steps; ++i) {
    Batch<T> batch = in.next();
    real = std::move(batch.samples);
    condition = std::move(batch.condition);
    check(real.rank() >= 1 && real.shape()[0] >= 1, "trainer: real batch ", real.shape(), ", expected [n, ...]");
    condition.check_rows("trainer", real.shape()[0]);
    {
      const GradMode history(i == options_.discriminator_steps);  // the last fakes train the generator too
      z = generator_.draw(this->rng(), real.shape()[0]);
      fake = tell(generator_, z, condition);
    }
    if (real.shape() != fake.shape()) real = reshape(real, fake.shape());
    update_discriminator(z, real, fake.detach(), condition);
  }
  for (Index i = 1; i <= options_.generator_steps; ++i) {
    if (i > 1) {
      z = generator_.draw(this->rng(), real.shape()[0]);
      fake = tell(generator_, z, condition);
    }
    update_generator(z, real, fake, condition);
  }
}

// What the discriminator is shown of samples x: through all views, with instance noise, and packed.
template <std::floating_point T>
Tensor<T> Trainer<T>::seen(const Tensor<T>& x) {
  Tensor<T> y = x;
  for (const auto& view : options_.views) y = view(y, this->rng(), this->steps());
  const double stddev = options_.instance_noise ? options_.instance_noise(this->steps()) : 0;
  if (stddev > 0) y = y + normal<T>(this->rng(), y.shape(), 0, stddev);
  return pack_samples(y, options_.pack);
}

// Parts n rows of output [n, s + k] into scores [n, s] and the rest; scores of patches are [n, h, w, s].
template <std::floating_point T>
void Trainer<T>::split(const Tensor<T>& output, Index n, Tensor<T>& score, Tensor<T>& extra) {
  const Index scores = discriminator_.scores(), k = discriminator_.extra();
  check(output.rank() >= 2 && output.shape()[0] == n && output.shape().last() == scores + k,
        "trainer: discriminator gives ", output.shape(), " for ", n, " samples, expected [", n, ", ", scores + k,
        "]: ", scores, " score and ", k, " further outputs (DiscriminatorOptions::extra)");
  score = k == 0 ? output : slice(output, -1, 0, scores);
  if (k > 0) extra = slice(output, -1, scores, scores + k);
}

template <std::floating_point T>
auto Trainer<T>::score(const Tensor<T>& real, const Tensor<T>& fake, const Condition<T>& condition) -> Scores {
  const Index n = real.shape()[0];
  Scores all;
  if (!options_.joint_pass || discriminator_.mixes_batch()) {
    split(tell(discriminator_, real, condition), n, all.real, all.real_extra);
    split(tell(discriminator_, fake, condition), n, all.fake, all.fake_extra);
    return all;
  }
  const Condition<T> both = condition.empty() ? condition : concatenate(condition, condition);
  const Tensor<T> output = tell(discriminator_, concatenate<T>({real, fake}, 0), both);
  check(output.rank() >= 1 && output.shape()[0] == 2 * n, "trainer: discriminator gives ", output.shape(), " for ",
        2 * n, " samples, expected [", 2 * n, ", 1]");
  split(slice(output, 0, 0, n), n, all.real, all.real_extra);
  split(slice(output, 0, n, 2 * n), n, all.fake, all.fake_extra);
  return all;
}

namespace detail {

template <class T>
void add_terms(std::vector<Term<T>>& to, const std::vector<PairTerm<T>>& terms, const Pass<T>& pass) {
  for (const auto& term : terms) {
    Tensor<T> value = term.value(pass);
    if (value.defined() && term.weight != 1) value = value * term.weight;
    to.push_back({term.name, std::move(value)});
  }
}

}  // namespace detail

template <std::floating_point T>
void Trainer<T>::update_discriminator(const Tensor<T>& z, const Tensor<T>& real, const Tensor<T>& fake,
                                      const Condition<T>& condition) {
  const RngState before = this->rng().state();
  const Tensor<T> seen_real = seen(real);
  if (options_.same_view) this->rng().set_state(before);
  const Tensor<T> seen_fake = seen(fake);
  const Condition<T> packed = pack_samples(condition, options_.pack);
  const Scores scores = score(seen_real, seen_fake, packed);
  std::vector<Term<T>> terms{{"game", options_.objective.discriminator_loss(scores.real, scores.fake, this->rng())}};
  terms.push_back({"penalty", options_.penalty(
                                  [&](const Tensor<T>& x) {
                                    const Tensor<T> output = tell(discriminator_, x, packed);
                                    return discriminator_.extra() == 0 ? output
                                                                       : slice(output, -1, 0, discriminator_.scores());
                                  },
                                  seen_real, seen_fake, this->rng(), discriminator_player_.optimizer().steps())});
  detail::add_terms(terms, options_.discriminator_terms,
                    {z, real, fake, packed, scores.real, scores.fake, scores.real_extra, scores.fake_extra, this->rng(),
                     this->steps()});
  const auto mean_probability = [](const Tensor<T>& logits) {
    const NoGrad scope;
    return static_cast<double>(mean(sigmoid(logits)).item());
  };
  this->note("real_score", mean_probability(scores.real));
  this->note("fake_score", mean_probability(scores.fake));
  discriminator_player_.descend(terms);
  options_.penalty.after_step(discriminator_player_.parameters());
}

template <std::floating_point T>
void Trainer<T>::update_generator(const Tensor<T>& z, const Tensor<T>& real, const Tensor<T>& fake,
                                  const Condition<T>& condition) {
  const auto frozen = discriminator_player_.freeze();
  const Condition<T> packed = pack_samples(condition, options_.pack);
  Scores scores;
  if (options_.objective.generator_needs_real) {
    const RngState before = this->rng().state();
    const Tensor<T> seen_real = seen(real);
    if (options_.same_view) this->rng().set_state(before);
    scores = score(seen_real, seen(fake), packed);
  } else {
    const Tensor<T> seen_fake = seen(fake);
    split(tell(discriminator_, seen_fake, packed), seen_fake.shape()[0], scores.fake, scores.fake_extra);
  }
  std::vector<Term<T>> terms{{"game", options_.objective.generator_loss(scores.real, scores.fake)}};
  detail::add_terms(terms, options_.generator_terms,
                    {z, real, fake, packed, scores.real, scores.fake, scores.real_extra, scores.fake_extra, this->rng(),
                     this->steps()});
  generator_player_.descend(terms);
}

template <std::floating_point T>
std::vector<Tensor<T>> Trainer<T>::samples() {
  return {generator_(fixed_noise_)};
}

}  // namespace gan
