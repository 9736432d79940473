// Trainer: alternating updates of a discriminator and a generator.
#pragma once

#include <algorithm>
#include <concepts>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "gan/core/build_warning.hpp"
#include "gan/core/metadata.hpp"
#include "gan/data/loader.hpp"
#include "gan/loss/objective.hpp"
#include "gan/loss/penalty.hpp"
#include "gan/models/discriminator.hpp"
#include "gan/models/generator.hpp"
#include "gan/ops/slice.hpp"
#include "gan/optim/adam.hpp"
#include "gan/optim/clip.hpp"
#include "gan/train/advice.hpp"
#include "gan/train/checks.hpp"
#include "gan/train/fit.hpp"
#include "gan/train/gradient_hook.hpp"
#include "gan/train/joint_pass.hpp"
#include "gan/train/kept_state.hpp"
#include "gan/train/moving_average.hpp"
#include "gan/train/pack.hpp"
#include "gan/train/rehearsal.hpp"
#include "gan/train/trainer_options.hpp"

namespace gan {

/// Trains generator `G` (z [n, latent] -> samples) against discriminator `D` (samples -> logits [n, 1]).
///
/// A step is `discriminator_steps` updates of the discriminator on fresh real batches and as many generated ones, which
/// are made without history, then `generator_steps` updates of the generator through the frozen discriminator. The
/// generator's first update takes the fakes of the discriminator's last one: their forward pass is not run twice.
///
/// The first step of a process looks closer: it warns of what can hardly be meant (train/advice.hpp), and finds a
/// discriminator that mixes its batch and does not say so (train/joint_pass.hpp).
template <class G, class D, class Objective = NonSaturating, class Optimizer = Adam<typename G::Scalar>,
          class Penalty = NoPenalty>
class Trainer {
 public:
  using Scalar = typename G::Scalar;
  using Options = TrainerOptions<Objective, Optimizer, Penalty>;
  static_assert(!(std::same_as<Scalar, float> && std::derived_from<D, Module<double>>),
                "the generator computes in float and the discriminator in double: make both the same");
  static_assert(!(std::same_as<Scalar, double> && std::derived_from<D, Module<float>>),
                "the generator computes in double and the discriminator in float: make both the same");

  /// Keeps references of both networks. Warns about a slow build (core/build_warning.hpp). Throws for options out of
  /// range.
  Trainer(G& generator, D& discriminator, const Options& options = {});

  /// One step on a batch of real samples [n, ...]; with several discriminator steps, on `next()` for each. Throws
  /// NotFinite for a loss or a gradient that is not finite, Error for a gradient that no optimizer owns, for shapes
  /// that do not fit and for schedules that give no usable number. The update that threw has changed no network;
  /// earlier ones of the step stay.
  StepResult step(const Tensor<Scalar>& real) {
    check(options_.discriminator_steps == 1, "trainer: one real batch for ", options_.discriminator_steps,
          " discriminator steps; give a function that returns the next batch");
    return step([&real] { return real; });
  }
  template <class Next>
  requires std::is_invocable_r_v<Tensor<Scalar>, Next&> StepResult step(Next&& next);

  /// Steps through the loader's batches until all of it is done or a callback stops it; see Callbacks in train/fit.hpp.
  /// Labels are ignored. Before the first step, and before any callback is called, it throws when loader, networks and
  /// schedules do not fit together (train/rehearsal.hpp).
  template <class... Callbacks>
  FitResult fit(Loader<Scalar>& loader, const FitOptions& options, Callbacks&&... callbacks);

  /// Calls `hook` before every optimizer step, for the trainer's life or until the handle's remove() is called.
  HookHandle add_gradient_hook(GradientHook<Scalar> hook) { return hooks_.add(std::move(hook)); }

  /// Samples for the fixed noise, or for z, from the moving average if there is one. A generator that draws random
  /// numbers in evaluation mode, too, draws the same ones each time, and its own are left as they were.
  Tensor<Scalar> samples() { return sample(fixed_noise_); }
  Tensor<Scalar> sample(const Tensor<Scalar>& z);

  /// Number of steps made.
  Index steps() const { return steps_; }
  G& generator() { return generator_; }
  D& discriminator() { return discriminator_; }
  Optimizer& generator_optimizer() { return generator_optimizer_; }
  Optimizer& discriminator_optimizer() { return discriminator_optimizer_; }
  const Options& options() const { return options_; }

