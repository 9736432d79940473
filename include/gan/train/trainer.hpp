// Trainer: alternating updates of a discriminator and a generator.
#pragma once

#include <cmath>
#include <functional>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "gan/core/build.hpp"
#include "gan/data/loader.hpp"
#include "gan/loss/objective.hpp"
#include "gan/loss/penalty.hpp"
#include "gan/models/discriminator.hpp"
#include "gan/models/generator.hpp"
#include "gan/ops/shaping.hpp"
#include "gan/optim/adam.hpp"
#include "gan/optim/clip.hpp"
#include "gan/optim/schedule.hpp"
#include "gan/train/average.hpp"
#include "gan/core/metadata.hpp"
#include "gan/train/run.hpp"

namespace gan {

/// What a gradient hook is given: all gradients of one network are complete and its optimizer has not stepped.
template <class T>
struct GradientEvent {
  const char* network;  ///< "generator" or "discriminator"
  Index step;
  const NamedTensors<T>& parameters;  ///< with their gradients, which may be changed in place
};
template <class T>
using GradientHook = std::function<void(const GradientEvent<T>&)>;

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

/// Trains generator `G` (z [n, latent] -> samples) against discriminator `D` (samples -> logits [n, 1]).
///
/// A step is `discriminator_steps` updates of the discriminator on fresh real batches and as many generated ones, which
/// are made without history, then `generator_steps` updates of the generator through the frozen discriminator. The
/// generator's first update takes the fakes of the discriminator's last one: their forward pass is not run twice.
template <class G, class D, class Objective = NonSaturating, class Optimizer = Adam<typename G::Scalar>,
          class Penalty = NoPenalty>
class Trainer {
 public:
  using T = typename G::Scalar;
  using Options = TrainerOptions<Objective, Optimizer, Penalty>;

  /// Keeps references of both networks. Warns about a slow build (core/build.hpp). Throws for options out of range.
  Trainer(G& generator, D& discriminator, const Options& options = {});

  /// One step on a batch of real samples [n, ...]; with several discriminator steps, on `next()` for each. Throws
  /// NotFinite for a loss that is not finite, Error for a gradient that no optimizer owns and for shapes that do not
  /// fit.
  StepResult step(const Tensor<T>& real) {
    check(options_.discriminator_steps == 1, "trainer: one real batch for ", options_.discriminator_steps,
          " discriminator steps; give a function that returns the next batch");
    return step([&real] { return real; });
  }
  template <class Next>
  requires std::is_invocable_r_v<Tensor<T>, Next&> StepResult step(Next&& next);

  /// Steps through the loader's batches until all of it is done or a callback stops it; see Callbacks in train/run.hpp.
  template <class... Callbacks>
  FitResult fit(Loader<T>& loader, const FitOptions& options, Callbacks&&... callbacks);

  /// Calls `hook` before every optimizer step.
  void add_gradient_hook(GradientHook<T> hook) { hooks_.push_back(std::move(hook)); }

  /// Samples for the fixed noise, or for n fresh ones, from the moving average if there is one.
  Tensor<T> samples() { return sample(fixed_noise_); }
  Tensor<T> sample(const Tensor<T>& z);

  /// Number of steps made.
  Index steps() const { return steps_; }
  G& generator() { return generator_; }
  D& discriminator() { return discriminator_; }
  Optimizer& generator_optimizer() { return generator_optimizer_; }
  Optimizer& discriminator_optimizer() { return discriminator_optimizer_; }
  const Options& options() const { return options_; }

  /// Handles of all tensors that make up the training state, and the rest of it as text.
  NamedTensors<T> state() const;
  std::map<std::string, std::string> metadata() const;
  /// Brings both back. Throws, changing nothing, when either does not fit; the message begins with `what`.
  void load(const NamedTensors<T>& state, const std::map<std::string, std::string>& metadata,
            const std::string& what = "checkpoint");

 private:
  struct Scores {
    Tensor<T> real, fake;
  };

