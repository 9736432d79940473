// The distributions in the plane: counts of modes, distances from where they should be, moments, errors.
#include "gan/data/toy.hpp"

#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "support/catch.hpp"

using gan::Index;
using gan::Rng;

namespace {

constexpr Index many = 100000;
constexpr double pi = std::numbers::pi;

/// Each point's nearest mode must hold an equal share, and the offsets must be Gaussian of this deviation.
template <class T>
void check_mixture(const std::vector<T>& points, const std::vector<T>& modes, double stddev) {
  REQUIRE(points.size() == std::size_t(2 * many));
  const std::size_t kinds = modes.size() / 2;
  std::vector<double> counts(kinds);
  double square_x = 0, square_y = 0, product = 0;
  for (std::size_t i = 0; i < points.size(); i += 2) {
    std::size_t nearest = 0;
    double best = std::numeric_limits<double>::infinity();
    for (std::size_t k = 0; k < kinds; ++k) {
      const double d = std::hypot(double(points[i] - modes[2 * k]), double(points[i + 1] - modes[2 * k + 1]));
      if (d < best) best = d, nearest = k;
    }
    ++counts[nearest];
    const double x = double(points[i] - modes[2 * nearest]), y = double(points[i + 1] - modes[2 * nearest + 1]);
    square_x += x * x / double(many), square_y += y * y / double(many), product += x * y / double(many);
    if (best > 7 * stddev) FAIL("a point " << best << " from the nearest mode");
  }
  const double share = 1 / double(kinds), variance = stddev * stddev;
  for (const double c : counts)
    REQUIRE(std::abs(c / double(many) - share) < 4.5 * std::sqrt(share * (1 - share) / double(many)));
  REQUIRE(square_x == Approx(variance).epsilon(0.02));
  REQUIRE(square_y == Approx(variance).epsilon(0.02));
  REQUIRE(std::abs(product) < 0.015 * variance);
}

}  // namespace

TEST_CASE("The ring has 8 equal modes on the unit circle", "[toy]") {
  Rng rng(1);
  const auto modes = gan::gaussian_ring_modes<double>();
  REQUIRE(modes.size() == 16);
  REQUIRE(modes[0] == 1.0);
  REQUIRE(modes[2] == Approx(std::sqrt(0.5)));
  REQUIRE(modes[3] == Approx(std::sqrt(0.5)));
  for (std::size_t k = 0; k < 8; ++k) {
    REQUIRE(std::hypot(modes[2 * k], modes[2 * k + 1]) == Approx(1.0));
    const std::size_t next = (k + 1) % 8;
    REQUIRE(std::hypot(modes[2 * k] - modes[2 * next], modes[2 * k + 1] - modes[2 * next + 1]) ==
            Approx(2 * std::sin(pi / 8)));
  }
  check_mixture(gan::gaussian_ring<double>(rng, many), modes, 0.01);
  const gan::GaussianRingOptions options{.modes = 3, .radius = 4, .stddev = 0.2};
  check_mixture(gan::gaussian_ring<float>(rng, many, options), gan::gaussian_ring_modes<float>(options), 0.2);
}

TEST_CASE("The grid has 25 equal modes, 2 apart, around 0", "[toy]") {
  Rng rng(2);
  const auto modes = gan::gaussian_grid_modes<float>();
  REQUIRE(modes.size() == 50);
  for (std::size_t k = 0; k < 25; ++k) {
    REQUIRE(modes[2 * k] == float(k % 5) * 2 - 4);
    REQUIRE(modes[2 * k + 1] == float(k / 5) * 2 - 4);
  }
  check_mixture(gan::gaussian_grid<float>(rng, many), modes, 0.05);
  const gan::GaussianGridOptions options{.side = 2, .spacing = 1};
  REQUIRE(gan::gaussian_grid_modes<double>(options) == std::vector<double>{-0.5, -0.5, 0.5, -0.5, -0.5, 0.5, 0.5, 0.5});
  check_mixture(gan::gaussian_grid<double>(rng, many, options), gan::gaussian_grid_modes<double>(options), 0.05);
}

