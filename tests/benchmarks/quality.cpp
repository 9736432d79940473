// Measures generated images by judges that are no part of any training.
//
//   mnist sample --model mnist-run/checkpoint.safetensors --count 10000 --out digits.idx
//   quality --data MNIST_FOLDER digits.idx
//
// The judges are two classifiers of different build, trained once on the data's training images and kept in a folder.
// Each compares the samples with the test images; "x floor" is the Frechet distance as a multiple of what as many
// training images get, so that 1 is as good as real. Beside FILE.idx lie in FILE.labels.idx the classes asked for, if
// any. Files that differ in their seed alone are told as a mean with its standard error, too.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <gan/gan.hpp>
#include <string>
#include <vector>

#include "figures.hpp"
#include "self_test.hpp"

namespace fs = std::filesystem;
using gan::Index;
using namespace gan::bench;

namespace {

struct Options {
  fs::path data, cache = usual_cache(), json, pairs;
  std::vector<fs::path> files;
  bool self_test = false, small = false;
  Index count = 10000;
  std::uint64_t seed = 1;
};

/// Images of an IDX file [n, h, w] or [n, h, w, c], the first `count` of them, and the labels beside it.
Samples read_samples(const fs::path& path, Index count) {
  auto idx = gan::read_idx(path);
  gan::check(idx.shape.rank() == 3 || idx.shape.rank() == 4, path.string(), ": shape ", idx.shape,
             ", expected [n, h, w] or [n, h, w, c]");
  const Index n = idx.shape[0];
  gan::check(n >= count, path.string(), ": ", n, " samples, expected at least ", count, " (see --count)");
  std::vector<Index> labels;
  if (const auto beside = fs::path(path).replace_extension(".labels.idx"); fs::exists(beside)) {
    const auto numbers = gan::read_idx(beside);
    gan::check(numbers.shape == gan::Shape{n}, beside.string(), ": shape ", numbers.shape, ", expected [", n, "] as ",
               path.string(), " has images");
    labels.assign(numbers.bytes.begin(), numbers.bytes.end());
  }
  const gan::Shape item{idx.shape[1], idx.shape[2], idx.shape.rank() == 4 ? idx.shape[3] : 1};
  const auto all = gan::Dataset<float>::from_bytes(item, std::move(idx.bytes), std::move(labels));
  return {n == count ? all : all.subset(range(0, count)), path.string()};
}

void print_row(const std::string& name, const Figures& f, const Jury::Member& member) {
  std::printf("%-34s", name.c_str());
  std::printf(" %7.2f", member.multiple(f));
  for (const auto& kind : figure_kinds) {
    const auto found = f.find(kind.name);
    if (found == f.end())
      std::printf(" %9s", "-");
    else
      std::printf(" %9.3f", found->second);
  }
  std::puts("");
}

void write_pairs(const fs::path& path, const Samples& samples, const JudgeData& data, const Memorizing& memorizing) {
  const auto rows = static_cast<std::size_t>(std::min<Index>(20, std::ssize(memorizing.sample)));
  std::vector<gan::Tensor<float>> parts;
  const auto some = [rows](const std::vector<Index>& all) {
    return std::vector<Index>(all.begin(), all.begin() + static_cast<Index>(rows));
  };
  parts.push_back(samples.images.gather(some(memorizing.sample)));
  parts.push_back(data.training.gather(some(memorizing.training)));
  parts.push_back(data.test.gather(some(memorizing.test)));
  gan::write_grid(path, gan::concatenate<float>(parts, 0), {.columns = static_cast<Index>(rows)});
}

void measure(const Options& o, const JudgeData& data) {
  std::vector<Samples> all;
  for (const auto& path : o.files) all.push_back(read_samples(path, o.count));
  for (const auto& samples : all)
    gan::check(samples.images.item_shape() == data.test.item_shape(), samples.name, ": images ",
               samples.images.item_shape(), ", expected ", data.test.item_shape(), " as in ", data.name);
  nlohmann::json json{{"data", data.name}, {"samples", o.count}, {"judges", nlohmann::json::array()}};
  const Jury jury(data, o.cache, o.count);
  for (const auto& member : jury.members()) {
    const auto& [judge, reference, floor] = member;
    std::printf(
        "\njudge \"%s\": %.2f %% of the test images right; %lld features; %lld samples against %lld test images; "
        "the floor is of %lld training images that it has not learned\n",
        judge->name().c_str(), 100 * judge->accuracy(), static_cast<long long>(reference->features()),
        static_cast<long long>(o.count), static_cast<long long>(reference->test_images()),
        static_cast<long long>(floor.images));
    std::printf("%-34s %7s", "", "x floor");
    for (const auto& kind : figure_kinds) std::printf(" %9s", kind.name);
    std::puts("");
    print_row("training images", floor.mean, member);
    print_row("  +-", floor.deviation, member);
    nlohmann::json rows = nlohmann::json::array();
    std::vector<Figures> figures;
    for (const auto& samples : all) {
      figures.push_back(reference->measure(samples));
      print_row(samples.name, figures.back(), member);
      rows.push_back(
          {{"file", samples.name}, {"x floor", member.multiple(figures.back())}, {"figures", figures.back()}});
      std::fflush(stdout);
    }
    if (figures.size() > 1) {
      bool alike = true;
      for (const auto& f : figures) alike = alike && f.size() == figures.front().size();
      if (alike) {
        Figures error = deviation_of(figures);
        for (auto& [name, value] : error) value /= std::sqrt(static_cast<double>(figures.size()));
        print_row("mean", mean_of(figures), member);
        print_row("  +-", error, member);
      }
    }
    json["judges"].push_back(
        {{"name", judge->name()},
         {"accuracy", judge->accuracy()},
         {"features", reference->features()},
         {"test images", reference->test_images()},
         {"floor", {{"images", floor.images}, {"mean", floor.mean}, {"deviation", floor.deviation}}},
         {"rows", rows}});
  }
  std::puts("");
  for (const auto& samples : all) {
    const auto m = measure_memorizing(samples, data.training, data.test);
    std::printf("%-34s nearest image is a training image: %.3f, of samples that know none %.3f +- %.3f\n",
                samples.name.c_str(), m.nearer, m.expected, m.error);
    json["memorizing"].push_back(
        {{"file", samples.name}, {"nearer", m.nearer}, {"expected", m.expected}, {"error", m.error}});
    if (!o.pairs.empty() && &samples == &all.front()) write_pairs(o.pairs, samples, data, m);
  }
  if (!o.json.empty()) {
    std::ofstream out(o.json);
    out << json.dump(1) << '\n';
    gan::check(static_cast<bool>(out.flush()), o.json.string(), ": cannot be written");
  }
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Measures generated images by judges that are no part of any training."};
  Options o;
  std::string meanings = "Figures:\n";
  for (const auto& kind : figure_kinds) meanings += "  " + std::string(kind.name) + ": " + kind.meaning + "\n";
  app.footer(meanings);
  app.add_option("--data", o.data,
                 "Folder with MNIST's files (or Fashion-MNIST's), or with train/ and test/ of colored pictures in a "
                 "folder a class (else GAN_MNIST_DIR, else drawn digits)");
  app.add_option("--cache", o.cache, "Folder for the judges")->capture_default_str();
  app.add_option("--count", o.count, "Samples of each file to measure")
      ->check(CLI::Range(100, 60000))
      ->capture_default_str();
  app.add_option("--json", o.json, "File for all figures");
  app.add_option("--pairs", o.pairs,
                 "PNG file: the samples of the first file that are nearest to training images, over those, over the "
                 "nearest test images");
  app.add_flag("--self-test", o.self_test, "Measure spoiled training images: whether the judges see what is wrong");
  app.add_flag("--small", o.small, "Of the self-test: without samples of networks, which take minutes to train");
  app.add_option("--seed", o.seed, "Of what the self-test spoils")->capture_default_str();
  app.add_option("files", o.files, "IDX files of samples, bytes [n, h, w] or [n, h, w, c]")->check(CLI::ExistingFile);
  CLI11_PARSE(app, argc, argv);
  try {
    if (const char* folder = std::getenv("GAN_MNIST_DIR"); o.data.empty() && folder) o.data = folder;
    gan::check(o.self_test || !o.files.empty(), "nothing to measure: give files, or --self-test");
    const JudgeData data = load_judge_data(o.data);
    if (o.self_test) return self_test({.cache = o.cache, .count = o.count, .networks = !o.small, .seed = o.seed}, data);
    measure(o, data);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "quality: %s\n", error.what());
    return 1;
  }
}
