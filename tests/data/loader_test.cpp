#include "gan/data/loader.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <set>
#include <vector>

#include "support/catch.hpp"

using gan::Batch;
using gan::Index;
using gan::Loader;
using gan::LoaderOptions;

namespace {

/// Item i has value and label i.
gan::Dataset<float> numbers(Index count) {
  std::vector<float> values(static_cast<std::size_t>(count));
  std::iota(values.begin(), values.end(), 0.0f);
  std::vector<Index> labels(values.size());
  std::iota(labels.begin(), labels.end(), Index{0});
  return gan::Dataset<float>::from({1, 1, 1}, values, labels);
}

std::vector<Index> epoch_of(Loader<float>& loader) {
  std::vector<Index> seen;
  for (Index i = 0; i < loader.batches_per_epoch(); ++i) {
    const auto batch = loader.next();
    for (std::size_t k = 0; k < batch.condition.labels.size(); ++k)
      CHECK(batch.samples.data()[k] == static_cast<float>(batch.condition.labels[k]));
    seen.insert(seen.end(), batch.condition.labels.begin(), batch.condition.labels.end());
  }
  return seen;
}

gan::Source<float>::Texts at(const std::string& epoch, const std::string& position) {
  return {{"seed", "0"}, {"epoch", epoch}, {"position", position}};
}

std::vector<float> values(const gan::Tensor<float>& x) { return {x.data(), x.data() + x.size()}; }

}  // namespace

TEST_CASE("an epoch shows every item once, each epoch in another order") {
  Loader<float> loader(numbers(103), {.batch = 10, .seed = 3, .drop_last = false});
  CHECK(loader.batches_per_epoch() == 11);
  const auto first = epoch_of(loader);
  CHECK(loader.epoch() == 0);
  CHECK(loader.position() == 11);
  const auto second = epoch_of(loader);
  CHECK(loader.epoch() == 1);
  for (const auto& seen : {first, second}) {
    CHECK(seen.size() == 103);
    CHECK(std::set<Index>(seen.begin(), seen.end()).size() == 103);
    CHECK_FALSE(std::is_sorted(seen.begin(), seen.end()));
  }
  CHECK(first != second);
}

TEST_CASE("the last partial batch is kept or dropped") {
  Loader<float> kept(numbers(25), {.batch = 10, .drop_last = false});
  Loader<float> dropped(numbers(25), {.batch = 10});
  std::vector<std::size_t> sizes;
  for (int i = 0; i < 4; ++i) {
    sizes.push_back(kept.next().condition.labels.size());
    CHECK(dropped.next().samples.shape() == gan::Shape{10, 1, 1, 1});
  }
  CHECK(sizes == std::vector<std::size_t>{10, 10, 5, 10});
  CHECK(dropped.batches_per_epoch() == 2);
  CHECK(dropped.epoch() == 1);
  CHECK(kept.epoch() == 1);
  CHECK(kept.position() == 1);
  Loader<float> larger(numbers(3), {.batch = 10, .drop_last = false});
  CHECK(larger.next().condition.labels.size() == 3);
}

TEST_CASE("orders follow from seed and epoch alone") {
  Loader<float> a(numbers(50), {.batch = 10, .seed = 1}), b(numbers(50), {.batch = 25, .seed = 1}),
      other(numbers(50), {.batch = 10, .seed = 2});
  for (int epoch = 0; epoch < 3; ++epoch) {
    const auto order = epoch_of(a);
    CHECK(order == epoch_of(b));
    CHECK(order != epoch_of(other));
  }
  Loader<float> plain(numbers(50), {.batch = 10, .shuffle = false});
  for (int epoch = 0; epoch < 2; ++epoch) {
    const auto order = epoch_of(plain);
    CHECK(std::is_sorted(order.begin(), order.end()));
    CHECK(order.size() == 50);
  }
}

TEST_CASE("a loader goes on from any saved state with the same batches") {
  const std::vector<gan::Augmentation<float>> noise{[](gan::Rng& rng, gan::Tensor<float>& batch) {
    std::vector<float> by(static_cast<std::size_t>(batch.size()));
    rng.normal<float>(by);
    for (Index i = 0; i < batch.size(); ++i) batch.mutable_data()[i] += by[static_cast<std::size_t>(i)];
  }};
  const LoaderOptions options{.batch = 4, .seed = 9, .drop_last = false};
  Loader<float> straight(numbers(10), options, noise);
  for (int saved_at = 0; saved_at < 8; ++saved_at) {
    Loader<float> first(numbers(10), options, noise);
    for (int i = 0; i < saved_at; ++i) first.next();
    Loader<float> resumed(numbers(10), {.batch = 4, .seed = 0, .drop_last = false}, noise);
    resumed.next();
    resumed.set_state(first.state());
    CHECK(resumed.state() == first.state());
    for (int i = 0; i < 5; ++i) {
      const auto expected = first.next(), found = resumed.next();
      CHECK(expected.condition.labels == found.condition.labels);
      CHECK(values(expected.samples) == values(found.samples));
      CHECK(first.epoch() == resumed.epoch());
    }
  }
}

TEST_CASE("augmentations draw other numbers for every batch and epoch") {
  std::set<double> drawn;
  Loader<float> loader(numbers(6), {.batch = 2},
                       {[&](gan::Rng& rng, gan::Tensor<float>&) { drawn.insert(rng.uniform()); }});
  for (int i = 0; i < 12; ++i) loader.next();
  CHECK(drawn.size() == 12);
}

