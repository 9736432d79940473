// Mode coverage on histograms known by construction.
#include "gan/metrics/modes.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include "gan/core/random.hpp"
#include "gan/data/toy.hpp"
#include "support/catch.hpp"

using gan::Index;
using gan::mode_coverage;
using gan::Rng;
using gan::Tensor;

TEST_CASE("modes, quality and reverse KL of a histogram known by hand", "[metrics]") {
  const Tensor<float> centers({4, 2}, {0, 0, 10, 0, 0, 10, 10, 10});
  // Three at the first mode, one at the second, and two 3.1 sigma away.
  const Tensor<float> samples({6, 2}, {0, 0, 0.1f, 0, 0, -0.29f, 10, 0.1f, 0.31f, 0, 10, 9.69f});
  const auto m = mode_coverage(samples, centers, 0.1);
  REQUIRE(m.modes == 4);
  REQUIRE(m.covered == 2);
  REQUIRE(m.high_quality == Approx(4.0 / 6));
  REQUIRE(m.counts == std::vector<Index>{3, 1, 0, 0});
  REQUIRE(m.reverse_kl == Approx(0.75 * std::log(3.0) + 0.25 * std::log(1.0)));
}

TEST_CASE("the reverse KL is 0 when even, log k when collapsed, infinite without good samples", "[metrics]") {
  const Tensor<double> centers({3, 1}, {0, 1, 2});
  REQUIRE(mode_coverage(Tensor<double>({6, 1}, {0, 1, 2, 2, 1, 0}), centers, 0.01).reverse_kl == 0);
  const auto collapsed = mode_coverage(Tensor<double>({2, 1}, {1, 1}), centers, 0.01);
  REQUIRE(collapsed.reverse_kl == Approx(std::log(3.0)));
  REQUIRE(collapsed.covered == 1);
  REQUIRE(collapsed.high_quality == 1);
  const auto lost = mode_coverage(Tensor<double>({2, 1}, {0.5, 7}), centers, 0.01);
  REQUIRE(lost.covered == 0);
  REQUIRE(lost.high_quality == 0);
  REQUIRE(std::isinf(lost.reverse_kl));
}

TEST_CASE("modes of unequal weight: the reverse KL is to their shares", "[metrics]") {
  const Tensor<double> centers({2, 1}, {0, 1}), samples({4, 1}, {0, 0, 0, 1});
  const std::vector<double> right{3, 1}, wrong{1, 3};
  REQUIRE(mode_coverage(samples, centers, 0.01, right).reverse_kl == 0);
  REQUIRE(mode_coverage(samples, centers, 0.01, wrong).reverse_kl ==
          Approx(0.75 * std::log(3.0) + 0.25 * std::log(1.0 / 3)));
  REQUIRE_THROWS_WITH(mode_coverage(samples, centers, 0.01, std::vector<double>{1}),
                      ContainsSubstring("1 weights, expected one of each of 2 modes"));
  REQUIRE_THROWS_WITH(mode_coverage(samples, centers, 0.01, std::vector<double>{1, 0}),
                      ContainsSubstring("weight 0, expected a number above 0"));
}

TEST_CASE("exactly 3 sigma is within; a sample between two modes goes to the nearer", "[metrics]") {
  const Tensor<double> centers({2, 1}, {0, 4});
  REQUIRE(mode_coverage(Tensor<double>({1, 1}, {-3}), centers, 1).counts == std::vector<Index>{1, 0});
  REQUIRE(mode_coverage(Tensor<double>({1, 1}, {-3.0000001}), centers, 1).counts == std::vector<Index>{0, 0});
  REQUIRE(mode_coverage(Tensor<double>({1, 1}, {2.5}), centers, 1).counts == std::vector<Index>{0, 1});
  REQUIRE(mode_coverage(Tensor<double>({1, 1}, {1.9}), centers, 1).counts == std::vector<Index>{1, 0});
}

TEST_CASE("the toy mixtures themselves score as their distribution says", "[metrics]") {
  Rng rng(3);
  const Index n = 25000;
  // Within 3 sigma in the plane: 1 - exp(-9/2) = 98.9 %.
  const auto ring =
      mode_coverage(Tensor<float>({n, 2}, gan::gaussian_ring<float>(rng, n)),
                    Tensor<float>({8, 2}, gan::gaussian_ring_modes<float>()), gan::GaussianRingOptions{}.stddev);
  REQUIRE(ring.covered == 8);
  REQUIRE(ring.high_quality == Approx(1 - std::exp(-4.5)).margin(0.003));
  REQUIRE(ring.reverse_kl < 0.001);
  const auto grid =
      mode_coverage(Tensor<double>({n, 2}, gan::gaussian_grid<double>(rng, n)),
                    Tensor<double>({25, 2}, gan::gaussian_grid_modes<double>()), gan::GaussianGridOptions{}.stddev);
  REQUIRE(grid.covered == 25);
  REQUIRE(grid.high_quality == Approx(1 - std::exp(-4.5)).margin(0.003));
  REQUIRE(grid.reverse_kl < 0.002);
  double total = 0;
  for (const Index count : grid.counts) total += double(count);
  REQUIRE(total / double(n) == Approx(grid.high_quality));
}

TEST_CASE("samples that are not finite are of low quality", "[metrics]") {
  const float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
  const Tensor<float> centers({2, 2}, {0, 0, 1, 1});
  const auto m = mode_coverage(Tensor<float>({4, 2}, {nan, 0, infinity, 1, 0, -infinity, 1, 1}), centers, 0.1);
  REQUIRE(m.covered == 1);
  REQUIRE(m.high_quality == 0.25);
  REQUIRE(m.counts == std::vector<Index>{0, 1});
}

TEST_CASE("mode coverage's mistakes name the numbers", "[metrics]") {
  const Tensor<float> samples({5, 2}), centers({3, 2});
  REQUIRE_THROWS_WITH(mode_coverage(Tensor<float>({5, 3}), centers, 1),
                      ContainsSubstring("samples [5, 3]") && ContainsSubstring("centers [3, 2]"));
  REQUIRE_THROWS_WITH(mode_coverage(Tensor<float>({0, 2}), centers, 1), ContainsSubstring("samples [0, 2]"));
  REQUIRE_THROWS_WITH(mode_coverage(samples, Tensor<float>({0, 2}), 1), ContainsSubstring("centers [0, 2]"));
  REQUIRE_THROWS_WITH(mode_coverage(Tensor<float>({6}), centers, 1), ContainsSubstring("samples [6]"));
  REQUIRE_THROWS_WITH(mode_coverage(samples, centers, 0), ContainsSubstring("sigma 0"));
  REQUIRE_THROWS_AS(mode_coverage(samples, centers, std::numeric_limits<double>::quiet_NaN()), gan::Error);
  auto bad = centers.clone();
  bad.mutable_data()[3] = std::numeric_limits<float>::quiet_NaN();
  REQUIRE_THROWS_WITH(mode_coverage(samples, bad, 1), ContainsSubstring("row 1 is not finite"));
}
