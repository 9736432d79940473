// What mnist trains: its networks, and the losses and rates that suit each. The benchmarks time the same.
#pragma once

#include <cstdint>
#include <gan/gan.hpp>
#include <memory>
#include <string>
#include <vector>

struct Networks {
  std::unique_ptr<gan::Generator<float>> generator;
  std::unique_ptr<gan::Discriminator<float>> discriminator;
};

/// mlp: dense layers only. dcgan: the convolutional pair of TensorFlow's tutorial. dcgan-small: a smaller one for
/// minutes on a CPU. With labels, the generator is told the digit, and the discriminator judges it (projection) or
/// names it (ac-gan).
inline Networks make_networks(gan::Rng& rng, const std::string& model, const std::string& labels,
                              bool spectral_norm = false) {
  const gan::Index classes = labels == "none" ? 0 : 10;
  const auto head = labels == "ac-gan" ? gan::ClassHead::auxiliary : gan::ClassHead::projection;
  if (model == "mlp")
    return {std::make_unique<gan::MlpGenerator<float>>(rng, gan::MlpGenerator<float>::Options{.classes = classes}),
            std::make_unique<gan::MlpDiscriminator<float>>(
                rng, gan::MlpDiscriminator<float>::Options{
                         .classes = classes, .class_head = head, .spectral_norm = spectral_norm})};
  if (model == "dcgan")
    return {
        std::make_unique<gan::DcganGenerator<float>>(
            rng,
            gan::DcganGenerator<float>::Options{.classes = classes, .channels = {256, 128, 64}, .strides = {1, 2, 2}}),
        std::make_unique<gan::DcganDiscriminator<float>>(
            rng, gan::DcganDiscriminator<float>::Options{.classes = classes,
                                                         .class_head = head,
                                                         .channels = {64, 128},
                                                         .dropout = 0.3,
                                                         .spectral_norm = spectral_norm})};
  gan::check(model == "dcgan-small", "no model is named \"", model, "\", expected mlp, dcgan or dcgan-small");
  return {
      std::make_unique<gan::DcganGenerator<float>>(
          rng,
          gan::DcganGenerator<float>::Options{.latent = 64, .classes = classes, .channels = {128, 64}, .kernel = 4}),
      std::make_unique<gan::DcganDiscriminator<float>>(
          rng, gan::DcganDiscriminator<float>::Options{.classes = classes,
                                                       .class_head = head,
                                                       .width = 32,
                                                       .kernel = 4,
                                                       .spectral_norm = spectral_norm,
                                                       .minibatch_std_dev = true,
                                                       .hidden = {256}})};
}

/// What AC-GAN adds for both: that the digit is recognized, of real and of generated ones.
inline std::vector<gan::PairTerm<float>> class_terms(bool of_discriminator) {
  return {{"class", [of_discriminator](const gan::Pass<float>& pass) {
             const auto& labels = pass.condition.labels;
             const auto fake = gan::cross_entropy(pass.fake_extra, labels);
             return of_discriminator ? gan::cross_entropy(pass.real_extra, labels) + fake : fake;
           }}};
}

/// Options of the pair. What is left open is what suits the model.
struct PairOptions {
  std::string model = "dcgan-small";
  std::string objective = "non-saturating";
  std::string penalty;
  std::string labels = "projection";
  bool spectral_norm = false;
  double real_label = 1;
  double rate = 0;
  gan::Index batch = 0;
};

inline void set_defaults(PairOptions& options) {
  const bool small = options.model == "dcgan-small";
  if (options.penalty.empty())
    options.penalty = small && options.objective == "non-saturating" ? "lazy-r1:0.2" : "none";
  if (options.rate == 0) options.rate = small ? 7e-4 : 2e-4;
  if (options.batch == 0) options.batch = small ? 32 : 128;
}

inline gan::TrainerOptions<float> trainer_options(const PairOptions& options, std::uint64_t seed) {
  const bool names = options.labels == "ac-gan";
  return {.objective = gan::objective_named<float>(options.objective, options.real_label),
          .penalty = gan::penalty_named<float>(options.penalty),
          .generator_optimizer = gan::AdamOptions{.learning_rate = options.rate},
          .discriminator_optimizer = gan::AdamOptions{.learning_rate = options.rate},
          .generator_terms = names ? class_terms(false) : std::vector<gan::PairTerm<float>>(),
          .discriminator_terms = names ? class_terms(true) : std::vector<gan::PairTerm<float>>(),
          .average = gan::MovingAverageOptions{.decay = options.model == "dcgan-small" ? 0.998 : 0.995},
          .samples = 100,
          .seed = seed};
}