TEST_CASE("The Swiss roll lies on its spiral, evenly in the angle", "[toy]") {
  Rng rng(3);
  const gan::SwissRollOptions options{.first_turn = 1, .last_turn = 2, .scale = 0.1, .stddev = 0};
  const auto points = gan::swiss_roll<double>(rng, many, options);
  double mean = 0, square = 0;
  for (std::size_t i = 0; i < points.size(); i += 2) {
    const double t = std::hypot(points[i], points[i + 1]) / 0.1;
    if (std::abs(points[i] - 0.1 * t * std::cos(t)) > 1e-9 || std::abs(points[i + 1] - 0.1 * t * std::sin(t)) > 1e-9)
      FAIL("(" << points[i] << ", " << points[i + 1] << ") is off the spiral");
    mean += t / (2 * pi) / double(many), square += t * t / (4 * pi * pi) / double(many);
    if (t < 2 * pi - 1e-9 || t > 4 * pi + 1e-9) FAIL("angle " << t);
  }
  REQUIRE(mean == Approx(1.5).margin(0.005));
  REQUIRE(square - mean * mean == Approx(1.0 / 12).epsilon(0.02));

  double farthest = 0, noise = 0;
  Rng a(4), b(4);
  const auto bare = gan::swiss_roll<float>(a, many, {.stddev = 0}), noisy = gan::swiss_roll<float>(b, many);
  for (std::size_t i = 0; i < bare.size(); ++i) {
    noise += std::pow(double(noisy[i] - bare[i]), 2) / double(bare.size());
    farthest = std::max(farthest, std::abs(double(noisy[i])));
  }
  REQUIRE(std::sqrt(noise) == Approx(0.01).epsilon(0.02));
  REQUIRE(farthest > 0.9);
  REQUIRE(farthest < 1.15);
}

TEST_CASE("Two moons are half circles that share the points, with mean 0", "[toy]") {
  Rng rng(5);
  const auto points = gan::two_moons<double>(rng, many, {.stddev = 0});
  double x = 0, y = 0, upper = 0;
  for (std::size_t i = 0; i < points.size(); i += 2) {
    const double px = points[i] + 0.5, py = points[i + 1] + 0.25;  // where the definition puts them
    const bool on_upper = std::abs(std::hypot(px, py) - 1) < 1e-9 && py > -1e-9;
    const bool on_lower = std::abs(std::hypot(px - 1, py - 0.5) - 1) < 1e-9 && py < 0.5 + 1e-9;
    if (!on_upper && !on_lower) FAIL("(" << px << ", " << py << ") is on neither moon");
    upper += on_upper, x += points[i] / double(many), y += points[i + 1] / double(many);
  }
  REQUIRE(upper / double(many) == Approx(0.5).margin(0.008));
  REQUIRE(std::abs(x) < 0.015);
  REQUIRE(std::abs(y) < 0.008);
  Rng a(6), b(6);
  const auto bare = gan::two_moons<float>(a, many, {.stddev = 0}), noisy = gan::two_moons<float>(b, many);
  double noise = 0;
  for (std::size_t i = 0; i < bare.size(); ++i) noise += std::pow(double(noisy[i] - bare[i]), 2) / double(bare.size());
  REQUIRE(std::sqrt(noise) == Approx(0.05).epsilon(0.02));
}

