// Trains a GAN on MNIST and samples from it.
//
//   mnist train --data DIR --epochs 10          pictures, losses.csv and a checkpoint in mnist-run/, mnist-run-2/ ...
//   mnist train --resume                        goes on where the newest stopped, also after Ctrl-C
//   mnist sample --model mnist-run/checkpoint.safetensors --count 100 --seed 1 --out digits.png
//   mnist sample --model mnist-run/checkpoint.safetensors --digit 7 --out sevens.png
//
// Expect D(x) and D(G(z)) on either side of 0.5, and legible digits, a row a digit, within the first epoch.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <gan/gan.hpp>
#include <string>
#include <vector>

#include "digits_data.hpp"
#include "mnist_pair.hpp"
#include "run_options.hpp"

namespace fs = std::filesystem;

namespace {

struct TrainOptions : PairOptions {
  fs::path data;
  std::uint64_t seed = 1;
  RunOptions run{.out = "mnist-run"};
};

struct SampleOptions {
  fs::path model;
  gan::Index count = 100, digit = -1;
  double truncation = 0;
  std::uint64_t seed = 1;
  fs::path out = "samples.png";
};

void train(TrainOptions& options, const CLI::App& app) {
  set_defaults(options);
  find_folder(options.data);
  RunOptions& run = options.run;
  run.choose_precision(options.model == "image");
  gan::StoredOptions stored;
  stored.add("model", options.model).add("objective", options.objective).add("penalty", options.penalty);
  stored.add("labels", options.labels)
      .add("spectral-norm", options.spectral_norm)
      .add("real-label", options.real_label)
      .add("rate", options.rate);
  stored.add("width", options.width).add("data", options.data).add("batch", options.batch).add("seed", options.seed);
  run.begin(app, stored);

  gan::Rng rng(options.seed);
  const auto [generator, discriminator] = make_networks(rng, options);
  gan::Loader<float> loader(load_digits(options.data), {.batch = options.batch, .seed = options.seed});
  gan::Trainer<float> trainer(*generator, *discriminator, trainer_options(options, options.seed));
  if (!run.resume) std::printf("%s\n%s\n", generator->summary().c_str(), discriminator->summary({28, 28, 1}).c_str());
  run.fit(trainer, loader, {.grid = {.columns = 10}}, gan::CollapseWatch());
  std::printf("Sample more with mnist sample --model %s\n", run.checkpoint().c_str());
}

void sample(const SampleOptions& options) {
  const auto notes = gan::load_safetensors<float>(options.model).metadata;
  gan::check(notes.contains("--model") && notes.contains("--labels"), options.model.string(),
             ": not a checkpoint of mnist train");
  gan::Rng rng(options.seed);
  PairOptions pair;
  pair.model = notes.at("--model");
  pair.labels = notes.at("--labels");
  if (notes.contains("--width")) pair.width = std::atoll(notes.at("--width").c_str());
  const auto generator = make_networks(rng, pair).generator;
  gan::load_generator(options.model, *generator);
  gan::check(options.digit < 0 || generator->classes() > 0, options.model.string(),
             ": was trained without labels, so that no digit can be asked for");
  const gan::LatentDistribution noise =
      options.truncation > 0 ? gan::latent::truncated_normal(options.truncation) : generator->distribution();
  const auto z = noise.draw<float>(rng, options.count, generator->latent());
  const bool picture = options.out.extension() != ".idx";
  gan::Condition<float> wanted = generator->draw_condition(rng, options.count);
  for (std::size_t i = 0; i < wanted.labels.size(); ++i) {
    if (options.digit >= 0)
      wanted.labels[i] = options.digit;
    else if (picture)
      wanted.labels[i] = static_cast<gan::Index>(i) * wanted.classes / options.count;  // row by row
  }
  if (picture) return gan::write_grid(options.out, generator->sample(z, wanted), {.columns = 10});
  std::vector<std::uint8_t> bytes;  // as bytes, part by part: all digits as numbers would take four times the memory
  for (gan::Index begin = 0, end = 0; begin < options.count; begin = end) {
    end = std::min(options.count, begin + 1000);
    std::vector<gan::Index> rows;
    for (gan::Index i = begin; i < end; ++i) rows.push_back(i);
    const auto part = gan::to_bytes(
        generator->sample(gan::slice(z, 0, begin, end), wanted.empty() ? wanted : gan::gather(wanted, rows)));
    bytes.insert(bytes.end(), part.begin(), part.end());
  }
  gan::write_idx(options.out, {options.count, 28, 28}, bytes);
  if (wanted.empty()) return;
  bytes.assign(wanted.labels.begin(), wanted.labels.end());
  gan::write_idx(fs::path(options.out).replace_extension(".labels.idx"), {options.count}, bytes);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Trains a generative adversarial network on MNIST, and samples from it."};
  app.require_subcommand(1);

  TrainOptions t;
  auto* train_command = app.add_subcommand("train", "Train, and leave pictures, losses.csv and a checkpoint");
  train_command->add_option("--model", t.model, "The networks")
      ->check(CLI::IsMember({"image", "mlp", "dcgan", "dcgan-small"}))
      ->capture_default_str();
  train_command->add_option(
      "--objective", t.objective,
      "One of: " + std::string(gan::objective_names) + " (default: hinge for image, else non-saturating)");
  train_command->add_option("--width", t.width, "Of image: channels of the largest maps in both networks")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  train_command->add_option("--penalty", t.penalty,
                            "NAME[:WEIGHT], several joined with +, of: " + std::string(gan::penalty_names) +
                                " (default: lazy-r1:0.2 for dcgan-small, else none)");
  train_command
      ->add_option("--labels", t.labels,
                   "What the networks do with the digits' labels: projection, ac-gan (named beside the score) or none")
      ->check(CLI::IsMember({"projection", "ac-gan", "none"}))
      ->capture_default_str();
  train_command->add_flag("--spectral-norm", t.spectral_norm, "On all layers of the discriminator");
  train_command->add_option("--real-label", t.real_label, "Below 1: one-sided label smoothing")
      ->check(CLI::Range(0.5, 1.0))
      ->capture_default_str();
  train_command
      ->add_option(
          "--rate", t.rate,
          "Learning rate of both networks (default: 7e-4 for dcgan-small, 2e-4 for mlp and dcgan; 1e-3 for image, "
          "whose discriminator has four times the rate)")
      ->check(CLI::Range(1e-8, 1.0));
  train_command->add_option("--data", t.data,
                            "Folder with MNIST's files, plain or .gz (else GAN_MNIST_DIR, else drawn digits)");
  train_command->add_option("--batch", t.batch, "Images a step (default: 64 for image, 32 for dcgan-small, else 128)")
      ->check(CLI::Range(2, 60000));
  train_command->add_option("--seed", t.seed, "Of weights, noise and order of the data")->capture_default_str();
  t.run.add_to(*train_command);

  SampleOptions s;
  auto* sample_command = app.add_subcommand("sample", "Draw digits from a checkpoint");
  sample_command->add_option("--model", s.model, "checkpoint.safetensors of a run")->required();
  sample_command->add_option("--count", s.count, "Number of digits")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  sample_command->add_option("--digit", s.digit, "Only that one (default: all, in rows)")->check(CLI::Range(0, 9));
  sample_command
      ->add_option("--truncation", s.truncation,
                   "Keep the noise in [-T, T]: below 1, digits are better formed and less varied (default: no limit)")
      ->check(CLI::Range(0.01, 10.0));
  sample_command->add_option("--seed", s.seed, "Of the noise")->capture_default_str();
  sample_command
      ->add_option(
          "--out", s.out,
          "FILE.png for a picture, FILE.idx for bytes [count, 28, 28], with the digits asked for in FILE.labels.idx")
      ->capture_default_str();

  app.footer(
      "Examples:\n"
      "  mnist train --epochs 10              ten passes over MNIST; pictures in mnist-run/\n"
      "  mnist train --resume --epochs 20     ten more, with the newest run's options\n"
      "  mnist train --minutes 1 --out quick  as far as it gets in a minute\n"
      "  mnist sample --model mnist-run/checkpoint.safetensors --count 64 --out digits.png\n\n"
      "Ctrl-C saves and ends; train --resume goes on from there, bit for bit.");
  try {
    app.parse(argc, argv);
    if (*train_command) train(t, *train_command);
    if (*sample_command) sample(s);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "mnist: %s\n", error.what());
    return 1;
  }
}
