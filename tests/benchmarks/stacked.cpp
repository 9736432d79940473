// Stacked MNIST: how many of 1,000 modes a generator finds (VEEGAN, Srivastava et al., 2017; PacGAN, Lin et al., 2018).
//
//   stacked --minutes 60 --out stacked-run         # again with --resume after Ctrl-C
//
// 128,000 images of three random training digits, one a color; the image pair, without labels. Of 26,000 samples a
// judge of quality names the digit in each color: 1,000 modes, as frequent as each other in the data. Printed are the
// number of modes found and the KL divergence of their frequencies from equal ones, in nats.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <gan/gan.hpp>
#include <string>
#include <vector>

#include "experiment.hpp"
#include "run_options.hpp"

using gan::Index;
using namespace gan::bench;

namespace {

/// n images [h, w, 3], each color a random one of the images [h, w, 1] in the range of bytes.
gan::Dataset<float> stack(const gan::Dataset<float>& digits, Index n, std::uint64_t seed) {
  const gan::Shape& item = digits.item_shape();
  const Index pixels = item[0] * item[1];
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(n * pixels * 3));
  const auto all = gan::to_bytes(digits.gather(range(0, digits.size())));
  gan::Rng rng(seed, 0x737461636b);
  for (Index i = 0; i < n; ++i)
    for (Index color = 0; color < 3; ++color) {
      const Index from = rng.integer(0, digits.size()) * pixels;
      for (Index p = 0; p < pixels; ++p)
        bytes[static_cast<std::size_t>((i * pixels + p) * 3 + color)] = all[static_cast<std::size_t>(from + p)];
    }
  return gan::Dataset<float>::from_bytes({item[0], item[1], 3}, std::move(bytes));
}

/// Samples [n, h, w, 3] of each of the 1,000 modes.
std::vector<double> count_modes(Judge& judge, const gan::Tensor<float>& samples) {
  std::vector<Index> mode(static_cast<std::size_t>(samples.shape()[0]), 0);
  const auto bytes = gan::to_bytes(samples);
  for (std::size_t color = 0; color < 3; ++color) {
    std::vector<std::uint8_t> one(bytes.size() / 3);
    for (std::size_t p = 0; p < one.size(); ++p) one[p] = bytes[3 * p + color];
    const auto seen = judge.look(gan::Dataset<float>::from_bytes({28, 28, 1}, std::move(one)));
    for (std::size_t i = 0; i < mode.size(); ++i) mode[i] = 10 * mode[i] + seen.classes[i];
  }
  std::vector<double> counts(1000, 0);
  for (const Index m : mode) counts[static_cast<std::size_t>(m)] += 1;
  return counts;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Stacked MNIST: modes found of 1,000, and how evenly."};
  std::filesystem::path data, cache = usual_cache();
  RunOptions run_options{.out = "stacked-run", .usual_minutes = 60};
  std::uint64_t seed = 1;
  Index images = 128000, samples = 26000, width = 32, latent = 128, batch = gan::image_recipe_batch;
  double rate = 1e-3;
  app.add_option("--data", data, "Folder with MNIST's files (else GAN_MNIST_DIR, else drawn digits)");
  app.add_option("--seed", seed, "Of data, weights and noise")->capture_default_str();
  app.add_option("--images", images, "Stacked training images")
      ->check(CLI::Range(1000, 1000000))
      ->capture_default_str();
  app.add_option("--samples", samples, "To count the modes of")
      ->check(CLI::Range(1000, 1000000))
      ->capture_default_str();
  app.add_option("--width", width, "Of both networks, as of mnist train")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  app.add_option("--latent", latent, "Length of the noise")->check(CLI::Range(1, 4096))->capture_default_str();
  app.add_option("--batch", batch, "Images a step")->check(CLI::Range(2, 4096))->capture_default_str();
  app.add_option("--rate", rate, "Learning rate of the generator; the discriminator's is four times that")
      ->check(CLI::Range(1e-8, 1.0))
      ->capture_default_str();
  app.add_option("--cache", cache, "Folder for the judges")->capture_default_str();
  run_options.add_to(app);
  CLI11_PARSE(app, argc, argv);
  try {
    if (const char* folder = std::getenv("GAN_MNIST_DIR"); data.empty() && folder) data = folder;
    run_options.choose_precision(true);
    gan::StoredOptions stored;
    stored.add("data", data).add("seed", seed).add("images", images).add("width", width).add("latent", latent);
    stored.add("batch", batch).add("rate", rate);
    run_options.begin(app, stored);

    const JudgeData digits = load_judge_data(data);
    gan::check(digits.training.item_shape() == gan::Shape{28, 28, 1} && digits.training.classes() == 10, digits.name,
               ": expected ten classes of images [28, 28, 1]");
    auto judges = make_judges(digits, cache);
    Judge& judge = *judges.back();
    gan::Rng rng(seed);
    gan::ImageGenerator<float> generator(rng, {.image = {28, 28, 3}, .latent = latent, .width = width});
    gan::ImageDiscriminator<float> discriminator(rng, {.image = {28, 28, 3}, .width = width});
    gan::Trainer<float> trainer(generator, discriminator, gan::image_recipe<float>(seed, rate));
    gan::Loader<float> loader(stack(digits.training, images, seed), {.batch = batch, .seed = seed});
    const auto fitted = run_options.fit(trainer, loader, {});
    gan::Rng noise(seed, 0x6d6f646573);
    const auto counts = count_modes(judge, trainer.sample(generator.draw(noise, samples)));
    const auto found = std::count_if(counts.begin(), counts.end(), [](double count) { return count > 0; });
    std::printf(
        "%lld of 1000 modes in %lld samples, KL %.3f, after %lld steps (%lld images), %.0f s of this run; judge "
        "\"%s\", "
        "%.2f %% right\n",
        static_cast<long long>(found), static_cast<long long>(samples),
        gan::class_divergence(counts, std::vector<double>(1000, 1.0)), static_cast<long long>(trainer.steps()),
        static_cast<long long>(trainer.steps() * batch), fitted.seconds, judge.name().c_str(), 100 * judge.accuracy());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "stacked: %s\n", error.what());
    return 1;
  }
}
