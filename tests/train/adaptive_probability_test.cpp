// The controller of adaptive augmentation.
#include "gan/train/adaptive_probability.hpp"

#include <limits>

#include "support/catch.hpp"

using gan::AdaptiveProbability;

TEST_CASE("the probability follows the discriminator's accuracy on real samples", "[adaptive]") {
  const AdaptiveProbability control{.target = 0.6, .images = 1000};
  REQUIRE(control.update(0.3, 0.9, 64) == Approx(0.364));  // mean sign 0.8, above 0.6
  REQUIRE(control.update(0.3, 0.7, 64) == Approx(0.236));  // 0.4, below
  REQUIRE(control.update(0.3, 0.75, 0) == 0.3);
  REQUIRE(AdaptiveProbability{.target = 0.5}.update(0.3, 0.75, 64) == 0.3);
  REQUIRE(control.update(0.01, 0.5, 64) == 0);
  REQUIRE(control.update(0.99, 1, 64) == 1);
  REQUIRE(AdaptiveProbability{.images = 100, .limit = 0.8}.update(0.7, 1, 50) == 0.8);
  double p = 0;
  for (int i = 0; i < 10; ++i) p = control.update(p, 1, 100);
  REQUIRE(p == Approx(1));
  REQUIRE_THROWS_WITH(control.update(0.5, std::numeric_limits<double>::quiet_NaN(), 64), ContainsSubstring("accuracy"));
  REQUIRE_THROWS_WITH(control.update(1.5, 0.5, 64), ContainsSubstring("adaptive probability: 1.5"));
  REQUIRE_THROWS_WITH((AdaptiveProbability{.images = 0}.update(0, 0.5, 64)), ContainsSubstring("0 images"));
}
