// What mnist trains: its networks, and the losses and rates that suit each. The benchmarks time the same.
#pragma once

#include <cstdint>
#include <gan/gan.hpp>
#include <memory>
#include <string>
#include <vector>

#include "networks.hpp"

/// Options of the pair. What is left open is what suits the model.
struct PairOptions {
  std::string model = "image";
  std::string objective{};
  std::string penalty{};
  std::string labels = "projection";
  bool spectral_norm = false;
  double real_label = 1;
  double rate = 0;                ///< of the generator
  double discriminator_rate = 0;  ///< 0: of image four times the generator's, else the same
  gan::Index batch = 0;
  // Of image alone:
  gan::Index width = 32, discriminator_width = 0, blocks = 1, latent = 64;
  double average = 0.1;        ///< relative width of the average
  double output_slope = 0.05;  ///< of the generator's values beyond [-1, 1]
};

/// image: the library's pair for images. mlp: dense layers only. dcgan: the convolutional pair of TensorFlow's
/// tutorial. dcgan-small: a smaller one for minutes on a CPU. With labels, the generator is told the digit, and the
/// discriminator judges it (projection) or names it (ac-gan).
inline Networks make_networks(gan::Rng& rng, const PairOptions& options, const gan::Shape& image = {28, 28, 1},
                              gan::Index number_of_classes = 10) {
  const std::string& model = options.model;
  const gan::Index classes = options.labels == "none" ? 0 : number_of_classes;
  const auto head = options.labels == "ac-gan" ? gan::ClassHead::auxiliary : gan::ClassHead::projection;
  const bool spectral_norm = options.spectral_norm;
  if (model == "image")
    return {std::make_unique<gan::ImageGenerator<float>>(
                rng, gan::ImageGeneratorOptions<float>{.image = image,
                                                       .classes = classes,
                                                       .latent = options.latent,
                                                       .width = options.width,
                                                       .blocks = options.blocks,
                                                       .output_activation =
                                                           gan::activation::hard_tanh(options.output_slope)}),
            std::make_unique<gan::ImageDiscriminator<float>>(
                rng, gan::ImageDiscriminatorOptions{
                         .image = image,
                         .classes = classes,
                         .class_head = head,
                         .width = options.discriminator_width > 0 ? options.discriminator_width : options.width})};
  gan::check(image == gan::Shape{28, 28, 1}, "model ", model, ": images ", image, ", expected [28, 28, 1]");
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
  gan::check(model == "dcgan-small", "no model is named \"", model, "\", expected image, mlp, dcgan or dcgan-small");
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

inline void set_defaults(PairOptions& options) {
  const bool image = options.model == "image", small = options.model == "dcgan-small";
  if (options.objective.empty()) options.objective = image ? "hinge" : "non-saturating";
  if (options.penalty.empty())
    options.penalty = small && options.objective == "non-saturating" ? "lazy-r1:0.2" : "none";
  if (options.rate == 0) options.rate = image ? 1e-3 : small ? 7e-4 : 2e-4;
  if (options.batch == 0) options.batch = image ? gan::image_recipe_batch : small ? 32 : 128;
}

inline gan::TrainerOptions<float> trainer_options(const PairOptions& options, std::uint64_t seed) {
  const bool image = options.model == "image";
  const double own_rate = options.discriminator_rate,
               discriminator_rate = own_rate > 0 ? own_rate : (image ? 4 : 1) * options.rate;
  gan::TrainerOptions<float> all;
  if (image) {
    all = gan::image_recipe<float>(seed, options.rate);
    all.average = gan::PowerAverageOptions{.relative_width = options.average};
    all.discriminator_optimizer = gan::AdamOptions{.learning_rate = discriminator_rate, .beta1 = 0, .beta2 = 0.99};
  } else {
    all.generator_optimizer = gan::AdamOptions{.learning_rate = options.rate};
    all.discriminator_optimizer = gan::AdamOptions{.learning_rate = discriminator_rate};
    all.average = gan::MovingAverageOptions{.decay = options.model == "dcgan-small" ? 0.998 : 0.995};
    all.seed = seed;
  }
  all.objective = gan::objective_named<float>(options.objective, options.real_label);
  all.penalty = gan::penalty_named<float>(options.penalty);
  all.samples = 100;
  if (options.labels == "ac-gan") {
    all.generator_terms = class_terms(false);
    all.discriminator_terms = class_terms(true);
  }
  return all;
}
