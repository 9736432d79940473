// Trainer: the game of two, a generator against a discriminator, by alternating updates.
#pragma once

#include <algorithm>
#include <concepts>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "gan/data/function_source.hpp"
#include "gan/data/source.hpp"
#include "gan/models/discriminator.hpp"
#include "gan/models/generator.hpp"
#include "gan/nn/fresh_statistics.hpp"
#include "gan/nn/module_scopes.hpp"
#include "gan/ops/concatenate.hpp"
#include "gan/ops/condition.hpp"
#include "gan/ops/gather.hpp"
#include "gan/ops/slice.hpp"
#include "gan/train/advice.hpp"
#include "gan/train/checks.hpp"
#include "gan/train/discriminator_input.hpp"
#include "gan/train/fit.hpp"
#include "gan/train/game.hpp"
#include "gan/train/joint_pass.hpp"
#include "gan/train/kept_state.hpp"
#include "gan/train/trainer_options.hpp"

namespace gan {

/// Trains a generator (z [n, latent] -> samples) against a discriminator (samples -> logits [n, 1]):
///
///     gan::Trainer trainer(generator, discriminator, {.penalty = gan::R1{.gamma = 1}});
///     trainer.fit(loader, {.epochs = 10}, gan::ProgressBar());
///
/// A step is `discriminator_steps` updates of the discriminator on fresh real batches and as many generated ones, which
/// are made without history, then `generator_steps` updates of the generator through the frozen discriminator. The
/// generator's first update takes the fakes of the discriminator's last one: their forward pass is not run twice.
///
/// Fakes are made for the real batch's condition, and both networks are told it (Module::condition). Networks that do
/// not ask for it are trained as if there were none.
///
/// A step notes discriminator_loss, generator_loss and the norms discriminator_gradient, generator_gradient; real_loss
/// and fake_loss, the discriminator's of real samples and of fakes (all of it is real_loss where an objective compares
/// them); penalty; discriminator_<term>, generator_<term>; real_score and fake_score, the means of sigmoid(D(x)) and
/// sigmoid(D(G(z))) before the discriminator's update; real_accuracy and fake_accuracy, the shares that it gets right;
/// view_probability where that is adaptive.
///
/// The first step of a process looks closer: it warns of what can hardly be meant (train/advice.hpp), and finds a
/// discriminator that mixes its batch and does not say so (train/joint_pass.hpp).
template <std::floating_point T>
class Trainer : public Game<T> {
 public:
  using Options = TrainerOptions<T>;

  /// Both networks become children of the trainer, "generator" and "discriminator", until it is gone: they draw from
  /// its random numbers meanwhile. Throws for options out of range and for networks that belong to another module.
  Trainer(Generator<T>& generator, Discriminator<T>& discriminator, TrainerOptions<T> options = {});
  template <std::floating_point U>
  requires(!std::same_as<T, U>) Trainer(Generator<T>& generator, Discriminator<U>&, TrainerOptions<T> = {})
      : Trainer(generator, *static_cast<Discriminator<T>*>(nullptr)) {
    static_assert(std::same_as<T, U>, "one network computes in float and the other one in double: make both the same");
  }

  void step(Source<T>& in) override;
  /// One step on a batch of real samples [n, ...]. Throws with several discriminator steps, which need a batch each.
  const StepResult& step(const Tensor<T>& real, const Condition<T>& condition = {});
  /// One step on what next() gives: batches, or real samples alone.
  template <class Next>
  requires std::invocable<Next&>
  const StepResult& step(Next&& next) {
    FunctionSource<T> batches([&next]() -> Batch<T> {
      if constexpr (std::convertible_to<std::invoke_result_t<Next&>, Batch<T>>)
        return next();
      else
        return {next(), {}};
    });
    return this->advance(batches);
  }

  /// Samples for the fixed noise and a fixed condition: all classes, one after the other, or values of the data's.
  Tensor<T> samples() { return Game<T>::samples().front(); }
  /// Samples for noise z [n, latent], from the moving average if there is one, as samples() makes them.
  Tensor<T> sample(const Tensor<T>& z, const Condition<T>& condition = {});
  /// The condition of the fixed noise; empty before the first step, unless the generator declares its classes.
  Condition<T> fixed_condition() const;

