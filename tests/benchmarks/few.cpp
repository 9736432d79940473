// What a few hundred images are enough for, and whether they are merely repeated: the image pair with and without
// augmentation of what its discriminator sees.
//
//   few --items 500 --minutes 5 --augment none,diffaugment,ada
//   few --data CIFAR_FOLDER --class horse --items 2000 --minutes 5
//
// Trains on the first of the training images, or of those of a class, and lets the judges of quality compare the
// samples with the test images of the same kind. "nearer" is the share of samples whose nearest image, of those trained
// on and the test images, is one trained on: for samples that know none of them it is as printed beside.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <gan/gan.hpp>
#include <string>
#include <vector>

#include "experiment.hpp"

namespace fs = std::filesystem;
using gan::Index;
using namespace gan::bench;

namespace {

struct Options {
  fs::path data, cache = usual_cache(), out;
  std::string kind;
  Index items = 500;
  double minutes = 5;
  Index steps = 0;
  std::vector<std::string> augment{"none", "diffaugment", "ada"};
  std::vector<std::uint64_t> seeds{1};
  std::string precision = "highest";
  int threads = 0;
};

/// The images of one class, without labels.
gan::Dataset<float> of_class(const gan::Dataset<float>& images, Index label) {
  std::vector<Index> rows;
  for (Index i = 0; i < images.size(); ++i)
    if (images.label(i) == label) rows.push_back(i);
  const auto x = images.gather(rows);
  return gan::Dataset<float>::from(images.item_shape(), {x.data(), x.data() + x.size()});
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Trains the image pair on a few images, with and without augmentation, and judges the samples."};
  Options o;
  app.add_option("--data", o.data, "As for quality (else GAN_MNIST_DIR, else drawn digits)");
  app.add_option("--class", o.kind, "Name or number of the one class to train on (default: all, with their labels)");
  app.add_option("--items", o.items, "Training images")->check(CLI::Range(10, 60000))->capture_default_str();
  auto* minutes = app.add_option("--minutes", o.minutes, "Training time of each row")
                      ->check(CLI::Range(0.001, 1e5))
                      ->capture_default_str();
  app.add_option("--steps", o.steps, "Instead: that many steps")->check(CLI::Range(1, 1000000000))->excludes(minutes);
  app.add_option("--augment", o.augment, "Rows: none, diffaugment, ada")->delimiter(',')->capture_default_str();
  app.add_option("--seed", o.seeds, "One or several, by commas")->delimiter(',')->capture_default_str();
  app.add_option("--precision", o.precision, "highest or medium")
      ->check(CLI::IsMember({"highest", "medium"}))
      ->capture_default_str();
  app.add_option("--cache", o.cache, "Folder for the judges")->capture_default_str();
  app.add_option("--out", o.out, "Folder for a picture of each row");
  app.add_option("--threads", o.threads, "Default: all cores")->check(CLI::Range(1, 1024));
  CLI11_PARSE(app, argc, argv);
  try {
    if (o.threads > 0) gan::set_threads(o.threads);
    if (const char* folder = std::getenv("GAN_MNIST_DIR"); o.data.empty() && folder) o.data = folder;
    Experiment e;
    e.precision = o.precision;
    e.steps = o.steps;
    e.minutes = o.minutes;
    for (const auto& name : o.augment) {
      e.augment = name;
      options_of(e);
    }
    if (!o.out.empty()) fs::create_directories(o.out);
    const JudgeData all = load_judge_data(o.data);
    JudgeData wanted = all;
    if (!o.kind.empty()) {
      const auto& names = all.training.class_names();
      const auto named = std::find(names.begin(), names.end(), o.kind);
      const Index label = named != names.end() ? named - names.begin() : std::atoll(o.kind.c_str());
      gan::check(named != names.end() || std::to_string(label) == o.kind, all.name, ": has no class named \"", o.kind,
                 "\"");
      gan::check(label >= 0 && label < all.training.classes(), "--class ", o.kind, ": expected one of ",
                 all.training.classes());
      for (auto* images : {&wanted.training, &wanted.test, &wanted.unseen}) *images = of_class(*images, label);
      wanted.name += ", class " + o.kind;
    }
    gan::check(o.items <= wanted.training.size(), "--items ", o.items, ": ", wanted.name, " has ",
               wanted.training.size());
    const auto training = wanted.training.subset(range(0, o.items));
    const Index samples = std::min<Index>(10000, std::min(wanted.test.size(), wanted.unseen.size() * 2 / 3));

    const Jury jury(all, wanted, o.cache, samples);
    std::printf("%lld images of %s; %lld samples against %lld test images\n\n", static_cast<long long>(o.items),
                wanted.name.c_str(), static_cast<long long>(samples), static_cast<long long>(wanted.test.size()));
    std::printf(
        "| augmentation, seed | judge | x floor | precision | recall | coverage | nearer (expected) | steps |\n");
    std::printf("|---|---|---|---|---|---|---|---|\n");
    for (const auto& augmentation : o.augment)
      for (const std::uint64_t seed : o.seeds) {
        e.augment = augmentation;
        e.seed = seed;
        train(e, training, [&](gan::Trainer<float>& trainer) {
          if (!o.out.empty())
            gan::write_grid(o.out / (augmentation + "-seed" + std::to_string(seed) + ".png"), trainer.samples());
          const Samples drawn = draw_samples(trainer, samples, seed, training.item_shape());
          const Memorizing m = measure_memorizing(drawn, training, wanted.test);
          for (const auto& member : jury.members()) {
            const Figures f = member.reference->measure(drawn);
            std::printf("| %s, %llu | %s | %.2f | %.3f | %.3f | %.3f | %.3f (%.3f) | %lld |\n", augmentation.c_str(),
                        static_cast<unsigned long long>(seed), member.judge->name().c_str(), member.multiple(f),
                        f.at("precision"), f.at("recall"), f.at("coverage"), m.nearer, m.expected,
                        static_cast<long long>(trainer.steps()));
          }
          std::fflush(stdout);
        });
      }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "few: %s\n", error.what());
    return 1;
  }
}
