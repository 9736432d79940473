#include "gan/data/loader.hpp"

#include <algorithm>
#include <numeric>
#include <set>
#include <string>
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

using Texts = Loader<float>::Texts;

Texts place(const std::string& epoch, const std::string& position) {
  return {{"seed", "0"}, {"epoch", epoch}, {"position", position}};
}

Texts texts(const gan::OptionTexts& settings) { return {settings.begin(), settings.end()}; }

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
  REQUIRE_THROWS_WITH(loader.set_state(place("0", "3")), ContainsSubstring("3 batches of an epoch, expected 0 to 2"));
  REQUIRE_THROWS_AS(loader.set_state(place("0", "-1")), gan::Error);
  REQUIRE_THROWS_AS(loader.set_state(place("-1", "0")), gan::Error);
  REQUIRE_THROWS_WITH(loader.set_state({{"seed", "0"}, {"epoch", "0"}}), ContainsSubstring("\"position\" is missing"));
  CHECK(loader.state() == place("0", "0"));
}

TEST_CASE("a reference is spread over the data and leaves the loader where it is") {
  const auto data = gan::Dataset<float>::from({1}, {0, 1, 2, 3, 4, 5, 6}, {6, 5, 4, 3, 2, 1, 0});
  Loader<float> loader(data, {.batch = 3, .drop_last = false}, {[](gan::Rng& rng, gan::Tensor<float>& x) {
                         x.mutable_values() += static_cast<float>(rng.uniform());
                       }});
  const auto some = loader.reference(3), again = loader.reference(3);
  REQUIRE(some.samples.shape() == gan::Shape{3, 1});
  CHECK(values(some.samples) == values(again.samples));
  CHECK((some.samples.at({0, 0}) > 0 && some.samples.at({0, 0}) < 1));  // through the augmentation
  CHECK(some.condition.labels == std::vector<Index>{6, 4, 2});
  CHECK(some.condition.classes == 7);
  CHECK(loader.reference(7).condition.labels == std::vector<Index>{6, 5, 4, 3, 2, 1, 0});
  CHECK(loader.state() == place("0", "0"));
  CHECK_THROWS_WITH(loader.reference(8), ContainsSubstring("8 items of 7"));
  CHECK_THROWS_AS(loader.reference(0), gan::Error);
}

TEST_CASE("a loader is a source that says its sizes") {
  const auto data = numbers(7);
  const auto sizes = [&](const LoaderOptions& options) {
    const Loader<float> loader(data, options);
    const gan::Source<float>& source = loader;
    CHECK(source.items() == 7);
    return std::vector<Index>{source.batch(), source.last_batch(), source.batches_per_epoch()};
  };
  CHECK(sizes({.batch = 3, .drop_last = false}) == std::vector<Index>{3, 1, 3});
  CHECK(sizes({.batch = 3}) == std::vector<Index>{3, 3, 2});
  CHECK(sizes({.batch = 9, .drop_last = false}) == std::vector<Index>{7, 7, 1});
}

TEST_CASE("a loader knows the classes of its data and how often they occur") {
  Loader<float> loader(gan::Dataset<float>::from({1}, {0, 1, 2, 3}, {2, 0, 2, 2}, {.count = 5}), {.batch = 2});
  CHECK(loader.classes() == 5);
  CHECK(loader.class_frequencies() == std::vector<double>{0.25, 0, 0.75, 0, 0});
  CHECK(loader.next().condition.classes == 5);
  const Loader<float> plain(gan::Dataset<float>::from({1}, {0, 1}), {.batch = 2});
  CHECK(plain.classes() == 0);
  CHECK(plain.class_frequencies().empty());
}

TEST_CASE("a resumed loader goes on, or begins the epoch again when it is cut otherwise") {
  Loader<float> before(numbers(20), {.batch = 4, .seed = 5});
  for (int i = 0; i < 7; ++i) before.next();  // two batches into epoch 1
  const Texts state = before.state(), saved = texts(before.settings());
  CHECK(state == Texts{{"seed", "5"}, {"epoch", "1"}, {"position", "2"}});
  Loader<float> same(numbers(20), {.batch = 4});
  same.resume(state, saved);
  CHECK(same.next().condition.labels == before.next().condition.labels);

  const auto again = [&](Loader<float> loader) {
    loader.resume(state, saved);
    return loader.state();
  };
  const Texts begun{{"seed", "5"}, {"epoch", "1"}, {"position", "0"}};
  CHECK(again(Loader<float>(numbers(20), {.batch = 5})) == begun);
  CHECK(again(Loader<float>(numbers(21), {.batch = 4})) == begun);
  CHECK(again(Loader<float>(numbers(20), {.batch = 4, .drop_last = false})) == begun);
  CHECK(again(Loader<float>(numbers(20), {.batch = 4, .shuffle = false})) == state);

  Loader<float> larger(numbers(20), {.batch = 10});
  Texts complete = state;
  complete["position"] = "5";
  larger.resume(complete, saved);
  CHECK(larger.state() == Texts{{"seed", "5"}, {"epoch", "2"}, {"position", "0"}});

  Texts other = saved;
  other["batch"] = "0";
  CHECK_THROWS_WITH(larger.resume(state, other), ContainsSubstring("\"batch\" is 0"));
  other = saved;
  other["drop_last"] = "maybe";
  CHECK_THROWS_WITH(larger.resume(state, other), ContainsSubstring("\"drop_last\" is \"maybe\""));
  CHECK_THROWS_WITH(larger.resume(state, {}), ContainsSubstring("\"items\" is missing"));
  CHECK(larger.state() == Texts{{"seed", "5"}, {"epoch", "2"}, {"position", "0"}});
}

TEST_CASE("settings tell loaders apart") {
  const auto of = [](const Loader<float>& loader) { return texts(loader.settings()); };
  const Texts plain = of(Loader<float>(numbers(8), {.batch = 4}));
  CHECK(plain.at("items") == "8");
  CHECK(plain.at("shape") == "1 x 1 x 1");
  CHECK(plain.at("batch") == "4");
  CHECK(plain.at("shuffle") == "yes");
  CHECK(plain.at("drop_last") == "yes");
  CHECK(plain.at("augmentations") == "0");
  const auto differ = [&](const Loader<float>& loader) {
    std::string names;
    for (const auto& [name, text] : loader.settings())
      if (plain.at(name) != text) names += name + " ";
    return names;
  };
  CHECK(differ(Loader<float>(numbers(8), {.batch = 4, .seed = 7})).empty());
  CHECK(differ(Loader<float>(numbers(8), {.batch = 4, .shuffle = false, .drop_last = false})) == "shuffle drop_last ");
  CHECK(differ(Loader<float>(numbers(9), {.batch = 4}, {gan::augment::shift(0)})) == "items augmentations data ");
}

TEST_CASE("augmentations that are none and states that no loader reaches") {
  const auto data = gan::Dataset<float>::from({1}, {0, 1, 2, 3});
  CHECK_THROWS_WITH(Loader<float>(data, {.batch = 2}, {gan::augment::shift(0), {}}),
                    ContainsSubstring("augmentation 1 of 2 is empty"));
  Loader<float> loader(data, {.batch = 2});
  CHECK_THROWS_WITH(loader.set_state(place("9223372036854775807", "2")), ContainsSubstring("2^62"));
  CHECK(loader.state() == place("0", "0"));
  loader.set_state(place(std::to_string(Index{1} << 62), "2"));
  loader.next();
  CHECK(loader.epoch() == (Index{1} << 62) + 1);
}