  Generator<T>& generator() { return generator_; }
  Discriminator<T>& discriminator() { return discriminator_; }
  Optimizer<T>& generator_optimizer() { return generator_player_.optimizer(); }
  Optimizer<T>& discriminator_optimizer() { return discriminator_player_.optimizer(); }
  const Options& options() const { return options_; }
  std::string kind() const override { return "Trainer"; }

  OptionTexts settings() const override {
    OptionTexts all = trainer_option_texts(options_);
    all.push_back({"generator_latent", generator_.distribution().name()});
    return all;
  }
  void rehearse(const Source<T>& in, Index last) override;
  Index batches_per_step() const override { return options_.discriminator_steps; }
  std::vector<std::pair<std::string, std::string>> headline() const override {
    return {{"D", "discriminator_loss"}, {"G", "generator_loss"}, {"D(x)", "real_score"}, {"D(G(z))", "fake_score"}};
  }
  void expect(const NamedTensors<T>& state, const std::string& prefix) override;
  bool needs_plan() const override { return options_.instance_noise.whole_run() || Game<T>::needs_plan(); }

 protected:
  void prepare_averages() override;
  std::vector<Tensor<T>> make_samples() override { return {generator_.sample(fixed_noise_, fixed_condition())}; }

 private:
  struct Scores {
    Tensor<T> real, fake, real_extra, fake_extra;
  };
  struct Round {  // what one update is made of
    Tensor<T> z, real, fake;
    Condition<T> condition;
  };

  template <class Network>
  Network& adopted(Network& network, const char* name) {
    this->adopt(network, name);
    return network;
  }
  void learn_of(const Source<T>& in, const Condition<T>& condition);
  void generate(Round& round) {
    round.z = generator_.draw(this->rng(), round.real.shape()[0]);
    round.fake = generator_(round.z, round.condition);
  }
  void split(const Tensor<T>& output, Index n, Tensor<T>& score, Tensor<T>& extra) const;
  Scores score(const Tensor<T>& real, const Tensor<T>& fake, const Condition<T>& condition);
  std::vector<Term<T>> values_of(const std::vector<PairTerm<T>>& terms, const Round& round, const Condition<T>& packed,
                                 const Scores& scores);
  void update_discriminator(const Round& round);
  void update_generator(const Round& round);

