#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "gan/data/together.hpp"
#include "gan/data/zip.hpp"
#include "support/catch.hpp"

using gan::Index;
using gan::Loader;
using gan::Tensor;

namespace {

using Data = gan::Dataset<float>;
using Texts = gan::Source<float>::Texts;

/// Item i is an image [1, 2, 1] of first + i and its negative, with label i % 3.
Data images(Index count, float first, bool labels = true) {
  std::vector<float> values;
  std::vector<Index> label;
  for (Index i = 0; i < count; ++i) {
    values.insert(values.end(), {first + static_cast<float>(i), -first - static_cast<float>(i)});
    if (labels) label.push_back(i % 3);
  }
  return Data::from({1, 2, 1}, values, label);
}

std::vector<float> values(const Tensor<float>& x) { return {x.data(), x.data() + x.size()}; }

/// Number of pairs that belong together, item i of 1 + i and of 101 + i, and of those flipped.
std::pair<int, int> matches(const gan::Batch<float>& batch) {
  int together = 0, flipped = 0;
  for (Index i = 0; i < batch.samples.shape()[0]; ++i) {
    const float a = batch.samples.at({i, 0, 0, 0}), b = batch.condition.values.at({i, 0, 0, 0});
    together += std::abs(b) == std::abs(a) + 100 && (a < 0) == (b < 0);
    flipped += a < 0;
  }
  return {together, flipped};
}

/// Whether both give the same batches from where they are.
void check_same(gan::Source<float>& a, gan::Source<float>& b) {
  for (int i = 0; i < 7; ++i) {
    const auto x = a.next(), y = b.next();
    CHECK(values(x.samples) == values(y.samples));
    CHECK(values(x.condition.values) == values(y.condition.values));
    CHECK(x.condition.labels == y.condition.labels);
    CHECK(a.epoch() == b.epoch());
    CHECK(a.position() == b.position());
  }
}

}  // namespace

TEST_CASE("zipped items belong together, and are augmented alike") {
  auto pairs = gan::zip(images(40, 1), images(40, 101, false), {.batch = 20, .seed = 2},
                        {gan::augment::flip_horizontal(), gan::augment::flip_horizontal(0.3)});
  int flipped = 0;
  for (int i = 0; i < 4; ++i) {
    const auto batch = pairs.next();
    const auto [matched, turned] = matches(batch);
    CHECK(matched == 20);
    flipped += turned;
    for (Index k = 0; k < 20; ++k)
      CHECK(batch.condition.labels[static_cast<std::size_t>(k)] ==
            static_cast<Index>(std::abs(batch.samples.at({k, 0, 0, 0})) - 1) % 3);
  }
  CHECK((flipped > 15 && flipped < 65));
  CHECK(pairs.epoch() == 1);
  const auto [matched, turned] = matches(pairs.reference(30));
  CHECK(matched == 30);
  CHECK((turned > 3 && turned < 27));
  CHECK(pairs.classes() == 3);
  const auto [a, b] = pairs.two();
  CHECK(a.shape() == gan::Shape{20, 1, 2, 1});
  CHECK(b.shape() == a.shape());
}

TEST_CASE("zipped data goes on from any state") {
  const auto make = [] {
    return gan::zip(images(10, 1), images(10, 101), {.batch = 4, .seed = 3, .drop_last = false},
                    {gan::augment::flip_horizontal()});
  };
  for (int at = 0; at < 5; ++at) {
    auto first = make(), second = make();
    for (int i = 0; i < at; ++i) first.next();
    second.set_state(first.state());
    check_same(first, second);
  }
  const auto pairs = make();
  CHECK(pairs.settings().back().first == "partner_data");
  CHECK(pairs.settings() != gan::zip(images(10, 1), images(10, 7), {.batch = 4, .drop_last = false}).settings());
}

TEST_CASE("datasets of other sizes do not zip") {
  CHECK_THROWS_WITH(gan::zip(images(5, 1), images(6, 1), {.batch = 2}), ContainsSubstring("zip: 5 items and 6"));
}

