// The judges of samples: classifiers of different build, trained once on the data and kept in a folder.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <gan/gan.hpp>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace gan::bench {

inline std::vector<Index> range(Index begin, Index end) {
  std::vector<Index> rows(static_cast<std::size_t>(end - begin));
  std::iota(rows.begin(), rows.end(), begin);
  return rows;
}

/// What judges are trained on, and what samples are compared with. Judges know the images that they were trained on
/// better than any others, and features of those would be a floor that no samples could reach: judges learn two thirds
/// of the training images, and what real images get is measured on the third between.
struct JudgeData {
  JudgeData(Dataset<float> training_images, Dataset<float> test_images, std::string name_of_data)
      : training(std::move(training_images)),
        test(std::move(test_images)),
        lessons(third(training, false)),
        unseen(third(training, true)),
        name(std::move(name_of_data)) {}

  Dataset<float> training;  ///< of generators: all
  Dataset<float> test;
  Dataset<float> lessons, unseen;  ///< of the training images, those that judges learn, and the others
  std::string name;

 private:
  static Dataset<float> third(const Dataset<float>& images, bool last) {
    std::vector<Index> rows;
    for (Index i = 0; i < images.size(); ++i)
      if ((i % 3 == 2) == last) rows.push_back(i);
    return images.subset(rows);
  }
};

/// Of a folder with MNIST's files, or with folders train/ and test/ of pictures in a folder a class (32 x 32, in
/// color); without one, digits that the library draws.
inline JudgeData load_judge_data(const std::filesystem::path& folder) {
  if (folder.empty()) return {digits_dataset<float>(45000, 1), digits_dataset<float>(10000, 2), "drawn digits"};
  if (has_mnist(folder)) return {load_mnist<float>(folder), load_mnist<float>(folder, false), folder.string()};
  const ImageFolderOptions pictures{.height = 32, .width = 32, .classes = true};
  check(std::filesystem::is_directory(folder / "train") && std::filesystem::is_directory(folder / "test"),
        folder.string(),
        ": holds neither MNIST's files nor folders train/ and test/ with a folder of pictures a class");
  return {load_image_folder<float>(folder / "train", pictures), load_image_folder<float>(folder / "test", pictures),
          folder.string()};
}

/// Images -> logits [n, classes], by way of features [n, d].
class JudgeNetwork : public Layer<float> {
 public:
  using Layer<float>::Layer;
  Tensor<float> forward(const Tensor<float>& x) override { return output(features(x)); }
  virtual Tensor<float> features(const Tensor<float>& x) = 0;
  virtual Tensor<float> output(const Tensor<float>& features) = 0;
};

/// Two convolutions 5 x 5 with maxima of 2 x 2, a dense layer, and one of 32 units whose values are the features
/// (after LeCun et al., 1998).
class LeNetJudge : public JudgeNetwork {
 public:
  LeNetJudge(Module<float>* parent, std::string name, const Shape& image, Index classes)
      : JudgeNetwork(parent, std::move(name)), output_(this, "output", 32, classes) {
    const Conv2dOptions same{.kernel = 5, .padding = Padding::same(), .weight_initializer = init::he_uniform()};
    const DenseOptions dense{.weight_initializer = init::he_uniform()};
    body_.add<Conv2d>("conv1", image[2], 16, same);
    body_.add<MaxPool2d>("pool1");
    body_.add<Activation>("relu1", activation::relu());
    body_.add<Conv2d>("conv2", 16, 32, same);
    body_.add<MaxPool2d>("pool2");
    body_.add<Activation>("relu2", activation::relu());
    body_.add<Flatten>("flatten");
    body_.add<Dense>("hidden", image[0] / 4 * (image[1] / 4) * 32, 128, dense);
    body_.add<Activation>("relu3", activation::relu());
    body_.add<Dropout>("dropout", 0.3);
    body_.add<Dense>("features", 128, 32, dense);
    body_.add<Activation>("relu4", activation::relu());
  }
  Tensor<float> features(const Tensor<float>& x) override { return body_(x); }
  Tensor<float> output(const Tensor<float>& features) override { return output_(features); }

 private:
  Sequential<float> body_{this, "body"};
  Dense<float> output_;
};

/// A convolution, residual blocks with batch norm, each but the first on maps of half the size, and the mean over all
/// pixels, whose values are the features (after He et al., 2016).
class ResidualJudge : public JudgeNetwork {
 public:
  ResidualJudge(Module<float>* parent, std::string name, const Shape& image, Index classes, Index width)
      : JudgeNetwork(parent, std::move(name)), output_(this, "output", 4 * width, classes) {
    ResidualBlockOptions<float> block{.norm = norms::batch(), .weight_initializer = init::he_normal()};
    body_.add<Conv2d>("conv", image[2], width,
                      Conv2dOptions{.padding = Padding::same(), .weight_initializer = init::he_normal()});
    if (image[2] == 1) body_.add<MaxPool2d>("pool");
    body_.add<ResidualBlock>("block1", width, width, block);
    body_.add<ResidualBlock>("block2", width, 2 * width, block);
    body_.add<AvgPool2d>("halve1");
    body_.add<ResidualBlock>("block3", 2 * width, 4 * width, block);
    if (image[2] != 1) {
      body_.add<AvgPool2d>("halve2");
      body_.add<ResidualBlock>("block4", 4 * width, 4 * width, block);
    }
    body_.add<BatchNorm>("norm", 4 * width);
    body_.add<Activation>("relu", activation::relu());
    body_.add<GlobalAveragePool>("mean");
  }
  Tensor<float> features(const Tensor<float>& x) override { return body_(x); }
  Tensor<float> output(const Tensor<float>& features) override { return output_(features); }

 private:
  Sequential<float> body_{this, "body"};
  Dense<float> output_;
};

