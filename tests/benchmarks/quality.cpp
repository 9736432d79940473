// Measures generated digits.
//
//   mnist sample --model mnist-run/checkpoint.safetensors --count 5000 --out digits.idx
//   quality --data MNIST_FOLDER digits.idx
//
// Trains a small classifier on the training digits first. Then, for each file against 5,000 test digits, prints: the
// Frechet distance of the classifier's 64 features (0 is perfect; test digits against other training digits are printed
// as the best to hope for), the mean confidence of the classifier, the share of the rarest class (0.1 is perfect), and
// precision and recall (Kynkaanniemi et al., 2019).
#include <CLI/CLI.hpp>
#include <cstdio>
#include <gan/gan.hpp>
#include <string>
#include <vector>

namespace {

using gan::Index;
using Tensor = gan::Tensor<float>;

class Classifier : public gan::Layer<float> {
 public:
  explicit Classifier(gan::Rng& rng) : gan::Layer<float>(rng) {}
  Tensor features(const Tensor& x) {
    const auto small = gan::relu(conv2_(gan::relu(conv1_(x))));
    return gan::relu(hidden_(gan::flatten(small)));
  }
  Tensor forward(const Tensor& x) override { return output_(features(x)); }

 private:
  gan::Conv2d<float> conv1_{this, "conv1", 1, 16, {.kernel = 5, .stride = 2, .padding = gan::Padding::same()}};
  gan::Conv2d<float> conv2_{this, "conv2", 16, 32, {.kernel = 5, .stride = 2, .padding = gan::Padding::same()}};
  gan::Dense<float> hidden_{this, "hidden", 7 * 7 * 32, 64};
  gan::Dense<float> output_{this, "output", 64, 10};
};

struct Seen {
  Tensor features;
  std::vector<Index> classes;
  double confidence = 0;
};

Seen look(Classifier& classifier, const Tensor& images) {
  const gan::NoGrad scope;
  Seen seen{classifier.features(images), {}, 0};
  const Tensor probabilities = gan::softmax(classifier(images));
  for (Index i = 0; i < images.shape()[0]; ++i) {
    const float* row = probabilities.data() + 10 * i;
    const float* best = std::max_element(row, row + 10);
    seen.classes.push_back(best - row);
    seen.confidence += static_cast<double>(*best) / static_cast<double>(images.shape()[0]);
  }
  return seen;
}

Tensor first(const gan::Dataset<float>& data, Index count) {
  std::vector<Index> indices(static_cast<std::size_t>(count));
  for (Index i = 0; i < count; ++i) indices[static_cast<std::size_t>(i)] = i;
  return data.gather(indices);
}

void print(const std::string& name, const Seen& seen, const Seen& real) {
  std::vector<double> shares(10);
  for (const Index c : seen.classes)
    shares[static_cast<std::size_t>(c)] += 1.0 / static_cast<double>(seen.classes.size());
  const auto p = gan::prdc(real.features, seen.features);
  std::printf("%-40s frechet %8.2f  confidence %.3f  rarest class %.3f  precision %.3f  recall %.3f\n", name.c_str(),
              gan::frechet_distance(real.features, seen.features), seen.confidence,
              *std::min_element(shares.begin(), shares.end()), p.precision, p.recall);
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Measures generated digits."};
  std::string data;
  std::vector<std::string> files;
  constexpr Index count = 5000;
  app.add_option("--data", data, "Folder with MNIST's files")->required();
  app.add_option("files", files, "IDX3 files of 28 x 28 digits");
  CLI11_PARSE(app, argc, argv);
  try {
    const auto train = gan::load_mnist<float>(data), test = gan::load_mnist<float>(data, false);
    gan::Rng rng(1);
    Classifier classifier(rng);
    gan::Adam<float> adam(classifier.parameters(), {.learning_rate = 1e-3, .beta1 = 0.9});
    gan::Loader<float> loader(train);
    while (loader.epoch() < 3) {
      const auto batch = loader.next();
      adam.zero_grad();
      backward(gan::cross_entropy(classifier(batch.samples), batch.condition.labels));
      adam.step();
    }
    const Seen real = look(classifier, first(test, count));
    Index right = 0;
    for (Index i = 0; i < count; ++i) right += real.classes[static_cast<std::size_t>(i)] == test.label(i) ? 1 : 0;
    std::printf("classifier: %.2f %% of the test digits right\n",
                100 * static_cast<double>(right) / static_cast<double>(count));
    print("training digits", look(classifier, first(train, count)), real);
    for (const auto& path : files) {
      auto idx = gan::read_idx(path);
      gan::check(idx.shape.rank() == 3 && idx.shape[1] == 28 && idx.shape[2] == 28, path, ": shape ", idx.shape,
                 ", expected [n, 28, 28]");
      const Index n = idx.shape[0];
      const auto digits = gan::Dataset<float>::from_bytes({28, 28, 1}, std::move(idx.bytes));
      print(path, look(classifier, first(digits, n)), real);
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "quality: %s\n", error.what());
    return 1;
  }
}