TEST_CASE("together, each of two sources shows its items in its own order") {
  Loader<float> a(images(6, 1), {.batch = 2, .seed = 1}), b(images(10, 101), {.batch = 2, .seed = 2});
  auto both = gan::together(a, b);
  CHECK(both.batches_per_epoch() == 5);
  CHECK(both.batch() == 2);
  CHECK(both.items() == 6);
  CHECK(both.classes() == 3);
  std::multiset<float> seen_a;
  std::set<float> seen_b;
  for (int i = 0; i < 5; ++i) {
    const auto batch = both.next();
    CHECK(batch.condition.labels.size() == 2);
    for (Index k = 0; k < 2; ++k) {
      seen_a.insert(batch.samples.at({k, 0, 0, 0}));
      seen_b.insert(batch.condition.values.at({k, 0, 0, 0}));
    }
  }
  CHECK(both.position() == 5);
  CHECK(both.epoch() == 0);
  CHECK(a.epoch() == 1);
  CHECK(seen_b.size() == 10);  // an epoch of the longer one
  for (int i = 1; i <= 6; ++i) CHECK(seen_a.count(static_cast<float>(i)) >= 1);
  both.next();
  CHECK(both.epoch() == 1);
  CHECK(both.position() == 1);

  // The longer one may also be the first.
  Loader<float> c(images(6, 1), {.batch = 2});
  auto turned = gan::together(b, c);
  CHECK(turned.batches_per_epoch() == 5);

  const auto some = both.reference(3);
  CHECK(values(some.samples) == values(a.reference(3).samples));
  CHECK(values(some.condition.values) == values(b.reference(3).samples));
  CHECK_THROWS_WITH(both.reference(7), ContainsSubstring("7 items of 6 and 10"));
}

TEST_CASE("equally many items of two datasets make other pairs in every epoch") {
  auto both = gan::together(images(50, 1), images(50, 101), {.batch = 50, .seed = 4});
  std::map<float, std::set<float>> partners;
  for (int epoch = 0; epoch < 3; ++epoch) {
    const auto batch = both.next();
    CHECK(both.epoch() == epoch);
    for (Index k = 0; k < 50; ++k)
      partners[batch.samples.at({k, 0, 0, 0})].insert(batch.condition.values.at({k, 0, 0, 0}));
  }
  std::size_t pairs = 0;
  for (const auto& [item, others] : partners) pairs += others.size();
  CHECK(partners.size() == 50);
  CHECK(pairs > 130);
}

TEST_CASE("two sources go on from any state, both or neither") {
  const auto make = [](std::uint64_t seed) {
    return gan::together(images(6, 1), images(11, 101), {.batch = 2, .seed = seed}, {gan::augment::flip_horizontal()});
  };
  for (int at = 0; at < 8; ++at) {
    auto first = make(1), second = make(2);
    for (int i = 0; i < at; ++i) first.next();
    second.set_state(first.state());
    CHECK(second.state() == first.state());
    check_same(first, second);
  }
  auto both = make(1);
  both.next();
  const Texts before = both.state();
  Texts wrong = before;
  wrong["a_position"] = "2";
  wrong["b_position"] = "9";
  CHECK_THROWS_WITH(both.set_state(wrong), ContainsSubstring("9 batches"));
  CHECK(both.state() == before);
  CHECK_THROWS_WITH(both.set_state({}), ContainsSubstring("is missing"));
}

TEST_CASE("two resumed sources begin an epoch again where one is cut otherwise") {
  auto before = gan::together(images(6, 1), images(12, 101), {.batch = 2, .seed = 1});
  for (int i = 0; i < 8; ++i) before.next();  // two batches into epoch 1
  const auto settings = before.settings();
  const Texts state = before.state(), saved(settings.begin(), settings.end());
  CHECK(saved.at("a_items") == "6");
  CHECK(saved.at("b_items") == "12");
  auto same = gan::together(images(6, 1), images(12, 101), {.batch = 2});
  same.resume(state, saved);
  check_same(before, same);
  auto more = gan::together(images(6, 1), images(14, 101), {.batch = 2});
  more.resume(state, saved);
  CHECK(more.epoch() == 1);
  CHECK(more.position() == 0);
  CHECK(more.state().at("a_position") == state.at("a_position"));
}

TEST_CASE("sources that do not stand side by side are errors") {
  Loader<float> a(images(10, 1), {.batch = 2}), wide(images(10, 1), {.batch = 5, .seed = 1}),
      rest(images(11, 1), {.batch = 2, .drop_last = false}), same(images(10, 7), {.batch = 2});
  CHECK_THROWS_WITH(gan::together(a, wide), ContainsSubstring("batches of 2 and of 5"));
  CHECK_THROWS_WITH(gan::together(a, rest),
                    ContainsSubstring("batches of 2, the last of 1") && ContainsSubstring("drop_last = true"));
  CHECK_THROWS_WITH(gan::together(a, a), ContainsSubstring("one source given twice"));
  CHECK_THROWS_WITH(gan::together(a, same), ContainsSubstring("loaders of 10 items each with the same seed, 0"));
  CHECK_THROWS_WITH(gan::Together<float>(nullptr, nullptr), ContainsSubstring("the first source is null"));
  auto pairs = gan::zip(images(9, 1), images(9, 1), {.batch = 2});
  auto three = gan::together(a, pairs);
  CHECK_THROWS_WITH(three.next(), ContainsSubstring("a source of pairs"));
  CHECK_THROWS_WITH(a.two(), ContainsSubstring("zip() or together()"));
}