struct JudgeOptions {
  std::string build;  ///< "lenet" or "residual"
  Index epochs = 9;
  std::uint64_t seed = 1;
};

/// The training of a judge, as a game of one.
class JudgeGame : public Game<float> {
 public:
  JudgeGame(const JudgeOptions& options, const Shape& image, Index classes) : Game(options.seed, 0x6a75646765) {
    if (options.build == "lenet")
      network_ = std::make_unique<LeNetJudge>(this, "network", image, classes);
    else if (options.build == "residual")
      network_ = std::make_unique<ResidualJudge>(this, "network", image, classes, image[2] > 1 ? 32 : 16);
    else
      fail("no judge is named \"", options.build, "\", expected lenet or residual");
    player_.emplace(this, "judge", Player<float>::Networks{network_.get()},
                    AdamOptions{.learning_rate = 2e-3, .beta1 = 0.9},
                    PlayerOptions{.schedule = schedule::cosine(schedule::whole_run)});
  }
  void step(Source<float>& in) override {
    const auto batch = in.next();
    player_->descend(cross_entropy((*network_)(batch.samples), batch.condition.labels));
  }
  JudgeNetwork& network() { return *network_; }

 private:
  std::unique_ptr<JudgeNetwork> network_;
  std::optional<Player<float>> player_;
};

/// What a judge sees in images.
struct Look {
  Tensor<float> features, probabilities;  ///< [n, d], [n, classes]
  std::vector<Index> classes;             ///< the likeliest of each
};

class Judge {
 public:
  /// Loads it from `cache`, or trains it there: a minute or two. Throws for a file there that is spoiled or of other
  /// data.
  Judge(const JudgeOptions& options, const JudgeData& data, const std::filesystem::path& cache)
      : options_(options), game_(options, data.lessons.item_shape(), data.lessons.classes()) {
    const std::string key = std::to_string(data.lessons.fingerprint() % 1000000007) + "-" +
                            std::to_string(options.epochs) + "-" + std::to_string(options.seed);
    path_ = cache / (options.build + "-" + key + ".safetensors");
    const MatmulPrecision highest(Precision::highest);
    Loader<float> loader = make_loader(data);
    if (std::filesystem::exists(path_)) {
      const auto notes = load_network<float>(path_, game_.network(), "network");
      const auto trained_on = notes.find("fingerprint");
      check(trained_on != notes.end() && trained_on->second == std::to_string(data.lessons.fingerprint()),
            path_.string(), ": was trained on other data than ", data.name, ": remove it");
    } else {
      std::filesystem::create_directories(cache);
      std::printf("Training the judge \"%s\" on %s, once ...\n", options.build.c_str(), data.name.c_str());
      std::fflush(stdout);
      game_.fit(loader, {.epochs = options.epochs}, StopWhenNotFinite());
      save_checkpoint<float>(path_, game_, nullptr,
                             {{"fingerprint", std::to_string(data.lessons.fingerprint())}, {"data", data.name}});
    }
    const Look seen = look(data.test);
    Index right = 0;
    for (Index i = 0; i < data.test.size(); ++i)
      right += seen.classes[static_cast<std::size_t>(i)] == data.test.label(i) ? 1 : 0;
    accuracy_ = static_cast<double>(right) / static_cast<double>(data.test.size());
  }

  const std::string& name() const { return options_.build; }
  /// Share of the test images that it names rightly.
  double accuracy() const { return accuracy_; }
  /// The file it is kept in.
  const std::filesystem::path& path() const { return path_; }

  Look look(const Dataset<float>& images) {
    const NoGrad no_grad;
    const MatmulPrecision highest(Precision::highest);
    const Evaluate<float> mode(game_);
    constexpr Index part = 500;
    std::vector<Tensor<float>> features, probabilities;
    for (Index begin = 0; begin < images.size(); begin += part) {
      const auto x = images.gather(range(begin, std::min(images.size(), begin + part)));
      features.push_back(game_.network().features(x));
      probabilities.push_back(softmax(game_.network().output(features.back())));
    }
    Look seen{concatenate<float>(features, 0), concatenate<float>(probabilities, 0), {}};
    seen.classes = argmax(seen.probabilities);
    return seen;
  }

 private:
  static Loader<float> make_loader(const JudgeData& data) {
    std::vector<Augmentation<float>> changes;
    if (data.lessons.item_shape()[2] > 1) changes = {augment::flip_horizontal(), augment::shift(3)};
    return Loader<float>(data.lessons, {.batch = 128, .seed = 1}, changes);
  }

  JudgeOptions options_;
  JudgeGame game_;
  std::filesystem::path path_;
  double accuracy_ = 0;
};

/// The judges of that data: two for gray images, one for those in color.
inline std::vector<std::unique_ptr<Judge>> make_judges(const JudgeData& data, const std::filesystem::path& cache) {
  check(data.training.has_labels() && data.test.has_labels(), data.name,
        ": has no labels, which judges are trained by");
  std::vector<std::unique_ptr<Judge>> judges;
  const bool gray = data.training.item_shape()[2] == 1;
  if (gray) judges.push_back(std::make_unique<Judge>(JudgeOptions{.build = "lenet"}, data, cache));
  judges.push_back(std::make_unique<Judge>(JudgeOptions{.build = "residual", .epochs = gray ? 7 : 18}, data, cache));
  return judges;
}

/// Where judges are kept unless told: gan-judges in the folder for caches of the user.
inline std::filesystem::path usual_cache() {
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache && *cache)
    return std::filesystem::path(cache) / "gan-judges";
  if (const char* home = std::getenv("HOME"); home && *home)
    return std::filesystem::path(home) / ".cache" / "gan-judges";
  return "gan-judges";
}

}  // namespace gan::bench
