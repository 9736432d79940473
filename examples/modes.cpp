// Which settings find all modes of a mixture of Gaussians, and which collapse.
//
//   modes --data ring --objective non-saturating --seeds 10     one setting, a row per seed
//   modes --data grid --recommended --seeds 10                  the recommended setting
//   modes --data grid --side 10 --recommended                   100 modes
//   modes --data random --recommended                           30 modes at random places, of unequal weight
//   modes --file centers.csv --sigma 0.02 --recommended         modes of one's own, a line x,y or x,y,weight each
//   modes --data ring --pacgan --steps 50000                    PacGAN's networks and rates
//   modes --table --seeds 10                                    the table of the README, both sets, all settings
//
// Each seed prints modes covered, share of high-quality samples and reverse KL on 2,500 samples (PacGAN, Lin et al.,
// 2018), and writes a picture: real points blue, generated ones red on the discriminator's landscape, light where it
// says "real". Expect all modes and 97 to 99 % high quality from the recommended setting, of 98.9 % that the data has,
// in about 20 seconds a seed on one core.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <gan/gan.hpp>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace fs = std::filesystem;
using gan::Index;
using Tensor = gan::Tensor<float>;

namespace {

// What is set differs from the library's point pair and point_recipe.
struct Setting {
  std::string name = "own";
  std::string objective = "non-saturating";  // empty: the recipe's, and so the penalty
  std::string penalty = "none";
  double penalty_end = 1;  // share of the penalty's weight left at the last step; it falls exponentially
  bool spectral_norm = false;
  Index pack = 1;
  Index discriminator_steps = 1;
  double noise = 0;  // first deviation of the instance noise, falling to 0 half way
  Index latent = 2;
  std::string distribution = "uniform";
  Index frequencies = 32;           // of the discriminator's Fourier features; 0: it sees the bare points
  double frequency = 4;             // their deviation, in radians a unit of deviation of the data
  Index generator_frequencies = 0;  // of the generator's
  double generator_frequency = 4;
  Index width = 96;
  Index generators = 1, discriminators = 1;
  bool pacgan = false;  // the networks of that paper's experiment
  Index steps = gan::point_recipe_steps;
  Index batch = gan::point_recipe_batch;
  std::string optimizer{};                        // empty: the recipe's Adam
  double rate = 4e-3, discriminator_rate = 3e-3;  // of any other, at first; falling to a hundredth along a cosine
  double beta1 = 0, beta2 = 0.99;                 // of Adam
  bool constant_rate = false;
  double average = 0.999;
};

const Setting recommended{.name = "recommended", .objective = "", .penalty = ""};

// For more than 50 modes: one generator maps a square to all of them, and what lies between its parts lies between the
// modes; many of them have to part a square in a few each.
Setting recommended_for(std::size_t modes) {
  Setting s = recommended;
  if (modes > 50) s.frequency = 6, s.generators = 25, s.width = 48, s.batch = 500;
  return s;
}

// The networks, the noise and the rates of PacGAN's experiment with packs of 2 (Lin et al., 2018; their code).
const Setting pacgan{.name = "PacGAN's own",
                     .pack = 2,
                     .distribution = "normal",
                     .pacgan = true,
                     .steps = 400000,
                     .batch = 200,
                     .optimizer = "adam",
                     .rate = 1e-4,
                     .discriminator_rate = 1e-4,
                     .beta1 = 0.8,
                     .beta2 = 0.999,
                     .constant_rate = true,
                     .average = 0};

// The settings of the table: the recommended one, the same with one part changed, and others with the same networks,
// rates and number of updates.
std::vector<Setting> table() {
  std::vector<Setting> all{recommended};
  const auto variant = [&all](const char* name, auto change) {
    Setting s = recommended;
    s.name = name;
    change(s);
    all.push_back(s);
  };
  variant("recommended, R1 and R2 at full weight throughout", [](Setting& s) { s.penalty = "r1:1+r2:1"; });
  variant("recommended, no R1 and R2", [](Setting& s) { s.penalty = "none"; });
  variant("recommended, no Fourier features", [](Setting& s) { s.frequencies = 0; });
  variant("recommended, latent of 8 normals", [](Setting& s) { s.latent = 8, s.distribution = "normal"; });
  variant("recommended, beta1 0.5", [](Setting& s) { s.optimizer = "adam", s.beta1 = 0.5; });
  variant("recommended, optimistic Adam", [](Setting& s) { s.optimizer = "optimistic-adam"; });
  variant("recommended, RMSProp",
          [](Setting& s) { s.optimizer = "rms-prop", s.rate = 2e-3, s.discriminator_rate = 1.5e-3; });
  variant("recommended, SGD", [](Setting& s) { s.optimizer = "sgd", s.rate = s.discriminator_rate = 5e-3; });
  variant("recommended, momentum 0.9",
          [](Setting& s) { s.optimizer = "momentum", s.rate = s.discriminator_rate = 3e-3; });
  variant("recommended, 2 generators", [](Setting& s) { s.generators = 2; });
  variant("recommended, 2 discriminators", [](Setting& s) { s.discriminators = 2; });
  const std::vector<Setting> others{
      {.name = "minimax", .objective = "minimax"},
      {.name = "non-saturating"},
      {.name = "non-saturating + R1", .penalty = "r1:1"},
      {.name = "least squares", .objective = "least-squares"},
      {.name = "hinge + spectral norm", .objective = "hinge", .spectral_norm = true},
      {.name = "PacGAN, packs of 2", .pack = 2},
      {.name = "instance noise", .noise = 0.5},
      // As many updates: 5 + 1 a step instead of 1 + 1.
      {.name = "WGAN, clipping",
       .objective = "wasserstein",
       .penalty = "clip:0.05",
       .discriminator_steps = 5,
       .steps = recommended.steps / 3},
      {.name = "WGAN-GP",
       .objective = "wasserstein",
       .penalty = "gradient-penalty:1",
       .discriminator_steps = 5,
       .steps = recommended.steps / 3},
      // What most people begin with: N(0, 1) latents, bare points, rates and momentum of DCGAN's kind.
      {.name = "the usual GAN",
       .latent = 8,
       .distribution = "normal",
       .frequencies = 0,
       .optimizer = "adam",
       .rate = 1e-3,
       .discriminator_rate = 1e-3,
       .beta1 = 0.5}};
  all.insert(all.end(), others.begin(), others.end());
  return all;
}

gan::LatentDistribution distribution_named(const std::string& name) {
  return name == "normal" ? gan::latent::normal() : name == "sphere" ? gan::latent::sphere() : gan::latent::uniform();
}

// Latents [n, latent] -> points [n, 2]: four hidden layers of 400, batch norm before ReLU.
struct PacganGenerator : gan::Generator<float> {
  gan::Sequential<float> net{this, "net"};
  PacganGenerator(gan::Rng& rng, Index latent, const gan::LatentDistribution& noise)
      : Generator(rng, {.latent = latent, .distribution = noise}) {
    const auto small = gan::init::normal(0, 0.02);
    for (int i = 1; i <= 4; ++i) {
      const std::string number = std::to_string(i);
      net.add<gan::Dense>("dense" + number, i == 1 ? latent : 400, 400,
                          gan::DenseOptions{.bias = false, .weight_initializer = small});
      net.add<gan::BatchNorm>("norm" + number, 400);
      net.add<gan::Activation>("activation" + number, gan::activation::relu());
    }
    net.add<gan::Dense>("output", 400, 2, gan::DenseOptions{.weight_initializer = small});
  }
  Tensor forward(const Tensor& z) override { return net(z); }
};

// Packs [n, 2 pack] -> logits [n, 1]: three hidden layers of 200, each unit the largest of five.
struct PacganDiscriminator : gan::Discriminator<float> {
  gan::DenseOptions small{.weight_initializer = gan::init::normal(0, 0.02)};
  gan::Dense<float> hidden1, hidden2{this, "hidden2", 200, 1000, small}, hidden3{this, "hidden3", 200, 1000, small};
  gan::Dense<float> output{this, "output", 200, 1, small};
  PacganDiscriminator(gan::Rng& rng, Index pack)
      : Discriminator(rng), hidden1(this, "hidden1", 2 * pack, 1000, small) {}
  static Tensor maxout(const Tensor& x) { return gan::max(gan::reshape(x, {-1, 200, 5}), {2}); }
  Tensor forward(const Tensor& x) override { return output(maxout(hidden3(maxout(hidden2(maxout(hidden1(x))))))); }
};

std::unique_ptr<gan::Generator<float>> make_generator(gan::Rng& rng, const Setting& s) {
  const auto distribution = distribution_named(s.distribution);
  const auto one = [&](gan::Rng& r) -> std::unique_ptr<gan::Generator<float>> {
    if (s.pacgan) return std::make_unique<PacganGenerator>(r, s.latent, distribution);
    return std::make_unique<gan::PointGenerator<float>>(
        r, gan::PointGeneratorOptions{.latent = s.latent,
                                      .distribution = distribution,
                                      .hidden = {s.width, s.width, s.width, s.width},
                                      .frequencies = s.generator_frequencies,
                                      .frequency = s.generator_frequency});
  };
  if (s.generators == 1) return one(rng);
  return std::make_unique<gan::GeneratorEnsemble<float>>(rng, s.generators, one);
}

std::unique_ptr<gan::Discriminator<float>> make_discriminator(gan::Rng& rng, const Setting& s) {
  const auto one = [&](gan::Rng& r) -> std::unique_ptr<gan::Discriminator<float>> {
    if (s.pacgan) return std::make_unique<PacganDiscriminator>(r, s.pack);
    return std::make_unique<gan::PointDiscriminator<float>>(
        r, gan::PointDiscriminatorOptions{.pack = s.pack,
                                          .hidden = {s.width, s.width},
                                          .frequencies = s.frequencies,
                                          .frequency = s.frequency,
                                          .spectral_norm = s.spectral_norm});
  };
  if (s.discriminators == 1) return one(rng);
  return std::make_unique<gan::DiscriminatorEnsemble<float>>(rng, s.discriminators, one);
}

gan::AnyOptimizer<float> make_optimizer(const Setting& s, double rate) {
  const std::string& name = s.optimizer;
  if (name == "sgd" || name == "momentum")
    return gan::SgdOptions{.learning_rate = rate, .momentum = name == "sgd" ? 0.0 : 0.9};
  if (name == "rms-prop") return gan::RmsPropOptions{.learning_rate = rate};
  return gan::AdamOptions{
      .learning_rate = rate, .beta1 = s.beta1, .beta2 = s.beta2, .optimistic = name == "optimistic-adam"};
}

struct Mixture {
  std::string name;
  std::vector<float> centers{};  // x, y, x, y, ...
  double sigma;
  float scale;  // the deviation of all its points along an axis, by which they are divided for training
  std::vector<double> weights{};     // of its modes; none: equal
  float middle_x = 0, middle_y = 0;  // taken off before that
};

Mixture ring() { return {"ring", gan::gaussian_ring_modes<float>(), gan::GaussianRingOptions{}.stddev, 0.7f}; }

Mixture grid(Index side) {
  const gan::GaussianGridOptions options{.side = side};
  const double cells = static_cast<double>(side * side - 1) / 12;  // variance of the columns' numbers
  const float scale = side == 5 ? 2.8f : static_cast<float>(std::max(1.0, options.spacing * std::sqrt(cells)));
  return {"grid", gan::gaussian_grid_modes<float>(options), options.stddev, scale};
}

// The mixture with what its points are moved and divided by.
Mixture fitted(Mixture m) {
  gan::Rng rng(1);
  const auto points = gan::gaussian_mixture<float>(rng, 10000, m.centers, m.sigma, m.weights);
  double sum[2] = {}, squares = 0;
  for (std::size_t i = 0; i < points.size(); ++i) sum[i % 2] += points[i] / 10000.0;
  for (std::size_t i = 0; i < points.size(); ++i) squares += std::pow(points[i] - sum[i % 2], 2) / 20000;
  m.middle_x = static_cast<float>(sum[0]), m.middle_y = static_cast<float>(sum[1]);
  m.scale = static_cast<float>(std::max(1e-6, std::sqrt(squares)));
  return m;
}

// 30 modes at random in a square of 10 x 10, at least 1 apart, with weights between 0.5 and 3; the same every time.
Mixture random_modes() {
  Mixture m{.name = "random", .sigma = 0.05, .scale = 1};
  gan::Rng rng(1);
  while (m.weights.size() < 30) {
    float at[2];
    rng.uniform(std::span<float>(at), -5.0f, 5.0f);
    bool apart = true;
    for (std::size_t i = 0; i < m.centers.size(); i += 2)
      apart = apart && std::hypot(m.centers[i] - at[0], m.centers[i + 1] - at[1]) >= 1;
    if (!apart) continue;
    double weight = 0;
    rng.uniform(std::span<double>(&weight, 1), 0.5, 3.0);
    m.centers.insert(m.centers.end(), {at[0], at[1]});
    m.weights.push_back(weight);
  }
  return fitted(std::move(m));
}

// Lines x,y or x,y,weight; weights of all or of none.
Mixture read_mixture(const fs::path& path, double sigma) {
  std::ifstream in(path);
  gan::check(static_cast<bool>(in), path.string(), ": cannot be read");
  Mixture mixture{.name = path.stem().string(), .sigma = sigma, .scale = 1};
  std::string line;
  for (Index number = 1; std::getline(in, line); ++number) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    float x = 0, y = 0;
    double weight = 0;
    char rest = 0;
    const int found = std::sscanf(line.c_str(), " %f , %f , %lf %c", &x, &y, &weight, &rest);
    const bool weighted = found == 3;
    gan::check(
        (found == 2 || (weighted && weight > 0 && std::isfinite(weight))) && std::isfinite(x) && std::isfinite(y),
        path.string(), ": line ", number, ": \"", line.substr(0, 40),
        "\", expected x,y or x,y,weight with a weight above 0");
    gan::check(mixture.centers.empty() || weighted == !mixture.weights.empty(), path.string(), ": line ", number,
               weighted ? " has a weight, the lines before have none" : " has no weight, the lines before have");
    mixture.centers.insert(mixture.centers.end(), {x, y});
    if (weighted) mixture.weights.push_back(weight);
  }
  gan::check(!mixture.centers.empty(), path.string(), ": no line, expected a mode in each");
  return fitted(std::move(mixture));
}

