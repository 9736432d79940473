// The figures by which judges tell samples from real images, and their floor: what other real images get.
#pragma once

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <gan/gan.hpp>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "judges.hpp"

namespace gan::bench {

/// Samples, and which class was asked for, where that is known.
struct Samples {
  Dataset<float> images;
  std::string name;

  bool labelled() const { return images.has_labels(); }
};

/// One number about samples, by the name that tables and JSON give it.
struct FigureKind {
  const char* name;
  const char* meaning;
  bool labelled;  ///< of samples with the class that was asked for
};

inline const std::vector<FigureKind> figure_kinds{
    {"frechet", "Frechet distance of the judge's features to those of the test images", false},
    {"kernel", "kernel distance, times 1000", false},
    {"precision", "share of samples among the real images: quality", false},
    {"recall", "share of real images among the samples: variety", false},
    {"density", "quality, 1 is that of real images", false},
    {"coverage", "variety", false},
    {"apart", "mean distance of a sample to the nearest other sample, over the same of test images", false},
    {"twins", "share of samples that another sample equals", false},
    {"odd", "share farther from all test images than all but one in a thousand of those from one another", false},
    {"score", "classifier score, at most the number of classes", false},
    {"rarest", "share of the rarest class", false},
    {"divergence", "KL of the shares of classes from the test images', in nats", false},
    {"asked", "share of samples recognized as the class asked for", true},
    {"worst", "the same of the class that is recognized least", true},
    {"within", "mean Frechet distance within each class asked for", true}};

/// Values by name; those of labelled samples are missing without labels.
using Figures = std::map<std::string, double>;

/// A judge and what it sees in the test images.
class Reference {
 public:
  Reference(Judge& judge, const JudgeData& data) : judge_(judge), data_(data), real_(judge.look(data.test)) {
    const double features = static_cast<double>(real_.features.size());
    scale_ = std::sqrt(features / std::max(1e-30, static_cast<double>(sum(square(real_.features)).item())));
    auto radii = nearest_others(real_.features);
    apart_ = std::accumulate(radii.begin(), radii.end(), 0.0) / static_cast<double>(radii.size());
    const auto at = radii.begin() + std::ssize(radii) - 1 - std::ssize(radii) / 1000;
    std::nth_element(radii.begin(), at, radii.end());
    far_ = *at;
    for (Index c = 0; c < data.test.classes(); ++c) by_class_.push_back(rows_of(real_.features, data.test.labels(), c));
  }

  Judge& judge() const { return judge_; }
  Index features() const { return real_.features.shape()[1]; }
  Index test_images() const { return data_.test.size(); }

  /// Throws for fewer than 100 samples and for images of another size.
  Figures measure(const Samples& samples) const {
    const auto& images = samples.images;
    check(images.item_shape() == data_.test.item_shape(), samples.name, ": images ", images.item_shape(), ", expected ",
          data_.test.item_shape(), " as in ", data_.name);
    check(images.size() >= 100, samples.name, ": ", images.size(), " samples, expected at least 100");
    const Look seen = judge_.look(images);
    Figures f;
    Rng rng(1);
    f["frechet"] = frechet_distance(real_.features, seen.features);
    const auto kernel = kernel_distance(rng, scale_ * real_.features, scale_ * seen.features);
    f["kernel"] = 1000 * kernel.value;
    f["kernel_error"] = 1000 * kernel.error;
    const Prdc p = prdc(real_.features, seen.features);
    f["precision"] = p.precision;
    f["recall"] = p.recall;
    f["density"] = p.density;
    f["coverage"] = p.coverage;
    const auto others = nearest_others(seen.features);
    f["apart"] = std::accumulate(others.begin(), others.end(), 0.0) / static_cast<double>(others.size()) / apart_;
    f["twins"] =
        static_cast<double>(std::count_if(others.begin(), others.end(), [&](double d) { return d < 1e-4 * apart_; })) /
        static_cast<double>(others.size());
    const auto distances = nearest(seen.features, real_.features).distance;
    f["odd"] =
        static_cast<double>(std::count_if(distances.begin(), distances.end(), [&](double d) { return d > far_; })) /
        static_cast<double>(distances.size());
    f["score"] = classifier_score(seen.probabilities);
    const Index named = seen.probabilities.shape()[1];  // by the judge; the images compared may have no labels
    const auto found = shares(seen.classes, named);
    f["rarest"] = *std::min_element(found.begin(), found.end());
    f["divergence"] = class_divergence(found, shares(real_.classes, named));
    if (samples.labelled()) add_labelled(f, samples, seen);
    return f;
  }

