// All objectives: values and gradients against closed forms, labels, huge logits, and misuse.
#include "gan/loss/objective.hpp"

#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

#include "gan/loss/any_objective.hpp"
#include "support/catch.hpp"
#include "support/gradcheck.hpp"

using namespace gan;

namespace {

using D = Tensor<double>;
using Scores = std::vector<double>;
using Scalar = std::function<double(double)>;

const Scores real_scores = {-2, -0.5, 0.25, 3}, fake_scores = {1.5, -3, 0.75, -0.4};

D column(const Scores& scores) { return {{static_cast<Index>(scores.size()), 1}, std::span<const double>(scores)}; }

double mean_of(const Scores& scores, const Scalar& f) {
  double total = 0;
  for (const double s : scores) total += f(s);
  return total / static_cast<double>(scores.size());
}

double average(const Scores& scores) {
  return std::accumulate(scores.begin(), scores.end(), 0.0) / static_cast<double>(scores.size());
}

double minus_log_sigmoid(double x) { return std::log(1 + std::exp(-x)); }
double half_square(double x) { return x * x / 2; }

/// The formulas of an objective, as functions of all real and all fake scores.
struct Closed {
  using Formula = std::function<double(const Scores& real, const Scores& fake)>;
  Formula real, fake;  ///< terms of the discriminator's loss; without `fake` it is all in `real`
  Formula generator;
};

Closed::Formula of_real(const Scalar& f) {
  return [f](const Scores& real, const Scores&) { return mean_of(real, f); };
}
Closed::Formula of_fake(const Scalar& f) {
  return [f](const Scores&, const Scores& fake) { return mean_of(fake, f); };
}
/// f of the difference of each real score and the mean of the fakes, or the other way round.
Closed::Formula of_real_above_fakes(const Scalar& f) {
  return [f](const Scores& real, const Scores& fake) {
    return mean_of(real, [&](double x) { return f(x - average(fake)); });
  };
}
Closed::Formula of_fake_above_reals(const Scalar& f) {
  return [f](const Scores& real, const Scores& fake) {
    return mean_of(fake, [&](double x) { return f(x - average(real)); });
  };
}
Closed::Formula of_pairs(const Scalar& f) {
  return [f](const Scores& real, const Scores& fake) {
    double total = 0;
    for (std::size_t i = 0; i < real.size(); ++i) total += f(real[i] - fake[i]);
    return total / static_cast<double>(real.size());
  };
}
Closed::Formula sum_of(const Closed::Formula& a, const Closed::Formula& b) {
  return [=](const Scores& real, const Scores& fake) { return a(real, fake) + b(real, fake); };
}

double softplus_of(double x) { return minus_log_sigmoid(-x); }

/// By name, with default options.
std::map<std::string_view, Closed> closed_forms() {
  return {
      {"non-saturating", {of_real(minus_log_sigmoid), of_fake(softplus_of), of_fake(minus_log_sigmoid)}},
      {"minimax",
       {of_real(minus_log_sigmoid), of_fake(softplus_of), of_fake([](double x) { return -softplus_of(x); })}},
      {"least-squares",
       {of_real([](double x) { return half_square(x - 1); }), of_fake(half_square),
        of_fake([](double x) { return half_square(x - 1); })}},
      {"hinge",
       {of_real([](double x) { return std::max(0.0, 1 - x); }), of_fake([](double x) { return std::max(0.0, 1 + x); }),
        of_fake([](double x) { return -x; })}},
      {"wasserstein", {of_real([](double x) { return -x; }), of_fake([](double x) { return x; }), of_fake([](double x) {
                         return -x;
                       })}},
      {"relativistic-average",
       {of_real_above_fakes(minus_log_sigmoid), of_fake_above_reals(softplus_of),
        sum_of(of_real_above_fakes(softplus_of), of_fake_above_reals(minus_log_sigmoid))}},
      {"relativistic-pairing", {of_pairs(minus_log_sigmoid), nullptr, of_pairs(softplus_of)}},
  };
}

/// Values on several scores, and gradients, which differences of the values confirm.
template <class O>
void require_game(const O& objective, const Closed& closed) {
  static_assert(Objective<O, float> && Objective<O, double>);
  INFO(describe(objective));
  for (const double scale : {1.0, 0.3, -2.5}) {
    Scores r = real_scores, f = fake_scores;
    for (double& x : r) x *= scale;
    for (double& x : f) x *= scale;
    const D real = column(r), fake = column(f);
    const auto loss = objective.discriminator_loss(real, fake);
    REQUIRE(loss.real.shape() == Shape{});
    REQUIRE(loss.real.item() == Approx(closed.real(r, f)).epsilon(1e-12));
    REQUIRE(loss.fake.defined() == bool(closed.fake));
    if (closed.fake) REQUIRE(loss.fake.item() == Approx(closed.fake(r, f)).epsilon(1e-12));
    REQUIRE(loss.sum().item() ==
            Approx(closed.real(r, f) + (closed.fake ? closed.fake(r, f) : 0)).epsilon(1e-12).margin(1e-14));
    Rng rng(1);
    REQUIRE(discriminator_loss(rng, objective, real, fake).sum().item() == loss.sum().item());
    REQUIRE(rng.state() == Rng(1).state());
    const D generator = objective.generator_loss(O::generator_needs_real ? real : D(), fake);
    REQUIRE(generator.shape() == Shape{});
    REQUIRE(generator.item() == Approx(closed.generator(r, f)).epsilon(1e-12));
    if constexpr (!O::generator_needs_real) REQUIRE(objective.generator_loss(fake).item() == generator.item());
  }
  const std::vector<D> scores = {column(real_scores), column(fake_scores)};
  test::check_gradients([&](const auto& in) { return objective.discriminator_loss(in[0], in[1]).sum(); }, scores);
  test::check_gradients([&](const auto& in) { return objective.generator_loss(in[0], in[1]); }, scores);
}

/// The loss as a tensor, of objectives that draw and others.
template <class O>
D total_loss(Rng& rng, const O& objective, const D& real, const D& fake) {
  return discriminator_loss(rng, objective, real, fake);
}

/// Of every objective, and of those with other code inside for their options.
template <class F>
void for_all_objectives(F f) {
  Objectives::for_each([&]<class O>() { f(O{}); });
  f(NonSaturating{.real_label = 0.9, .flip = 0.3});
  f(LeastSquares{.flip = 0.3});
}

}  // namespace

