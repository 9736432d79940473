// PeriodicQuality: a callback that measures samples every so often and keeps the best checkpoint.
#pragma once

#include <algorithm>
#include <chrono>
#include <concepts>
#include <filesystem>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "gan/core/number.hpp"
#include "gan/io/atomic_file.hpp"
#include "gan/metrics/sliced_wasserstein.hpp"
#include "gan/train/checkpoint.hpp"
#include "gan/train/fit.hpp"
#include "gan/train/trainer.hpp"

namespace gan {

template <std::floating_point T>
struct PeriodicQualityOptions {
  /// Of samples [n, ...]: the lower, the better. Empty: the sliced Wasserstein distance to `held_out`.
  std::function<double(const Tensor<T>& samples)> measure{};
  Tensor<T> held_out{};  ///< items [m, ...] that are not trained on; undefined: items of the source
  Index samples = 1000;  ///< to measure, of a pair, always of the same noise; of other games what they show
  /// Steps from one measurement to the next; 0: as often as takes at most `share` of the time, which the clock decides.
  Index every = 0;
  double share = 0.03;
  std::filesystem::path best{};                ///< file for the checkpoint of the best measurement; empty: none is kept
  std::map<std::string, std::string> notes{};  ///< for that file's metadata
  Index patience = 0;                          ///< measurements without a better one that end the run; 0: none do
};

/// Measures at the start, every so often, and at the end. What is measured changes nothing of the training but its end,
/// when `patience` is given; with `every` given, too, a run is the same each time.
///
///     gan::PeriodicQuality<float> quality({.held_out = test_images, .best = "run/best.safetensors"});
///     trainer.fit(loader, {.epochs = 20}, quality);
///
/// Throws, before the first step, for a measure that is NaN, when there is nothing to measure, and when the file's
/// folder is in use or cannot be written to; in the run, for NaN.
template <std::floating_point T = float>
class PeriodicQuality : public Callback<T> {
 public:
  using Options = PeriodicQualityOptions<T>;
  struct Measurement {
    Index step;
    double value;
  };

  /// Throws for options out of range.
  explicit PeriodicQuality(Options options) : options_(std::move(options)) {
    check(options_.samples >= 2 && options_.every >= 0 && options_.patience >= 0 && is_finite(options_.share) &&
              options_.share > 0 && options_.share <= 1,
          "periodic quality: ", options_.samples, " samples, every ", options_.every, " steps, share ", options_.share,
          ", patience ", options_.patience, ", expected 2 samples or more, 0 or more steps, a share in (0, 1]");
  }

  void on_start(Run<T>& run) override {
    began_ = Clock::now();
    if (!options_.best.empty()) find_best(run);
    measure(run);
  }
  void on_step(Run<T>& run) override {
    if (options_.every > 0 ? run.game.steps() % options_.every == 0 : affordable()) measure(run);
  }
  void on_end(Run<T>& run) override {
    if (!run.not_finite && run.game.steps() != history_.back().step) measure(run);
  }

  const std::vector<Measurement>& history() const { return history_; }
  /// The lowest so far, at the step that it was measured (0: in an earlier run).
  const Measurement& best() const { return best_; }

 private:
  using Clock = std::chrono::steady_clock;
  static double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
  }

  // What an earlier part of the run has found, and whether better can be saved.
  void find_best(Run<T>& run) {
    const auto& file = options_.best;
    const std::filesystem::path folder = file.has_parent_path() ? file.parent_path() : ".";
    check_writable_folder(folder);
    run.lock(folder);
    if (!std::filesystem::exists(file)) return;
    check(run.game.steps() > 0, file.string(), ": holds the best of an earlier run, and this one begins at step 0");
    const auto notes = load_safetensors<T>(file).metadata;
    if (const auto earlier = notes.find("quality"); earlier != notes.end())
      best_ = {0, to_number(earlier->second).value_or(best_.value)};
  }

  // Whether one more measurement, as long as the mean of those so far, leaves their share where it must be.
  bool affordable() const {
    const double each = taken_ / static_cast<double>(history_.size());
    return taken_ + each <= options_.share * seconds_since(began_);
  }

  Tensor<T> draw(Run<T>& run) const {
    if (auto* trainer = dynamic_cast<Trainer<T>*>(&run.game)) {
      Rng rng(0, 0x7175616c697479);
      auto& generator = trainer->generator();
      const auto z = generator.draw(rng, options_.samples);
      if (generator.classes() > 0 || trainer->fixed_condition().empty())
        return trainer->sample(z, generator.draw_condition(rng, options_.samples));
    }
    const auto shown = run.game.samples();
    check(!shown.empty(), "periodic quality: the game shows no samples to measure");
    return shown.front();
  }

  double value_of(Run<T>& run, const Tensor<T>& samples) {
    const NoGrad no_grad;
    if (options_.measure) return options_.measure(samples);
    if (!options_.held_out.defined())
      options_.held_out = run.source.reference(std::min(options_.samples, run.source.items())).samples;
    Rng rng(0, 0x776173736572);
    return sliced_wasserstein(rng, flatten(options_.held_out), flatten(samples));
  }

  void measure(Run<T>& run) {
    const auto start = Clock::now();
    const double value = value_of(run, draw(run));
    check(!is_nan(value), "periodic quality: the measure of ", options_.samples, " samples is NaN after step ",
          run.game.steps());
    history_.push_back({run.game.steps(), value});
    if (value < best_.value) {
      best_ = history_.back();
      since_best_ = 0;
      if (!options_.best.empty() && run.game.steps() > 0) save(run);
    } else if (options_.patience > 0 && ++since_best_ >= options_.patience) {
      run.stop("no better samples in " + std::to_string(since_best_) + " measurements");
    }
    taken_ += seconds_since(start);
  }

  void save(Run<T>& run) const {
    auto notes = options_.notes;
    notes["quality"] = number_text(best_.value);
    save_checkpoint<T>(options_.best, run.game, &run.source, notes);
  }

  Options options_;
  std::vector<Measurement> history_;
  Measurement best_{0, std::numeric_limits<double>::infinity()};
  Index since_best_ = 0;
  Clock::time_point began_{};
  double taken_ = 0;
};

}  // namespace gan