  static std::vector<double> shares(const std::vector<Index>& classes, Index count) {
    std::vector<double> all(static_cast<std::size_t>(count), 0);
    for (const Index c : classes) all[static_cast<std::size_t>(c)] += 1 / static_cast<double>(classes.size());
    return all;
  }

 private:
  /// The distance of each row to the nearest other one.
  static std::vector<double> nearest_others(const Tensor<float>& features) {
    auto radii = detail::squared_radii(detail::features("apart", "features", features, 2), 1);
    for (double& radius : radii) radius = std::sqrt(radius);
    return radii;
  }

  template <class Labels>
  static Tensor<float> rows_of(const Tensor<float>& features, const Labels& labels, Index c) {
    std::vector<Index> rows;
    for (std::size_t i = 0; i < labels.size(); ++i)
      if (labels[i] == c) rows.push_back(static_cast<Index>(i));
    if (rows.empty()) return Tensor<float>::zeros({0, features.shape()[1]});
    const NoGrad no_grad;
    return gather(features, std::move(rows));
  }

  void add_labelled(Figures& f, const Samples& samples, const Look& seen) const {
    const auto labels = samples.images.labels();
    const Index classes = data_.test.classes();
    check(samples.images.classes() <= classes, samples.name, ": labels of ", samples.images.classes(),
          " classes, expected at most ", classes);
    std::vector<double> right(static_cast<std::size_t>(classes), 0), all = right;
    for (std::size_t i = 0; i < labels.size(); ++i) {
      const auto c = static_cast<std::size_t>(labels[i]);
      all[c] += 1;
      right[c] += seen.classes[i] == labels[i] ? 1 : 0;
    }
    double total = 0, worst = 1, within = 0, counted = 0;
    for (Index c = 0; c < classes; ++c) {
      const auto at = static_cast<std::size_t>(c);
      total += right[at];
      if (all[at] > 0) worst = std::min(worst, right[at] / all[at]);
      if (all[at] < 2) continue;
      within += frechet_distance(by_class_[at], rows_of(seen.features, labels, c));
      counted += 1;
    }
    f["asked"] = total / static_cast<double>(labels.size());
    f["worst"] = worst;
    f["within"] = within / counted;
  }

  Judge& judge_;
  const JudgeData& data_;
  Look real_;
  std::vector<Tensor<float>> by_class_;
  double apart_ = 1, far_ = 0, scale_ = 1;  // of features: their mean square is 1 for the kernel distance
};

/// What n real images get that a judge has not learned: the mean of six draws from them, and how much n images deviate.
struct Floor {
  Index images = 0;  ///< that were drawn from
  Figures mean, deviation;
};

inline Figures mean_of(const std::vector<Figures>& all) {
  Figures mean;
  for (const auto& [name, first] : all.front()) {
    double sum = 0;
    for (const auto& one : all) sum += one.at(name);
    mean[name] = sum / static_cast<double>(all.size());
  }
  return mean;
}

/// Of single values; 0 for one value.
inline Figures deviation_of(const std::vector<Figures>& all) {
  const Figures mean = mean_of(all);
  Figures deviation;
  for (const auto& [name, middle] : mean) {
    double squares = 0;
    for (const auto& one : all) squares += (one.at(name) - middle) * (one.at(name) - middle);
    deviation[name] = all.size() > 1 ? std::sqrt(squares / static_cast<double>(all.size() - 1)) : 0;
  }
  return deviation;
}

/// The floor of n samples, kept beside the judge. Throws for fewer than 1.5 n images, and for a file there that is
/// spoiled.
inline Floor measure_floor(const Reference& reference, const JudgeData& data, Index n) {
  const std::string key = std::to_string(n) + "-" + std::to_string(figure_kinds.size()) + "-" +
                          std::to_string((data.unseen.fingerprint() ^ data.test.fingerprint()) % 1000000007);
  const auto path = std::filesystem::path(reference.judge().path()).replace_extension(".floor-" + key + ".json");
  if (std::ifstream in{path}) {
    try {
      const auto kept = nlohmann::json::parse(in);
      return {kept.at("images").get<Index>(), kept.at("mean").get<Figures>(), kept.at("deviation").get<Figures>()};
    } catch (const nlohmann::json::exception& error) {
      fail(path.string(), ": spoiled, remove it: ", error.what());
    }
  }
  const Index images = data.unseen.size();
  check(2 * images >= 3 * n, data.name, ": ", images,
        " training images that judges do not learn, too few for a floor of ", n,
        " samples, which takes 1.5 times as many");
  std::vector<Figures> all;
  Rng rng(1, 0x666c6f6f72);
  for (int draw = 0; draw < 6; ++draw) {
    auto rows = rng.permutation(images);
    rows.resize(static_cast<std::size_t>(n));
    all.push_back(reference.measure({data.unseen.subset(rows), "training images"}));
  }
  Floor floor{images, mean_of(all), deviation_of(all)};
  // Draws without replacement from a finite set deviate less than sets do.
  for (auto& [name, value] : floor.deviation)
    value /= std::sqrt(1 - static_cast<double>(n) / static_cast<double>(images));
  const std::string text =
      nlohmann::json{{"images", floor.images}, {"mean", floor.mean}, {"deviation", floor.deviation}}.dump(1);
  AtomicFile file(path);
  file.write(text.data(), text.size());
  file.commit();
  return floor;
}

/// What a figure of n samples may be off by chance: what so many training images deviate, and no less than what
/// counting n samples does to shares, and 2 % of others.
inline double standard_error(const Floor& floor, const std::string& name, Index n, Index classes) {
  const double mean = floor.mean.at(name), count = static_cast<double>(n);
  double least = 0.02 * std::abs(mean);
  for (const char* share : {"precision", "recall", "coverage", "twins", "odd", "rarest", "asked", "worst"})
    if (name == share) {
      const double p = std::clamp(mean, 1 / count, 1 - 1 / count);
      least = std::sqrt(p * (1 - p) / count);
    }
  if (name == "divergence") least = std::sqrt(2.0 * static_cast<double>(classes)) / (2 * count);
  return std::max(floor.deviation.at(name), least) * std::sqrt(1 + count / static_cast<double>(floor.images));
}

/// The judges of some data, what each has seen of its test images, and its floor for that many samples.
class Jury {
 public:
  struct Member {
    std::unique_ptr<Judge> judge;
    std::unique_ptr<Reference> reference;
    Floor floor;