Tensor draw_real(gan::Rng& rng, const Mixture& m, Index n) {
  auto points = gan::gaussian_mixture<float>(rng, n, m.centers, m.sigma, m.weights);
  for (std::size_t i = 0; i < points.size(); ++i) points[i] = (points[i] - (i % 2 ? m.middle_y : m.middle_x)) / m.scale;
  return Tensor({n, 2}, points);
}

// What the generator made of it, where the mixture has it.
Tensor in_place(const Tensor& samples, const Mixture& m) {
  return samples * static_cast<double>(m.scale) + Tensor({1, 2}, {m.middle_x, m.middle_y});
}

// The discriminator's landscape, light where it says "real", real points on it in blue and samples in red.
void draw_image(const fs::path& path, const Tensor& real, const Tensor& samples,
                gan::Discriminator<float>& discriminator, Index pack) {
  constexpr Index size = 640;
  constexpr float extent = 1.9f;  // from the middle to an edge
  const gan::NoGrad scope;
  const gan::Evaluate<float> mode(discriminator);
  std::vector<float> scores;
  for (Index y = 0; y < size; ++y) {  // line by line: all at once would take a gigabyte
    auto line = Tensor::empty({size, 2});
    for (Index x = 0; x < size; ++x) {
      line.mutable_data()[2 * x] = extent * (2 * (static_cast<float>(x) + 0.5f) / size - 1);
      line.mutable_data()[2 * x + 1] = extent * (1 - 2 * (static_cast<float>(y) + 0.5f) / size);
    }
    const Tensor packed = gan::concatenate(std::vector<Tensor>(static_cast<std::size_t>(pack), line), 1);
    const Tensor score = gan::sum(discriminator(packed), {1});  // of all members
    scores.insert(scores.end(), score.data(), score.data() + size);
  }
  std::vector<float> sorted = scores;
  std::sort(sorted.begin(), sorted.end());
  auto image = Tensor::empty({1, size, size, 3});
  float* pixels = image.mutable_data();
  for (Index i = 0; i < size * size; ++i) {  // by rank, so that one steep place does not hide the rest
    const auto rank =
        std::lower_bound(sorted.begin(), sorted.end(), scores[static_cast<std::size_t>(i)]) - sorted.begin();
    std::fill_n(pixels + 3 * i, 3, 0.45f + 0.55f * static_cast<float>(rank) / (size * size));
  }
  const auto dots = [&](const Tensor& points, Index side, float r, float g, float b) {  // half transparent squares
    for (Index i = 0; i < points.shape()[0]; ++i) {
      const float x = (points.data()[2 * i] / extent + 1) * size / 2;
      const float y = (1 - points.data()[2 * i + 1] / extent) * size / 2;
      if (!(x >= 0 && y >= 0 && x < size && y < size)) continue;
      const Index left = static_cast<Index>(x), top = static_cast<Index>(y);
      for (Index row = top; row < std::min(top + side, size); ++row)
        for (Index column = left; column < std::min(left + side, size); ++column) {
          float* pixel = pixels + 3 * (row * size + column);
          pixel[0] = (pixel[0] + r) / 2, pixel[1] = (pixel[1] + g) / 2, pixel[2] = (pixel[2] + b) / 2;
        }
    }
  };
  dots(real, 2, 0, 0.15f, 1);
  dots(samples, 3, 1, 0, 0);
  gan::write_grid(path, image, {.columns = 1, .padding = 0, .low = 0, .high = 1});
}

