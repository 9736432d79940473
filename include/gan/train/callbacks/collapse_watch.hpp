// CollapseWatch: a callback that notices when training collapses, and says so in words.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <concepts>
#include <cstdio>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "gan/core/finite.hpp"
#include "gan/core/number.hpp"
#include "gan/nn/module.hpp"
#include "gan/ops/condition.hpp"
#include "gan/train/fit.hpp"
#include "gan/train/trainer.hpp"

namespace gan {

/// When the watch measures, and from where on it warns. The limits are far from what runs that go well show, so that a
/// warning means something.
struct CollapseWatchOptions {
  Index every = 50;    ///< steps from one measurement to the next: at 50 the watch takes less than 1 % of the time
  Index samples = 32;  ///< generated and real samples that are compared, 496 pairs of each
  /// Measurements in a row that must be bad before a warning: every run passes through poor states, also at its start.
  Index patience = 6;
  /// Mean distance between generated samples, as a share of that between real ones. In runs that go well it is 0.5 to
  /// 1.6 from the first measurement on (MLP pair, drawn digits), after a collapse to one sample 0.
  double min_diversity = 0.3;
  /// The discriminator rejects all when D(G(z)) is below `min_fake_score` while D(x) is far above it, or when its own
  /// loss is below `min_fake_score`, as is that of a hinge or relativistic one: the generator learns little from
  /// either.
  double min_fake_score = 0.02;
  /// D(G(z)) - D(x) above which the generator has the better of the discriminator, which is worse than guessing then.
  double max_score_gap = 0.1;
  /// Energy distance of samples and real ones, as a share of the distance between real samples: about 1 at the start
  /// and 0.1 after a few hundred steps on digits. Above this limit a discriminator that tells nothing apart has given
  /// up; below it, the game may be at its end.
  double max_energy_distance = 0.5;
  /// Energy distance that samples must be below after `settled` steps, whatever the scores.
  double max_settled_distance = 0.3;
  Index settled = 1000;
  double min_gradient_norm = 1e-6;  ///< of a network: steps of Adam are noise from its epsilon of 1e-8 on
  double max_gradient_norm = 1e4;   ///< likewise; one such gradient spoils the weights or the optimizer's moments
  std::FILE* out = stderr;          ///< where warnings go; null: nowhere
  std::function<void(const std::string&)> sink{};  ///< is given the warnings in the place of `out`
};

/// Measures, every few steps, how much samples differ, the norms of both networks' gradients, the scores, and which
/// weights have changed, and warns once an episode, in words, with the numbers and what to try:
///
///     warning: step 1200: all samples alike: ...
///     warning: step 1200: the discriminator wins: ...
///
/// An episode ends when the measurement is good again. Warnings are kept in `warnings()` for programs. The watch
/// changes nothing: a run has the same bits with it and without. Real samples are augmented as the loader's batches
/// are. Throws before the first step when they have another size than generated ones. A Wasserstein critic has no
/// probabilities and a loss without a floor, so there the discriminator cannot win.
template <std::floating_point T = float>
class CollapseWatch : public Callback<T> {
 public:
  using Options = CollapseWatchOptions;
  enum class Kind {
    samples_alike,
    real_samples_alike,
    discriminator_wins,
    generator_wins,
    samples_far,
    gradients_vanish,
    gradients_explode,
    weights_stand_still
  };
  struct Warning {
    Kind kind;
    Index step;
    std::string text;  ///< "all samples alike: ..."
  };
  /// What was seen at `step`. Scores and losses are means over the steps since the measurement before; distances are
  /// Euclidean. Negative: not known, as diversity and energy distance are when all real samples are equal.
  struct Measurement {
    Index step = 0;
    double real_score = -1, fake_score = -1;  ///< D(x), D(G(z))
    double discriminator_loss = -1;           ///< without the penalty; may be below 0 for a critic
    double sample_distance = -1;              ///< mean distance of two samples
    double real_distance = -1;                ///< mean distance of two real ones
    double diversity = -1;                    ///< sample_distance / real_distance
    double energy_distance = -1;              ///< of samples and real ones, over real_distance
    double generator_gradient = -1;           ///< norm, before clipping
    double discriminator_gradient = -1;       ///< likewise
  };

  /// Throws for options out of range.
  explicit CollapseWatch(Options options = {});

  const std::vector<Warning>& warnings() const { return warnings_; }
  const Measurement& last() const { return last_; }

  Phase phase() const override { return Phase::show; }
  void on_start(Run<T>& run) override;
  void on_step(Run<T>& run) override;
  bool on_not_finite(Run<T>& run, const NotFinite& error) override;

