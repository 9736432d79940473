#include "gan/loss/any_objective.hpp"

#include <cmath>
#include <string>
#include <type_traits>
#include <vector>

#include "gan/loss/any_penalty.hpp"
#include "support/catch.hpp"

using gan::Index;
using Tensor = gan::Tensor<double>;

namespace {

/// As a trainer's options are written.
struct Options {
  gan::AnyObjective<double> objective{};
  gan::AnyPenalty<double> penalty{};
};

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

TEST_CASE("every objective becomes any objective, and its name finds it") {
  gan::Rng rng(1);
  const Tensor real({2, 1}, std::vector<double>{0.5, 1}), fake({2, 1}, std::vector<double>{-0.5, 2});
  std::string names;
  gan::Objectives::for_each([&]<class O>() {
    CAPTURE(O::name);
    names += (names.empty() ? "" : ", ") + std::string(O::name);
    const O objective{};
    const auto loss = objective.discriminator_loss(real, fake);
    for (const gan::AnyObjective<double>& any :
         {Options{.objective = O{}}.objective, gan::objective_named<double>(O::name)}) {
      CHECK(any.generator_needs_real == O::generator_needs_real);
      CHECK(any.takes_logits == gan::takes_logits(objective));
      CHECK(any.needs_bounded_slope == gan::needs_bounded_slope(objective));
      CHECK(any.describe() == objective.describe());
      CHECK((any.describe() + " ").starts_with(std::string(O::name) + " "));
      const auto found = any.discriminator_loss(rng, real, fake);
      CHECK(found.real.item() == loss.real.item());
      REQUIRE(found.fake.defined() == loss.fake.defined());
      if (loss.fake.defined()) CHECK(found.fake.item() == loss.fake.item());
      CHECK(any.generator_loss(real, fake).item() == objective.generator_loss(real, fake).item());
      CHECK(any.accuracy(real, fake).real == gan::accuracy(objective, real, fake).real);
      CHECK(any.accuracy(real, fake).fake == gan::accuracy(objective, real, fake).fake);
    }
  });
  CHECK(gan::objective_names == names);
}

TEST_CASE("what an objective does not say of itself is no") {
  CHECK(gan::takes_logits(gan::NonSaturating{}));
  CHECK_FALSE(gan::takes_logits(gan::LeastSquares{}));
  CHECK(gan::needs_bounded_slope(gan::Wasserstein{}));
  CHECK_FALSE(gan::needs_bounded_slope(gan::Hinge{}));
}

TEST_CASE("any objective is the usual one unless it is told, copies, and is an objective itself") {
  static_assert(gan::Objective<gan::AnyObjective<float>, float>);
  static_assert(!std::is_convertible_v<gan::R1, gan::AnyObjective<float>>);
  static_assert(!std::is_convertible_v<gan::AnyObjective<float>, gan::AnyObjective<double>>);
  Options options;
  CHECK(options.objective.describe() == gan::NonSaturating{}.describe());
  options.objective = gan::Hinge{};
  const Options copy = options;
  options = {};
  CHECK(copy.objective.describe() == "hinge");
  CHECK(options.objective.describe() == gan::NonSaturating{}.describe());
}

TEST_CASE("any objective draws flips from the rng it is given") {
  gan::Rng rng(1), same(1);
  const Tensor real({4, 1}, std::vector<double>{0.5, 1, 2, -1}), fake({4, 1}, std::vector<double>{-0.5, 2, -3, 0.1});
  const gan::NonSaturating flipped{.flip = 0.5};
  const gan::AnyObjective<double> any = flipped;
  CHECK(any.discriminator_loss(rng, real, fake).sum().item() ==
        flipped.discriminator_loss(same, real, fake).sum().item());
  CHECK(rng.state() == same.state());
  CHECK_FALSE(rng.state() == gan::Rng(1).state());
}

TEST_CASE("objectives by name take a label where they have one") {
  gan::Objectives::for_each([&]<class O>() {
    CAPTURE(O::name);
    if constexpr (requires(O o) { o.real_label; }) {
      CHECK(gan::objective_named<double>(O::name, 0.9).describe() == gan::describe(O{.real_label = 0.9}));
    } else {
      for (const double label : {std::nan(""), -7.0, 0.9})
        REQUIRE_THROWS_WITH(gan::objective_named<float>(O::name, label),
                            ContainsSubstring(std::string(O::name)) && ContainsSubstring("has no labels"));
    }
  });
  for (const char* name : {"non-saturating", "minimax", "relativistic-average"})
    for (const double label : {std::nan(""), -7.0, 0.0, 1.5})
      REQUIRE_THROWS_WITH(gan::objective_named<float>(name, label),
                          ContainsSubstring(name) && ContainsSubstring("expected a number in (0, 1]"));
  REQUIRE_THROWS_WITH(gan::objective_named<float>("least-squares", std::nan("")), ContainsSubstring("labels nan"));
  REQUIRE_NOTHROW(gan::objective_named<float>("least-squares", 2));
}

TEST_CASE("every penalty becomes any penalty, and its names find it and its variants") {
  std::string names;
  const auto add = [&](const std::string& name) { names += (names.empty() ? "" : ", ") + name; };
  gan::Penalties::for_each([&]<class P>() {
    CAPTURE(P::name);
    const std::string name(P::name);
    const auto same = [](const gan::AnyPenalty<double>& any, const P& penalty) {
      CHECK(any.describe() == penalty.describe());
      CHECK(any.bounds_slope() == gan::bounds_slope(penalty));
      CHECK(any.of_gradients() == gan::of_gradients(penalty));
      CHECK(value(any) == value(gan::AnyPenalty<double>().add(penalty)));
    };
    add(name);
    CHECK((P{}.describe() + " ").starts_with(name + " "));
    CHECK(gan::bounds_slope(P{}) == (name != "none"));
    CHECK(gan::of_gradients(P{}) == (name != "none" && name != "clip"));
    same(Options{.penalty = P{}}.penalty, P{});
    same(gan::penalty_named<double>(name), P{});
    if constexpr (requires { P{3.0}; }) same(gan::penalty_named<double>(name + ":3"), P{3.0});
    if constexpr (requires(P p) { p.one_sided; }) {
      add("one-sided-" + name);
      same(gan::penalty_named<double>("one-sided-" + name + ":3"), P{.weight = 3, .one_sided = true});
    }
    if constexpr (requires(P p) { p.every; }) {
      add("lazy-" + name);
      same(gan::penalty_named<double>("lazy-" + name), P{.every = 16});
      same(gan::penalty_named<double>("lazy-" + name + ":3"), P{.gamma = 3, .every = 16});
    }
  });
  CHECK(gan::penalty_names == names);
}

TEST_CASE("any penalty is none unless it is told, and takes a sum of penalties") {
  static_assert(!std::is_convertible_v<gan::Hinge, gan::AnyPenalty<double>>);
  static_assert(!std::is_convertible_v<int, gan::AnyPenalty<double>>);
  for (const auto& none : {Options{}, Options{.penalty = {}}, Options{.penalty = gan::NoPenalty{}}}) {
    CHECK(value(none.penalty) == -1);
    CHECK(none.penalty.describe() == "none");
    CHECK_FALSE(none.penalty.bounds_slope());
    CHECK_FALSE(none.penalty.of_gradients());
  }
  const Options sum{.penalty = gan::combine(gan::R1{.gamma = 0.5}, gan::NoPenalty{}, gan::ClipWeights{0.25})};
  CHECK(value(sum.penalty) == Approx(0.25 * 4 * 5));
  CHECK(sum.penalty.describe() == "r1 gamma=0.5 every=1 + clip limit=0.25");
  CHECK(sum.penalty.bounds_slope());
  CHECK(sum.penalty.of_gradients());
  const gan::NamedTensors<double> parameters{{"w", Tensor({1}, std::vector<double>{3})}};
  sum.penalty.after_step(parameters);
  CHECK(parameters[0].tensor.item() == 0.25);
}

TEST_CASE("options out of range are refused where an objective or a penalty is chosen") {
  using Objective = gan::AnyObjective<float>;
  using Penalty = gan::AnyPenalty<float>;
  REQUIRE_THROWS_WITH(Objective(gan::NonSaturating{.real_label = 1.5}), ContainsSubstring("real_label is 1.5"));
  REQUIRE_THROWS_WITH(Objective(gan::LeastSquares{.flip = -1}), ContainsSubstring("least-squares: flip is -1"));
  REQUIRE_THROWS_WITH(Penalty(gan::R1{.gamma = -1}), ContainsSubstring("r1: gamma is -1"));
  REQUIRE_THROWS_WITH(Penalty(gan::Dragan{.noise = -1}), ContainsSubstring("dragan: noise is -1"));
  REQUIRE_THROWS_WITH(Penalty(gan::ClipWeights{0}), ContainsSubstring("clip: limit is 0"));
  REQUIRE_THROWS_WITH(Penalty(gan::combine(gan::R1{}, gan::R2{.every = 0})),
                      ContainsSubstring("r2: gamma is 10 and every 0"));
}

TEST_CASE("names and weights that are none") {
  REQUIRE_THROWS_WITH(gan::objective_named<float>("vanilla"), ContainsSubstring("no objective is named \"vanilla\""));
  REQUIRE_THROWS_WITH(gan::penalty_named<float>("r3"), ContainsSubstring("no penalty is named \"r3\""));
  for (const char* text :
       {"r1:", "r1:x", "r1:1x", "r1:-1", "r1:nan", "r1:inf", "r1:0,5", "clip:nan", "r1:0.5+dragan:x"})
    REQUIRE_THROWS_WITH(gan::penalty_named<float>(text), ContainsSubstring("is not a weight"));
  for (const char* text : {"none:5", "none:abc", "none:", "r1+none:0"})
    REQUIRE_THROWS_WITH(gan::penalty_named<float>(text), ContainsSubstring("none has no weight"));
  REQUIRE_THROWS_WITH(gan::penalty_named<float>("clip:0"), ContainsSubstring("clip: limit is 0"));
}
