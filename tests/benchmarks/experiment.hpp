// One training of a pair of `mnist`, and what the judges say of its samples.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <gan/gan.hpp>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "figures.hpp"
#include "mnist_pair.hpp"

namespace gan::bench {

/// What is trained, and for how long: steps, or else minutes.
struct Experiment {
  PairOptions pair;
  std::string augment = "none";  ///< of what the discriminator sees: none, diffaugment, or ada
  std::string precision = "highest";
  std::uint64_t seed = 1;
  Index steps = 0;
  double minutes = 0;
  Index samples = 10000;  ///< to judge
};

/// The trainer's options. Throws for names that there are not, and values out of range.
inline TrainerOptions<float> options_of(const Experiment& e) {
  PairOptions pair = e.pair;
  set_defaults(pair);
  precision_named(e.precision);
  auto options = trainer_options(pair, e.seed);
  const bool adaptive = e.augment == "ada";
  check(e.augment == "none" || e.augment == "diffaugment" || adaptive, "augment \"", e.augment,
        "\", expected none, diffaugment or ada");
  if (e.augment != "none") options.views = {DiffAugment({.brightness = 0.5, .saturation = 0.5, .cutout = 0.25})};
  if (adaptive) options.adaptive_views = AdaptiveProbability{.images = 50000, .limit = 0.85};
  check_trainer_options(options);
  return options;
}

struct Outcome {
  Index steps = 0, images = 0;
  double seconds = 0;
  std::map<std::string, Figures> by_judge;  ///< with "x floor" among them

  double images_a_second() const { return static_cast<double>(images) / std::max(1e-9, seconds); }
  /// The larger of the judges' multiples of the floor.
  double worst_multiple() const {
    double worst = 0;
    for (const auto& [judge, figures] : by_judge) worst = std::max(worst, figures.at("x floor"));
    return worst;
  }
};

inline void to_json(nlohmann::json& json, const Outcome& o) {
  json = {{"steps", o.steps}, {"images", o.images}, {"seconds", o.seconds}, {"judges", o.by_judge}};
}
inline void from_json(const nlohmann::json& json, Outcome& o) {
  json.at("steps").get_to(o.steps);
  json.at("images").get_to(o.images);
  json.at("seconds").get_to(o.seconds);
  json.at("judges").get_to(o.by_judge);
}

/// Figures by judge, with multiples and shares of the floor's.
inline std::map<std::string, Figures> measure(const Jury& jury, const Samples& samples) {
  std::map<std::string, Figures> all;
  for (const auto& member : jury.members()) {
    Figures figures = member.reference->measure(samples);
    figures["x floor"] = member.multiple(figures);
    for (const char* share : {"precision", "recall", "coverage"})
      figures[std::string("x ") + share] = figures.at(share) / member.floor.mean.at(share);
    all[member.judge->name()] = std::move(figures);
  }
  return all;
}

/// A condition's samples as `mnist sample --out FILE.idx` writes them, in bytes, with the classes asked for.
inline Samples draw_samples(Trainer<float>& trainer, const Condition<float>& wanted, Index n, Rng& rng,
                            const Shape& image) {
  const auto bytes = to_bytes(trainer.sample(trainer.generator().draw(rng, n), wanted));
  return {Dataset<float>::from_bytes(image, {bytes.begin(), bytes.end()}, wanted.labels), "samples"};
}
/// n samples, the classes as frequent as in the data.
inline Samples draw_samples(Trainer<float>& trainer, Index n, std::uint64_t seed, const Shape& image) {
  Rng rng(seed, 0x6a75646765);
  const auto wanted = trainer.generator().draw_condition(rng, n);
  return draw_samples(trainer, wanted, n, rng, image);
}

/// Trains on these images and calls then(trainer) while the networks live; what that takes is not counted. Throws
/// before the training for options that do not fit, and after it when it was interrupted.
template <class F>
FitResult train(const Experiment& e, const Dataset<float>& images, const F& then) {
  PairOptions pair = e.pair;
  set_defaults(pair);
  if (!images.has_labels()) pair.labels = "none";
  check(e.steps > 0 || e.minutes > 0, "experiment: ", e.steps, " steps, ", e.minutes, " minutes, expected one of them");
  const auto options = options_of(e);
  const MatmulPrecision precision(precision_named(e.precision));
  Rng rng(e.seed);
  const auto [generator, discriminator] =
      make_networks(rng, pair, images.item_shape(), std::max<Index>(1, images.classes()));
  Loader<float> loader(images, {.batch = std::min(pair.batch, images.size()), .seed = e.seed});
  Trainer<float> trainer(*generator, *discriminator, options);
  StopOnInterrupt interrupt;
  const auto fitted = trainer.fit(loader, {.steps = e.steps, .seconds = e.steps > 0 ? 0 : 60 * e.minutes}, interrupt);
  check(fitted.reason != "interrupted", "interrupted");
  then(trainer);
  return fitted;
}

/// Trains on the jury's training images, and lets it see the samples; a grid of them goes to `picture`, if given.
inline Outcome run(const Experiment& e, const Jury& jury, const std::filesystem::path& picture = {}) {
  PairOptions pair = e.pair;
  set_defaults(pair);
  Outcome outcome;
  const auto fitted = train(e, jury.data().training, [&](Trainer<float>& trainer) {
    if (!picture.empty()) write_grid(picture, trainer.samples(), {.columns = 10});
    outcome.by_judge = measure(jury, draw_samples(trainer, e.samples, e.seed, jury.data().training.item_shape()));
  });
  outcome.steps = fitted.steps;
  outcome.images = fitted.steps * pair.batch;
  outcome.seconds = fitted.seconds;
  return outcome;
}

/// A heading and rows of a table in Markdown: means over seeds by judge, and the worst seed's multiple of the floor.
inline void print_heading(const char* first) {
  std::printf(
      "| %s | seeds | x floor, worse judge: mean (worst seed) | by judge | asked | precision, recall of the floor's | "
      "images | images/s |\n",
      first);
  std::printf("|---|---|---|---|---|---|---|---|\n");
}
inline void print_row(const std::string& name, const std::vector<Outcome>& all) {
  if (all.empty()) return;
  double worst = 0, images = 0, rate = 0;
  const double n = static_cast<double>(all.size());
  std::map<std::string, double> floors;
  double asked = 0, precision = 0, recall = 0, judges = 0;
  for (const auto& outcome : all) {
    worst = std::max(worst, outcome.worst_multiple());
    images += static_cast<double>(outcome.images) / n;
    rate += outcome.images_a_second() / n;
    for (const auto& [judge, f] : outcome.by_judge) {
      floors[judge] += f.at("x floor") / n;
      asked += f.contains("asked") ? f.at("asked") : 0;
      precision += f.at("x precision");
      recall += f.at("x recall");
      judges += 1;
    }
  }
  double mean = 0;
  std::string by_judge;
  for (const auto& [judge, floor] : floors) {
    mean = std::max(mean, floor);
    char text[64];
    std::snprintf(text, sizeof text, "%s%s %.2f", by_judge.empty() ? "" : ", ", judge.c_str(), floor);
    by_judge += text;
  }
  std::printf("| %s | %zu | **%.2f** (%.2f) | %s | %.3f | %.3f, %.3f | %.0fk | %.0f |\n", name.c_str(), all.size(),
              mean, worst, by_judge.c_str(), asked / judges, precision / judges, recall / judges, images / 1000, rate);
  std::fflush(stdout);
}

}  // namespace gan::bench