    /// Frechet distance as a multiple of the floor.
    double multiple(const Figures& f) const { return f.at("frechet") / floor.mean.at("frechet"); }
  };

  Jury(JudgeData data, const std::filesystem::path& cache, Index samples) : Jury(data, data, cache, samples) {}
  /// Judges that were trained on `all` compare with `part` of it.
  Jury(const JudgeData& all, JudgeData part, const std::filesystem::path& cache, Index samples)
      : data_(std::move(part)) {
    for (auto& judge : make_judges(all, cache)) {
      auto reference = std::make_unique<Reference>(*judge, data_);
      const Floor floor = measure_floor(*reference, data_, samples);
      members_.push_back({std::move(judge), std::move(reference), floor});
    }
  }
  Jury(const Jury&) = delete;
  Jury& operator=(const Jury&) = delete;

  const JudgeData& data() const { return data_; }
  const std::vector<Member>& members() const { return members_; }

 private:
  JudgeData data_;
  std::vector<Member> members_;
};

/// Whether samples repeat training images: of up to 2,000 of them, by pixels.
struct Memorizing {
  double nearer = 0;    ///< share whose nearest image, of all training and held-out ones, is a training image
  double expected = 0;  ///< the share of training images among those
  double error = 0;     ///< standard error of `nearer` for samples that know neither
  std::vector<Index> sample, training, test;  ///< the nearest to training images first: their numbers
};

inline Memorizing measure_memorizing(const Samples& samples, const Dataset<float>& training,
                                     const Dataset<float>& test) {
  const NoGrad no_grad;
  const auto flat = [](const Dataset<float>& images, Index n) { return flatten(images.gather(range(0, n))); };
  const Index n = std::min<Index>(2000, samples.images.size());
  const auto x = flat(samples.images, n);
  const Nearest seen = nearest(x, flat(training, training.size())), held_out = nearest(x, flat(test, test.size()));
  Memorizing result;
  result.sample = range(0, n);
  for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i)
    result.nearer += seen.distance[i] < held_out.distance[i] ? 1 / static_cast<double>(n) : 0;
  const double known = static_cast<double>(training.size()), unknown = static_cast<double>(test.size());
  result.expected = known / (known + unknown);
  result.error = std::sqrt(result.expected * (1 - result.expected) / static_cast<double>(n));
  std::stable_sort(result.sample.begin(), result.sample.end(), [&](Index a, Index b) {
    return seen.distance[static_cast<std::size_t>(a)] < seen.distance[static_cast<std::size_t>(b)];
  });
  for (const Index i : result.sample) {
    result.training.push_back(seen.index[static_cast<std::size_t>(i)]);
    result.test.push_back(held_out.index[static_cast<std::size_t>(i)]);
  }
  return result;
}

}  // namespace gan::bench
