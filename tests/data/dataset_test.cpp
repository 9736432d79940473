#include "gan/data/dataset.hpp"

#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/threads.hpp"

using gan::Dataset;
using gan::Index;
using gan::Shape;
using Bytes = std::vector<std::uint8_t>;

TEMPLATE_TEST_CASE("bytes are scaled to either range", "", float, double) {
  Bytes all(256);
  std::iota(all.begin(), all.end(), std::uint8_t{0});
  const std::vector<Index> everything = [] {
    std::vector<Index> indices(256);
    std::iota(indices.begin(), indices.end(), Index{0});
    return indices;
  }();
  const auto centered = Dataset<TestType>::from_bytes({1}, all).gather(everything);
  const auto unit = Dataset<TestType>::from_bytes({1}, all, {}, gan::PixelRange::zero_to_one).gather(everything);
  for (Index i = 0; i < 256; ++i) {
    CHECK(centered.at({i, 0}) == Approx(static_cast<double>(i) / 127.5 - 1).margin(1e-7));
    CHECK(unit.at({i, 0}) == Approx(static_cast<double>(i) / 255));
  }
  CHECK(centered.at({0, 0}) == -1);
  CHECK(centered.at({255, 0}) == 1);
  CHECK(unit.at({0, 0}) == 0);
  CHECK(unit.at({255, 0}) == 1);
}

TEST_CASE("items are gathered in the order asked for, with their shape") {
  const auto data = Dataset<double>::from({2, 1}, {0, 1, 10, 11, 20, 21}, {7, 8, 9});
  CHECK(data.size() == 3);
  CHECK(data.item_shape() == Shape{2, 1});
  CHECK(data.has_labels());
  CHECK(data.label(2) == 9);
  const auto batch = data.gather(std::vector<Index>{2, 0, 2});
  CHECK(batch.shape() == Shape{3, 2, 1});
  const std::vector<double> expected{20, 21, 0, 1, 20, 21};
  CHECK(std::equal(expected.begin(), expected.end(), batch.data()));
  CHECK(data.gather(std::vector<Index>{}).shape() == Shape{0, 2, 1});
}

TEST_CASE("a large batch is the same on any number of threads") {
  const Index count = 2000, item = 28 * 28;
  Bytes bytes(static_cast<std::size_t>(count * item));
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i * 2654435761u >> 13);
  const auto data = Dataset<float>::from_bytes({28, 28, 1}, bytes);
  std::vector<Index> indices;
  for (Index i = 0; i < count; ++i) indices.push_back(i * 7 % count);
  const gan::test::ThreadCount restore;
  gan::set_threads(1);
  const auto one = data.gather(indices);
  gan::set_threads(3);
  const auto three = data.gather(indices);
  CHECK(std::equal(one.data(), one.data() + one.size(), three.data()));
  bool right = true;
  for (Index k = 0; k < count; ++k)
    for (Index i = 0; i < item; i += 97) {
      const auto byte = bytes[static_cast<std::size_t>(indices[static_cast<std::size_t>(k)] * item + i)];
      right &= std::abs(one.data()[k * item + i] - (byte / 127.5f - 1)) < 1e-6f;
    }
  CHECK(right);
}

TEST_CASE("copies of a dataset outlive it") {
  auto copy = [] {
    const auto data = Dataset<float>::from({1}, {3, 4});
    return Dataset<float>(data);
  }();
  CHECK(copy.gather(std::vector<Index>{1}).item() == 4);
  CHECK_FALSE(copy.has_labels());
}

