// Whether the judges see what is wrong: training images that they have not learned, spoiled in known ways, and samples
// of networks that are known to be poor.
#pragma once

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <gan/gan.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "experiment.hpp"
#include "spoil.hpp"

namespace gan::bench {

struct SelfTestOptions {
  std::filesystem::path cache;
  Index count = 10000;
  bool networks = true;
  std::uint64_t seed = 1;
};

/// Samples that are worse than real images, those of a family from the mildest on.
struct Spoiled {
  std::string family, name;
  Samples samples;
};

/// The variational autoencoder of the field's first examples, 784-400-20 (Kingma and Welling, 2013).
class DenseVae : public Game<float> {
 public:
  DenseVae(std::uint64_t seed, Index pixels)
      : Game(seed), encode_(this, "encode", pixels, 400), show_(this, "show", 400, pixels) {}
  void step(Source<float>& in) override {
    const auto x = flatten(in.next().samples), target = (x + 1) * 0.5;
    const auto code = code_(relu(encode_(x)));
    const auto mean = slice(code, 1, 0, 20), log_variance = slice(code, 1, 20, 40);
    const auto logits = show_(relu(decode_(reparameterize(rng(), mean, log_variance))));
    player_.descend(
        {{"reconstruction", bce_with_logits(logits, target, Reduction::sum) / static_cast<double>(x.shape()[0])},
         {"divergence", kl_to_standard_normal(mean, log_variance)}});
  }
  Tensor<float> sample(Rng& random, Index n) {
    const NoGrad no_grad;
    return 2 * sigmoid(show_(relu(decode_(normal<float>(random, {n, 20}))))) - 1;
  }

 private:
  Dense<float> encode_, code_{this, "code", 400, 40}, decode_{this, "decode", 20, 400}, show_;
  Player<float> player_{
      this, "vae", {&encode_, &code_, &decode_, &show_}, AdamOptions{.learning_rate = 1e-3, .beta1 = 0.9}};
};

/// Samples of a pair of `mnist`, without labels, after so many steps.
inline Dataset<float> pair_samples(const JudgeData& data, const std::string& model, Index count, Index steps,
                                   std::uint64_t seed) {
  Experiment e;
  e.pair.model = model;
  e.pair.labels = "none";
  e.seed = seed;
  e.steps = steps;
  std::optional<Dataset<float>> images;
  train(e, data.training, [&](Trainer<float>& trainer) {
    images = draw_samples(trainer, count, seed, data.training.item_shape()).images;
  });
  return *images;
}

inline std::vector<Spoiled> spoiled_samples(const SelfTestOptions& o, const JudgeData& data) {
  const auto& training = data.training;
  const auto& unseen = data.unseen;
  const Index n = o.count;
  const auto good = spoil::unlabelled(unseen.subset(range(0, n)));
  std::vector<Spoiled> all;
  const auto add = [&](std::string family, std::string name, Dataset<float> images) {
    all.push_back({std::move(family), name, {std::move(images), name}});
  };
  for (const double deviation : {0.05, 0.1, 0.2})
    add("noise", "noise " + number_text(deviation), spoil::noisy(good, deviation, o.seed));
  for (const int times : {1, 2}) add("blur", "blurred " + std::to_string(times) + " x", spoil::blurred(good, times));
  for (const int pixels : {1, 2}) add("shift", "shifted by " + std::to_string(pixels), spoil::shifted(good, pixels));
  add("turn", "turned by 10 degrees", spoil::turned(good, 10));
  add("binary", "binarized", spoil::binarized(good));
  const Index classes = training.classes();
  add("classes", "classes 2:1", spoil::chosen(unseen, n, [&](Index i) {
        return unseen.label(i) < classes / 2 || i % 2 == 0;  // the second half of the classes half as often
      }));
  add("missing", "one class missing",
      spoil::chosen(unseen, n, [&](Index i) { return unseen.label(i) != 3 % classes; }));
  add("repeats", "half of them twice", spoil::repeated(good, n, n / 2));
  add("repeats", "100 images repeated", spoil::repeated(good, n, 100));
  add("blank", "1 % blank", spoil::some_blank(good, 0.01));
  if (!o.networks) return all;
  {
    Loader<float> loader(training, {.batch = 128, .seed = o.seed});
    DenseVae vae(o.seed, training.item_shape().size());
    vae.fit(loader, {.epochs = 10});
    Rng rng(o.seed);
    const auto bytes = to_bytes(vae.sample(rng, n));
    add("vae", "VAE, 10 epochs", Dataset<float>::from_bytes(training.item_shape(), {bytes.begin(), bytes.end()}));
  }
  add("mlp", "MLP pair, 5 epochs", pair_samples(data, "mlp", n, training.size() * 5 / 128, o.seed));
  // About 150 and 20 seconds on two cores.
  for (const Index steps : {6000, 800})
    add("dcgan", "DCGAN, " + std::to_string(steps) + " steps", pair_samples(data, "dcgan-small", n, steps, o.seed));
  return all;
}

/// Prints the table; 1 when a judge orders a family wrongly or does not see that something is wrong, else 0.
inline int self_test(const SelfTestOptions& o, const JudgeData& data) {
  std::vector<Spoiled> spoiled = spoiled_samples(o, data);
  int failures = 0;
  const Jury jury(data, o.cache, o.count);
  for (const auto& member : jury.members()) {
    const auto& [judge, reference, floor] = member;
    std::printf("\njudge \"%s\": %.2f %% of the test images right, %lld samples\n\n", judge->name().c_str(),
                100 * judge->accuracy(), static_cast<long long>(o.count));
    std::printf(
        "| samples | x floor | precision | recall | coverage | apart | twins | odd | divergence | farthest off, "
        "standard "
        "errors |\n");
    std::printf("|---|---|---|---|---|---|---|---|---|---|\n");
    std::string family;
    double before = 0;
    const auto row = [&member = member](const std::string& name, const Figures& f, const std::string& off) {
      std::printf("| %s | %.2f | %.3f | %.3f | %.3f | %.3f | %.4f | %.4f | %.4f | %s |\n", name.c_str(),
                  member.multiple(f), f.at("precision"), f.at("recall"), f.at("coverage"), f.at("apart"), f.at("twins"),
                  f.at("odd"), f.at("divergence"), off.c_str());
      std::fflush(stdout);
    };
    row("training images", floor.mean, "");
    for (const auto& [own_family, name, samples] : spoiled) {
      const Figures f = reference->measure(samples);
      std::string farthest;
      double most = 0;
      for (const auto& kind : figure_kinds) {
        if (kind.labelled) continue;
        const double off = std::abs(f.at(kind.name) - floor.mean.at(kind.name)) /
                           standard_error(floor, kind.name, o.count, data.test.classes());
        if (off > most) most = off, farthest = kind.name;
      }
      std::string note;
      if (most < 5) note = " NOT SEEN", ++failures;
      if (own_family == family && f.at("frechet") <= before) note += " ORDERED WRONGLY", ++failures;
      row(name, f, farthest + " " + number_text(std::round(most * 10) / 10) + note);
      family = own_family;
      before = f.at("frechet");
    }
  }
  std::printf("\n%s\n", failures == 0 ? "Both judges order every family and see all that is wrong."
                                      : (std::to_string(failures) + " FAILURES").c_str());
  return failures == 0 ? 0 : 1;
}

}  // namespace gan::bench
