// Trains a pair of networks on a folder of color pictures, at 32 x 32 or 64 x 64.
//
//   images --demo                               colored shapes, drawn by the program: no data needed
//   images --data DIR --size 64 --flip          your PNG and JPEG files, scaled and cropped, also in folders below DIR
//   images --resume                             goes on where the newest run stopped, also after Ctrl-C
//
// In images-run/, images-run-2/ ... it leaves real.png (what it learns from), samples_step_*.png (the same 64 noise
// vectors each time), losses.csv and a checkpoint. With --demo expect colored blots after 500 steps, discs and rings on
// gradients after 1000, and soft-edged discs, rings and triangles after 2000, two minutes on two cores.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <gan/gan.hpp>
#include <memory>
#include <numbers>
#include <string>
#include <utility>
#include <vector>

#include "networks.hpp"
#include "run_options.hpp"

namespace fs = std::filesystem;
using gan::Index;

namespace {

struct Options {
  fs::path data;
  bool demo = false;
  Index size = 32;
  std::string model = "image";
  Index width = 32;
  std::string objective, penalty;
  double rate = 0;
  Index batch = 0;
  bool flip = false;
  Index every = 500;
  std::uint64_t seed = 1;
  RunOptions run{.out = "images-run"};
};

using Color = std::array<double, 3>;

/// From hue (in turns), saturation and value (in [0, 1]).
Color from_hsv(const Color& hsv) {
  Color color;
  for (std::size_t i = 0; i < 3; ++i) {
    const double k = std::fmod(5 - 2 * static_cast<double>(i) + 6 * (hsv[0] - std::floor(hsv[0])), 6.0);
    color[i] = hsv[2] - hsv[2] * hsv[1] * std::clamp(std::min(k, 4 - k), 0.0, 1.0);
  }
  return color;
}

/// Signed distance from (x, y) to a star with `points` corners, one of them in the direction `tip`, on a circle of that
/// radius, and inner corners at `inner` times the radius: a regular polygon with inner = cos(pi / points).
double star_distance(double x, double y, double radius, double tip, int points, double inner) {
  const double half = std::numbers::pi / points;
  const double angle = std::abs(std::remainder(std::atan2(y, x) - tip, 2 * half)), length = std::hypot(x, y);
  const double edge_x = radius * (inner * std::cos(half) - 1), edge_y = radius * inner * std::sin(half);
  const double from_x = length * std::cos(angle) - radius, from_y = length * std::sin(angle);
  return (from_x * edge_y - from_y * edge_x) / std::hypot(edge_x, edge_y);
}

/// Circles, rings, triangles, squares and stars on gradients of other colors: size x size x 3. An edge is as soft as
/// the pixel it crosses.
gan::Dataset<float> draw_shapes(Index count, Index size, std::uint64_t seed) {
  constexpr double pi = std::numbers::pi;
  gan::Rng rng(seed);
  const auto draw = [&rng](double low, double high) { return low + (high - low) * rng.uniform(); };
  std::vector<std::uint8_t> bytes;
  bytes.reserve(static_cast<std::size_t>(count * size * size * 3));
  const double side = static_cast<double>(size);
  for (Index n = 0; n < count; ++n) {
    const double hue = draw(0, 1), direction = draw(0, 2 * pi);
    const Color from = from_hsv({hue, draw(0.3, 0.8), draw(0.5, 0.9)});
    const Color to = from_hsv({hue + draw(-0.15, 0.15), draw(0.3, 0.8), draw(0.1, 0.5)});
    const Color color = from_hsv({hue + draw(0.3, 0.7), draw(0.7, 1), draw(0.85, 1)});
    const double radius = side * draw(0.3, 0.42), up = draw(-0.25, 0.25) - pi / 2;
    const double cx = draw(radius, side - radius), cy = draw(radius, side - radius);
    const Index kind = rng.integer(0, 5);
    const auto distance = [&](double x, double y) {
      switch (kind) {
        case 0:
          return std::hypot(x, y) - radius;
        case 1:
          return std::abs(std::hypot(x, y) - 0.75 * radius) - 0.25 * radius;
        case 2:
          return star_distance(x, y, radius, up, 3, std::cos(pi / 3));
        case 3:
          return star_distance(x, y, radius, up + pi / 4, 4, std::cos(pi / 4));
        default:
          return star_distance(x, y, radius, up, 5, 0.45);
      }
    };
    for (Index row = 0; row < size; ++row)
      for (Index column = 0; column < size; ++column) {
        const double x = static_cast<double>(column) + 0.5, y = static_cast<double>(row) + 0.5;
        const double along = (x - side / 2) * std::cos(direction) + (y - side / 2) * std::sin(direction);
        const double t = std::clamp(0.5 + along / side, 0.0, 1.0);
        const double covered = std::clamp(0.5 - distance(x - cx, y - cy), 0.0, 1.0);
        for (std::size_t i = 0; i < 3; ++i)
          bytes.push_back(
              static_cast<std::uint8_t>(std::lround(255 * std::lerp(std::lerp(from[i], to[i], t), color[i], covered))));
      }
  }
  return gan::Dataset<float>::from_bytes({size, size, 3}, std::move(bytes));
}

void set_defaults(Options& options) {
  const bool image = options.model == "image";
  if (options.objective.empty()) options.objective = image ? "hinge" : "non-saturating";
  if (options.penalty.empty()) options.penalty = image ? "none" : "lazy-r1:1";
  if (options.rate == 0) options.rate = image ? 1e-3 : 5e-4;
  if (options.batch == 0) options.batch = image ? gan::image_recipe_batch : 32;
}

gan::TrainerOptions<float> trainer_options(const Options& options) {
  gan::TrainerOptions<float> all;
  if (options.model == "image") {
    all = gan::image_recipe<float>(options.seed, options.rate);
  } else {
    all.generator_optimizer = all.discriminator_optimizer = gan::AdamOptions{.learning_rate = options.rate};
    all.average = gan::MovingAverageOptions{.decay = 0.995};
    all.seed = options.seed;
  }
  all.objective = gan::objective_named<float>(options.objective);
  all.penalty = gan::penalty_named<float>(options.penalty);
  return all;
}

Networks make_networks(gan::Rng& rng, const Options& options) {
  const gan::Shape image{options.size, options.size, 3};
  if (options.model == "image")
    return {std::make_unique<gan::ImageGenerator<float>>(
                rng, gan::ImageGeneratorOptions<float>{.image = image, .width = options.width}),
            std::make_unique<gan::ImageDiscriminator<float>>(
                rng, gan::ImageDiscriminatorOptions{.image = image, .width = options.width})};
  using G = gan::DcganGenerator<float>;
  using D = gan::DcganDiscriminator<float>;
  return {std::make_unique<G>(rng, G::Options{.latent = 64, .image = image, .width = options.width, .kernel = 4}),
          std::make_unique<D>(rng, D::Options{.image = image, .width = options.width, .kernel = 4})};
}

void train(Options& options, const CLI::App& app) {
  set_defaults(options);
  RunOptions& run = options.run;
  run.choose_precision(options.model == "image");
  gan::check(run.resume || options.demo || !options.data.empty(), "nothing to learn from: give --data DIR or --demo");
  if (!options.data.empty()) options.data = fs::weakly_canonical(options.data);
  gan::StoredOptions stored;
  stored.add("data", options.data).add("demo", options.demo).add("size", options.size);
  stored.add("model", options.model).add("width", options.width);
  stored.add("objective", options.objective).add("penalty", options.penalty).add("rate", options.rate);
  stored.add("batch", options.batch).add("flip", options.flip).add("seed", options.seed);
  run.begin(app, stored);

  const auto pictures = options.demo
                            ? draw_shapes(10000, options.size, 1)
                            : gan::load_image_folder<float>(
                                  options.data, {.height = options.size, .width = options.size, .recursive = true});
  std::printf("Training on %lld pictures, %lld x %lld.\n", static_cast<long long>(pictures.size()),
              static_cast<long long>(options.size), static_cast<long long>(options.size));
  std::vector<gan::Augmentation<float>> augmentations;
  if (options.flip) augmentations.push_back(gan::augment::flip_horizontal());
  gan::Loader<float> loader(pictures, {.batch = options.batch, .seed = options.seed}, augmentations);
  gan::Loader<float> some(pictures, {.batch = std::min<Index>(64, pictures.size())});
  gan::write_grid(run.out / "real.png", some.next().samples);

  gan::Rng rng(options.seed);
  const auto [generator, discriminator] = make_networks(rng, options);
  gan::Trainer<float> trainer(*generator, *discriminator, trainer_options(options));
  if (!run.resume)
    std::printf("%s\n%s\n", generator->summary().c_str(),
                discriminator->summary({options.size, options.size, 3}).c_str());
  run.fit(trainer, loader, {.every = options.every});
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Trains a pair of networks on color pictures, and leaves samples, losses.csv and a checkpoint."};
  Options o;
  auto* data = app.add_option("--data", o.data, "Folder with PNG and JPEG files to learn from");
  app.add_flag("--demo", o.demo, "Learn from 10000 colored shapes on gradients, drawn by the program")->excludes(data);
  app.add_option("--size", o.size, "Pixels a side")->check(CLI::IsMember({32, 64}))->capture_default_str();
  app.add_option("--model", o.model, "The networks: image, the library's pair for images, or dcgan")
      ->check(CLI::IsMember({"image", "dcgan"}))
      ->capture_default_str();
  app.add_option("--width", o.width, "Channels of the largest maps; each halving doubles them")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  app.add_option("--objective", o.objective,
                 "One of: " + std::string(gan::objective_names) + " (default: hinge; for dcgan non-saturating)");
  app.add_option("--penalty", o.penalty,
                 "NAME[:WEIGHT], several joined with +, of: " + std::string(gan::penalty_names) +
                     " (default: none; for dcgan lazy-r1:1)");
  app.add_option("--rate", o.rate,
                 "Learning rate (default: 1e-3, the discriminator's four times that; for dcgan 5e-4 for both)")
      ->check(CLI::Range(1e-8, 1.0));
  app.add_option("--batch", o.batch, "Pictures a step (default: 64; for dcgan 32)")->check(CLI::Range(2, 65536));
  app.add_flag("--flip", o.flip, "Mirror half of the pictures, at random");
  app.add_option("--every", o.every, "Steps from one picture of samples to the next")
      ->check(CLI::Range(1, 1000000000))
      ->capture_default_str();
  app.add_option("--seed", o.seed, "Of weights, noise and order of the data")->capture_default_str();
  o.run.add_to(app);
  app.footer("Ctrl-C saves and ends; --resume goes on from there, bit for bit.");
  CLI11_PARSE(app, argc, argv);
  try {
    train(o, app);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "images: %s\n", error.what());
    return 1;
  }
}