TEST_CASE("A mixture has its weights' shares around its centers", "[toy]") {
  Rng rng(8);
  const std::vector<double> centers{0, 0, 5, 0, 0, 5}, weights{2, 1, 5};
  const auto points = gan::gaussian_mixture<double>(rng, many, centers, 0.1, weights);
  std::vector<double> counts(3);
  for (std::size_t i = 0; i < points.size(); i += 2) {
    const std::size_t mode = points[i] > 2.5 ? 1 : points[i + 1] > 2.5 ? 2 : 0;
    counts[mode] += 1 / double(many);
    if (std::hypot(points[i] - centers[2 * mode], points[i + 1] - centers[2 * mode + 1]) > 0.7) FAIL("a stray point");
  }
  for (std::size_t i = 0; i < 3; ++i) REQUIRE(counts[i] == Approx(weights[i] / 8).margin(0.007));
  REQUIRE(gan::gaussian_mixture<float>(rng, 0, std::vector<float>{1, 1}, 0.1).empty());
  Rng a(9), b(9);
  REQUIRE(gan::gaussian_mixture<float>(a, 50, gan::gaussian_ring_modes<float>(), 0.01) ==
          gan::gaussian_ring<float>(b, 50));
  REQUIRE_THROWS_WITH(gan::gaussian_mixture<float>(rng, 1, std::vector<float>{1, 2, 3}, 0.1),
                      ContainsSubstring("3 numbers of centers"));
  REQUIRE_THROWS_WITH(gan::gaussian_mixture<double>(rng, 1, centers, 0.1, std::vector<double>{1, 2}),
                      ContainsSubstring("2 weights, expected one of each of 3 modes"));
  REQUIRE_THROWS_WITH(gan::gaussian_mixture<double>(rng, 1, centers, 0.1, std::vector<double>{1, -2, 1}),
                      ContainsSubstring("weight -2"));
}

TEST_CASE("Distributions are reproducible, move the generator, and may be empty", "[toy]") {
  Rng a(7), b(7);
  const auto first = gan::gaussian_ring<float>(a, 50);
  REQUIRE(first == gan::gaussian_ring<float>(b, 50));
  REQUIRE(first != gan::gaussian_ring<float>(b, 50));
  REQUIRE(gan::gaussian_grid<float>(a, 0).empty());
  REQUIRE(gan::swiss_roll<double>(a, 0).empty());
  REQUIRE(gan::two_moons<double>(a, 0).empty());
}

TEST_CASE("Wrong options of the distributions throw and say what was found", "[toy]") {
  Rng rng;
  const double nan = std::numeric_limits<double>::quiet_NaN();
  REQUIRE_THROWS_WITH(gan::gaussian_ring<float>(rng, -1), ContainsSubstring("-1 points"));
  REQUIRE_THROWS_AS(gan::gaussian_grid<float>(rng, std::numeric_limits<Index>::max()), gan::Error);
  REQUIRE_THROWS_WITH(gan::gaussian_ring<float>(rng, 1, {.modes = 0}), ContainsSubstring("0 modes"));
  REQUIRE_THROWS_AS(gan::gaussian_ring<float>(rng, 1, {.modes = Index{1} << 40}), gan::Error);
  REQUIRE_THROWS_AS(gan::gaussian_grid<float>(rng, 1, {.side = Index{1} << 20}), gan::Error);
  REQUIRE_THROWS_WITH(gan::gaussian_ring<float>(rng, 1, {.radius = -2}), ContainsSubstring("radius -2"));
  REQUIRE_THROWS_WITH(gan::gaussian_ring<float>(rng, 1, {.stddev = -1}), ContainsSubstring("stddev -1"));
  REQUIRE_THROWS_WITH(gan::gaussian_grid<float>(rng, 1, {.side = 0}), ContainsSubstring("side 0"));
  REQUIRE_THROWS_AS(gan::gaussian_grid<float>(rng, 1, {.spacing = nan}), gan::Error);
  REQUIRE_THROWS_WITH(gan::swiss_roll<float>(rng, 1, {.first_turn = 2, .last_turn = 1}),
                      ContainsSubstring("from 2 to 1"));
  REQUIRE_THROWS_AS(gan::swiss_roll<float>(rng, 1, {.scale = 0}), gan::Error);
  REQUIRE_THROWS_AS(gan::two_moons<float>(rng, 1, {.stddev = nan}), gan::Error);
}
