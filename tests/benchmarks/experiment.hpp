// One training of a pair of `mnist`, and what the judges say of its samples.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <gan/gan.hpp>
#include <memory>
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
  std::string precision = "highest";
  std::uint64_t seed = 1;
  Index steps = 0;
  double minutes = 0;
  Index samples = 10000;  ///< to judge
};

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

/// The judges with what they have seen of the data, and its floors.
class Bench {
 public:
  Bench(JudgeData data, const std::filesystem::path& cache, Index samples) : data_(std::move(data)) {
    judges_ = make_judges(data_, cache);
    for (auto& judge : judges_) {
      references_.push_back(std::make_unique<Reference>(*judge, data_));
      floors_.push_back(measure_floor(*references_.back(), data_, samples));
    }
  }
  const JudgeData& data() const { return data_; }

  std::map<std::string, Figures> measure(const Samples& samples) const {
    std::map<std::string, Figures> all;
    for (std::size_t i = 0; i < references_.size(); ++i) {
      auto figures = references_[i]->measure(samples);
      figures["x floor"] = figures.at("frechet") / floors_[i].mean.at("frechet");
      for (const char* share : {"precision", "recall", "coverage"})
        figures[std::string("x ") + share] = figures.at(share) / floors_[i].mean.at(share);
      all[judges_[i]->name()] = std::move(figures);
    }
    return all;
  }

 private:
  JudgeData data_;
  std::vector<std::unique_ptr<Judge>> judges_;
  std::vector<std::unique_ptr<Reference>> references_;
  std::vector<Floor> floors_;
};

/// n samples of the averaged generator as `mnist sample --out FILE.idx` writes them: bytes, and the classes asked for.
inline Samples draw_samples(Trainer<float>& trainer, Index n, std::uint64_t seed, const Shape& image) {
  Rng rng(seed, 0x6a75646765);
  const auto& generator = trainer.generator();
  const auto z = generator.draw(rng, n);
  const Condition<float> wanted = generator.draw_condition(rng, n);
  const auto bytes = to_bytes(trainer.sample(z, wanted));
  return {Dataset<float>::from_bytes(image, {bytes.begin(), bytes.end()}, wanted.labels), "samples"};
}

/// Trains, and lets the judges see the samples; a grid of them goes to `picture`, if given. The judges' time is not
/// counted. Throws before the training for options that do not fit.
inline Outcome run(const Experiment& e, const Bench& bench, const std::filesystem::path& picture = {}) {
  PairOptions options = e.pair;
  set_defaults(options);
  check(e.steps > 0 || e.minutes > 0, "experiment: ", e.steps, " steps, ", e.minutes, " minutes, expected one of them");
  const MatmulPrecision precision(precision_named(e.precision));
  const auto& training = bench.data().training;
  Rng rng(e.seed);
  const auto [generator, discriminator] =
      make_networks(rng, options, training.item_shape(), std::max<Index>(1, training.classes()));
  Loader<float> loader(training, {.batch = options.batch, .seed = e.seed});
  Trainer<float> trainer(*generator, *discriminator, trainer_options(options, e.seed));
  StopOnInterrupt interrupt;
  const auto fitted = trainer.fit(loader, {.steps = e.steps, .seconds = e.steps > 0 ? 0 : 60 * e.minutes}, interrupt);
  check(fitted.reason != "interrupted", "interrupted");
  if (!picture.empty()) write_grid(picture, trainer.samples(), {.columns = 10});
  Outcome outcome{trainer.steps(), trainer.steps() * options.batch, fitted.seconds, {}};
  outcome.by_judge = bench.measure(draw_samples(trainer, e.samples, e.seed, training.item_shape()));
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