 private:
  struct Episode {
    Index bad = 0;
    bool warned = false;
  };
  using Rows = Eigen::MatrixXd;  // a column a sample

  static Rows columns(const Tensor<T>& x) {
    const Index n = x.shape()[0];
    return x.view({n, x.size() / n}).matrix().template cast<double>().transpose();
  }
  static double mean_distance(const Rows& a, const Rows& b);
  static double mean_distance(const Rows& a);
  static std::string text(double value) { return general_text(value, 3); }
  Rows sample() const;
  void judge();
  void judge_gradient(const std::string& network, double norm, std::size_t slot);
  void judge_weights(const std::string& name, const Module<T>& network, std::size_t slot);
  // Whether to warn: `bad` for the patience's time, and not warned since it was last `good`.
  bool begins(std::size_t slot, bool bad, bool good, Index patience);
  void warn(Kind kind, Index step, const std::string& message);

  Options options_;
  Trainer<T>* trainer_ = nullptr;
  Condition<T> condition_;  // of the samples: that of the real ones, over again where there are fewer
  Rows real_;
  double real_distance_ = -1;
  Measurement sum_, last_;
  Index summed_ = 0;
  std::array<Episode, 12> episodes_;
  std::map<std::string, std::vector<T>> weights_;  // values of each at the last measurement
  std::vector<Warning> warnings_;
};

template <std::floating_point T>
CollapseWatch<T>::CollapseWatch(Options options) : options_(std::move(options)) {
  check(options_.every >= 1 && options_.patience >= 1, "collapse watch: every ", options_.every, " steps, patience ",
        options_.patience, ", expected 1 or more of each");
  check(options_.settled >= 0, "collapse watch: settled ", options_.settled, " steps, expected 0 or more");
  check(options_.samples >= 2 && options_.samples <= 4096, "collapse watch: ", options_.samples,
        " samples, expected 2 to 4096");
  bool limits = options_.max_gradient_norm > options_.min_gradient_norm;
  for (const double limit :
       {options_.min_diversity, options_.min_fake_score, options_.max_score_gap, options_.max_energy_distance,
        options_.max_settled_distance, options_.min_gradient_norm, options_.max_gradient_norm})
    limits = limits && !is_nan(limit) && limit >= 0;
  check(limits, "collapse watch: limits ", options_.min_diversity, ", ", options_.min_fake_score, ", ",
        options_.max_score_gap, ", ", options_.max_energy_distance, ", ", options_.min_gradient_norm, ", ",
        options_.max_gradient_norm, ", expected 0 or more and max_gradient_norm > min_gradient_norm");
}

template <std::floating_point T>
void CollapseWatch<T>::on_start(Run<T>& run) {
  auto* const trainer = dynamic_cast<Trainer<T>*>(&run.game);
  check(trainer != nullptr, "collapse watch: watches the pair of a Trainer, not a ", run.game.kind());
  Batch<T> reference = run.source.reference(std::min(options_.samples, run.source.items()));
  real_ = columns(reference.samples);
  std::vector<Index> rows(static_cast<std::size_t>(options_.samples));
  for (Index i = 0; i < options_.samples; ++i) rows[static_cast<std::size_t>(i)] = i % real_.cols();
  condition_ = gather(reference.condition, rows);
  if (trainer_ != trainer || last_.step > trainer->steps()) episodes_ = {};
  trainer_ = trainer;
  weights_.clear();
  const Index generated = sample().rows();
  check(real_.rows() == generated, "collapse watch: generated samples have ", generated, " values, real ones ",
        reference.samples.shape(), " have ", real_.rows(), ", after the loader's augmentations");
  real_distance_ = real_.cols() > 1 ? mean_distance(real_) : -1;
  summed_ = 0;
  if (begins(8, real_distance_ == 0, real_distance_ > 0, 1))
    warn(Kind::real_samples_alike, trainer->steps(),
         "real samples alike: the first " + std::to_string(real_.cols()) +
             " of them are equal. Look at what the loader was given, and at how its files were read.");
}

// Samples for the same latents every time, which leave no trace in the generator.
template <std::floating_point T>
auto CollapseWatch<T>::sample() const -> Rows {
  auto& generator = trainer_->generator();
  const RngState before = generator.rng().state();  // of one that draws in evaluation mode too
  Rng noise(0, 0x7761746368);
  Rows samples = columns(generator.sample(noise, options_.samples, condition_));
  generator.rng().set_state(before);
  return samples;
}

template <std::floating_point T>
void CollapseWatch<T>::on_step(Run<T>& run) {
  const StepResult& r = run.result;
  if (summed_++ == 0) sum_ = {.real_score = 0, .fake_score = 0, .discriminator_loss = 0};
  sum_.real_score += r["real_score"];
  sum_.fake_score += r["fake_score"];
  sum_.discriminator_loss += r["discriminator_loss"] - r["penalty"];
  if (r.step % options_.every != 0) return;
  const double n = static_cast<double>(std::exchange(summed_, 0));
  last_ = {.step = r.step,
           .real_score = sum_.real_score / n,
           .fake_score = sum_.fake_score / n,
           .discriminator_loss = sum_.discriminator_loss / n,
           .generator_gradient = r["generator_gradient"],
           .discriminator_gradient = r["discriminator_gradient"]};
  const Rows samples = sample();
  check(samples.rows() == real_.rows(), "collapse watch: generated samples have ", samples.rows(),
        " values, real ones ", real_.rows());
  last_.sample_distance = mean_distance(samples);
  last_.real_distance = real_distance_;
  if (real_distance_ > 0) {
    last_.diversity = last_.sample_distance / last_.real_distance;
    const double across = mean_distance(samples, real_);
    last_.energy_distance =
        std::max(0.0, 2 * across - last_.sample_distance - last_.real_distance) / last_.real_distance;
  }
  judge();
}

template <std::floating_point T>
bool CollapseWatch<T>::on_not_finite(Run<T>& run, const NotFinite& error) {
  const Index step = run.game.steps() + 1;
  std::string message = std::string("gradients explode: ") + error.what();
  if (last_.step > 0)
    message += "; at step " + std::to_string(last_.step) + " their norms were " + text(last_.generator_gradient) +
               " (generator) and " + text(last_.discriminator_gradient) + " (discriminator)";
  warn(Kind::gradients_explode, step,
       message +
           ". Go back to a checkpoint and try lower learning rates, clip_gradient_norm, spectral norm or a "
           "gradient penalty.");
  return false;
}

template <std::floating_point T>
double CollapseWatch<T>::mean_distance(const Rows& a, const Rows& b) {
  double sum = 0;
  for (Index i = 0; i < a.cols(); ++i) sum += (b.colwise() - a.col(i)).colwise().norm().sum();
  return sum / static_cast<double>(a.cols() * b.cols());
}

template <std::floating_point T>
double CollapseWatch<T>::mean_distance(const Rows& a) {
  double sum = 0;
  for (Index i = 1; i < a.cols(); ++i) sum += (a.leftCols(i).colwise() - a.col(i)).colwise().norm().sum();
  return 2 * sum / static_cast<double>(a.cols() * (a.cols() - 1));
}

template <std::floating_point T>
bool CollapseWatch<T>::begins(std::size_t slot, bool bad, bool good, Index patience) {
  Episode& episode = episodes_[slot];
  if (!bad) episode.bad = 0;
  if (good) episode.warned = false;
  if (!bad || ++episode.bad < patience || episode.warned) return false;
  return episode.warned = true;
}

template <std::floating_point T>
void CollapseWatch<T>::judge() {
  const Measurement& m = last_;
  const Options& o = options_;
  const std::string scores = "D(x) " + fixed_text(m.real_score, 2) + ", D(G(z)) " + fixed_text(m.fake_score, 2);
  const double gap = m.real_score - m.fake_score;

  if (is_finite(m.diversity) && m.diversity >= 0 &&
      begins(0, o.min_diversity > m.diversity, m.diversity > 1.5 * o.min_diversity, o.patience))
    warn(Kind::samples_alike, m.step,
         "all samples alike: two of them are " + text(m.sample_distance) + " apart on average, " +
             fixed_text(100 * m.diversity, 1) + " % of what real samples are (" + text(m.real_distance) +
             "). The generator has collapsed or ignores its noise. Try the relativistic-pairing objective with R1 and "
             "R2, packing (pack = 2), minibatch std dev in the discriminator, or a lower rate for the generator.");

  const auto wins = [&](double limit) {
    return m.discriminator_loss >= 0 &&
           ((m.fake_score < limit && gap > 0.7) || (m.discriminator_loss < limit && gap > 0.1));
  };
  if (begins(1, wins(o.min_fake_score), !wins(2 * o.min_fake_score), o.patience))
    warn(Kind::discriminator_wins, m.step,
         "the discriminator wins: " + scores + ", its loss " + text(m.discriminator_loss) +
             ", so the generator learns little. Try a penalty (R1) or spectral norm on the discriminator, instance "
             "noise, label smoothing (real_label 0.9), a lower rate for the discriminator or a smaller one.");

  if (begins(2, -gap > o.max_score_gap, -gap < 0.5 * o.max_score_gap, o.patience))
    warn(Kind::generator_wins, m.step,
         "the generator wins: " + scores +
             ": the discriminator takes samples for more real than real ones. Try a "
             "higher rate or more steps for the discriminator, a larger one, or a lower rate for the generator.");

  // A Wasserstein critic may keep its scores near 0 all the time; so is its loss then.
  const bool even = is_finite(m.energy_distance) && std::abs(gap) < 0.005 && m.discriminator_loss > 0.2;
  if (begins(3, even && m.energy_distance > o.max_energy_distance,
             std::abs(gap) > 0.02 || m.energy_distance < 0.75 * o.max_energy_distance, o.patience))
    warn(Kind::generator_wins, m.step,
         "the discriminator has given up: " + scores + ", though samples are far from real ones (energy distance " +
             text(m.energy_distance) +
             " of the distance between real samples, 0 if they agreed). Try a higher rate "
             "or more steps for the discriminator, leaky activations, less penalty, noise and dropout in it.");

  const bool far = is_finite(m.energy_distance) && m.energy_distance > o.max_settled_distance;
  if (begins(9, far && m.step >= o.settled, m.energy_distance < 0.75 * o.max_settled_distance, o.patience))
    warn(Kind::samples_far, m.step,
         "samples stay far from real ones: energy distance " + text(m.energy_distance) +
             " of the distance between real samples, 0 if they agreed; " + scores +
             ". The generator learns little. Try the non-saturating objective, fewer steps or a lower rate for the "
             "discriminator, no batch norm in it with a penalty on gradients, or a higher rate for the generator.");

  judge_gradient("generator", m.generator_gradient, 4);
  judge_gradient("discriminator", m.discriminator_gradient, 6);
  judge_weights("generator", trainer_->generator(), 10);
  judge_weights("discriminator", trainer_->discriminator(), 11);
}

template <std::floating_point T>
void CollapseWatch<T>::judge_weights(const std::string& name, const Module<T>& network, std::size_t slot) {
  Index all = 0, still = 0;
  std::string names;
  for (const auto& parameter : network.parameters()) {
    // A bias has no gradient before a norm, nor after all where scores are compared with one another.
    if (!parameter.tensor.requires_grad() || parameter.tensor.shape().rank() < 2) continue;
    ++all;
    const Index size = parameter.tensor.size(), stride = std::max<Index>(1, size / 256);  // all would take too long
    std::vector<T> now;
    for (Index i = 0; i < size; i += stride) now.push_back(parameter.tensor.data()[i]);
    auto& before = weights_[name + "." + parameter.name];
    const bool same = before == now;
    before = std::move(now);
    if (same && ++still <= 3) names += (still > 1 ? ", " : "") + parameter.name;
  }
  if (begins(slot, still > 0, still == 0, options_.patience))
    warn(Kind::weights_stand_still, last_.step,
         std::to_string(still) + " of the " + name + "'s " + std::to_string(all) + " weights stand still: " + names +
             (still > 3 ? ", ..." : "") +
             ". Look for a learning rate of 0, a detach() in forward, and a layer that forward does not use.");
}

template <std::floating_point T>
void CollapseWatch<T>::judge_gradient(const std::string& network, double norm, std::size_t slot) {
  const bool finite = is_finite(norm);  // by its bits: comparisons with NaN mean nothing under -ffast-math
  if (finite && norm < 0) return;
  const Options& o = options_;
  const std::string found = "the norm of the " + network + "'s is " + text(norm) + ". ";
  if (begins(slot, finite && norm < o.min_gradient_norm, finite && norm > 10 * o.min_gradient_norm, o.patience))
    warn(Kind::gradients_vanish, last_.step,
         "gradients vanish: " + found +
             (network == "generator"
                  ? "Try the non-saturating objective in the place of minimax, a penalty (R1) or spectral norm on the "
                    "discriminator, or a lower rate for it."
                  : "Try leaky activations, he_normal initial weights, or a wider limit for clipped weights."));
  // One is enough, since few survive the next.
  if (begins(slot + 1, !finite || norm > o.max_gradient_norm, finite && norm < 0.1 * o.max_gradient_norm, 1))
    warn(Kind::gradients_explode, last_.step,
         "gradients explode: " + found +
             "Try lower learning rates, clip_gradient_norm, spectral norm or a gradient "
             "penalty.");
}

template <std::floating_point T>
void CollapseWatch<T>::warn(Kind kind, Index step, const std::string& message) {
  warnings_.push_back({kind, step, message});
  const std::string line = "warning: step " + std::to_string(step) + ": " + message;
  if (options_.sink) return options_.sink(line);
  if (!options_.out) return;
  if (isatty(fileno(options_.out))) std::fputs("\r\033[K", options_.out);  // the line of a progress bar
  std::fprintf(options_.out, "%s\n", line.c_str());
  std::fflush(options_.out);
}

}  // namespace gan