  /// Handles of all tensors that make up the training state, and the rest of it as text.
  NamedTensors<Scalar> state() const;
  std::map<std::string, std::string> metadata() const;
  /// Names and texts of all options that a resumed run compares.
  OptionTexts option_texts() const;
  /// Brings state and metadata back. Throws, changing nothing, when either does not fit, holds numbers that are not
  /// finite, or belongs to a run of other options than `resume` allows; the message begins with `what`.
  void load(const NamedTensors<Scalar>& state, const std::map<std::string, std::string>& metadata,
            const std::string& what = "checkpoint", const ResumeOptions& resume = {});

 private:
  struct Scores {
    Tensor<Scalar> real, fake;
  };

  template <class Next>
  StepResult make_step(Next& next);
  Tensor<Scalar> generate(Index n) { return generator_(generator_.draw(rng_, n)); }
  Tensor<Scalar> prepare(const Tensor<Scalar>& x);
  Scores score(const Tensor<Scalar>& real, const Tensor<Scalar>& fake);
  void update_discriminator(const Tensor<Scalar>& real, const Tensor<Scalar>& fake, StepResult& result);
  void update_generator(const Tensor<Scalar>& real, const Tensor<Scalar>& fake, StepResult& result);
  void descend(const char* network, const Tensor<Scalar>& loss, Optimizer& optimizer, double base_rate,
               const Schedule& schedule);

