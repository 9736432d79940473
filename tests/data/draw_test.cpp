#include "gan/data/draw.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "gan/data/loader.hpp"
#include "gan/data/zip.hpp"
#include "support/catch.hpp"

using gan::Index;
using gan::Loader;

namespace {

using Data = gan::Dataset<float>;

/// Items with their numbers as values: `counts[c]` of class c, mixed.
Data items(const std::vector<Index>& counts) {
  std::vector<Index> labels;
  for (std::size_t c = 0; c < counts.size(); ++c)
    labels.insert(labels.end(), static_cast<std::size_t>(counts[c]), static_cast<Index>(c));
  std::vector<Index> mixed;
  for (const Index i : gan::Rng(5).permutation(static_cast<Index>(labels.size())))
    mixed.push_back(labels[static_cast<std::size_t>(i)]);
  std::vector<float> values(labels.size());
  std::iota(values.begin(), values.end(), 0.0f);
  return Data::from({1}, values, mixed, {.count = static_cast<Index>(counts.size())});
}

/// How often an epoch shows each item, and each class.
struct Counts {
  std::vector<Index> items, classes;
};

Counts epoch_of(Loader<float>& loader) {
  Counts counts{std::vector<Index>(static_cast<std::size_t>(loader.items())),
                std::vector<Index>(static_cast<std::size_t>(loader.classes()))};
  for (Index i = 0; i < loader.batches_per_epoch(); ++i) {
    const auto batch = loader.next();
    for (Index k = 0; k < batch.samples.size(); ++k) {
      ++counts.items[static_cast<std::size_t>(batch.samples.data()[k])];
      if (batch.condition.has_labels())
        ++counts.classes[static_cast<std::size_t>(batch.condition.labels[std::size_t(k)])];
    }
  }
  return counts;
}

std::string draw_of(const Loader<float>& loader) {
  for (const auto& [name, text] : loader.settings())
    if (name == "draw") return text;
  return "";
}

}  // namespace

TEST_CASE("balanced epochs show each class equally often, and its items as evenly as can be") {
  const Data data = items({240, 30, 0, 30});
  Loader<float> loader(data, {.batch = 50, .seed = 1, .balanced = true});
  CHECK(loader.class_frequencies()[0] == Approx(1 / 3.0));
  CHECK(loader.class_frequencies()[1] == Approx(1 / 3.0));
  CHECK(loader.class_frequencies()[2] == 0);
  std::vector<Index> seen(300);
  for (int epoch = 0; epoch < 12; ++epoch) {
    const auto counts = epoch_of(loader);
    CHECK(counts.classes[2] == 0);
    for (const std::size_t c : {0u, 1u, 3u}) CHECK((counts.classes[c] >= 99 && counts.classes[c] <= 101));
    for (Index i = 0; i < 300; ++i) {
      const Index count = counts.items[static_cast<std::size_t>(i)];
      CHECK((data.label(i) == 0 ? count <= 1 : count == 3 || count == 4));
      seen[static_cast<std::size_t>(i)] += count;
    }
  }
  CHECK(std::count(seen.begin(), seen.end(), 0) < 5);  // other items of the large class in each epoch
}

TEST_CASE("classes are mixed within a balanced epoch") {
  Loader<float> loader(items({90, 10}), {.batch = 20, .seed = 1, .balanced = true});
  for (int i = 0; i < 5; ++i) {
    const auto labels = loader.next().condition.labels;
    const auto ones = std::count(labels.begin(), labels.end(), Index{1});
    CHECK((ones >= 3 && ones <= 17));
  }
}

TEST_CASE("weights say how often an item is shown") {
  const std::vector<double> weights{0, 1, 2, 0.5, 4, 0, 2.5};
  Loader<float> loader(items({3, 4}), {.batch = 7, .seed = 2, .weights = weights});
  std::vector<double> means(7);
  const int epochs = 4000;
  for (int epoch = 0; epoch < epochs; ++epoch) {
    const auto counts = epoch_of(loader);
    for (std::size_t i = 0; i < 7; ++i) {
      const double expected = 7 * weights[i] / 10;
      REQUIRE(std::abs(static_cast<double>(counts.items[i]) - expected) < 1);
      means[i] += static_cast<double>(counts.items[i]) / epochs;
    }
  }
  for (std::size_t i = 0; i < 7; ++i) CHECK(means[i] == Approx(7 * weights[i] / 10).margin(0.04));
  double first = 0;
  for (Index i = 0; i < 7; ++i)
    if (loader.dataset().label(i) == 0) first += weights[static_cast<std::size_t>(i)] / 10;
  CHECK(loader.class_frequencies()[0] == Approx(first));
  CHECK(loader.class_frequencies()[1] == Approx(1 - first));
}

