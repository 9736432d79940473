// Whether CollapseWatch sees what goes wrong and stays silent when nothing does: ten runs that are known to fail, what
// it says of each, the same run after its advice, and ten sound ones.
//
//   collapse --steps 2000 --threads 1       # 30 runs, half an hour of one core
//   collapse --only 'sigmoid before logits' --steps 3000
//
// "distance" is the sliced Wasserstein distance of 2,000 samples to test images, as a multiple of that of training
// images. Ends with 1 when fewer than nine of the first ten are warned of, or any of the sound ones is.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <functional>
#include <gan/gan.hpp>
#include <optional>
#include <string>
#include <vector>

#include "judges.hpp"
#include "mnist_pair.hpp"

using gan::Index;
using namespace gan::bench;
using Tensor = gan::Tensor<float>;
using Options = gan::TrainerOptions<float>;
using Mlp = gan::MlpDiscriminatorOptions<float>;

namespace {

struct Run {
  std::function<Networks(gan::Rng&)> networks;
  Options options;
  Index batch = 64;
  bool one_image = false;
};

struct Case {
  std::string name;
  Run run;
  std::string advice{};          ///< which of the advice is followed; empty: the run is sound
  std::optional<Run> advised{};  ///< and the run that follows it

  bool sound() const { return advice.empty(); }
};

/// What the field's first examples train: dense layers, Adam at 2e-4.
Run mlp(Options options = {}, Mlp discriminator = {}) {
  return {[discriminator](gan::Rng& rng) -> Networks {
            return {std::make_unique<gan::MlpGenerator<float>>(rng),
                    std::make_unique<gan::MlpDiscriminator<float>>(rng, discriminator)};
          },
          std::move(options)};
}

/// A pair of mnist, without labels.
Run pair(PairOptions options) {
  options.labels = "none";
  set_defaults(options);
  return {[options](gan::Rng& rng) { return make_networks(rng, options); }, trainer_options(options, 0), options.batch};
}

Options with_rates(double generator, double discriminator, double beta1 = 0.5) {
  Options options;
  options.generator_optimizer = gan::AdamOptions{.learning_rate = generator, .beta1 = beta1};
  options.discriminator_optimizer = gan::AdamOptions{.learning_rate = discriminator, .beta1 = beta1};
  return options;
}

Options with(const std::string& objective, const std::string& penalty, Options options = {}) {
  options.objective = gan::objective_named<float>(objective);
  options.penalty = gan::penalty_named<float>(penalty);
  return options;
}

/// A generator whose first layer no gradient reaches.
class Detached : public gan::Generator<float> {
 public:
  Detached(gan::Rng& rng, bool detached) : Generator(rng, {.latent = 100}), detached_(detached) {}
  Tensor forward(const Tensor& z) override {
    const Tensor first = gan::leaky_relu(first_(z)), seen = detached_ ? first.detach() : first;
    return gan::reshape(gan::tanh(output_(norm_(gan::leaky_relu(second_(seen))))), {-1, 28, 28, 1});
  }

