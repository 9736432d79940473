#include "gan/train/choice.hpp"

#include "support/catch.hpp"

using gan::Index;
using Tensor = gan::Tensor<double>;

namespace {

// D(x) = x^2, whose gradient is 2 x: R1 of gamma is gamma / 2 mean(4 x^2).
Tensor score(const Tensor& x) { return gan::square(x); }

double value(const gan::AnyPenalty<double>& penalty, Index step = 0) {
  gan::Rng rng(1);
  const Tensor real({2, 1}, std::vector<double>{1, 3}), fake({2, 1}, std::vector<double>{2, 4});
  const Tensor y = penalty(score, real, fake, rng, step);
  return y.defined() ? y.item() : -1;
}

}  // namespace

TEST_CASE("penalties by name add up, with their weights") {
  REQUIRE(value(gan::penalty_named<double>("none")) == -1);
  REQUIRE(value(gan::penalty_named<double>("r1:0.5")) == Approx(0.25 * 4 * 5));
  REQUIRE(value(gan::penalty_named<double>("r1:0.5+r2:2")) == Approx(0.25 * 4 * 5 + 4 * 10));
  REQUIRE(value(gan::penalty_named<double>("lazy-r1:0.5"), 1) == -1);
  REQUIRE(value(gan::penalty_named<double>("lazy-r1:0.5"), 16) == Approx(16 * 0.25 * 4 * 5));
}

TEST_CASE("a schedule scales all penalties by the step") {
  auto penalty = gan::penalty_named<double>("r1:0.5+r2:2");
  penalty.scale_by(gan::schedule::exponential(0.5));
  REQUIRE(value(penalty, 0) == Approx(45));
  REQUIRE(value(penalty, 3) == Approx(45.0 / 8));
  REQUIRE(value(gan::penalty_named<double>("none").scale_by(gan::schedule::exponential(0.5)), 3) == -1);
}

TEST_CASE("objectives by name are the policies of that name") {
  gan::Rng rng(1);
  const Tensor real({2, 1}, std::vector<double>{0.5, 1}), fake({2, 1}, std::vector<double>{-0.5, 2});
  const auto same = [&](const char* name, const auto& objective) {
    CAPTURE(name);
    const auto any = gan::objective_named<double>(name);
    REQUIRE(any.generator_needs_real == objective.generator_needs_real);
    REQUIRE(any.discriminator_loss(real, fake, rng).item() == objective.discriminator_loss(real, fake, rng).item());
    REQUIRE(any.generator_loss(real, fake).item() == objective.generator_loss(real, fake).item());
  };
  same("non-saturating", gan::NonSaturating{});
  same("minimax", gan::Minimax{});
  same("least-squares", gan::LeastSquares{});
  same("hinge", gan::Hinge{});
  same("wasserstein", gan::Wasserstein{});
  same("relativistic-average", gan::RelativisticAverage{});
  same("relativistic-pairing", gan::RelativisticPairing{});
}

TEST_CASE("names and weights that are none") {
  REQUIRE_THROWS_WITH(gan::objective_named<float>("vanilla"), ContainsSubstring("no objective is named \"vanilla\""));
  REQUIRE_THROWS_WITH(gan::penalty_named<float>("r3"), ContainsSubstring("no penalty is named \"r3\""));
  for (const char* text : {"r1:", "r1:x", "r1:1x", "r1:-1", "r1:nan", "r1:inf"})
    REQUIRE_THROWS_WITH(gan::penalty_named<float>(text), ContainsSubstring("is not a weight"));
}