  Tensor<T> generate(Index n) { return generator_(generator_.draw(rng_, n)); }
  Tensor<T> prepare(const Tensor<T>& x);
  Scores score(const Tensor<T>& real, const Tensor<T>& fake);
  void update_discriminator(const Tensor<T>& real, const Tensor<T>& fake, StepResult& result);
  void update_generator(const Tensor<T>& real, const Tensor<T>& fake, StepResult& result);
  void descend(const char* network, const Tensor<T>& loss, Optimizer& optimizer, double base_rate,
               const Schedule& schedule);

  G& generator_;
  D& discriminator_;
  Options options_;
  Optimizer generator_optimizer_, discriminator_optimizer_;
  std::optional<MovingAverage<T>> average_;
  std::vector<GradientHook<T>> hooks_;
  Rng rng_;
  Tensor<T> fixed_noise_;
  Index steps_ = 0;
};

template <class G, class D, class O, class Opt, class P>
Trainer<G, D, O, Opt, P>::Trainer(G& generator, D& discriminator, const Options& options)
    : generator_(generator),
      discriminator_(discriminator),
      options_(options),
      generator_optimizer_(generator.parameters(), options.generator_optimizer),
      discriminator_optimizer_(discriminator.parameters(), options.discriminator_optimizer),
      rng_(options.seed, 0x747261696e) {
  check(options.discriminator_steps >= 1 && options.generator_steps >= 1 && options.pack >= 1 && options.samples >= 1,
        "trainer: ", options.discriminator_steps, " discriminator steps, ", options.generator_steps,
        " generator steps, packs of ", options.pack, ", ", options.samples, " samples, expected at least 1 of each");
  check(options.clip_gradient_norm >= 0, "trainer: gradient norm limit ", options.clip_gradient_norm,
        ", expected 0 or more");
  warn_about_slow_build();
  if (options.average) average_.emplace(generator, *options.average);
  fixed_noise_ = generator.draw(rng_, options.samples);
}

template <class G, class D, class O, class Opt, class P>
template <class Next>
requires std::is_invocable_r_v<Tensor<typename G::Scalar>, Next&> StepResult
Trainer<G, D, O, Opt, P>::step(Next&& next) {
  if (!generator_.training()) generator_.train();
  if (!discriminator_.training()) discriminator_.train();
  const GradMode recording(true);
  StepResult result{.step = steps_ + 1};
  Tensor<T> real, fake;
  for (Index i = 1; i <= options_.discriminator_steps; ++i) {
    real = next();
    check(real.rank() >= 1 && real.shape()[0] >= 1, "trainer: real batch ", real.shape(), ", expected [n, ...]");
    const GradMode history(i == options_.discriminator_steps);  // the last fakes train the generator too
    fake = generate(real.shape()[0]);
    check(fake.size() == real.size(), "trainer: generated samples ", fake.shape(), " do not match real samples ",
          real.shape());
    if (real.shape() != fake.shape()) real = reshape(real, fake.shape());
    const GradMode on(true);
    update_discriminator(real, fake.detach(), result);
  }
  for (Index i = 1; i <= options_.generator_steps; ++i) {
    if (i > 1) fake = generate(real.shape()[0]);
    update_generator(real, fake, result);
  }
  const double d = static_cast<double>(options_.discriminator_steps);
  result.discriminator_loss /= d;
  result.penalty /= d;
  result.real_score /= d;
  result.fake_score /= d;
  result.generator_loss /= static_cast<double>(options_.generator_steps);
  ++steps_;
  return result;
}

// What the discriminator is shown of samples x [n, ..., c]: with instance noise, and packed to [n / k, ..., k c].
template <class G, class D, class O, class Opt, class P>
auto Trainer<G, D, O, Opt, P>::prepare(const Tensor<T>& x) -> Tensor<T> {
  Tensor<T> seen = x;
  const double deviation = options_.instance_noise ? options_.instance_noise(steps_) : 0;
  if (deviation > 0) seen = seen + normal<T>(rng_, x.shape(), 0, deviation);
  if (const Index k = options_.pack; k > 1) {
    const Index n = x.shape()[0], c = x.shape().last();
    check(x.rank() >= 2 && n % k == 0, "trainer: batch ", x.shape(), " is not made of packs of ", k);
    const Index positions = x.size() / (n * c);
    seen = reshape(permute(reshape(seen, Shape{n / k, k, positions, c}), {0, 2, 1, 3}),
                   x.shape().with(0, n / k).with(-1, k * c));
  }
  return seen;
}

template <class G, class D, class O, class Opt, class P>
auto Trainer<G, D, O, Opt, P>::score(const Tensor<T>& real, const Tensor<T>& fake) -> Scores {
  if (!options_.joint_pass || discriminator_.mixes_batch()) return {discriminator_(real), discriminator_(fake)};
  const Index n = real.shape()[0], both = n + fake.shape()[0];
  const Tensor<T> scores = discriminator_(concatenate<T>({real, fake}, 0));
  check(scores.rank() >= 1 && scores.shape()[0] == both, "trainer: discriminator gives ", scores.shape(), " for ", both,
        " samples, expected [", both, ", 1]");
  return {slice(scores, 0, 0, n), slice(scores, 0, n, both)};
}

template <class G, class D, class O, class Opt, class P>
void Trainer<G, D, O, Opt, P>::update_discriminator(const Tensor<T>& real, const Tensor<T>& fake, StepResult& result) {
  const Tensor<T> seen_real = prepare(real), seen_fake = prepare(fake);
  const Scores scores = score(seen_real, seen_fake);
  Tensor<T> loss = options_.objective.discriminator_loss(scores.real, scores.fake, rng_);
  const Tensor<T> penalty = options_.penalty([this](const Tensor<T>& x) { return discriminator_(x); }, seen_real,
                                             seen_fake, rng_, discriminator_optimizer_.steps());
  if (penalty.defined()) {
    result.penalty += static_cast<double>(penalty.item());
    loss = loss + penalty;
  }
  result.discriminator_loss += static_cast<double>(loss.item());
  const auto mean_probability = [](const Tensor<T>& logits) {
    const NoGrad scope;
    return static_cast<double>(mean(sigmoid(logits)).item());
  };
  result.real_score += mean_probability(scores.real);
  result.fake_score += mean_probability(scores.fake);
  descend("discriminator", loss, discriminator_optimizer_, options_.discriminator_optimizer.learning_rate,
          options_.discriminator_schedule);
  if constexpr (requires { options_.penalty.after_step(discriminator_optimizer_.parameters()); })
    options_.penalty.after_step(discriminator_optimizer_.parameters());
}

template <class G, class D, class O, class Opt, class P>
void Trainer<G, D, O, Opt, P>::update_generator(const Tensor<T>& real, const Tensor<T>& fake, StepResult& result) {
  const Freeze frozen(discriminator_);
  Scores scores;
  if (options_.objective.generator_needs_real)
    scores = score(prepare(real), prepare(fake));
  else
    scores.fake = discriminator_(prepare(fake));
  const Tensor<T> loss = options_.objective.generator_loss(scores.real, scores.fake);
  result.generator_loss += static_cast<double>(loss.item());
  descend("generator", loss, generator_optimizer_, options_.generator_optimizer.learning_rate,
          options_.generator_schedule);
  if (average_) average_->update();
}

template <class G, class D, class O, class Opt, class P>
void Trainer<G, D, O, Opt, P>::descend(const char* network, const Tensor<T>& loss, Opt& optimizer, double base_rate,
                                       const Schedule& schedule) {
  const Index step = steps_ + 1;
  if (!std::isfinite(loss.item())) {
    std::ostringstream message;
    message << "trainer: the loss of the " << network << " is ";
    if (std::isnan(loss.item()))
      message << "nan";  // whose sign says nothing
    else
      message << loss.item();
    message << " at step " << step;
    throw NotFinite(message.str());
  }
  optimizer.zero_grad();  // what a step that threw, or the caller's own backward, has left
  for (const Tensor<T>& leaf : backward(loss))
    check(optimizer.owns(leaf), "trainer: \"", leaf.label().empty() ? "unnamed tensor" : leaf.label(), "\" ",
          leaf.shape(), " received a gradient from the loss of the ", network,
          " but its optimizer does not own it: declare it as a Parameter, before the trainer is made");
  for (const auto& hook : hooks_) hook({network, step, optimizer.parameters()});
  if (options_.clip_gradient_norm > 0) clip_by_global_norm(optimizer.parameters(), options_.clip_gradient_norm);
  if (schedule) optimizer.set_learning_rate(base_rate * schedule(steps_));
  optimizer.step();
  optimizer.zero_grad();
}

template <class G, class D, class O, class Opt, class P>
template <class... Callbacks>
FitResult Trainer<G, D, O, Opt, P>::fit(Loader<T>& loader, const FitOptions& options, Callbacks&&... callbacks) {
  Run<Trainer> run(*this, loader, options);
  return run.go([&] { return step([&] { return loader.next().images; }); }, callbacks...);
}

template <class G, class D, class O, class Opt, class P>
auto Trainer<G, D, O, Opt, P>::sample(const Tensor<T>& z) -> Tensor<T> {
  if (!average_) return generator_.sample(z);
  const typename MovingAverage<T>::Swap scope(*average_);
  return generator_.sample(z);
}

template <class G, class D, class O, class Opt, class P>
auto Trainer<G, D, O, Opt, P>::state() const -> NamedTensors<T> {
  NamedTensors<T> all;
  const auto add = [&all](const std::string& prefix, const NamedTensors<T>& tensors) {
    for (const auto& [name, tensor] : tensors) all.push_back({prefix + name, tensor});
  };
  add("generator.", generator_.state());
  add("discriminator.", discriminator_.state());
  if (average_) add("average.", average_->state());
  add("generator_optimizer.", generator_optimizer_.state());
  add("discriminator_optimizer.", discriminator_optimizer_.state());
  all.push_back({"fixed_noise", fixed_noise_});
  return all;
}

template <class G, class D, class O, class Opt, class P>
std::map<std::string, std::string> Trainer<G, D, O, Opt, P>::metadata() const {
  return {{"step", std::to_string(steps_)},
          {"rng", to_text(rng_.state())},
          {"generator_rng", to_text(generator_.rng().state())},
          {"discriminator_rng", to_text(discriminator_.rng().state())},
          {"generator_optimizer_steps", std::to_string(generator_optimizer_.steps())},
          {"discriminator_optimizer_steps", std::to_string(discriminator_optimizer_.steps())},
          {"average_updates", std::to_string(average_ ? average_->updates() : 0)}};
}

template <class G, class D, class O, class Opt, class P>
void Trainer<G, D, O, Opt, P>::load(const NamedTensors<T>& state, const std::map<std::string, std::string>& metadata,
                                    const std::string& what) {
  const MetadataReader read(what, metadata);
  const Index steps = read.count("step"), updates = read.count("average_updates");
  const Index generator_steps = read.count("generator_optimizer_steps");
  const Index discriminator_steps = read.count("discriminator_optimizer_steps");
  const RngState rng = read.rng("rng"), generator_rng = read.rng("generator_rng"),
                 discriminator_rng = read.rng("discriminator_rng");
  copy_values(what.c_str(), state, this->state());
  generator_optimizer_.load_state(generator_optimizer_.state(), generator_steps);
  discriminator_optimizer_.load_state(discriminator_optimizer_.state(), discriminator_steps);
  steps_ = steps;
  if (average_) average_->set_updates(updates);
  rng_.set_state(rng);
  generator_.rng().set_state(generator_rng);
  discriminator_.rng().set_state(discriminator_rng);
}

}  // namespace gan
