// Wasserstein distances against closed forms and against the plain integral.
#include "gan/metrics/sliced_wasserstein.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include "gan/core/parallel.hpp"
#include "gan/tensor/random.hpp"
#include "support/catch.hpp"
#include "support/threads.hpp"

using gan::Index;
using gan::Rng;
using gan::sliced_wasserstein;
using gan::Tensor;
using gan::wasserstein;

TEST_CASE("distances on the line, by hand", "[metrics]") {
  for (const int order : {1, 2}) {
    REQUIRE(wasserstein({3, 1, 2}, {2, 3, 1}, order) == 0);
    REQUIRE(wasserstein({0, 1, 2}, {5, 7, 6}, order) == Approx(5));
    REQUIRE(wasserstein({4}, {1}, order) == Approx(3));
    REQUIRE(wasserstein({0, 1}, {0, 0, 1, 1}, order) == Approx(0).margin(1e-12));  // one distribution, two sizes
  }
  REQUIRE(wasserstein({0, 0}, {1, 3}, 1) == Approx(2));
  REQUIRE(wasserstein({0, 0}, {1, 3}, 2) == Approx(std::sqrt(5.0)));
  // 0 | 6 against 0 | 3 | 6: thirds and halves; the middle third is 3 away on both its halves.
  REQUIRE(wasserstein({0, 6}, {0, 3, 6}, 1) == Approx(1));
  REQUIRE(wasserstein({0, 6}, {0, 3, 6}, 2) == Approx(std::sqrt(3.0)));
}

TEST_CASE("different sizes equal both samples repeated to a common size", "[metrics]") {
  Rng rng(1);
  std::vector<double> x(35), y(21), x_many, y_many;
  rng.normal(std::span<double>(x));
  rng.normal(std::span<double>(y), 1.0, 2.0);
  for (const double v : x) x_many.insert(x_many.end(), 3, v);
  for (const double v : y) y_many.insert(y_many.end(), 5, v);
  for (const int order : {1, 2}) {
    REQUIRE(wasserstein(x, y, order) == Approx(wasserstein(x_many, y_many, order)).epsilon(1e-12));
    REQUIRE(wasserstein(x, y, order) == Approx(wasserstein(y, x, order)).epsilon(1e-12));
  }
}

TEST_CASE("Gaussians on the line", "[metrics]") {
  Rng rng(2);
  std::vector<double> x(40000), y(30000);
  rng.normal(std::span<double>(x));
  rng.normal(std::span<double>(y), 3.0, 2.0);
  // W_2^2 = (m1 - m2)^2 + (s1 - s2)^2.
  REQUIRE(wasserstein(x, y, 2) == Approx(std::sqrt(9.0 + 1)).epsilon(0.01));
}

TEST_CASE("sliced distances of moved and scaled samples", "[metrics]") {
  Rng rng(3);
  const Index d = 5;
  const auto x = gan::normal<double>(rng, {400, d});
  auto moved = x.clone();
  for (Index j = 0; j < d; ++j) moved.mutable_matrix().col(j).array() += double(j);
  // Each projection is moved by v . s exactly; the mean of (v . s)^2 is |s|^2 / d.
  const double length = std::sqrt(0.0 + 1 + 4 + 9 + 16);
  REQUIRE(sliced_wasserstein(rng, x, moved, {.projections = 4000}) == Approx(length / std::sqrt(5.0)).epsilon(0.04));
  REQUIRE(sliced_wasserstein(rng, x, x) == Approx(0).margin(1e-12));
  // In one dimension there is nothing to slice.
  const auto a = gan::normal<double>(rng, {50, 1}), b = gan::normal<double>(rng, {70, 1}, 1);
  const std::vector<double> p(a.data(), a.data() + 50), q(b.data(), b.data() + 70);
  for (const int order : {1, 2})
    REQUIRE(sliced_wasserstein(rng, a, b, {.projections = 3, .order = order}) == Approx(wasserstein(p, q, order)));
  // In the plane the mean of |v . s| is 2 |s| / pi.
  const Tensor<float> zero({3, 2}), one({3, 2}, {3, 4, 3, 4, 3, 4});
  REQUIRE(sliced_wasserstein(rng, zero, one, {.projections = 5000, .order = 1}) ==
          Approx(2 * 5 / 3.14159265).epsilon(0.03));
}

TEST_CASE("sliced distances repeat with the seed, on any number of threads", "[metrics]") {
  const gan::test::ThreadCount restore;
  Rng rng(4), a(9), b(9), c(10);
  const auto x = gan::normal<float>(rng, {500, 30}), y = gan::normal<float>(rng, {300, 30}, 0.2);
  gan::set_threads(1);
  const double one = sliced_wasserstein(a, x, y);
  REQUIRE(sliced_wasserstein(c, x, y) != one);
  gan::set_threads(2);
  REQUIRE(sliced_wasserstein(b, x, y) == Approx(one).epsilon(1e-12));
}

TEST_CASE("mistakes of the Wasserstein distances name the numbers", "[metrics]") {
  Rng rng(5);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  REQUIRE_THROWS_WITH(wasserstein({}, {1}), ContainsSubstring("0 and 1 values"));
  REQUIRE_THROWS_WITH(wasserstein({1, nan}, {1}), ContainsSubstring("value 1"));
  REQUIRE_THROWS_WITH(wasserstein({1}, {1}, 3), ContainsSubstring("order 3"));
  const Tensor<float> x({4, 2}), y({3, 2});
  REQUIRE_THROWS_WITH(sliced_wasserstein(rng, x, y, {.projections = 0}), ContainsSubstring("0 projections"));
  REQUIRE_THROWS_WITH(sliced_wasserstein(rng, x, y, {.order = 0}), ContainsSubstring("order 0"));
  REQUIRE_THROWS_WITH(sliced_wasserstein(rng, x, Tensor<float>({3, 5})), ContainsSubstring("x [4, 2] and y [3, 5]"));
  REQUIRE_THROWS_WITH(sliced_wasserstein(rng, Tensor<float>({0, 2}), y), ContainsSubstring("x [0, 2]"));
  auto bad = x.clone();
  bad.mutable_data()[2] = std::numeric_limits<float>::quiet_NaN();
  REQUIRE_THROWS_WITH(sliced_wasserstein(rng, bad, y), ContainsSubstring("row 1 is not finite"));
}