TEST_CASE("every objective has the values and gradients of its formulas") {
  const auto closed = closed_forms();
  Objectives::for_each([&]<class O>() {
    INFO(O::name << " needs its formulas in closed_forms()");
    REQUIRE(closed.contains(O::name));
    require_game(O{}, closed.at(O::name));
  });
  REQUIRE(closed.size() == Objectives::size);
}

TEST_CASE("least squares takes the labels it is given") {
  require_game(LeastSquares{.real_label = 0.9, .fake_label = -1, .generator_label = 0},
               {of_real([](double x) { return half_square(x - 0.9); }),
                of_fake([](double x) { return half_square(x + 1); }), of_fake(half_square)});
}

TEST_CASE("relativistic average takes batches of two sizes") {
  const auto real = column(real_scores), more_fakes = column({1.5, -3, 0.75, -0.4, 1.5, -3, 0.75, -0.4});
  const auto loss = RelativisticAverage{}.discriminator_loss(real, more_fakes);
  const auto expected = RelativisticAverage{}.discriminator_loss(real, column(fake_scores));
  REQUIRE(loss.real.item() == Approx(expected.real.item()));
  REQUIRE(loss.fake.item() == Approx(expected.fake.item()));
}

TEST_CASE("losses of real and of fake stay apart when they are added and weighted") {
  const D a = D::scalar(1), b = D::scalar(10), c = D::scalar(100), d = D::scalar(1000);
  const DiscriminatorLoss<double> first{a, b}, second{c, d}, whole{c, {}};
  const auto sum = first + 0.5 * second;
  REQUIRE(sum.real.item() == 51);
  REQUIRE(sum.fake.item() == 510);
  REQUIRE(sum.sum().item() == 561);
  REQUIRE((first + whole).sum().item() == 111);
  REQUIRE((whole + first).fake.item() == 10);
  REQUIRE_FALSE((0.5 * whole + whole).fake.defined());
  REQUIRE((0.5 * whole + whole).sum().item() == 150);
  REQUIRE((first + D::scalar(0.5)).item() == 11.5);
  const D tensor = whole;
  REQUIRE(tensor.item() == 100);
}

