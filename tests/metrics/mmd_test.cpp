// Maximum mean discrepancy against the closed form for Gaussians and against the plain double loop.
#include "gan/metrics/mmd.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include "gan/core/parallel.hpp"
#include "gan/tensor/random.hpp"
#include "support/catch.hpp"
#include "support/threads.hpp"

using gan::Index;
using gan::Rng;
using gan::Shape;
using gan::squared_mmd;
using gan::Tensor;

namespace {

double kernel(const Tensor<double>& a, Index i, const Tensor<double>& b, Index j, double bandwidth) {
  return std::exp(-(a.matrix().row(i) - b.matrix().row(j)).squaredNorm() / (2 * bandwidth * bandwidth));
}

/// The unbiased estimator as it is written in the paper.
double plain(const Tensor<double>& x, const Tensor<double>& y, const std::vector<double>& bandwidths) {
  const Index n = x.shape()[0], m = y.shape()[0];
  double total = 0;
  for (const double s : bandwidths) {
    double xx = 0, yy = 0, xy = 0;
    for (Index i = 0; i < n; ++i)
      for (Index j = 0; j < n; ++j) xx += i == j ? 0 : kernel(x, i, x, j, s);
    for (Index i = 0; i < m; ++i)
      for (Index j = 0; j < m; ++j) yy += i == j ? 0 : kernel(y, i, y, j, s);
    for (Index i = 0; i < n; ++i)
      for (Index j = 0; j < m; ++j) xy += kernel(x, i, y, j, s);
    total += xx / double(n * (n - 1)) + yy / double(m * (m - 1)) - 2 * xy / double(n * m);
  }
  return total / double(bandwidths.size());
}

}  // namespace

TEST_CASE("the discrepancy equals the plain double loop, tile borders included", "[metrics]") {
  Rng rng(1);
  for (const auto& [n, m, d] : {std::array<Index, 3>{2, 2, 1}, {7, 3, 2}, {130, 257, 5}, {200, 1100, 3}}) {
    const auto x = gan::normal<double>(rng, {n, d}, 50), y = gan::normal<double>(rng, {m, d}, 50.5, 1.5);
    INFO("n " << n << ", m " << m << ", d " << d);
    REQUIRE(squared_mmd(x, y, {.bandwidths = {0.5, 2}}) == Approx(plain(x, y, {0.5, 2})).margin(1e-11));
  }
}

TEST_CASE("the discrepancy of shifted Gaussians is near its closed form", "[metrics]") {
  Rng rng(2);
  const Index n = 4000;
  const double shift = 0.7, s2 = 1.5 * 1.5;
  const auto x = gan::normal<float>(rng, {n, 2});
  auto y = gan::normal<float>(rng, {n, 2});
  y.mutable_matrix().col(0).array() += float(shift);
  // E k over N(0, I) and N(mu, I): (s2 / (s2 + 2))^(d/2) exp(-|mu|^2 / (2 (s2 + 2))).
  const double expected = 2 * s2 / (s2 + 2) * (1 - std::exp(-shift * shift / (2 * (s2 + 2))));
  REQUIRE(squared_mmd(x, y, {.bandwidths = {1.5}}) == Approx(expected).epsilon(0.1));
}

TEST_CASE("equal distributions have a discrepancy of about 0, on either side; others have more", "[metrics]") {
  Rng rng(3);
  int below = 0;
  double largest = 0;
  for (int trial = 0; trial < 20; ++trial) {
    const auto x = gan::normal<double>(rng, {300, 2}), y = gan::normal<double>(rng, {200, 2});
    const double mmd = squared_mmd(x, y);
    below += mmd < 0 ? 1 : 0;
    largest = std::max(largest, std::abs(mmd));
  }
  REQUIRE(below > 3);  // unbiased
  REQUIRE(below < 18);
  REQUIRE(largest < 0.015);
  const auto x = gan::normal<double>(rng, {300, 2}), wide = gan::normal<double>(rng, {300, 2}, 0, 2);
  REQUIRE(squared_mmd(x, wide) > 0.03);
  REQUIRE(squared_mmd(x, Tensor<double>::zeros({300, 2})) > 0.2);  // collapsed
}