  Generator<T>& generator_;
  Discriminator<T>& discriminator_;
  Options options_;
  Player<T> generator_player_, discriminator_player_;
  Buffer<T> fixed_noise_;
  Buffer<T> classes_{this, "classes", Shape{}, init::zeros()};  // of the labels so far; 0: none
  DiscriminatorInput<T> input_{this, options_};
  Tensor<T> fixed_values_{Shape{0}};
  bool first_ = true;  // step of this process
};

template <std::floating_point T>
Trainer<T>::Trainer(Generator<T>& generator, Discriminator<T>& discriminator, TrainerOptions<T> options)
    : Game<T>(options.seed, 0x747261696e),
      generator_((check_trainer_options(options), adopted(generator, "generator"))),
      discriminator_(adopted(discriminator, "discriminator")),
      options_(std::move(options)),
      generator_player_(
          this, "generator", {&generator_}, options_.generator_optimizer,
          {options_.generator_schedule, options_.clip_gradient_norm, options_.average, options_.power_averages}),
      discriminator_player_(this, "discriminator", {&discriminator_}, options_.discriminator_optimizer,
                            {options_.discriminator_schedule, options_.clip_gradient_norm}),
      fixed_noise_(this, "fixed_noise", Shape{options_.samples, generator.latent()}, init::zeros()) {
  const Tensor<T> noise = generator_.draw(this->rng(), options_.samples);
  check(noise.shape() == fixed_noise_.shape(), "trainer: generator draws noise ", noise.shape(), ", expected ",
        fixed_noise_.shape());
  std::copy_n(noise.data(), noise.size(), fixed_noise_.mutable_data());
  this->add_buffer("fixed_values", fixed_values_);
}

template <std::floating_point T>
const StepResult& Trainer<T>::step(const Tensor<T>& real, const Condition<T>& condition) {
  check(options_.discriminator_steps == 1, "trainer: one real batch for ", options_.discriminator_steps,
        " discriminator steps; give a function that returns the next batch");
  return step([&] { return Batch<T>{real, condition}; });
}

template <std::floating_point T>
void Trainer<T>::step(Source<T>& in) {
  Round round;
  for (Index i = 1; i <= options_.discriminator_steps; ++i) {
    Batch<T> batch = in.next();
    round.real = std::move(batch.samples);
    round.condition = std::move(batch.condition);
    check(round.real.rank() >= 1 && round.real.shape()[0] >= 1, "trainer: real batch ", round.real.shape(),
          ", expected [n, ...]");
    round.condition.check_rows("trainer", round.real.shape()[0]);
    if (first_ && i == 1) learn_of(in, round.condition);
    {
      const GradMode history(i == options_.discriminator_steps);  // the last fakes train the generator too
      generate(round);
    }
    if (first_ && i == options_.discriminator_steps) warn_about_range(round.real, round.fake);
    round.real = in_layout(round.real, round.fake.shape());
    update_discriminator(round);
  }
  for (Index i = 1; i <= options_.generator_steps; ++i) {
    if (i > 1) generate(round);
    update_generator(round);
  }
  first_ = false;
}

// What samples without a condition of their own need to know of the data.
template <std::floating_point T>
void Trainer<T>::learn_of(const Source<T>& in, const Condition<T>& condition) {
  const auto set = [](Tensor<T>& buffer, Index value) { *buffer.mutable_data() = static_cast<T>(value); };
  if (condition.has_labels()) {
    for (const auto& [network, classes] :
         {std::pair("generator", generator_.classes()), std::pair("discriminator", discriminator_.classes())})
      check(classes == 0 || classes == condition.classes, "trainer: the ", network, " is one of ", classes,
            " classes, the data has ", condition.classes);
    set(classes_, condition.classes);
    if (const auto frequencies = in.class_frequencies(); !frequencies.empty() && generator_.classes() > 0)
      generator_.set_class_frequencies(frequencies);
  }
  if (!condition.has_values() || fixed_values_.shape()[0] > 0) return;
  const Tensor<T> values = in.reference(std::min(options_.samples, in.items())).condition.values;
  std::vector<Index> rows(static_cast<std::size_t>(options_.samples));
  for (Index i = 0; i < options_.samples; ++i) rows[static_cast<std::size_t>(i)] = i % values.shape()[0];
  const NoGrad no_grad;
  fixed_values_ = gather(values, std::move(rows));
  this->replace_buffer("fixed_values", fixed_values_);
}

template <std::floating_point T>
void Trainer<T>::expect(const NamedTensors<T>& state, const std::string& prefix) {
  Game<T>::expect(state, prefix);
  for (const auto& [name, tensor] : state)
    if (name == prefix + "fixed_values" && tensor.rank() >= 1 &&
        (tensor.shape()[0] == 0 || tensor.shape()[0] == options_.samples)) {
      fixed_values_ = Tensor<T>(tensor.shape());
      this->replace_buffer("fixed_values", fixed_values_);
    }
}

template <std::floating_point T>
Condition<T> Trainer<T>::fixed_condition() const {
  Condition<T> condition;
  condition.classes = generator_.classes() > 0 ? generator_.classes() : static_cast<Index>(classes_.item());
  if (condition.classes > 0)
    for (Index i = 0; i < options_.samples; ++i) condition.labels.push_back(i * condition.classes / options_.samples);
  if (fixed_values_.shape()[0] > 0) condition.values = fixed_values_;
  return condition;
}

template <std::floating_point T>
Tensor<T> Trainer<T>::sample(const Tensor<T>& z, const Condition<T>& condition) {
  return this->sampled([&] { return generator_.sample(z, condition); });
}

// Takes the statistics of the averaged generator afresh, from samples as it will make them.
template <std::floating_point T>
void Trainer<T>::prepare_averages() {
  constexpr Index batches = 8;
  auto* average = generator_player_.average();
  const FreshStatistics<T> fresh(generator_);
  if (!average || average->updates() == 0 || fresh.empty()) return;
  const Evaluate<T> mode(generator_);
  const typename StateAverage<T>::Swap averaged(*average);
  this->rng().set_state({0, 0x73746174, 0});
  const Condition<T> fixed = fixed_condition();
  const bool drawn = fixed.empty() || (generator_.classes() > 0 && !fixed.has_values());
  const Index n = drawn ? Generator<T>::sample_rows : options_.samples;
  for (Index i = 0; i < batches; ++i) {
    const Tensor<T> z = generator_.draw(this->rng(), n);
    generator_(z, drawn ? generator_.draw_condition(this->rng(), n) : fixed);
  }
}

// Parts n rows of output [n, ..., s + k] into scores [n, ..., s] and the rest.
template <std::floating_point T>
void Trainer<T>::split(const Tensor<T>& output, Index n, Tensor<T>& score, Tensor<T>& extra) const {
  const Index scores = discriminator_.scores(), k = discriminator_.extra();
  check(output.defined() && output.rank() >= 1 && output.shape()[0] == n &&
            (output.rank() == 1 ? 1 : output.shape().last()) == scores + k,
        "trainer: discriminator gives ", output.defined() ? output.shape() : Shape{}, " for ", n,
        " samples, expected [", n, ", ", scores + k, "]: ", scores, scores == 1 ? " score" : " scores", " and ", k,
        " further outputs (DiscriminatorOptions::extra)");
  score = k == 0 ? output : slice(output, -1, 0, scores);
  if (k > 0) extra = slice(output, -1, scores, scores + k);
}

template <std::floating_point T>
auto Trainer<T>::score(const Tensor<T>& real, const Tensor<T>& fake, const Condition<T>& condition) -> Scores {
  const Index n = real.shape()[0];
  Scores all;
  if (!options_.joint_pass || discriminator_.mixes_batch()) {
    split(discriminator_(real, condition), n, all.real, all.real_extra);
    split(discriminator_(fake, condition), n, all.fake, all.fake_extra);
    return all;
  }
  if (first_) check_joint_pass<T>(discriminator_, real, fake, condition);
  const Tensor<T> output = discriminator_(concatenate<T>({real, fake}, 0),
                                          condition.empty() ? condition : concatenate(condition, condition));
  Tensor<T> scores, extra;
  split(output, 2 * n, scores, extra);
  all.real = slice(scores, 0, 0, n);
  all.fake = slice(scores, 0, n, 2 * n);
  if (extra.defined()) {
    all.real_extra = slice(extra, 0, 0, n);
    all.fake_extra = slice(extra, 0, n, 2 * n);
  }
  return all;
}

template <std::floating_point T>
std::vector<Term<T>> Trainer<T>::values_of(const std::vector<PairTerm<T>>& terms, const Round& round,
                                           const Condition<T>& packed, const Scores& scores) {
  std::vector<Term<T>> values;
  for (const auto& term : terms) {
    Tensor<T> value = term.value({round.z, round.real, round.fake, packed, scores.real, scores.fake, scores.real_extra,
                                  scores.fake_extra, this->rng(), this->steps()});
    if (value.defined() && term.weight != 1) value = value * term.weight;
    values.push_back({term.name, std::move(value)});
  }
  return values;
}

template <std::floating_point T>
void Trainer<T>::update_discriminator(const Round& round) {
  const auto [real, fake] = input_.both(round.real, round.fake.detach(), this->steps(), this->horizon());
  const Condition<T> packed = pack_samples(round.condition, options_.pack);
  const Given<T> given(discriminator_, packed);  // for what penalties and terms ask it beyond the scores
  const Scores scores = score(real, fake, packed);
  if (first_) {
    warn_about_game(options_.objective, options_.penalty, discriminator_);
    warn_about_scores(options_.objective, scores.fake);
  }
  const DiscriminatorLoss<T> losses = options_.objective.discriminator_loss(this->rng(), scores.real, scores.fake);
  Tensor<T> loss = losses.sum();
  this->note("real_loss", static_cast<double>(losses.real.item()));
  if (losses.fake.defined()) this->note("fake_loss", static_cast<double>(losses.fake.item()));
  const Tensor<T> penalty = options_.penalty(
      this->rng(),
      [this](const Tensor<T>& x) {
        Tensor<T> score, extra;
        split(discriminator_(x), x.shape()[0], score, extra);
        return score;
      },
      real, fake, discriminator_player_.optimizer().steps());
  this->note("penalty", penalty.defined() ? static_cast<double>(penalty.item()) : 0);
  if (penalty.defined()) loss = loss + penalty;
  const auto mean_probability = [](const Tensor<T>& logits) {
    const NoGrad scope;
    return static_cast<double>(mean(sigmoid(logits)).item());
  };
  const Accuracy right = options_.objective.accuracy(scores.real, scores.fake);
  this->note("real_score", mean_probability(scores.real));
  this->note("fake_score", mean_probability(scores.fake));
  this->note("real_accuracy", right.real);
  this->note("fake_accuracy", right.fake);
  discriminator_player_.descend(loss, values_of(options_.discriminator_terms, round, packed, scores));
  options_.penalty.after_step(discriminator_player_.parameters());
  if (options_.adaptive_views) {
    input_.adapt(right.real, round.real.shape()[0]);
    this->note("view_probability", input_.probability());
  }
}

template <std::floating_point T>
void Trainer<T>::update_generator(const Round& round) {
  const auto frozen = discriminator_player_.freeze();
  const Condition<T> packed = pack_samples(round.condition, options_.pack);
  const Given<T> given(discriminator_, packed);
  Scores scores;
  if (options_.objective.generator_needs_real) {
    const auto [real, fake] = input_.both(round.real, round.fake, this->steps(), this->horizon());
    scores = score(real, fake, packed);
  } else {
    const Tensor<T> fake = input_(round.fake, this->steps(), this->horizon());
    split(discriminator_(fake), fake.shape()[0], scores.fake, scores.fake_extra);
  }
  generator_player_.descend(options_.objective.generator_loss(scores.real, scores.fake),
                            values_of(options_.generator_terms, round, packed, scores));
}

// Tries an epoch's last batch, the smallest, on both networks, in training mode and without history.
template <std::floating_point T>
void Trainer<T>::rehearse(const Source<T>& in, Index last_step) {
  const Index items = in.items(), last = in.last_batch(), batch = std::min(in.batch(), items), pack = options_.pack;
  const std::string batches = std::to_string(items) + " items in batches of " + std::to_string(batch) +
                              (last == batch ? "" : ", the last of " + std::to_string(last));
  const char* const cure = last == batch ? "" : ": choose another batch, or drop_last = true";
  check(batch % pack == 0 && last % pack == 0, "fit: ", batches, ", which is not made of packs of ", pack, cure);
  this->train();
  {
    const NoGrad no_grad;
    const Trial<T> trial(*this);
    const Batch<T> real = in.reference(last);
    try {
      real.condition.check_rows("trainer", last);
      const Tensor<T> fake = generator_(generator_.draw(this->rng(), last), real.condition);
      const Tensor<T> shown = pack_samples(in_layout(real.samples, fake.shape()), pack);
      Tensor<T> score, extra;
      split(discriminator_(shown, pack_samples(real.condition, pack)), last / pack, score, extra);
    } catch (const Error& error) {
      fail("fit: tried with ", last, " of ", batches, cure, ": ", error.what());
    }
  }
  Game<T>::rehearse(in, last_step);
  check_schedule("trainer: instance_noise", options_.instance_noise, this->steps(), last_step - 1, this->horizon());
}

}  // namespace gan
