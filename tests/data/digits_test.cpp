// The drawn digits: reproducible, balanced, of MNIST's ink and size, told apart, and varied.
#include "gan/data/digits.hpp"

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "support/catch.hpp"
#include "support/threads.hpp"

using gan::Index;

namespace {

constexpr std::size_t area = 28 * 28;

std::array<std::vector<double>, 10> class_means(const gan::DigitSet& set, std::size_t count) {
  std::array<std::vector<double>, 10> means;
  means.fill(std::vector<double>(area));
  std::array<double, 10> counts{};
  for (std::size_t i = 0; i < count; ++i) {
    const auto label = static_cast<std::size_t>(set.labels[i]);
    ++counts[label];
    for (std::size_t k = 0; k < area; ++k) means[label][k] += set.pixels[i * area + k];
  }
  for (std::size_t d = 0; d < 10; ++d)
    for (double& x : means[d]) x /= counts[d];
  return means;
}

double squared_distance(const std::vector<double>& mean, const std::uint8_t* image) {
  double sum = 0;
  for (std::size_t k = 0; k < area; ++k) sum += (mean[k] - image[k]) * (mean[k] - image[k]);
  return sum;
}

}  // namespace

TEST_CASE("Digits depend on the seed and their place alone", "[digits]") {
  const gan::test::ThreadCount restore;
  gan::set_threads(1);
  const auto once = gan::draw_digits(203, 5);
  gan::set_threads(3);
  const auto again = gan::draw_digits(203, 5), shorter = gan::draw_digits(37, 5), other = gan::draw_digits(203, 6);
  REQUIRE(once.count == 203);
  REQUIRE(once.pixels.size() == 203 * area);
  REQUIRE(once.labels.size() == 203);
  REQUIRE(once.pixels == again.pixels);
  REQUIRE(once.labels == again.labels);
  REQUIRE(shorter.pixels.size() == 37 * area);
  REQUIRE(std::equal(shorter.pixels.begin(), shorter.pixels.end(), once.pixels.begin()));
  REQUIRE(std::equal(shorter.labels.begin(), shorter.labels.end(), once.labels.begin()));
  REQUIRE(once.pixels != other.pixels);
  REQUIRE(once.labels != other.labels);
}

TEST_CASE("Every ten digits hold each once, in changing order", "[digits]") {
  const auto set = gan::draw_digits(1000, 1);
  int in_order = 0;
  for (std::size_t ten = 0; ten < 100; ++ten) {
    std::array<int, 10> seen{};
    for (std::size_t i = 0; i < 10; ++i) {
      const int label = set.labels[ten * 10 + i];
      ++seen.at(static_cast<std::size_t>(label));
      in_order += label == set.labels[i];
    }
    for (const int n : seen) REQUIRE(n == 1);
  }
  REQUIRE(in_order < 200);  // 10 of the first ten and 1 in 10 of the others: 109 expected
}

TEST_CASE("Ink, size and place of the digits are those of MNIST", "[digits]") {
  const std::size_t count = 1000;
  const auto set = gan::draw_digits(Index(count), 2);
  double total = 0, square = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint8_t* image = set.pixels.data() + i * area;
    double mass = 0, x = 0, y = 0;
    int left = 28, right = -1, top = 28, bottom = -1, darkest = 0;
    for (int k = 0; k < int(area); ++k) {
      const double ink = image[k] / 255.0;
      mass += ink, x += ink * (k % 28 + 0.5), y += ink * (k / 28 + 0.5), square += ink * ink;
      darkest = std::max<int>(darkest, image[k]);
      if (ink < 0.1) continue;
      left = std::min(left, k % 28), right = std::max(right, k % 28);
      top = std::min(top, k / 28), bottom = std::max(bottom, k / 28);
    }
    total += mass;
    INFO("digit " << set.labels[i] << " at " << i);
    REQUIRE(mass / area > 0.02);
    REQUIRE(mass / area < 0.35);
    REQUIRE(darkest > 200);
    REQUIRE(std::max(right - left, bottom - top) + 1 >= 18);
    REQUIRE(std::max(right - left, bottom - top) + 1 <= 22);
    REQUIRE(std::min({left, top, 27 - right, 27 - bottom}) >= 1);
    REQUIRE(std::abs(x / mass - 14) < 1.5);
    REQUIRE(std::abs(y / mass - 14) < 1.5);
  }
  const double mean = total / double(count * area);  // MNIST: 0.131 and 0.308
  REQUIRE(mean == Approx(0.131).margin(0.008));
  REQUIRE(std::sqrt(square / double(count * area) - mean * mean) == Approx(0.308).margin(0.012));
}

TEST_CASE("Classes are told apart by their means, and vary within", "[digits]") {
  const auto set = gan::draw_digits(2500, 3);
  const auto means = class_means(set, 2000);
  int right = 0;
  std::array<double, 10> spread{};
  for (std::size_t i = 2000; i < 2500; ++i) {
    const std::uint8_t* image = set.pixels.data() + i * area;
    std::size_t best = 0;
    for (std::size_t d = 1; d < 10; ++d)
      if (squared_distance(means[d], image) < squared_distance(means[best], image)) best = d;
    right += int(best) == set.labels[i];
    const auto label = static_cast<std::size_t>(set.labels[i]);
    spread[label] += std::sqrt(squared_distance(means[label], image) / double(area)) / 255 / 50;
  }
  INFO(right << " of 500");
  REQUIRE(right > 450);  // 474 measured; real MNIST reaches about 400
  REQUIRE(right < 500);
  for (const double s : spread) REQUIRE(s > 0.1);  // measured: 0.15 for the ones, about 0.2 for the others
}

TEST_CASE("No two digits are alike", "[digits]") {
  const auto set = gan::draw_digits(400, 4);
  for (std::size_t i = 0; i < 400; ++i)
    for (std::size_t j = 0; j < i; ++j) {
      int difference = 0;
      for (std::size_t k = 0; k < area; ++k)
        difference += std::abs(set.pixels[i * area + k] - set.pixels[j * area + k]);
      REQUIRE(difference > 255 * 5);
    }
}

TEST_CASE("Counts of digits are checked", "[digits]") {
  const auto none = gan::draw_digits(0, 1);
  REQUIRE(none.count == 0);
  REQUIRE(none.pixels.empty());
  REQUIRE_THROWS_WITH(gan::draw_digits(-1, 1), ContainsSubstring("count -1"));
  REQUIRE_THROWS_AS(gan::draw_digits(std::numeric_limits<Index>::max(), 1), gan::Error);
}
