#include "gan/loss/any_objective.hpp"

#include <cmath>

#include "gan/loss/any_penalty.hpp"
#include "support/catch.hpp"

using gan::Index;
using Tensor = gan::Tensor<double>;

namespace {

// D(x) = x^2, whose gradient is 2 x: R1 of gamma is gamma / 2 mean(4 x^2).
Tensor score(const Tensor& x) { return gan::square(x); }

double value(const gan::AnyPenalty<double>& penalty, Index step = 0) {
  gan::Rng rng(1);
  const Tensor real({2, 1}, std::vector<double>{1, 3}), fake({2, 1}, std::vector<double>{2, 4});
  const Tensor y = penalty(rng, score, real, fake, step);
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

namespace {

/// A penalty of one type of number.
struct Plain {
  Tensor operator()(gan::Rng&, const gan::AnyPenalty<double>::Discriminate& d, const Tensor& real, const Tensor&,
                    Index) const {
    return gan::mean(d(real));
  }
  void after_step(const gan::NamedTensors<double>& parameters) const {
    for (auto [name, tensor] : parameters) tensor.mutable_values() += 1;
  }
};

}  // namespace

TEST_CASE("any penalty holds functions, penalties of one type, and others of its kind") {
  gan::AnyPenalty<double> any;
  any.add([](gan::Rng&, auto&& d, const auto& real, const auto&, Index step) {
    return step == 0 ? gan::sum(d(real)) : Tensor();
  });
  REQUIRE(value(any) == 1 + 9);
  REQUIRE(value(any, 1) == -1);
  any.add(Plain{});
  REQUIRE(value(any) == 10 + 5);
  any.add(any);
  REQUIRE(value(any) == 2 * 15);
  gan::AnyPenalty<double> outer;
  outer.add(gan::penalty_named<double>("r1:0.5").scale_by(gan::schedule::exponential(0.5))).add(any);
  REQUIRE(value(outer, 1) == Approx(0.5 * 0.25 * 4 * 5 + 2 * 5));
  const gan::NamedTensors<double> parameters{{"w", Tensor({1})}};
  outer.after_step(parameters);
  REQUIRE(parameters[0].tensor.item() == 2);
}

TEST_CASE("objectives by name are the policies of that name") {
  gan::Rng rng(1);
  const Tensor real({2, 1}, std::vector<double>{0.5, 1}), fake({2, 1}, std::vector<double>{-0.5, 2});
  const auto same = [&](const char* name, const auto& objective) {
    CAPTURE(name);
    const auto any = gan::objective_named<double>(name);
    REQUIRE(any.generator_needs_real == objective.generator_needs_real);
    REQUIRE(any.discriminator_loss(rng, real, fake).item() == objective.discriminator_loss(rng, real, fake).item());
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
  for (const char* text :
       {"r1:", "r1:x", "r1:1x", "r1:-1", "r1:nan", "r1:inf", "r1:0,5", "clip:nan", "r1:0.5+dragan:x"})
    REQUIRE_THROWS_WITH(gan::penalty_named<float>(text), ContainsSubstring("is not a weight"));
  for (const char* text : {"none:5", "none:abc", "none:", "r1+none:0"})
    REQUIRE_THROWS_WITH(gan::penalty_named<float>(text), ContainsSubstring("none has no weight"));
  REQUIRE_THROWS_WITH(gan::penalty_named<float>("clip:0"), ContainsSubstring("\"clip:0\": a limit of 0"));
  for (const char* name : {"hinge", "wasserstein", "relativistic-pairing"})
    for (const double label : {std::nan(""), -7.0, 0.9})
      REQUIRE_THROWS_WITH(gan::objective_named<float>(name, label),
                          ContainsSubstring(name) && ContainsSubstring("has no labels"));
  for (const char* name : {"non-saturating", "minimax", "relativistic-average"})
    for (const double label : {std::nan(""), -7.0, 0.0, 1.5})
      REQUIRE_THROWS_WITH(gan::objective_named<float>(name, label),
                          ContainsSubstring(name) && ContainsSubstring("expected a number in (0, 1]"));
  REQUIRE_THROWS_WITH(gan::objective_named<float>("least-squares", std::nan("")), ContainsSubstring("label nan"));
  REQUIRE_NOTHROW(gan::objective_named<float>("least-squares", 2));
}