struct Result {
  gan::ModeCoverage coverage;
  double seconds = 0, cpu_seconds = 0;  // of the wall clock, and of all cores
  bool diverged = false;                // training ended early, with a loss that is not finite
};

Result train(const Mixture& mixture, const Setting& s, std::uint64_t seed, const fs::path& image) {
  gan::Rng rng(seed);
  const auto generator = make_generator(rng, s);
  const auto discriminator = make_discriminator(rng, s);
  auto options = gan::point_recipe<float>(s.steps, seed);
  if (!s.objective.empty()) options.objective = gan::objective_named<float>(s.objective);
  if (!s.penalty.empty()) {
    const double updates = static_cast<double>(s.steps * s.discriminator_steps);
    options.penalty =
        gan::penalty_named<float>(s.penalty).scale_by(gan::schedule::exponential(std::pow(s.penalty_end, 1 / updates)));
  }
  if (auto* members = dynamic_cast<gan::DiscriminatorEnsemble<float>*>(discriminator.get()))
    options.penalty = gan::MemberPenalty(*members, options.penalty);
  if (!s.optimizer.empty()) {
    options.generator_optimizer = make_optimizer(s, s.rate);
    options.discriminator_optimizer = make_optimizer(s, s.discriminator_rate);
  }
  if (s.constant_rate) options.generator_schedule = options.discriminator_schedule = {};
  options.discriminator_steps = s.discriminator_steps;
  options.pack = s.pack;
  if (s.average > 0)
    options.average = gan::MovingAverageOptions{.decay = s.average};
  else
    options.average.reset();
  if (s.noise > 0)
    options.instance_noise = [noise = s.noise, fall = gan::schedule::linear(std::max<Index>(1, s.steps / 2))](
                                 Index step) { return noise * fall(step); };
  gan::Trainer trainer(*generator, *discriminator, options);
  Result result;
  const auto start = std::chrono::steady_clock::now();
  const std::clock_t cpu_start = std::clock();
  try {
    for (Index step = 0; step < s.steps; ++step) trainer.step([&] { return draw_real(rng, mixture, s.batch); });
  } catch (const gan::NotFinite&) {
    result.diverged = true;
  }
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  result.cpu_seconds = static_cast<double>(std::clock() - cpu_start) / CLOCKS_PER_SEC;
  const Tensor samples = trainer.sample(generator->draw(rng, 2500));
  const Tensor centers({static_cast<Index>(mixture.centers.size()) / 2, 2}, mixture.centers);
  result.coverage = gan::mode_coverage(in_place(samples, mixture), centers, mixture.sigma, mixture.weights);
  draw_image(image, draw_real(rng, mixture, 2500), samples, *discriminator, s.pack);
  return result;
}