TEST_CASE("smoothing touches the real side of the discriminator alone") {
  const auto smooth = [](double x) { return 0.9 * minus_log_sigmoid(x) + 0.1 * softplus_of(x); };
  const auto closed = closed_forms();
  const auto smoothed = [&](std::string_view name, const Closed::Formula& real) {
    Closed form = closed.at(name);
    form.real = real;
    return form;
  };
  require_game(NonSaturating{.real_label = 0.9}, smoothed("non-saturating", of_real(smooth)));
  require_game(Minimax{.real_label = 0.9}, smoothed("minimax", of_real(smooth)));
  require_game(RelativisticAverage{.real_label = 0.9}, smoothed("relativistic-average", of_real_above_fakes(smooth)));
}

TEST_CASE("flipping swaps whole samples, with its probability, reproducibly") {
  Rng rng(4);
  const auto real = column(real_scores), fake = column(fake_scores);
  const auto require_swapped = [&](const auto& flipped, const auto& plain) {
    const auto loss = flipped.discriminator_loss(rng, real, fake), swapped = plain.discriminator_loss(fake, real);
    REQUIRE(loss.real.item() == Approx(swapped.fake.item()));
    REQUIRE(loss.fake.item() == Approx(swapped.real.item()));
  };
  require_swapped(NonSaturating{.flip = 1}, NonSaturating{});
  require_swapped(Minimax{.real_label = 0.8, .flip = 1}, Minimax{.real_label = 0.8});
  require_swapped(LeastSquares{.flip = 1}, LeastSquares{});

  // At score 0, half the square is 1/2 for the label 1 and 0 for the label 0: the loss counts the labels.
  constexpr Index n = 20000;
  const auto zeros = D::zeros({n, 1}), halves = D::full({n, 1}, 0.5);
  Rng first(9), second(9);
  const LeastSquares tenth{.flip = 0.1};
  const auto loss = tenth.discriminator_loss(first, zeros, zeros);
  const double spread = 4.5 * std::sqrt(0.09 / n);
  REQUIRE(2 * loss.real.item() == Approx(0.9).margin(spread));
  REQUIRE(2 * loss.fake.item() == Approx(0.1).margin(spread));
  REQUIRE(tenth.discriminator_loss(second, zeros, zeros).sum().item() == loss.sum().item());
  REQUIRE(first.state() == second.state());

  // Scores of patches: one label a sample.
  auto patches = D::zeros({50, 3, 3, 1}).set_requires_grad();
  const auto g = grad(LeastSquares{.flip = 0.5}.discriminator_loss(rng, patches, patches.detach()).sum(), patches);
  Index ones = 0;
  for (Index i = 0; i < 50; ++i) {
    for (Index k = 1; k < 9; ++k) REQUIRE(g.data()[9 * i + k] == g.data()[9 * i]);
    ones += g.data()[9 * i] != 0;
  }
  REQUIRE((ones > 5 && ones < 45));
}

TEST_CASE("a loss with flips asks for an rng") {
  const auto real = column(real_scores), fake = column(fake_scores);
  const auto require_refusal = [&](const auto& objective) {
    REQUIRE_THROWS_AS(objective.discriminator_loss(real, fake), Error);
    REQUIRE_THROWS_WITH(objective.discriminator_loss(real, fake),
                        ContainsSubstring(std::string(objective.name) + ": flip is 0.25") &&
                            ContainsSubstring("expected discriminator_loss(rng, real, fake)"));
    Rng rng;
    REQUIRE_NOTHROW(objective.discriminator_loss(rng, real, fake));
    REQUIRE_NOTHROW(discriminator_loss(rng, objective, real, fake));
  };
  require_refusal(NonSaturating{.flip = 0.25});
  require_refusal(Minimax{.flip = 0.25});
  require_refusal(LeastSquares{.flip = 0.25});
}

TEST_CASE("losses of logits of 1e4 are finite in float, with their gradients") {
  for_all_objectives([](const auto& objective) {
    Rng rng(2);
    Tensor<float> real({4, 1}, {1e4f, -1e4f, 1e4f, -1e4f}), fake({4, 1}, {1e4f, 1e4f, -1e4f, -1e4f});
    real.set_requires_grad();
    fake.set_requires_grad();
    const Tensor<float> discriminator = discriminator_loss(rng, objective, real, fake);
    const auto generator = objective.generator_loss(real, fake);
    for (const auto& loss : {discriminator, generator}) {
      REQUIRE(std::isfinite(loss.item()));
      for (const auto& g : grad(loss, {real, fake}))
        for (Index i = 0; i < 4; ++i) REQUIRE(std::isfinite(g.data()[i]));
    }
  });
}

