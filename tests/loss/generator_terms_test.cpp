// Terms of a generator against their formulas.
#include "gan/loss/feature_matching.hpp"
#include "gan/loss/mode_seeking.hpp"
#include "support/catch.hpp"
#include "support/gradcheck.hpp"

using namespace gan;
using D = Tensor<double>;

TEST_CASE("mode seeking is the inverse of a ratio of distances") {
  const D x1({2, 1, 2}, {1, 2, 3, 4}), x2({2, 1, 2}, {0, 4, 3, 1});  // mean distance 6 / 4
  const D z1({2, 1}, {1, 0}), z2({2, 1}, {0.5, 1});                  // 1.5 / 2
  REQUIRE(mode_seeking(x1, x2, z1, z2).item() == Approx(1 / (2 + 1e-5)));
  REQUIRE(mode_seeking(x1, x1, z1, z2, 0.1).item() == Approx(10));  // collapsed
  Rng rng(1);
  const auto a = test::random_tensor(rng, {2, 3}, 0, 1), b = test::random_tensor(rng, {2, 3}, 2, 3);
  test::check_gradients([&](const auto& in) { return mode_seeking(in[0], in[1], in[2], z2); }, {a, b, z1});
  REQUIRE_THROWS_WITH(mode_seeking(x1, D({2, 2}), z1, z2), ContainsSubstring("mode_seeking: samples [2, 1, 2]"));
  REQUIRE_THROWS_WITH(mode_seeking(x1, x2, z1, D({2, 2})), ContainsSubstring("mode_seeking: noise [2, 1]"));
  REQUIRE_THROWS_WITH(mode_seeking(x1, x2, D({3, 1}), D({3, 1})), ContainsSubstring("expected equally many"));
  REQUIRE_THROWS_WITH(mode_seeking(x1, x2, z1, z1), ContainsSubstring("is the same for both"));
  REQUIRE_THROWS_WITH(mode_seeking(x1, x2, z1, z2, 0), ContainsSubstring("epsilon 0"));
}

TEST_CASE("feature matching is the squared distance of mean features") {
  D real({2, 2}, {1, 2, 3, 4});              // means 2, 3
  const D fake({3, 2}, {0, 0, 3, 3, 0, 3});  // means 1, 2
  REQUIRE(feature_matching(real, fake).item() == Approx(2));
  REQUIRE(feature_matching(real, real).item() == 0);
  test::check_gradients([&](const auto& in) { return feature_matching(real, in[0]); }, {fake});
  real.set_requires_grad();
  REQUIRE_FALSE(feature_matching(real, fake).requires_grad());
  REQUIRE_THROWS_WITH(feature_matching(real, D({3, 3})),
                      ContainsSubstring("features [2, 2] of real samples and [3, 3]"));
  REQUIRE_THROWS_WITH(feature_matching(real, D()), ContainsSubstring("features of fakes are undefined"));
}