TEST_CASE("equal weights show every item once, however large or small they are") {
  for (const double weight : {1.0, 1 / 3.0, 1e308, 5e-324}) {
    Loader<float> loader(items({101}), {.batch = 101, .weights = std::vector<double>(101, weight)});
    for (int epoch = 0; epoch < 3; ++epoch) CHECK(epoch_of(loader).items == std::vector<Index>(101, 1));
    CHECK(loader.class_frequencies()[0] == Approx(1));
  }
  Loader<float> one(items({5}), {.batch = 5, .weights = {0, 0, 1, 0, 0}});
  CHECK(epoch_of(one).items == std::vector<Index>{0, 0, 5, 0, 0});
}

TEST_CASE("any two items may be drawn in one epoch") {
  Loader<float> loader(items({6}), {.batch = 6, .weights = {0.5, 0.5, 0.5, 0.5, 2, 2}});
  int neighbors = 0;
  for (int epoch = 0; epoch < 100; ++epoch) {
    const auto counts = epoch_of(loader).items;
    neighbors += counts[0] > 0 && counts[1] > 0;
  }
  CHECK((neighbors > 2 && neighbors < 50));
}

TEST_CASE("drawn epochs go on from any state, and differ") {
  const auto values = [](const gan::Batch<float>& batch) {
    return std::vector<float>(batch.samples.data(), batch.samples.data() + batch.samples.size());
  };
  for (const bool balanced : {true, false}) {
    const gan::LoaderOptions options{
        .batch = 10, .seed = 3, .balanced = balanced, .weights = std::vector<double>(balanced ? 0 : 40, 2)};
    Loader<float> first(items({30, 10}), options), second(items({30, 10}), options);
    const auto begin = values(first.next());
    for (int i = 0; i < 5; ++i) first.next();
    second.set_state(first.state());
    for (int i = 0; i < 6; ++i) {
      const auto next = values(first.next());
      CHECK(next == values(second.next()));
      CHECK(next != begin);
    }
  }
}

TEST_CASE("pairs can be drawn by class") {
  auto pairs = gan::zip(items({30, 10}), Data::from({1}, std::vector<float>(40, 1)), {.batch = 40, .balanced = true});
  const auto labels = pairs.next().condition.labels;
  const auto ones = std::count(labels.begin(), labels.end(), Index{1});
  CHECK((ones >= 19 && ones <= 21));
}

TEST_CASE("settings say how items are drawn") {
  const Data data = items({2, 2});
  const std::string each = draw_of(Loader<float>(data, {.batch = 2})),
                    balanced = draw_of(Loader<float>(data, {.batch = 2, .balanced = true})),
                    weights = draw_of(Loader<float>(data, {.batch = 2, .weights = {1, 2, 3, 4}}));
  CHECK(each == "each");
  CHECK(balanced == "balanced");
  CHECK_THAT(weights, ContainsSubstring("weights "));
  CHECK(weights != draw_of(Loader<float>(data, {.batch = 2, .weights = {1, 2, 4, 3}})));
}

TEST_CASE("draws that cannot be are errors") {
  const Data data = items({2, 2}), plain = Data::from({1}, {1, 2, 3, 4});
  const auto refusal = [](const Data& of, gan::LoaderOptions options) -> std::string {
    options.batch = 2;
    try {
      const Loader<float> loader(of, options);
    } catch (const gan::Error& error) {
      return error.what();
    }
    return "none";
  };
  CHECK(refusal(plain, {.weights = {1, 0, 2, 3}}) == "none");
  CHECK_THAT(refusal(data, {.weights = {1, 2}}), ContainsSubstring("2 weights for 4 items"));
  CHECK_THAT(refusal(data, {.weights = {1, 2, -3, 4}}), ContainsSubstring("weight -3 of item 2"));
  CHECK_THAT(refusal(data, {.weights = {0, 0, 0, 0}}), ContainsSubstring("all 4 weights are 0"));
  CHECK_THAT(refusal(data, {.weights = {1, std::numeric_limits<double>::quiet_NaN(), 1, 1}}),
             ContainsSubstring("of item 1, expected a finite"));
  CHECK_THAT(refusal(data, {.weights = {1, 1, 1, std::numeric_limits<double>::infinity()}}),
             ContainsSubstring("of item 3, expected a finite"));
  CHECK_THAT(refusal(plain, {.balanced = true}), ContainsSubstring("balanced, but the 4 items have no labels"));
  CHECK_THAT(refusal(data, {.balanced = true, .weights = {1, 1, 1, 1}}), ContainsSubstring("balanced and 4 weights"));
  CHECK_THAT(refusal(data, {.shuffle = false, .balanced = true}), ContainsSubstring("shuffle = false"));
  CHECK_THAT(refusal(data, {.shuffle = false, .weights = {1, 1, 1, 1}}), ContainsSubstring("shuffle = false"));
}