struct Row {
  double modes = 0, high_quality = 0, reverse_kl = 0, seconds = 0, cpu_seconds = 0;
};

void print_row(const std::string& label, const Row& row, const char* note = "") {
  std::printf("  %5s %8.4g %11.1f %% %12.4f %9.1f %7.1f%s\n", label.c_str(), row.modes, 100 * row.high_quality,
              row.reverse_kl, row.seconds, row.cpu_seconds, note);
  std::fflush(stdout);
}

struct Summary {
  std::string data, setting;
  Row mean, worst;
};

void print_summaries(const std::vector<Summary>& all) {
  std::printf("\n| data | setting | modes (worst) | high quality (worst) | reverse KL (worst) | CPU seconds |\n");
  std::printf("|---|---|---|---|---|---|\n");
  for (const auto& [data, setting, mean, worst] : all)
    std::printf("| %s | %s | %.1f (%.0f) | %.1f %% (%.1f %%) | %.3f (%.3f) | %.0f |\n", data.c_str(), setting.c_str(),
                mean.modes, worst.modes, 100 * mean.high_quality, 100 * worst.high_quality, mean.reverse_kl,
                worst.reverse_kl, mean.cpu_seconds);
}

// Trains all seeds of a setting, and prints a row for each, the mean and the worst.
Summary run(const Mixture& mixture, const Setting& s, int seeds, const fs::path& out) {
  const std::string& data = mixture.name;
  std::printf("\n%s of %zu modes, %s\n  %5s %8s %13s %12s %9s %7s\n", data.c_str(), mixture.centers.size() / 2,
              s.name.c_str(), "seed", "modes", "high quality", "reverse KL", "seconds", "CPU s");
  Row mean, worst{.modes = 1e9, .high_quality = 1};
  for (int seed = 1; seed <= seeds; ++seed) {
    std::string file = data + "_" + s.name + "_" + std::to_string(seed) + ".png";
    std::erase_if(file, [](char c) { return c == ',' || c == '+'; });
    std::replace(file.begin(), file.end(), ' ', '_');
    const Result r = train(mixture, s, static_cast<std::uint64_t>(seed), out / file);
    const Row row{static_cast<double>(r.coverage.covered), r.coverage.high_quality, r.coverage.reverse_kl, r.seconds,
                  r.cpu_seconds};
    print_row(std::to_string(seed), row, r.diverged ? "  diverged" : "");
    mean = {mean.modes + row.modes / seeds, mean.high_quality + row.high_quality / seeds,
            mean.reverse_kl + row.reverse_kl / seeds, mean.seconds + row.seconds / seeds,
            mean.cpu_seconds + row.cpu_seconds / seeds};
    worst = {std::min(worst.modes, row.modes), std::min(worst.high_quality, row.high_quality),
             std::max(worst.reverse_kl, row.reverse_kl), std::max(worst.seconds, row.seconds),
             std::max(worst.cpu_seconds, row.cpu_seconds)};
  }
  print_row("mean", mean);
  print_row("worst", worst);
  return {data, s.name, mean, worst};
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Which settings find all modes of a mixture of Gaussians, and which collapse."};
  Setting s;
  std::string data = "both";
  Index side = 5;
  fs::path file;
  double sigma = 0.05;
  fs::path out = "modes-run";
  int seeds = 3;
  int threads = 1;
  bool use_recommended = false, use_pacgan = false, use_table = false;
  auto* named =
      app.add_option("--data", data)->check(CLI::IsMember({"ring", "grid", "both", "random"}))->capture_default_str();
  app.add_option("--side", side, "Of the grid: that many modes along an axis")
      ->check(CLI::Range(2, 50))
      ->capture_default_str();
  auto* of_file = app.add_option("--file", file, "Text, a mode a line: x,y or x,y,weight")
                      ->check(CLI::ExistingFile)
                      ->excludes(named);
  app.add_option("--sigma", sigma, "Deviation of the modes of --file, in its units")
      ->check(CLI::Range(1e-9, 1e9))
      ->needs(of_file)
      ->capture_default_str();
  app.add_flag("--recommended", use_recommended, "The recommended setting; the options of a setting do not apply");
  app.add_flag("--pacgan", use_pacgan, "PacGAN's networks, rates and steps, an hour; only --steps applies");
  app.add_flag("--table", use_table, "All settings of the README's table; the options of a setting do not apply");
  app.add_option("--seeds", seeds, "Runs, with seeds 1, 2, ...")->check(CLI::Range(1, 1000))->capture_default_str();
  app.add_option("--out", out, "Folder for the pictures")->capture_default_str();
  app.add_option("--threads", threads, "Networks this small gain little from a second")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  app.add_option("--objective", s.objective, "One of: " + std::string(gan::objective_names))->capture_default_str();
  app.add_option("--penalty", s.penalty, "NAME[:WEIGHT], several joined with +, of: " + std::string(gan::penalty_names))
      ->capture_default_str();
  app.add_option("--penalty-end", s.penalty_end, "Share of the penalty's weight left at the end")
      ->check(CLI::Range(1e-9, 1e9))
      ->capture_default_str();
  app.add_flag("--spectral-norm", s.spectral_norm, "On all layers of the discriminator");
  app.add_option("--pack", s.pack, "Points the discriminator sees at once; divides the batch")
      ->check(CLI::Range(1, 16))
      ->capture_default_str();
  app.add_option("--discriminator-steps", s.discriminator_steps)->check(CLI::Range(1, 100))->capture_default_str();
  app.add_option("--noise", s.noise, "First deviation of instance noise")
      ->check(CLI::Range(0.0, 100.0))
      ->capture_default_str();
  app.add_option("--latent", s.latent, "Length of the latent")->check(CLI::Range(1, 1024))->capture_default_str();
  app.add_option("--distribution", s.distribution, "Of the latent")
      ->check(CLI::IsMember({"normal", "uniform", "sphere"}))
      ->capture_default_str();
  app.add_option("--frequencies", s.frequencies, "Fourier features of the discriminator; 0: none")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  app.add_option("--frequency", s.frequency, "Deviation of these, in radians a unit of the data's deviation")
      ->check(CLI::Range(1e-3, 1e3))
      ->capture_default_str();
  app.add_option("--generator-frequencies", s.generator_frequencies, "Fourier features of the generator; 0: none")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  app.add_option("--generator-frequency", s.generator_frequency, "Deviation of these, in radians a unit of the latent")
      ->check(CLI::Range(1e-3, 1e3))
      ->capture_default_str();
  app.add_option("--width", s.width, "Of hidden layers: four of the generator, two of the discriminator")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  app.add_option("--generators", s.generators, "Networks on that side")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  app.add_option("--discriminators", s.discriminators, "Networks on that side")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  auto* steps = app.add_option("--steps", s.steps)->check(CLI::Range(1, 10000000))->capture_default_str();
  app.add_option("--batch", s.batch)->check(CLI::Range(2, 65536))->capture_default_str();
  auto* optimizer = app.add_option("--optimizer", s.optimizer, "Default: the recommended Adam")
                        ->check(CLI::IsMember({"sgd", "momentum", "rms-prop", "adam", "optimistic-adam"}));
  app.add_option("--rate", s.rate, "First learning rate of the generator")
      ->check(CLI::Range(0.0, 10.0))
      ->needs(optimizer)
      ->capture_default_str();
  app.add_option("--discriminator-rate", s.discriminator_rate)
      ->check(CLI::Range(0.0, 10.0))
      ->needs(optimizer)
      ->capture_default_str();
  app.add_option("--beta1", s.beta1, "Momentum of Adam")
      ->check(CLI::Range(0.0, 0.999))
      ->needs(optimizer)
      ->capture_default_str();
  app.add_option("--average", s.average, "Decay of the generator's moving average; 0: none")
      ->check(CLI::Range(0.0, 0.999999))
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  try {
    gan::set_threads(threads);
    gan::check_writable_folder(out);
    std::vector<Setting> settings{use_pacgan ? pacgan : s};
    if (use_pacgan && steps->count() > 0) settings[0].steps = s.steps;
    if (use_table) settings = table();
    std::vector<Summary> summaries;
    std::vector<Mixture> mixtures;
    if (!file.empty())
      mixtures.push_back(read_mixture(file, sigma));
    else
      for (const Mixture& mixture : {ring(), grid(side), random_modes()})
        if ((data == "both" && mixture.name != "random") || data == mixture.name) mixtures.push_back(mixture);
    for (const Mixture& mixture : mixtures) {
      if (use_recommended) settings = {recommended_for(mixture.centers.size() / 2)};
      for (const Setting& setting : settings) summaries.push_back(run(mixture, setting, seeds, out));
    }
    if (summaries.size() > 1) print_summaries(summaries);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "modes: %s\n", error.what());
    return 1;
  }
}
