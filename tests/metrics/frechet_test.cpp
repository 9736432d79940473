// Frechet distance of Gaussians whose distance is known.
#include "gan/metrics/frechet.hpp"

#include <cmath>
#include <limits>

#include "gan/tensor/random.hpp"
#include "support/catch.hpp"

using gan::frechet_distance;
using gan::Gaussian;
using gan::Index;
using gan::Rng;
using gan::Tensor;

namespace {

Gaussian axes(std::initializer_list<double> mean, std::initializer_list<double> deviations) {
  Gaussian g{Eigen::VectorXd(Index(mean.size())), Eigen::MatrixXd::Zero(Index(mean.size()), Index(mean.size()))};
  Index i = 0;
  for (const double m : mean) g.mean[i++] = m;
  i = 0;
  for (const double s : deviations) g.covariance(i, i) = s * s, ++i;
  return g;
}

}  // namespace

TEST_CASE("Gaussians along the axes: squared differences of means and deviations", "[metrics]") {
  const auto a = axes({0, 0}, {1, 2}), b = axes({3, 4}, {1, 2}), c = axes({0, 1}, {3, 0.5});
  REQUIRE(frechet_distance(a, a) == Approx(0).margin(1e-12));
  REQUIRE(frechet_distance(a, b) == Approx(25));
  REQUIRE(frechet_distance(a, c) == Approx(1 + 4 + 2.25));
  REQUIRE(frechet_distance(c, a) == Approx(frechet_distance(a, c)));
  // Without width in one direction, as pixels at the border of digits are.
  REQUIRE(frechet_distance(axes({0, 0}, {1, 0}), axes({0, 0}, {0, 2})) == Approx(1 + 4));
}

TEST_CASE("covariances that do not commute", "[metrics]") {
  // tr (C1 C2)^(1/2) of 2 x 2 matrices: sqrt(tr C1 C2 + 2 sqrt(det C1 C2)).
  Gaussian a = axes({0, 0}, {1, 1}), b = a;
  a.covariance << 2, 0.5, 0.5, 1;
  b.covariance << 1, -0.7, -0.7, 3;
  const double cross =
      std::sqrt((a.covariance * b.covariance).trace() + 2 * std::sqrt((a.covariance * b.covariance).determinant()));
  REQUIRE(frechet_distance(a, b) == Approx(3 + 4 - 2 * cross));
  // Turning both changes nothing.
  Eigen::Matrix2d turn;
  turn << std::cos(0.4), -std::sin(0.4), std::sin(0.4), std::cos(0.4);
  Gaussian p{turn * a.mean, turn * a.covariance * turn.transpose()}, q{b.mean, turn * b.covariance * turn.transpose()};
  REQUIRE(frechet_distance(p, q) == Approx(frechet_distance(a, b)));
}

TEST_CASE("a Gaussian is fitted with the unbiased covariance", "[metrics]") {
  const auto g = gan::fit_gaussian(Tensor<float>({3, 2}, {1, 2, 3, 6, 5, 4}));
  REQUIRE(g.mean[0] == Approx(3));
  REQUIRE(g.mean[1] == Approx(4));
  REQUIRE(g.covariance(0, 0) == Approx(4));
  REQUIRE(g.covariance(1, 1) == Approx(4));
  REQUIRE(g.covariance(0, 1) == Approx(2));
  REQUIRE(g.covariance(1, 0) == Approx(2));
}

TEST_CASE("samples of known Gaussians", "[metrics]") {
  Rng rng(1);
  const Index n = 20000, d = 6;
  const auto x = gan::normal<float>(rng, {n, d});
  REQUIRE(frechet_distance(x, x) == Approx(0).margin(1e-9));
  REQUIRE(frechet_distance(x, gan::normal<float>(rng, {n, d})) < 0.01);
  REQUIRE(frechet_distance(x, gan::normal<float>(rng, {n, d}, 0.5, 2)) == Approx(6 * (0.25 + 1)).epsilon(0.03));
  // Fewer samples than dimensions leave a covariance of low rank.
  const auto few = gan::normal<float>(rng, {4, d}), other = gan::normal<float>(rng, {3, d}, 3);
  REQUIRE(std::isfinite(frechet_distance(few, other)));
  REQUIRE(frechet_distance(few, few) == Approx(0).margin(1e-6));
}

TEST_CASE("the Frechet distance's mistakes name the numbers", "[metrics]") {
  const Tensor<float> x({4, 2});
  REQUIRE_THROWS_WITH(frechet_distance(x, Tensor<float>({4, 3})), ContainsSubstring("2 and 3 dimensions"));
  REQUIRE_THROWS_WITH(gan::fit_gaussian(Tensor<float>({1, 2})), ContainsSubstring("x [1, 2]"));
  REQUIRE_THROWS_WITH(gan::fit_gaussian(Tensor<float>({4})), ContainsSubstring("x [4]"));
  auto bad = x.clone();
  bad.mutable_data()[0] = std::numeric_limits<float>::quiet_NaN();
  REQUIRE_THROWS_WITH(frechet_distance(x, bad), ContainsSubstring("row 0 is not finite"));
  Gaussian g = axes({0, 0}, {1, 1});
  g.covariance.resize(3, 3);
  REQUIRE_THROWS_WITH(frechet_distance(g, g), ContainsSubstring("covariance [3, 3]"));
  g = axes({0, 0}, {1, std::numeric_limits<double>::infinity()});
  REQUIRE_THROWS_WITH(frechet_distance(g, g), ContainsSubstring("not finite"));
  g = axes({0, 0}, {1, std::nan("")});
  REQUIRE_THROWS_WITH(frechet_distance(axes({0, 0}, {1, 1}), g), ContainsSubstring("not finite"));
  // Overflow on the way is no distance of 0.
  REQUIRE_THROWS_WITH(frechet_distance(Tensor<double>({2, 1}, {0, 1e100}), Tensor<double>({2, 1}, {0, 2e100})),
                      ContainsSubstring("too large"));
  REQUIRE_THROWS_WITH(frechet_distance(axes({-1e200}, {1}), axes({1e200}, {1})), ContainsSubstring("too large"));
  REQUIRE(frechet_distance(axes({0}, {1e70}), axes({0}, {3e70})) == Approx(4e140));
}