TEST_CASE("objectives refuse scores and options that make no sense") {
  for_all_objectives([](const auto& objective) {
    Rng rng;
    const D real({4, 1}), none;
    REQUIRE_THROWS_WITH(total_loss(rng, objective, none, real), ContainsSubstring("scores of real samples"));
    REQUIRE_THROWS_WITH(total_loss(rng, objective, real, none), ContainsSubstring("scores of fakes"));
    REQUIRE_THROWS_WITH(objective.generator_loss(real, none), ContainsSubstring("scores of fakes"));
    REQUIRE_THROWS_WITH(total_loss(rng, objective, D({0, 1}), real), ContainsSubstring("[0, 1]"));
  });
  Rng rng;
  const D three({3, 1}), four({4, 1}), wide({4, 2});
  REQUIRE_THROWS_WITH(RelativisticPairing{}.discriminator_loss(three, four),
                      ContainsSubstring("relativistic-pairing: scores [3, 1] of real samples and [4, 1] of fakes"));
  REQUIRE_THROWS_WITH(RelativisticPairing{}.generator_loss(D(), four), ContainsSubstring("are undefined"));
  REQUIRE_THROWS_WITH(RelativisticAverage{}.discriminator_loss(four, wide), ContainsSubstring("[4, 2]"));
  REQUIRE_THROWS_WITH((NonSaturating{.real_label = 1.5}.discriminator_loss(rng, four, four)),
                      ContainsSubstring("non-saturating: real_label is 1.5"));
  REQUIRE_THROWS_WITH((Minimax{.flip = -0.1}.discriminator_loss(rng, four, four)),
                      ContainsSubstring("minimax: flip is -0.1"));
  REQUIRE_THROWS_WITH((LeastSquares{.flip = 2}.discriminator_loss(rng, four, four)),
                      ContainsSubstring("least-squares: flip is 2"));
  const double nan = std::nan("");
  REQUIRE_THROWS_WITH((NonSaturating{.real_label = nan}.discriminator_loss(rng, four, four)),
                      ContainsSubstring("real_label is nan"));
  REQUIRE_THROWS_WITH((Minimax{.flip = nan}.discriminator_loss(rng, four, four)), ContainsSubstring("flip is nan"));
  REQUIRE_THROWS_WITH((RelativisticAverage{.real_label = nan}.discriminator_loss(four, four)),
                      ContainsSubstring("real_label is nan"));
  for (const auto& labels :
       {LeastSquares{.real_label = nan}, LeastSquares{.fake_label = nan}, LeastSquares{.generator_label = HUGE_VAL}}) {
    REQUIRE_THROWS_WITH(labels.discriminator_loss(rng, four, four), ContainsSubstring("least-squares: labels "));
    REQUIRE_THROWS_WITH(labels.generator_loss(D(), four), ContainsSubstring("least-squares: labels "));
  }
  // One score a sample on one side and two, or none for its own axis, on the other.
  for_all_objectives([&](const auto& objective) {
    Rng draws;
    REQUIRE_THROWS_WITH(total_loss(draws, objective, four, wide),
                        ContainsSubstring("[4, 1]") && ContainsSubstring("[4, 2]"));
    REQUIRE_THROWS_WITH(total_loss(draws, objective, four, D({4})), ContainsSubstring("[4]"));
  });
  REQUIRE_THROWS_WITH((RelativisticAverage{.real_label = 0}.discriminator_loss(four, four)),
                      ContainsSubstring("relativistic-average: real_label is 0"));
}

TEST_CASE("the hinge of a score of infinity is 0 or infinite, not NaN") {
  const double infinity = std::numeric_limits<double>::infinity();
  const Hinge hinge;
  REQUIRE(hinge.discriminator_loss(D({1, 1}, {infinity}), D({1, 1}, {-infinity})).sum().item() == 0);
  REQUIRE(hinge.discriminator_loss(D({1, 1}, {-infinity}), D({1, 1}, {-infinity})).sum().item() == infinity);
  REQUIRE(hinge.discriminator_loss(D({1, 1}, {infinity}), D({1, 1}, {infinity})).sum().item() == infinity);
}
