// Kernel distance: against its formula, for equal and moved distributions, errors.
#include "gan/metrics/kernel_distance.hpp"

#include <cmath>
#include <limits>

#include "support/catch.hpp"

using gan::Index;
using gan::Rng;
using gan::Tensor;

TEST_CASE("with all rows in a subset it is the unbiased estimate", "[metrics]") {
  Rng rng(1);
  const Index n = 7, d = 3;
  const auto x = gan::normal<double>(rng, {n, d}), y = gan::normal<double>(rng, {n, d}, 0.5, 1.5);
  const auto k = [&](const Tensor<double>& a, Index i, const Tensor<double>& b, Index j) {
    double dot = 0;
    for (Index c = 0; c < d; ++c) dot += a.data()[i * d + c] * b.data()[j * d + c];
    return std::pow(dot / d + 1, 3);
  };
  double expected = 0;
  for (Index i = 0; i < n; ++i)
    for (Index j = 0; j < n; ++j) {
      if (i != j) expected += (k(x, i, x, j) + k(y, i, y, j)) / double(n * (n - 1));
      expected -= 2 * k(x, i, y, j) / double(n * n);
    }
  const auto found = gan::kernel_distance(rng, x, y, {.subsets = 3, .subset_size = 100});
  CHECK(found.value == Approx(expected).epsilon(1e-10));
  CHECK(found.error < 1e-12);
}

TEST_CASE("equal distributions are within their error of 0, moved ones are not", "[metrics]") {
  Rng rng(2);
  const auto x = gan::normal<float>(rng, {2000, 8}), y = gan::normal<float>(rng, {2000, 8});
  const auto same = gan::kernel_distance(rng, x, y, {.subsets = 40, .subset_size = 200});
  CHECK(std::abs(same.value) < 5 * same.error);
  CHECK(same.error > 0);
  double before = same.value + 5 * same.error;
  for (const float shift : {0.3f, 0.6f, 1.2f}) {
    const auto moved = gan::kernel_distance(rng, x, y + shift, {.subsets = 40, .subset_size = 200});
    CHECK(moved.value > before);
    before = moved.value;
  }
  Rng one(5), two(5);
  CHECK(gan::kernel_distance(one, x, y).value == gan::kernel_distance(two, x, y).value);
}

TEST_CASE("what a kernel distance cannot be made of", "[metrics]") {
  Rng rng(1);
  const auto x = gan::normal<float>(rng, {5, 2});
  CHECK_THROWS_WITH(gan::kernel_distance(rng, x, gan::normal<float>(rng, {5, 3})), ContainsSubstring("equal widths"));
  CHECK_THROWS_WITH(gan::kernel_distance(rng, x, gan::normal<float>(rng, {1, 2})), ContainsSubstring("n >= 2"));
  CHECK_THROWS_WITH(gan::kernel_distance(rng, x, x, {.subsets = 1}), ContainsSubstring("1 subsets"));
  auto bad = x.clone();
  bad.mutable_data()[3] = std::numeric_limits<float>::infinity();
  CHECK_THROWS_WITH(gan::kernel_distance(rng, x, bad), ContainsSubstring("row 1 is not finite"));
}