TEST_CASE("datasets that cannot be are errors") {
  REQUIRE_THROWS_WITH(Dataset<float>::from_bytes({28, 28, 1}, {}), ContainsSubstring("empty"));
  REQUIRE_THROWS_WITH(Dataset<float>::from_bytes({2, 2}, Bytes(7)),
                      ContainsSubstring("7 values are not a whole number of items of shape [2, 2] (4 values each)"));
  REQUIRE_THROWS_WITH(Dataset<float>::from_bytes({2}, Bytes(6), {1, 2}), ContainsSubstring("3 items but 2 labels"));
  REQUIRE_THROWS_WITH(Dataset<float>::from({2, 0}, {1}), ContainsSubstring("[2, 0] are empty"));
  REQUIRE_THROWS_WITH(Dataset<float>::from({1, 1, 1, 1, 1, 1, 1, 1}, {1}), ContainsSubstring("at most 7 axes"));
  REQUIRE_THROWS_WITH(Dataset<float>::from({1}, {1, std::numeric_limits<float>::quiet_NaN()}),
                      ContainsSubstring("value 1 is not finite"));
  const auto data = Dataset<float>::from({1}, {1, 2});
  REQUIRE_THROWS_WITH(data.gather(std::vector<Index>{0, 2}),
                      ContainsSubstring("item 2 asked for, expected one of [0, 2)"));
  REQUIRE_THROWS_AS(data.gather(std::vector<Index>{-1}), gan::Error);
  REQUIRE_THROWS_WITH(data.label(0), ContainsSubstring("no labels"));
  REQUIRE_THROWS_AS(Dataset<float>::from({1}, {1}, {5}).label(1), gan::Error);
}

TEST_CASE("a dataset knows its number of classes") {
  using Data = Dataset<float>;
  CHECK(Data::from({1}, {1, 2}).classes() == 0);
  CHECK(Data::from({1}, {1, 2}, {0, 3}).classes() == 4);
  CHECK(Data::from({1}, {1, 2}, {0, 3}).class_names().empty());
  CHECK(Data::from_bytes({1}, {1, 2}, {0, 3}, {}, {.count = 9}).classes() == 9);
  const auto named = Data::from({1}, {1, 2}, {1, 0}, {.names = {"cat", "dog", "owl"}});
  CHECK(named.classes() == 3);
  CHECK(named.class_names() == std::vector<std::string>{"cat", "dog", "owl"});
}

TEST_CASE("labels that are no classes are errors") {
  using Data = Dataset<float>;
  CHECK_THROWS_WITH(Data::from({1}, {1, 2}, {0, -1}), ContainsSubstring("label -1 of item 1, expected one in [0, "));
  CHECK_THROWS_WITH(Data::from({1}, {1, 2}, {3, 0}, {.count = 3}),
                    ContainsSubstring("label 3 of item 0, expected one in [0, 3)"));
  CHECK_THROWS_WITH(Data::from({1}, {1}, {std::numeric_limits<Index>::max()}), ContainsSubstring("of item 0"));
  CHECK_THROWS_WITH(Data::from({1}, {1, 2}, {}, {.count = 3}),
                    ContainsSubstring("3 classes but no labels, expected 2"));
  CHECK_THROWS_WITH(Data::from({1}, {1}, {0}, {.count = 3, .names = {"cat", "dog"}}),
                    ContainsSubstring("2 names of 3 classes"));
  CHECK_THROWS_WITH(Data::from({1}, {1}, {0}, {.count = -1}), ContainsSubstring("-1 classes"));
}

TEST_CASE("a fingerprint tells data sets apart") {
  using Data = gan::Dataset<float>;
  const std::vector<std::uint8_t> bytes{1, 2, 3, 4, 5, 6};
  const auto of = [](const Data& data) { return data.fingerprint(); };
  const auto one = of(Data::from_bytes({2}, bytes));
  CHECK(of(Data::from_bytes({2}, bytes)) == one);
  CHECK(of(Data::from_bytes({3}, bytes)) != one);
  CHECK(of(Data::from_bytes({2, 1}, bytes)) != one);
  const auto labeled = of(Data::from_bytes({2}, bytes, {0, 1, 2}));
  CHECK(labeled != one);
  CHECK(of(Data::from_bytes({2}, bytes, {0, 1, 2}, {}, {.count = 4})) != labeled);
  CHECK(of(Data::from_bytes({2}, bytes, {}, gan::PixelRange::zero_to_one)) != one);
  CHECK(of(Data::from_bytes({2}, {1, 2, 3, 4, 6, 5})) != one);
  CHECK(of(Data::from({2}, {1, 2, 3, 4, 5, 6})) != one);
  // Parts of many bytes are spread over all of them.
  std::vector<std::uint8_t> many(10 << 20);
  const auto zeros = of(Data::from_bytes({1 << 10}, many));
  many.back() = 1;
  CHECK(of(Data::from_bytes({1 << 10}, many)) != zeros);
  std::fill(many.begin() + (4 << 20), many.begin() + (5 << 20), std::uint8_t{1});
  many.back() = 0;
  CHECK(of(Data::from_bytes({1 << 10}, many)) != zeros);
}
