// What generated images are worth to a classifier that has few real ones.
//
//   augment --each 20,50,100 --seed 1,2,3
//
// For each number: a classifier is trained on that many real images a class; a conditional pair is trained on the same
// images; and a second classifier on these and a thousand generated ones a class. Printed are both test accuracies.
// Both classifiers see images moved by up to two pixels, which costs nothing and is what one would try first.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <gan/gan.hpp>
#include <string>
#include <vector>

#include "experiment.hpp"

using gan::Index;
using namespace gan::bench;

namespace {

/// `each` images of every class, the first ones in an order that the seed says.
gan::Dataset<float> some_of_each(const gan::Dataset<float>& images, Index each, std::uint64_t seed) {
  std::vector<Index> left(static_cast<std::size_t>(images.classes()), each), rows;
  gan::Rng rng(seed, 0x6175676d656e74);
  for (const Index i : rng.permutation(images.size()))
    if (left[static_cast<std::size_t>(images.label(i))] > 0) {
      --left[static_cast<std::size_t>(images.label(i))];
      rows.push_back(i);
    }
  for (const Index missing : left)
    gan::check(missing == 0, "--each ", each, ": a class has ", each - missing, " images only");
  return images.subset(rows);
}

/// Test accuracy of a classifier after `steps` steps on these images.
double accuracy(const gan::Dataset<float>& images, const gan::Dataset<float>& test, Index steps, std::uint64_t seed) {
  JudgeGame game({.build = "lenet", .seed = seed}, images.item_shape(), images.classes());
  gan::Loader<float> loader(images, {.batch = std::min<Index>(100, images.size()), .seed = seed},
                            {gan::augment::shift(2)});
  game.fit(loader, {.steps = steps});
  const gan::NoGrad no_grad;
  const gan::Evaluate<float> mode(game);
  Index right = 0;
  for (Index begin = 0; begin < test.size(); begin += 1000) {
    const Index end = std::min(test.size(), begin + 1000);
    const auto named = gan::argmax(game.network()(test.gather(range(begin, end))));
    for (Index i = begin; i < end; ++i) right += named[static_cast<std::size_t>(i - begin)] == test.label(i) ? 1 : 0;
  }
  return static_cast<double>(right) / static_cast<double>(test.size());
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Test accuracy of a classifier on few real images, with and without generated ones."};
  std::filesystem::path data;
  std::vector<Index> numbers{20, 50, 100};
  std::vector<std::uint64_t> seeds{1, 2, 3};
  Index classifier_steps = 2000, generated = 1000;
  Experiment e;
  e.augment = "diffaugment";
  e.steps = 3000;
  app.add_option("--data", data, "As for quality (else GAN_MNIST_DIR, else drawn digits)");
  app.add_option("--each", numbers, "Real images a class, by commas")
      ->delimiter(',')
      ->check(CLI::Range(2, 5000))
      ->capture_default_str();
  app.add_option("--seed", seeds, "One or several, by commas")->delimiter(',')->capture_default_str();
  app.add_option("--steps", e.steps, "Of the pair")->check(CLI::Range(1, 1000000))->capture_default_str();
  app.add_option("--classifier-steps", classifier_steps, "Of each classifier")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  app.add_option("--generated", generated, "Images a class")->check(CLI::Range(1, 6000))->capture_default_str();
  app.add_option("--precision", e.precision, "highest or medium, of the pair's training")
      ->check(CLI::IsMember({"highest", "medium"}))
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  try {
    if (const char* folder = std::getenv("GAN_MNIST_DIR"); data.empty() && folder) data = folder;
    const JudgeData all = load_judge_data(data);
    const Index classes = all.training.classes();
    std::printf(
        "| real images a class, seed | real alone | with %lld generated a class | generated alone "
        "|\n|---|---|---|---|\n",
        static_cast<long long>(generated));
    for (const Index each : numbers) {
      double sums[3] = {};
      for (const std::uint64_t seed : seeds) {
        const auto real = some_of_each(all.training, each, seed);
        e.seed = seed;
        gan::Condition<float> wanted{.classes = classes};
        for (Index i = 0; i < classes * generated; ++i) wanted.labels.push_back(i % classes);
        gan::Dataset<float> made = real;
        train(e, real, [&](gan::Trainer<float>& trainer) {
          gan::Rng noise(seed);
          made = draw_samples(trainer, wanted, classes * generated, noise, real.item_shape()).images;
        });
        // Real images as often as generated ones.
        std::vector<float> values;
        std::vector<Index> labels;
        const auto add = [&](const gan::Dataset<float>& images, Index times) {
          const auto x = images.gather(range(0, images.size()));
          for (Index i = 0; i < times; ++i) {
            values.insert(values.end(), x.data(), x.data() + x.size());
            labels.insert(labels.end(), images.labels().begin(), images.labels().end());
          }
        };
        add(made, 1);
        add(real, std::max<Index>(1, generated / each));
        const auto both = gan::Dataset<float>::from(real.item_shape(), std::move(values), std::move(labels));
        const double found[3] = {accuracy(real, all.test, classifier_steps, seed),
                                 accuracy(both, all.test, classifier_steps, seed),
                                 accuracy(made, all.test, classifier_steps, seed)};
        std::printf("| %lld, %llu | %.4f | %.4f | %.4f |\n", static_cast<long long>(each),
                    static_cast<unsigned long long>(seed), found[0], found[1], found[2]);
        std::fflush(stdout);
        for (int i = 0; i < 3; ++i) sums[i] += found[i] / static_cast<double>(seeds.size());
      }
      std::printf("| **%lld, mean** | **%.4f** | **%.4f** | **%.4f** |\n", static_cast<long long>(each), sums[0],
                  sums[1], sums[2]);
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "augment: %s\n", error.what());
    return 1;
  }
}