TEST_CASE("the median heuristic", "[metrics]") {
  // Distances of 0, 1, 3, 7: 1, 2, 3, 4, 6, 7.
  REQUIRE(gan::median_distance(Tensor<double>({4, 1}, {0, 1, 3, 7})) == Approx(4));
  REQUIRE(gan::median_distance(Tensor<double>({4, 1}, {5, 5, 5, 7})) == Approx(2));
  REQUIRE(gan::median_distance(Tensor<double>({4, 1}, {5, 5, 5, 5})) == 1);
  REQUIRE(gan::median_distance(Tensor<double>({1, 1}, {5})) == 1);
  REQUIRE(squared_mmd(Tensor<double>({2, 1}, {5, 5}), Tensor<double>({2, 1}, {5, 5})) == Approx(0).margin(1e-12));
  // |a - b| of two standard normals is |N(0, 2)|, with median 0.6745 sqrt(2). More rows than are taken.
  Rng rng(4);
  const auto x = gan::normal<float>(rng, {1500, 1}), y = gan::normal<float>(rng, {500, 1});
  REQUIRE(gan::median_distance(x) == Approx(0.6745 * std::sqrt(2.0)).epsilon(0.05));
  // The result does not depend on the unit.
  auto tenfold_x = x.clone(), tenfold_y = y.clone();
  tenfold_x.mutable_values() *= 10;
  tenfold_y.mutable_values() *= 10;
  REQUIRE(squared_mmd(tenfold_x, tenfold_y) == Approx(squared_mmd(x, y)).margin(1e-6));
}

TEST_CASE("bandwidths come from the real samples alone", "[metrics]") {
  Rng rng(6);
  const auto real = gan::normal<double>(rng, {60, 3});
  const double median = gan::median_distance(real);
  const std::vector<double> bandwidths{0.25 * median, 0.5 * median, median, 2 * median, 4 * median};
  for (const double stddev : {0.1, 1.0, 20.0}) {
    const auto generated = gan::normal<double>(rng, {50, 3}, 0.5, stddev);
    REQUIRE(squared_mmd(real, generated) == squared_mmd(real, generated, {.bandwidths = bandwidths}));
  }
}

TEST_CASE("a tiny bandwidth tells equal rows from others and nothing else", "[metrics]") {
  const Tensor<double> x({3, 1}, {1, 1, 2}), y({2, 1}, {1, 4});
  // Kernels of 1 for equal rows: 2 of 6 pairs, none of 2, 2 of 6.
  for (const double bandwidth : {1e-100, 1e-170, 1e-300})
    REQUIRE(squared_mmd(x, y, {.bandwidths = {bandwidth}}) == Approx(1.0 / 3 - 2.0 / 3));
  REQUIRE(squared_mmd(x, y, {.bandwidths = {1e300}}) == Approx(0).margin(1e-12));
}

TEST_CASE("the discrepancy repeats to the bit on any number of threads", "[metrics]") {
  const gan::test::ThreadCount restore;
  Rng rng(5);
  const auto x = gan::normal<float>(rng, {700, 20}), y = gan::normal<float>(rng, {900, 20}, 0.1);
  gan::set_threads(1);
  const double one = squared_mmd(x, y);
  gan::set_threads(2);
  REQUIRE(squared_mmd(x, y) == one);
}

TEST_CASE("the discrepancy's mistakes name the numbers", "[metrics]") {
  const Tensor<float> x({4, 2}), y({3, 2});
  REQUIRE_THROWS_WITH(squared_mmd(Tensor<float>({1, 2}), y),
                      ContainsSubstring("real [1, 2]") && ContainsSubstring("n >= 2"));
  REQUIRE_THROWS_WITH(squared_mmd(x, Tensor<float>({3, 5})), ContainsSubstring("real [4, 2] and generated [3, 5]"));
  REQUIRE_THROWS_WITH(squared_mmd(x, Tensor<float>({3, 2, 1})), ContainsSubstring("generated [3, 2, 1]"));
  REQUIRE_THROWS_WITH(squared_mmd(x, Tensor<float>({3, 0})), ContainsSubstring("generated [3, 0]"));
  REQUIRE_THROWS_WITH(squared_mmd(x, y, {.bandwidths = {1, -2}}), ContainsSubstring("bandwidth -2"));
  REQUIRE_THROWS_WITH(squared_mmd(x, y, {.factors = {0}}), ContainsSubstring("bandwidth 0"));
  for (const double bad : {std::nan(""), std::numeric_limits<double>::infinity(), 1e-310}) {
    REQUIRE_THROWS_WITH(squared_mmd(x, y, {.bandwidths = {bad}}), ContainsSubstring("bandwidth "));
    REQUIRE_THROWS_WITH(squared_mmd(x, y, {.factors = {bad}}), ContainsSubstring("bandwidth "));
  }
  const Tensor<double> far({2, 1}, {0, 1e200});  // whose squared distance is infinite
  REQUIRE_THROWS_WITH(squared_mmd(far, far), ContainsSubstring("real [2, 1]: row 1 has values beyond 1e+150"));
  REQUIRE_THROWS_WITH(squared_mmd(x, y, {.factors = {}}), ContainsSubstring("0 factors"));
  auto bad = y.clone();
  bad.mutable_data()[5] = std::numeric_limits<float>::infinity();
  REQUIRE_THROWS_WITH(squared_mmd(x, bad), ContainsSubstring("generated [3, 2]: row 2 is not finite"));
}