 private:
  bool detached_;
  gan::Dense<float> first_{this, "first", 100, 256}, second_{this, "second", 256, 512},
      output_{this, "output", 512, 784};
  gan::BatchNorm<float> norm_{this, "norm", 512};
};

Run detached(bool yes) {
  Run run = mlp();
  run.networks = [yes](gan::Rng& rng) -> Networks {
    return {std::make_unique<Detached>(rng, yes), std::make_unique<gan::MlpDiscriminator<float>>(rng)};
  };
  return run;
}

std::vector<Case> cases() {
  Options strong = with("minimax", "none", with_rates(2e-4, 1e-3));
  strong.discriminator_steps = 5;
  Run minimax = mlp(strong);
  minimax.networks = [](gan::Rng& rng) -> Networks {
    auto convolutions = make_networks(rng, {.model = "dcgan-small", .labels = "none"});
    return {std::make_unique<gan::MlpGenerator<float>>(rng), std::move(convolutions.discriminator)};
  };
  Options weaker = with("non-saturating", "r1:1", with_rates(2e-4, 2e-4));
  Run repeated = mlp();
  repeated.one_image = true;
  PairOptions fast{.model = "dcgan-small", .rate = 7e-3},
      relativistic{.model = "dcgan-small", .objective = "relativistic-pairing", .penalty = "r1:0.1+r2:0.1"};
  Options noisy;
  noisy.instance_noise = [](Index) { return 0.1; };
  const Mlp normed{.batch_norm = true}, spectral{.spectral_norm = true};
  return {
      {"rates times 10", pair(fast), "lower rates", pair({.model = "dcgan-small"})},
      {"a critic without penalty", mlp(with("wasserstein", "none", with_rates(1e-3, 1e-3))), "a gradient penalty",
       mlp(with("wasserstein", "gradient-penalty:10"))},
      {"minimax, strong discriminator", minimax, "non-saturating, R1, a lower rate", mlp(weaker)},
      {"discriminator ten times as large", mlp(with_rates(2e-4, 2e-4), {.hidden = {5120, 2560}}), "R1, smaller",
       mlp(with("non-saturating", "r1:1"))},
      {"sigmoid before logits", mlp({}, {.output_activation = gan::activation::sigmoid()}), "no sigmoid", mlp()},
      {"generator rate 0", mlp(with_rates(0, 2e-4)), "a rate above 0", mlp()},
      {"batch norm with a gradient penalty", mlp(with("wasserstein", "gradient-penalty:10"), normed), "no batch norm",
       mlp(with("wasserstein", "gradient-penalty:10"))},
      {"one image repeated", repeated, "all images", mlp()},
      {"beta1 0.9, rate 1e-2", mlp(with_rates(1e-2, 1e-2, 0.9)), "lower rates", mlp()},
      {"a layer that no gradient reaches", detached(true), "no detach()", detached(false)},
      {"MLP pair", mlp()},
      {"MLP pair, R1", mlp(with("non-saturating", "r1:1"))},
      {"MLP pair, least squares", mlp(with("least-squares", "none"))},
      {"MLP pair, WGAN-GP", mlp(with("wasserstein", "gradient-penalty:10"))},
      {"MLP pair, WGAN, clipping", mlp(with("wasserstein", "clip:0.01"))},
      {"MLP pair, hinge, spectral norm", mlp(with("hinge", "none"), spectral)},
      {"MLP pair, instance noise", mlp(noisy)},
      {"small DCGAN", pair({.model = "dcgan-small"})},
      {"small DCGAN, relativistic", pair(relativistic)},
      {"the default pair", pair({})},
  };
}

struct Limits {
  Index steps = 0;
  double minutes = 2;
  std::uint64_t seed = 1;
};

struct Result {
  std::string before;  ///< the trainer's warning before the first step, shortened; empty: none
  std::string said;    ///< the watch's first one
  Index at = 0;        ///< its step
  double distance = 0;
  Index steps = 0;
  bool ended = false;  ///< by a loss that is not finite
};

/// The part of a warning that names what is wrong.
std::string shortened(const std::string& text) { return text.substr(0, text.find_first_of(":;,")); }

Result play(const Run& run, const JudgeData& data, const Limits& limits) {
  gan::Rng rng(limits.seed);
  const auto [generator, discriminator] = run.networks(rng);
  auto options = run.options;
  options.seed = limits.seed;
  Result result;
  const auto earlier = gan::set_warning_sink([&](const std::string& text) {
    if (result.before.empty()) result.before = shortened(text.substr(text.find(": ") + 2));
  });
  gan::Trainer<float> trainer(*generator, *discriminator, options);
  const auto images = run.one_image ? data.training.subset(std::vector<Index>(1000, 7)) : data.training;
  gan::Loader<float> loader(images, {.batch = run.batch, .seed = limits.seed});
  gan::CollapseWatch<float> watch({.out = nullptr});
  const auto fitted =
      trainer.fit(loader, {.steps = limits.steps, .seconds = limits.steps > 0 ? 0 : 60 * limits.minutes}, watch,
                  gan::StopWhenNotFinite());
  gan::set_warning_sink(earlier);
  result.steps = trainer.steps();
  result.ended = fitted.stopped;
  if (!watch.warnings().empty()) {
    const auto& first = watch.warnings().front();
    result.said = shortened(first.text);
    result.at = first.step;
  }
  gan::Rng noise(limits.seed, 0x636f6c6c);
  const auto real = gan::flatten(data.test.gather(range(0, 2000)));
  const auto distance = [&](const Tensor& x) {
    gan::Rng slices(1);
    return gan::sliced_wasserstein(slices, real, gan::flatten(x));
  };
  const Tensor samples = trainer.sample(generator->draw(noise, 2000));
  result.distance = distance(samples) / distance(data.training.gather(range(0, 2000)));
  return result;
}

std::string text(const Result& r) { return gan::fixed_text(r.distance, 1) + (r.ended ? " (not finite)" : ""); }

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Ten runs that fail and ten that do not, and what CollapseWatch says of them."};
  std::filesystem::path folder;
  Limits limits;
  std::vector<std::string> only;
  int threads = 0;
  bool no_advice = false;
  app.add_option("--data", folder, "Folder with MNIST's files (else GAN_MNIST_DIR, else drawn digits)");
  auto* minutes =
      app.add_option("--minutes", limits.minutes, "Of each run")->check(CLI::Range(0.001, 1e4))->capture_default_str();
  app.add_option("--steps", limits.steps, "Instead: that many steps")
      ->check(CLI::Range(1, 1000000000))
      ->excludes(minutes);
  app.add_option("--seed", limits.seed, "Of weights, noise and order")->capture_default_str();
  app.add_option("--only", only, "Names of runs");
  app.add_flag("--no-advice", no_advice, "Without the runs that follow the advice");
  app.add_option("--threads", threads, "Default: all cores")->check(CLI::Range(1, 1024));
  CLI11_PARSE(app, argc, argv);
  try {
    if (threads > 0) gan::set_threads(threads);
    if (const char* mnist = std::getenv("GAN_MNIST_DIR"); folder.empty() && mnist) folder = mnist;
    const JudgeData data = load_judge_data(folder);
    gan::check(data.training.item_shape() == gan::Shape{28, 28, 1}, data.name, ": images ", data.training.item_shape(),
               ", expected [28, 28, 1]");
    auto all = cases();
    for (const auto& name : only)
      gan::check(std::any_of(all.begin(), all.end(), [&](const Case& c) { return c.name == name; }),
                 "no run is named \"", name, "\"");
    std::printf(
        "| run | warned of, at step | by the trainer before | distance | after the advice | distance | steps |\n"
        "|---|---|---|---|---|---|---|\n");
    int seen = 0, by_watch = 0, failing = 0, alarms = 0;
    for (const Case& c : all) {
      if (!only.empty() && std::find(only.begin(), only.end(), c.name) == only.end()) continue;
      const Result result = play(c.run, data, limits);
      const bool watched = !result.said.empty(), warned = watched || !result.before.empty();
      failing += c.sound() ? 0 : 1;
      seen += !c.sound() && warned ? 1 : 0;
      by_watch += !c.sound() && watched ? 1 : 0;
      alarms += c.sound() && warned ? 1 : 0;
      const std::string said = watched ? result.said + ", " + std::to_string(result.at) : "-";
      std::string advice, after;
      if (c.advised && !no_advice) advice = c.advice, after = text(play(*c.advised, data, limits));
      std::printf("| %s | %s | %s | %s | %s | %s | %lld |\n", c.name.c_str(), said.c_str(), result.before.c_str(),
                  text(result).c_str(), advice.c_str(), after.c_str(), static_cast<long long>(result.steps));
      std::fflush(stdout);
    }
    std::printf("\n%d of %d failing runs are warned of, %d by the watch, and %d sound ones.\n", seen, failing, by_watch,
                alarms);
    return (only.empty() && seen < 9) || alarms > 0 ? 1 : 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "collapse: %s\n", error.what());
    return 1;
  }
}
