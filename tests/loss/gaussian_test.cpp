#include "gan/loss/gaussian.hpp"

#include <cmath>

#include "gan/ops/reduce.hpp"
#include "gan/ops/reparameterize.hpp"
#include "support/catch.hpp"
#include "support/gradcheck.hpp"

using namespace gan;
using D = Tensor<double>;

TEST_CASE("the divergence from N(0, 1) and the likelihood follow their formulas") {
  const D mean({2, 2}, {0, 1, -2, 0.5}), log_variance({2, 2}, {0, std::log(4.0), 0, -1});
  // 0; (1 + 4 - log 4 - 1) / 2; 2; (0.25 + 1/e + 1 - 1) / 2
  const double expected = (4 - std::log(4.0)) / 2 + 2 + (0.25 + std::exp(-1.0)) / 2;
  REQUIRE(kl_to_standard_normal(mean, log_variance, Reduction::sum).item() == Approx(expected));
  REQUIRE(kl_to_standard_normal(mean, log_variance).item() == Approx(expected / 2));
  REQUIRE(kl_to_standard_normal(D({3, 2, 2}), D({3, 2, 2})).item() == 0);

  const D x({2, 2}, {0, 3, -2, 0.5});
  const double constant = 2 * std::log(2 * 3.14159265358979323846);
  REQUIRE(gaussian_nll(x, mean, log_variance, Reduction::sum).item() ==
          Approx(constant + 0.5 * (std::log(4.0) + 1.0 - 1.0)));  // (3 - 1)^2 / 4 = 1, and a log variance of -1
  REQUIRE(gaussian_nll(x, mean, log_variance).item() == Approx((constant + 0.5 * std::log(4.0)) / 2));
}

TEST_CASE("losses of normal distributions have the gradients of their formulas") {
  Rng rng(1);
  const D x = test::random_tensor(rng, {3, 2}), m = test::random_tensor(rng, {3, 2}),
          v = test::random_tensor(rng, {3, 2});
  test::check_gradients([](const auto& in) { return kl_to_standard_normal(in[0], in[1]); }, {m, v});
  test::check_gradients([](const auto& in) { return gaussian_nll(in[0], in[1], in[2]); }, {x, m, v});
  test::check_gradients(
      [](const auto& in) {
        Rng noise(5);
        return reparameterize(noise, in[0], in[1]);
      },
      {m, v});
}

TEST_CASE("a reparameterized sample has the mean and the variance it was asked for") {
  Rng rng(2);
  const auto z = reparameterize(rng, D::full({20000}, 3.0), D::full({20000}, std::log(0.25)));
  REQUIRE(std::abs(mean(z).item() - 3) < 0.02);
  REQUIRE(std::abs(variance(z, {0}).item() - 0.25) < 0.01);
  REQUIRE_THROWS_WITH(reparameterize(rng, D({2}), D({3})), ContainsSubstring("[2]") && ContainsSubstring("[3]"));
}

TEST_CASE("losses of normal distributions refuse shapes that differ") {
  REQUIRE_THROWS_WITH(kl_to_standard_normal(D({2, 1}), D({2})), ContainsSubstring("mean [2, 1] and log_variance [2]"));
  REQUIRE_THROWS_WITH(gaussian_nll(D({2, 1}), D({2}), D({2})), ContainsSubstring("x [2, 1] and mean [2]"));
  REQUIRE_THROWS_WITH(kl_to_standard_normal(D(Shape{}), D(Shape{})), ContainsSubstring("expected [n, ...]"));
}
