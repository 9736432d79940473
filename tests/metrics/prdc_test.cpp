// Precision, recall, density and coverage by hand, against the plain definition, and on collapsed samples.
#include "gan/metrics/prdc.hpp"

#include <algorithm>
#include <limits>
#include <vector>

#include "gan/core/parallel.hpp"
#include "gan/tensor/random.hpp"
#include "support/catch.hpp"
#include "support/threads.hpp"

using gan::Index;
using gan::prdc;
using gan::Prdc;
using gan::Rng;
using gan::Tensor;

namespace {

double distance(const Tensor<double>& a, Index i, const Tensor<double>& b, Index j) {
  return (a.matrix().row(i) - b.matrix().row(j)).norm();
}

double radius(const Tensor<double>& x, Index i, Index k) {
  std::vector<double> all;
  for (Index j = 0; j < x.shape()[0]; ++j)
    if (j != i) all.push_back(distance(x, i, x, j));
  std::sort(all.begin(), all.end());
  return all[std::size_t(k - 1)];
}

/// The definitions, word by word.
Prdc plain(const Tensor<double>& real, const Tensor<double>& generated, Index k) {
  const Index n = real.shape()[0], m = generated.shape()[0];
  Prdc result;
  std::vector<double> real_radius, generated_radius;
  for (Index i = 0; i < n; ++i) real_radius.push_back(radius(real, i, k));
  for (Index j = 0; j < m; ++j) generated_radius.push_back(radius(generated, j, k));
  for (Index j = 0; j < m; ++j) {
    int balls = 0;
    for (Index i = 0; i < n; ++i) balls += distance(real, i, generated, j) <= real_radius[std::size_t(i)] ? 1 : 0;
    result.precision += balls > 0 ? 1 / double(m) : 0;
    result.density += balls / double(m * k);
  }
  for (Index i = 0; i < n; ++i) {
    bool covered = false, recalled = false;
    for (Index j = 0; j < m; ++j) {
      covered = covered || distance(real, i, generated, j) <= real_radius[std::size_t(i)];
      recalled = recalled || distance(real, i, generated, j) <= generated_radius[std::size_t(j)];
    }
    result.coverage += covered ? 1 / double(n) : 0;
    result.recall += recalled ? 1 / double(n) : 0;
  }
  return result;
}

void require_equal(const Prdc& a, const Prdc& b) {
  REQUIRE(a.precision == Approx(b.precision));
  REQUIRE(a.recall == Approx(b.recall));
  REQUIRE(a.density == Approx(b.density));
  REQUIRE(a.coverage == Approx(b.coverage));
}

}  // namespace

TEST_CASE("four real and three generated points by hand", "[metrics]") {
  // Radii for k = 1: real 1, 1, 2, 10; generated 0.5, 0.5, 29.5.
  const Tensor<float> real({4, 1}, {0, 1, 3, 13}), generated({3, 1}, {0.25f, 0.75f, 30.25f});
  const auto result = prdc(real, generated, 1);
  REQUIRE(result.precision == Approx(2.0 / 3));
  REQUIRE(result.density == Approx((2 + 2 + 0) / 3.0));
  REQUIRE(result.coverage == Approx(2.0 / 4));
  REQUIRE(result.recall == Approx(4.0 / 4));  // the outlier's ball holds 1, 3 and 13
}

TEST_CASE("blocks and tiles equal the plain definition", "[metrics]") {
  Rng rng(1);
  for (const auto& [n, m, d, k] :
       {std::array<Index, 4>{10, 12, 2, 3}, {300, 140, 4, 5}, {150, 1100, 3, 2}, {1030, 40, 1, 4}}) {
    INFO("n " << n << ", m " << m << ", d " << d << ", k " << k);
    const auto real = gan::normal<double>(rng, {n, d}, 20), generated = gan::normal<double>(rng, {m, d}, 20.8, 1.3);
    require_equal(prdc(real, generated, k), plain(real, generated, k));
  }
}

TEST_CASE("equal distributions score about 1; collapse and noise show where they should", "[metrics]") {
  Rng rng(2);
  const auto real = gan::normal<float>(rng, {600, 8});
  const auto same = prdc(real, gan::normal<float>(rng, {600, 8}));
  REQUIRE(same.precision > 0.9);
  REQUIRE(same.recall > 0.9);
  REQUIRE(same.density == Approx(1).margin(0.15));
  REQUIRE(same.coverage > 0.9);
  require_equal(prdc(real, real), {1, 1, prdc(real, real).density, 1});
  // Samples from one spot look real and show no variety.
  const auto collapsed = prdc(real, gan::normal<float>(rng, {600, 8}, 0, 0.05));
  REQUIRE(collapsed.precision > 0.95);
  REQUIRE(collapsed.recall < 0.05);
  REQUIRE(collapsed.coverage < 0.6);
  // Samples far too wide do not look real.
  const auto wide = prdc(real, gan::normal<float>(rng, {600, 8}, 0, 5));
  REQUIRE(wide.precision < 0.1);
  REQUIRE(wide.density < 0.1);
  REQUIRE(wide.recall > 0.5);
}

TEST_CASE("samples that are exact copies are within balls of radius 0", "[metrics]") {
  auto real = Tensor<float>::empty({6, 3});
  for (Index i = 0; i < 6; ++i) real.mutable_matrix().row(i) << 0.1f * float(i / 3), 0.3f, 70.7f;
  require_equal(prdc(real, real, 2), {1, 1, 1.5, 1});  // three copies of two points
}

TEST_CASE("the result is the same on any number of threads", "[metrics]") {
  const gan::test::ThreadCount restore;
  Rng rng(3);
  const auto real = gan::normal<float>(rng, {500, 20}), generated = gan::normal<float>(rng, {400, 20}, 0.2);
  gan::set_threads(1);
  const auto one = prdc(real, generated);
  gan::set_threads(2);
  const auto two = prdc(real, generated);
  REQUIRE(one.density == two.density);
  REQUIRE(one.coverage == two.coverage);
  REQUIRE(one.recall == two.recall);
}

TEST_CASE("prdc's mistakes name the numbers", "[metrics]") {
  const Tensor<float> x({6, 2}), y({5, 2});
  REQUIRE_THROWS_WITH(prdc(x, y), ContainsSubstring("5 neighbors of 6 real and 5 generated"));
  REQUIRE_THROWS_WITH(prdc(x, y, 0), ContainsSubstring("0 neighbors"));
  REQUIRE_THROWS_WITH(prdc(x, Tensor<float>({9, 3})), ContainsSubstring("real [6, 2] and generated [9, 3]"));
  auto bad = x.clone();
  bad.mutable_data()[11] = std::numeric_limits<float>::quiet_NaN();
  REQUIRE_THROWS_WITH(prdc(x, bad, 1), ContainsSubstring("generated [6, 2]: row 5 is not finite"));
}
