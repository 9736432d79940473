// Nearest items: against a plain search, across the parts that it is done in.
#include "gan/metrics/nearest.hpp"

#include <cmath>

#include "gan/tensor/random.hpp"
#include "support/catch.hpp"

using gan::Index;

TEST_CASE("the nearest item of each sample", "[metrics]") {
  gan::Rng rng(1);
  const auto items = gan::normal<float>(rng, {5000, 3}), samples = gan::normal<float>(rng, {40, 3});
  const auto found = gan::nearest(samples, items);
  for (Index i = 0; i < 40; ++i) {
    double best = 1e300;
    Index at = 0;
    for (Index j = 0; j < 5000; ++j) {
      double square = 0;
      for (Index c = 0; c < 3; ++c)
        square += std::pow(double(samples.data()[3 * i + c]) - double(items.data()[3 * j + c]), 2);
      if (square < best) best = square, at = j;
    }
    CHECK(found.index[std::size_t(i)] == at);
    CHECK(found.distance[std::size_t(i)] == Approx(std::sqrt(best)).epsilon(1e-6));
  }
  const auto itself = gan::nearest(items, items);
  for (Index i = 0; i < 5000; ++i) CHECK(itself.index[std::size_t(i)] == i);
  CHECK(itself.distance[4999] == 0);
  CHECK_THROWS_WITH(gan::nearest(samples, gan::normal<float>(rng, {4, 2})), ContainsSubstring("equal widths"));
  CHECK_THROWS_WITH(gan::nearest(samples, gan::Tensor<float>::zeros({0, 3})), ContainsSubstring("items [0, 3]"));
}
