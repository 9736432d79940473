// How many minutes it takes to a multiple of the floor: the default training of `mnist`, from three seeds.
//
//   speedrun --minutes 1.5                            # one row of the table
//   speedrun --minutes 3 --multiple 1.5               # ends with 1 when the mean is above that
//   speedrun --minutes 3 --data /usr/share/datasets/fashion-mnist --labels none
//
// Trains on all training images for that time and lets the judges of quality compare 10,000 samples with the test
// images. A multiple of 1 is what as many training images get.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <gan/gan.hpp>
#include <string>
#include <vector>

#include "experiment.hpp"

namespace fs = std::filesystem;
using namespace gan::bench;

int main(int argc, char** argv) {
  CLI::App app{"Minutes of training to a multiple of the floor, from several seeds."};
  fs::path data, cache = usual_cache(), out;
  Experiment e;
  e.minutes = 3;
  std::vector<std::uint64_t> seeds{11, 12, 13};
  double multiple = 0;
  int threads = 0;
  auto* minutes = app.add_option("--minutes", e.minutes, "Training time of each seed")
                      ->check(CLI::Range(0.001, 1e6))
                      ->capture_default_str();
  app.add_option("--steps", e.steps, "Instead: that many steps")->check(CLI::Range(1, 1000000000))->excludes(minutes);
  app.add_option("--multiple", multiple, "End with an error when the mean of the worse judge is above that")
      ->check(CLI::Range(0.1, 1e6));
  app.add_option("--seed", seeds, "One or several, by commas")->delimiter(',')->capture_default_str();
  app.add_option("--labels", e.pair.labels, "projection, ac-gan or none")
      ->check(CLI::IsMember({"projection", "ac-gan", "none"}))
      ->capture_default_str();
  app.add_option("--model", e.pair.model, "As of mnist train")
      ->check(CLI::IsMember({"image", "mlp", "dcgan", "dcgan-small"}))
      ->capture_default_str();
  app.add_option("--width", e.pair.width, "As of mnist train")->check(CLI::Range(1, 1024))->capture_default_str();
  app.add_option("--precision", e.precision, "highest or medium")
      ->check(CLI::IsMember({"highest", "medium"}))
      ->capture_default_str();
  app.add_option("--data", data, "As for quality (else GAN_MNIST_DIR, else drawn digits)");
  app.add_option("--cache", cache, "Folder for the judges")->capture_default_str();
  app.add_option("--out", out, "Folder for a picture of each seed's samples");
  app.add_option("--threads", threads, "Default: all cores")->check(CLI::Range(1, 1024));
  CLI11_PARSE(app, argc, argv);
  try {
    if (threads > 0) gan::set_threads(threads);
    if (const char* folder = std::getenv("GAN_MNIST_DIR"); data.empty() && folder) data = folder;
    if (!out.empty()) {
      fs::create_directories(out);
      gan::check_writable_folder(out);
    }
    const Jury jury(load_judge_data(data), cache, e.samples);
    std::vector<Outcome> outcomes;
    print_heading("minutes");
    for (const std::uint64_t seed : seeds) {
      e.seed = seed;
      outcomes.push_back(run(e, jury, out.empty() ? out : out / ("seed" + std::to_string(seed) + ".png")));
      print_row("seed " + std::to_string(seed) + ": " +
                    gan::number_text(std::round(outcomes.back().seconds / 0.6) / 100) + " (" +
                    std::to_string(outcomes.back().steps) + " steps)",
                {outcomes.back()});
    }
    print_row(e.steps > 0 ? std::to_string(e.steps) + " steps" : gan::number_text(e.minutes), outcomes);
    double mean = 0;
    for (const auto& outcome : outcomes) mean += outcome.worst_multiple() / static_cast<double>(outcomes.size());
    return multiple > 0 && mean > multiple ? 1 : 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "speedrun: %s\n", error.what());
    return 1;
  }
}