  G& generator_;
  D& discriminator_;
  Options options_;
  Optimizer generator_optimizer_, discriminator_optimizer_;
  std::optional<MovingAverage<Scalar>> average_;
  GradientHooks<Scalar> hooks_;
  KeptBuffers<Scalar> generator_buffers_, discriminator_buffers_;  // of after its last update
  bool first_ = true;                                              // step of this process
  Rng rng_;
  Tensor<Scalar> fixed_noise_;
  Index steps_ = 0;
};

template <class G, class D, class O, class Opt, class P>
Trainer<G, D, O, Opt, P>::Trainer(G& generator, D& discriminator, const Options& options)
    : generator_(generator),
      discriminator_(discriminator),
      options_(options),
      generator_optimizer_(generator.parameters(), options.generator_optimizer),
      discriminator_optimizer_(discriminator.parameters(), options.discriminator_optimizer),
      generator_buffers_(generator),
      discriminator_buffers_(discriminator),
      rng_(options.seed, 0x747261696e) {
  check_trainer_options(options);
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
  generator_buffers_.take();
  discriminator_buffers_.take();
  try {
    const StepResult result = make_step(next);
    ++steps_;
    first_ = false;
    return result;
  } catch (...) {
    generator_buffers_.put_back();
    discriminator_buffers_.put_back();
    throw;
  }
}

template <class G, class D, class O, class Opt, class P>
template <class Next>
StepResult Trainer<G, D, O, Opt, P>::make_step(Next& next) {
  const GradMode recording(true);
  StepResult result{.step = steps_ + 1};
  Tensor<Scalar> real, fake;
  for (Index i = 1; i <= options_.discriminator_steps; ++i) {
    real = next();
    check(real.rank() >= 1 && real.shape()[0] >= 1, "trainer: real batch ", real.shape(), ", expected [n, ...]");
    const GradMode history(i == options_.discriminator_steps);  // the last fakes train the generator too
    fake = generate(real.shape()[0]);
    if (first_ && i == options_.discriminator_steps) warn_about_range(real, fake);
    real = in_layout(real, fake.shape());
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
  return result;
}

// What the discriminator is shown of samples x [n, ..., c]: with instance noise, and packed to [n / k, ..., k c].
template <class G, class D, class O, class Opt, class P>
auto Trainer<G, D, O, Opt, P>::prepare(const Tensor<Scalar>& x) -> Tensor<Scalar> {
  Tensor<Scalar> seen = x;
  if (options_.instance_noise)
    if (const double stddev = value_at("instance_noise", options_.instance_noise, steps_); stddev > 0)
      seen = seen + normal<Scalar>(rng_, x.shape(), 0, stddev);
  return packed_samples(seen, options_.pack);
}

template <class G, class D, class O, class Opt, class P>
auto Trainer<G, D, O, Opt, P>::score(const Tensor<Scalar>& real, const Tensor<Scalar>& fake) -> Scores {
  const Index n = real.shape()[0], both = n + fake.shape()[0];
  if (!options_.joint_pass || discriminator_.mixes_batch()) {
    const Scores scores{discriminator_(real), discriminator_(fake)};
    check_scores_of(scores.real, n);
    check_scores_of(scores.fake, both - n);
    return scores;
  }
  if (first_) check_joint_pass<Scalar>(discriminator_, real, fake);
  const Tensor<Scalar> scores = discriminator_(concatenate<Scalar>({real, fake}, 0));
  check_scores_of(scores, both);
  return {slice(scores, 0, 0, n), slice(scores, 0, n, both)};
}

template <class G, class D, class O, class Opt, class P>
void Trainer<G, D, O, Opt, P>::update_discriminator(const Tensor<Scalar>& real, const Tensor<Scalar>& fake,
                                                    StepResult& result) {
  const Tensor<Scalar> seen_real = prepare(real), seen_fake = prepare(fake);
  const Scores scores = score(seen_real, seen_fake);
  if (first_) {
    warn_about_game(options_.objective, options_.penalty, discriminator_);
    warn_about_scores(options_.objective, scores.fake);
  }
  Tensor<Scalar> loss = options_.objective.discriminator_loss(rng_, scores.real, scores.fake);
  const Tensor<Scalar> penalty = options_.penalty(
      rng_, [this](const Tensor<Scalar>& x) { return discriminator_(x); }, seen_real, seen_fake,
      discriminator_optimizer_.steps());
  if (penalty.defined()) {
    result.penalty += static_cast<double>(penalty.item());
    loss = loss + penalty;
  }
  result.discriminator_loss += static_cast<double>(loss.item());
  const auto mean_probability = [](const Tensor<Scalar>& logits) {
    const NoGrad scope;
    return static_cast<double>(mean(sigmoid(logits)).item());
  };
  result.real_score += mean_probability(scores.real);
  result.fake_score += mean_probability(scores.fake);
  descend("discriminator", loss, discriminator_optimizer_, options_.discriminator_optimizer.learning_rate,
          options_.discriminator_schedule);
  if constexpr (requires { options_.penalty.after_step(discriminator_optimizer_.parameters()); })
    options_.penalty.after_step(discriminator_optimizer_.parameters());
  discriminator_buffers_.take();
}

template <class G, class D, class O, class Opt, class P>
void Trainer<G, D, O, Opt, P>::update_generator(const Tensor<Scalar>& real, const Tensor<Scalar>& fake,
                                                StepResult& result) {
  const Freeze frozen(discriminator_);
  Scores scores;
  if (options_.objective.generator_needs_real) {
    const Tensor<Scalar> seen_real = prepare(real), seen_fake = prepare(fake);
    scores = score(seen_real, seen_fake);
  } else {
    const Tensor<Scalar> seen = prepare(fake);
    scores.fake = discriminator_(seen);
    check_scores_of(scores.fake, seen.shape()[0]);
  }
  const Tensor<Scalar> loss = options_.objective.generator_loss(scores.real, scores.fake);
  result.generator_loss += static_cast<double>(loss.item());
  descend("generator", loss, generator_optimizer_, options_.generator_optimizer.learning_rate,
          options_.generator_schedule);
  generator_buffers_.take();
  if (average_) average_->update();
}

template <class G, class D, class O, class Opt, class P>
void Trainer<G, D, O, Opt, P>::descend(const char* network, const Tensor<Scalar>& loss, Opt& optimizer,
                                       double base_rate, const Schedule& schedule) {
  const Index step = steps_ + 1;
  check_loss(network, loss, step);
  optimizer.zero_grad();  // what a step that threw, or the caller's own backward, has left
  for (const Tensor<Scalar>& leaf : backward(loss))
    check(optimizer.owns(leaf), "trainer: \"", leaf.label().empty() ? "unnamed tensor" : leaf.label(), "\" ",
          leaf.shape(), " received a gradient from the loss of the ", network,
          " but its optimizer does not own it: declare it as a Parameter, before the trainer is made");
  hooks_.call({network, step, optimizer.parameters()});
  check_gradients(network, optimizer.parameters(), step);
  if (options_.clip_gradient_norm > 0) clip_by_global_norm(optimizer.parameters(), options_.clip_gradient_norm);
  if (schedule)
    optimizer.set_learning_rate(base_rate * value_at((std::string(network) + "_schedule").c_str(), schedule, steps_));
  optimizer.step();
  optimizer.zero_grad();
}

template <class G, class D, class O, class Opt, class P>
template <class... Callbacks>
FitResult Trainer<G, D, O, Opt, P>::fit(Loader<Scalar>& loader, const FitOptions& options, Callbacks&&... callbacks) {
  Run<Trainer> run(*this, loader, options);
  rehearse(generator_, discriminator_, loader, options_.pack);
  const double by_epochs = static_cast<double>(run.epoch_limit) * static_cast<double>(loader.batches_per_epoch()) /
                           static_cast<double>(options_.discriminator_steps);
  Index planned = static_cast<Index>(std::min(by_epochs, 1e15));
  if (run.step_limit > 0) planned = planned > 0 ? std::min(planned, run.step_limit) : run.step_limit;
  rehearse("generator_schedule", options_.generator_schedule, steps_, planned - 1);
  rehearse("discriminator_schedule", options_.discriminator_schedule, steps_, planned - 1);
  rehearse("instance_noise", options_.instance_noise, steps_, planned - 1);
  return run.go([&] { return step([&] { return loader.next().samples; }); }, callbacks...);
}

template <class G, class D, class O, class Opt, class P>
auto Trainer<G, D, O, Opt, P>::sample(const Tensor<Scalar>& z) -> Tensor<Scalar> {
  std::optional<typename MovingAverage<Scalar>::Swap> averages;
  if (average_) averages.emplace(*average_);
  const Trial<Scalar> trial(generator_);
  generator_.rng().set_state({0, 0x73616d706c65, 0});
  return generator_.sample(z);
}

template <class G, class D, class O, class Opt, class P>
auto Trainer<G, D, O, Opt, P>::state() const -> NamedTensors<Scalar> {
  NamedTensors<Scalar> all;
  const auto add = [&all](const std::string& prefix, const NamedTensors<Scalar>& tensors) {
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
  std::map<std::string, std::string> all{
      {"step", std::to_string(steps_)},
      {"rng", to_text(rng_.state())},
      {"generator_rng", to_text(generator_.rng().state())},
      {"discriminator_rng", to_text(discriminator_.rng().state())},
      {"generator_optimizer_steps", std::to_string(generator_optimizer_.steps())},
      {"discriminator_optimizer_steps", std::to_string(discriminator_optimizer_.steps())},
      {"generator_rate_bits", rate_bits(generator_optimizer_.learning_rate())},
      {"discriminator_rate_bits", rate_bits(discriminator_optimizer_.learning_rate())},
      {"average_updates", std::to_string(average_ ? average_->updates() : 0)}};
  for (auto& [name, value] : option_texts()) all.emplace(name, std::move(value));
  return all;
}

template <class G, class D, class O, class Opt, class P>
OptionTexts Trainer<G, D, O, Opt, P>::option_texts() const {
  OptionTexts all = gan::option_texts(options_);
  for (auto& text : generator_texts(generator_)) all.push_back(std::move(text));
  all.push_back({"discriminator_network", structure_text<Scalar>(discriminator_)});
  return all;
}

template <class G, class D, class O, class Opt, class P>
void Trainer<G, D, O, Opt, P>::load(const NamedTensors<Scalar>& state,
                                    const std::map<std::string, std::string>& metadata, const std::string& what,
                                    const ResumeOptions& resume) {
  const MetadataReader read(what, metadata);
  const Index steps = read.count("step"), updates = read.count("average_updates");
  const Index generator_steps = read.count("generator_optimizer_steps");
  const Index discriminator_steps = read.count("discriminator_optimizer_steps");
  const RngState rng = read.rng("rng"), generator_rng = read.rng("generator_rng"),
                 discriminator_rng = read.rng("discriminator_rng");
  const double generator_rate = read.rate("generator_rate_bits");
  const double discriminator_rate = read.rate("discriminator_rate_bits");
  check_values(what.c_str(), state, this->state());
  const auto changed = compare_options(what, option_texts(), metadata, resume);
  for (const auto& [name, tensor] : state)
    check(all_finite(tensor), what, ": \"", name, "\" holds numbers that are not finite");
  copy_values(what.c_str(), state, this->state());
  generator_optimizer_.load_state(generator_optimizer_.state(), generator_steps);
  discriminator_optimizer_.load_state(discriminator_optimizer_.state(), discriminator_steps);
  const auto set_rate = [&](const std::string& network, Opt& optimizer, double base, double saved) {
    const bool anew = changed.contains(network + "_rate") || changed.contains(network + "_schedule");
    optimizer.set_learning_rate(anew ? base : saved);
  };
  set_rate("generator", generator_optimizer_, options_.generator_optimizer.learning_rate, generator_rate);
  set_rate("discriminator", discriminator_optimizer_, options_.discriminator_optimizer.learning_rate,
           discriminator_rate);
  steps_ = steps;
  if (average_) average_->set_updates(updates);
  rng_.set_state(rng);
  generator_.rng().set_state(generator_rng);
  discriminator_.rng().set_state(discriminator_rng);
}

}  // namespace gan