TEST_CASE("batches of unlabeled data have no labels") {
  Loader<double> loader(gan::Dataset<double>::from({2}, {1, 2, 3, 4}), {.batch = 2});
  const auto batch = loader.next();
  CHECK(batch.condition.labels.empty());
  CHECK(batch.samples.shape() == gan::Shape{2, 2});
}

TEST_CASE("loaders that cannot be, and states of others, are errors") {
  REQUIRE_THROWS_WITH(Loader<float>(numbers(3), {.batch = 4}),
                      ContainsSubstring("batch of 4 from a dataset of 3 items") && ContainsSubstring("drop_last"));
  REQUIRE_THROWS_WITH(Loader<float>(numbers(3), {.batch = 0}), ContainsSubstring("batch of 0, expected at least 1"));
  Loader<float> loader(numbers(10), {.batch = 5});
  REQUIRE_THROWS_WITH(loader.set_state(at("0", "3")), ContainsSubstring("3 batches of an epoch, expected 0 to 2"));
  REQUIRE_THROWS_AS(loader.set_state(at("0", "-1")), gan::Error);
  REQUIRE_THROWS_AS(loader.set_state(at("-1", "0")), gan::Error);
}

TEST_CASE("a look at the data leaves the loader where it is") {
  const auto data = gan::Dataset<float>::from({1}, {0, 1, 2, 3, 4, 5, 6}, {6, 5, 4, 3, 2, 1, 0});
  gan::Loader<float> loader(data, {.batch = 3, .drop_last = false}, {[](gan::Rng& rng, gan::Tensor<float>& x) {
                              x.mutable_values() += static_cast<float>(rng.uniform());
                            }});
  const auto first = loader.reference(2), again = loader.reference(2);
  REQUIRE(first.samples.shape() == gan::Shape{2, 1});
  CHECK(first.samples.at({0, 0}) == again.samples.at({0, 0}));
  CHECK((first.samples.at({0, 0}) >= 0 && first.samples.at({0, 0}) < 1));  // through the augmentation
  CHECK(first.condition.labels == std::vector<gan::Index>{6, 3});          // spread over the data
  CHECK(first.condition.classes == 7);
  CHECK(loader.state() == at("0", "0"));
  CHECK_THROWS_WITH(loader.reference(8), ContainsSubstring("8 items of 7"));
  CHECK_THROWS_AS(loader.reference(0), gan::Error);
  CHECK(loader.last_batch() == 1);
  CHECK(gan::Loader<float>(data, {.batch = 3}).last_batch() == 3);
  CHECK(gan::Loader<float>(data, {.batch = 9, .drop_last = false}).last_batch() == 7);
}

TEST_CASE("augmentations that are none and states that no loader reaches") {
  const auto data = gan::Dataset<float>::from({1}, {0, 1, 2, 3});
  CHECK_THROWS_WITH(gan::Loader<float>(data, {.batch = 2}, {gan::augment::shift(0), {}}),
                    ContainsSubstring("augmentation 1 of 2 is empty"));
  gan::Loader<float> loader(data, {.batch = 2});
  CHECK_THROWS_WITH(loader.set_state(at("9223372036854775807", "2")), ContainsSubstring("2^62"));
  CHECK(loader.state() == at("0", "0"));
  loader.set_state(at("4611686018427387904", "2"));
  loader.next();
  CHECK(loader.epoch() == (gan::Index{1} << 62) + 1);
}

TEST_CASE("a loader that was made otherwise begins the epoch under way again") {
  const auto resumed = [](const LoaderOptions& options, const std::string& epoch, const std::string& position) {
    const Loader<float> before(numbers(10), {.batch = 4, .drop_last = false});  // 3 batches
    gan::Source<float>::Texts saved;
    for (const auto& [name, text] : before.settings()) saved[name] = text;
    Loader<float> loader(numbers(10), options);
    loader.resume(at(epoch, position), saved);
    return std::pair(loader.epoch(), loader.position());
  };
  CHECK(resumed({.batch = 4, .drop_last = false}, "5", "2") == std::pair<Index, Index>(5, 2));
  CHECK(resumed({.batch = 5, .drop_last = false}, "5", "2") == std::pair<Index, Index>(5, 0));
  CHECK(resumed({.batch = 5, .drop_last = false}, "5", "3") == std::pair<Index, Index>(6, 0));
  CHECK(resumed({.batch = 4}, "5", "2") == std::pair<Index, Index>(5, 0));
}

TEST_CASE("a loader knows its classes and how often they occur") {
  const Loader<float> loader(gan::Dataset<float>::from({1}, {0, 1, 2, 3}, {2, 0, 2, 2}), {.batch = 2});
  CHECK(loader.classes() == 3);
  CHECK(loader.class_frequencies() == std::vector<double>{0.25, 0, 0.75});
  CHECK(Loader<float>(gan::Dataset<float>::from({1}, {0, 1}), {.batch = 2}).classes() == 0);
  CHECK_THROWS_WITH(gan::Dataset<float>::from({1}, {0, 1}, {0, -1}), ContainsSubstring("label -1 of item 1"));
  CHECK_THROWS_WITH(gan::Dataset<float>::from({1}, {0, 1}, {Index{1} << 40, 1}), ContainsSubstring("of item 0"));
}
