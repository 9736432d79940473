#include "gan/data/split.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include "support/catch.hpp"

using gan::Index;

namespace {

using Data = gan::Dataset<double>;

/// Item i has value i and label `labels[i]`.
Data numbered(std::vector<Index> labels, Index count) {
  std::vector<double> values(static_cast<std::size_t>(count));
  std::iota(values.begin(), values.end(), 0.0);
  return Data::from({1}, values, std::move(labels));
}

std::vector<Index> values(const Data& data) {
  std::vector<Index> all(static_cast<std::size_t>(data.size()));
  std::iota(all.begin(), all.end(), Index{0});
  const auto x = data.gather(all);
  return {x.data(), x.data() + x.size()};
}

std::vector<Index> counts(const Data& data) {
  std::vector<Index> count(static_cast<std::size_t>(data.classes()));
  for (const Index label : data.labels()) ++count[static_cast<std::size_t>(label)];
  return count;
}

}  // namespace

TEST_CASE("a split keeps the shares of the classes, and every item once") {
  std::vector<Index> labels;
  for (Index i = 0; i < 1000; ++i) labels.push_back(i % 100 < 70 ? 0 : i % 100 < 95 ? 1 : 3);
  const Data data = numbered(labels, 1000);
  const auto [training, held_out] = gan::split(data, 0.2, 7);
  CHECK(counts(held_out) == std::vector<Index>{140, 50, 0, 10});
  CHECK(counts(training) == std::vector<Index>{560, 200, 0, 40});
  const auto kept = values(training), held = values(held_out);
  CHECK(std::is_sorted(kept.begin(), kept.end()));
  CHECK(std::is_sorted(held.begin(), held.end()));
  std::set<Index> all(kept.begin(), kept.end());
  all.insert(held.begin(), held.end());
  CHECK(all.size() == 1000);
  for (std::size_t i = 0; i < held.size(); ++i) CHECK(held_out.label(static_cast<Index>(i)) == data.label(held[i]));

  CHECK(values(gan::split(data, 0.2, 7).held_out) == held);
  CHECK(values(gan::split(data, 0.2, 8).held_out) != held);
}

TEST_CASE("shares that are no whole numbers are rounded, and add up") {
  const Data data = numbered({0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 2}, 11);
  const auto parts = gan::split(data, 0.5);
  CHECK(parts.held_out.size() == 6);
  CHECK(parts.training.size() == 5);
  const auto held = counts(parts.held_out);
  CHECK((held[0] >= 2 && held[0] <= 3));
  for (const std::size_t c : {1u, 2u}) CHECK((held[c] >= 1 && held[c] <= 2));
}

TEST_CASE("data without labels is split, too") {
  const auto [training, held_out] = gan::split(numbered({}, 50), 0.1);
  CHECK(held_out.size() == 5);
  CHECK(training.size() == 45);
  CHECK_FALSE(held_out.has_labels());
  const auto held = values(held_out);
  CHECK(held.back() - held.front() > 4);  // not the first or last ones
}

TEST_CASE("splits that cannot be are errors") {
  const Data data = numbered({}, 10);
  for (const double share : {0.0, 1.0, -0.5, 2.0, std::numeric_limits<double>::quiet_NaN()})
    CHECK_THROWS_WITH(gan::split(data, share), ContainsSubstring("expected one in (0, 1)"));
  CHECK_THROWS_WITH(gan::split(data, 0.04), ContainsSubstring("0.04 of 10 items is 0, nothing to hold out"));
  CHECK_THROWS_WITH(gan::split(data, 0.97), ContainsSubstring("is 10, nothing to train on"));
}

TEST_CASE("a subset keeps form, range, labels and classes") {
  const std::vector<Index> some{2, 0, 2};
  const auto bytes = gan::Dataset<float>::from_bytes({2}, {0, 51, 102, 153, 204, 255}, {1, 0, 0},
                                                     gan::PixelRange::zero_to_one, {.names = {"a", "b", "c"}});
  const auto part = bytes.subset(some);
  CHECK(part.size() == 3);
  CHECK(part.item_shape() == gan::Shape{2});
  CHECK(part.label(1) == 1);
  CHECK(part.label(2) == 0);
  CHECK(part.class_names() == bytes.class_names());
  CHECK(part.gather(std::vector<Index>{0}).at({0, 0}) == Approx(0.8));
  CHECK(part.gather(std::vector<Index>{1}).at({0, 1}) == Approx(0.2));
  CHECK(values(numbered({}, 3).subset(some)) == some);
  CHECK_THROWS_WITH(bytes.subset(std::vector<Index>{3}), ContainsSubstring("item 3 asked for"));
  CHECK_THROWS_WITH(bytes.subset(std::vector<Index>{}), ContainsSubstring("empty"));
}
