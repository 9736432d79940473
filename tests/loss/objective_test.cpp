// All objectives: values and gradients against closed forms, labels, huge logits, and misuse.
#include "gan/loss/objective.hpp"

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "gan/loss/hinge.hpp"
#include "gan/loss/least_squares.hpp"
#include "gan/loss/relativistic.hpp"
#include "gan/loss/wasserstein.hpp"
#include "support/catch.hpp"
#include "support/gradcheck.hpp"

using namespace gan;

namespace {

using D = Tensor<double>;
using Scores = std::vector<double>;
using Scalar = std::function<double(double)>;

template <class T, class... O>
constexpr bool all_objectives = (Objective<O, T> && ...);
static_assert(all_objectives<float, NonSaturating, Minimax, LeastSquares, Hinge, Wasserstein, RelativisticAverage,
                             RelativisticPairing>);
static_assert(all_objectives<double, NonSaturating, Minimax, LeastSquares, Hinge, Wasserstein, RelativisticAverage,
                             RelativisticPairing>);

const Scores real_scores = {-2, -0.5, 0.25, 3}, fake_scores = {1.5, -3, 0.75, -0.4};

D column(const Scores& scores) { return {{static_cast<Index>(scores.size()), 1}, std::span<const double>(scores)}; }

double sigmoid_of(double x) { return 1 / (1 + std::exp(-x)); }

double mean_of(const Scores& scores, const Scalar& f) {
  double total = 0;
  for (const double s : scores) total += f(s);
  return total / static_cast<double>(scores.size());
}

/// A loss of one network, with its derivatives by one real and one fake score, times the number of samples.
struct Closed {
  double value;
  Scalar by_real, by_fake;
};

double none(double) { return 0; }

void require_closed(const std::string& what, const std::function<D(const D&, const D&)>& loss, const Closed& closed,
                    bool takes_real = true) {
  INFO(what);
  const D real = column(real_scores).set_requires_grad(), fake = column(fake_scores).set_requires_grad();
  const D y = loss(takes_real ? real : D(), fake);
  REQUIRE(y.shape() == Shape{});
  REQUIRE(y.item() == Approx(closed.value).epsilon(1e-12));
  const auto g = grad(y, {real, fake});
  for (Index i = 0; i < 4; ++i) {
    REQUIRE(g[0].data()[i] == Approx(closed.by_real(real.data()[i]) / 4).epsilon(1e-12).margin(1e-14));
    REQUIRE(g[1].data()[i] == Approx(closed.by_fake(fake.data()[i]) / 4).epsilon(1e-12).margin(1e-14));
  }
  test::check_gradients([&](const auto& in) { return loss(takes_real ? in[0] : D(), in[1]); }, {real, fake});
}

template <class O>
void require_game(const std::string& what, const O& objective, const Closed& discriminator, const Closed& generator) {
  Rng rng(1);
  require_closed(
      what + ", discriminator", [&](const D& r, const D& f) { return objective.discriminator_loss(rng, r, f); },
      discriminator);
  require_closed(
      what + ", generator", [&](const D& r, const D& f) { return objective.generator_loss(r, f); }, generator,
      O::generator_needs_real);
  REQUIRE(rng.state() == Rng(1).state());
}

template <class F>
void for_all_objectives(F f) {
  f(NonSaturating{});
  f(NonSaturating{.real_label = 0.9, .flip = 0.3});
  f(Minimax{});
  f(LeastSquares{});
  f(LeastSquares{.flip = 0.3});
  f(Hinge{});
  f(Wasserstein{});
  f(RelativisticAverage{});
  f(RelativisticPairing{});
}

}  // namespace

TEST_CASE("The original games: values and gradients", "[objective]") {
  const auto minus_log = [](double p) { return -std::log(p); };
  const double real_term = mean_of(real_scores, [&](double x) { return minus_log(sigmoid_of(x)); });
  const double fake_term = mean_of(fake_scores, [&](double x) { return minus_log(1 - sigmoid_of(x)); });
  const Closed discriminator = {real_term + fake_term, [](double x) { return sigmoid_of(x) - 1; }, sigmoid_of};
  require_game("non-saturating", NonSaturating{}, discriminator,
               {mean_of(fake_scores, [&](double x) { return minus_log(sigmoid_of(x)); }), none,
                [](double x) { return sigmoid_of(x) - 1; }});
  require_game("minimax", Minimax{}, discriminator, {-fake_term, none, [](double x) { return -sigmoid_of(x); }});
}

TEST_CASE("Least squares: values and gradients", "[objective]") {
  const auto half_square = [](double x) { return x * x / 2; };
  require_game(
      "least squares", LeastSquares{},
      {mean_of(real_scores, [&](double x) { return half_square(x - 1); }) + mean_of(fake_scores, half_square),
       [](double x) { return x - 1; }, [](double x) { return x; }},
      {mean_of(fake_scores, [&](double x) { return half_square(x - 1); }), none, [](double x) { return x - 1; }});
  require_game("least squares of Pearson's divergence",
               LeastSquares{.real_label = 0.9, .fake_label = -1, .generator_label = 0},
               {mean_of(real_scores, [&](double x) { return half_square(x - 0.9); }) +
                    mean_of(fake_scores, [&](double x) { return half_square(x + 1); }),
                [](double x) { return x - 0.9; }, [](double x) { return x + 1; }},
               {mean_of(fake_scores, half_square), none, [](double x) { return x; }});
}

TEST_CASE("Critics: values and gradients", "[objective]") {
  const auto self = [](double x) { return x; };
  const Closed generator = {-mean_of(fake_scores, self), none, [](double) { return -1.0; }};
  require_game("wasserstein", Wasserstein{},
               {mean_of(fake_scores, self) - mean_of(real_scores, self), [](double) { return -1.0; },
                [](double) { return 1.0; }},
               generator);
  require_game("hinge", Hinge{},
               {mean_of(real_scores, [](double x) { return std::max(0.0, 1 - x); }) +
                    mean_of(fake_scores, [](double x) { return std::max(0.0, 1 + x); }),
                [](double x) { return x < 1 ? -1.0 : 0.0; }, [](double x) { return x > -1 ? 1.0 : 0.0; }},
               generator);
}

TEST_CASE("Relativistic average: values and gradients", "[objective]") {
  const auto self = [](double x) { return x; };
  const double mean_real = mean_of(real_scores, self), mean_fake = mean_of(fake_scores, self);
  const auto by_r = [=](double x) { return sigmoid_of(x - mean_fake); };
  const auto by_f = [=](double x) { return sigmoid_of(x - mean_real); };
  const double r = mean_of(real_scores, by_r), f = mean_of(fake_scores, by_f);
  const auto log_of = [](const Scalar& p) { return [=](double x) { return std::log(p(x)); }; };
  const auto log_rest = [](const Scalar& p) { return [=](double x) { return std::log(1 - p(x)); }; };
  require_game("relativistic average", RelativisticAverage{},
               {-mean_of(real_scores, log_of(by_r)) - mean_of(fake_scores, log_rest(by_f)),
                [=](double x) { return by_r(x) - 1 - f; }, [=](double x) { return by_f(x) + 1 - r; }},
               {-mean_of(real_scores, log_rest(by_r)) - mean_of(fake_scores, log_of(by_f)),
                [=](double x) { return by_r(x) + 1 - f; }, [=](double x) { return by_f(x) - 1 - r; }});
  // Smoothing moves the target of the real side alone.
  Rng rng;
  const auto smoothed =
      RelativisticAverage{.real_label = 0.8}.discriminator_loss(rng, column(real_scores), column(fake_scores));
  REQUIRE(smoothed.item() == Approx(-0.8 * mean_of(real_scores, log_of(by_r)) -
                                    0.2 * mean_of(real_scores, log_rest(by_r)) - mean_of(fake_scores, log_rest(by_f))));
  const auto more_fakes = column({1.5, -3, 0.75, -0.4, 1.5, -3, 0.75, -0.4});
  REQUIRE(RelativisticAverage{}.discriminator_loss(rng, column(real_scores), more_fakes).item() ==
          Approx(RelativisticAverage{}.discriminator_loss(rng, column(real_scores), column(fake_scores)).item()));
}

TEST_CASE("Relativistic pairing: values and gradients", "[objective]") {
  double discriminator = 0, generator = 0;
  Scores p;  // the probability that the real one of a pair is the real one
  for (std::size_t i = 0; i < 4; ++i) {
    p.push_back(sigmoid_of(real_scores[i] - fake_scores[i]));
    discriminator -= std::log(p[i]) / 4;
    generator -= std::log(1 - p[i]) / 4;
  }
  const auto pair_of = [](const Scores& scores, double x) {
    return static_cast<std::size_t>(std::find(scores.begin(), scores.end(), x) - scores.begin());
  };
  const auto of_real = [&](double x) { return p[pair_of(real_scores, x)]; };
  const auto of_fake = [&](double x) { return p[pair_of(fake_scores, x)]; };
  require_game("relativistic pairing", RelativisticPairing{},
               {discriminator, [=](double x) { return of_real(x) - 1; }, [=](double x) { return 1 - of_fake(x); }},
               {generator, of_real, [=](double x) { return -of_fake(x); }});
}

TEST_CASE("Smoothing touches the real side of the discriminator alone", "[objective]") {
  Rng rng;
  const auto real = column(real_scores), fake = column(fake_scores);
  const double real_term = 0.9 * mean_of(real_scores, [](double x) { return -std::log(sigmoid_of(x)); }) +
                           0.1 * mean_of(real_scores, [](double x) { return -std::log(1 - sigmoid_of(x)); });
  const double fake_term = mean_of(fake_scores, [](double x) { return -std::log(1 - sigmoid_of(x)); });
  const NonSaturating smooth{.real_label = 0.9};
  REQUIRE(smooth.discriminator_loss(rng, real, fake).item() == Approx(real_term + fake_term));
  REQUIRE(smooth.generator_loss(D(), fake).item() == NonSaturating{}.generator_loss(D(), fake).item());
  REQUIRE(Minimax{.real_label = 0.9}.discriminator_loss(rng, real, fake).item() == Approx(real_term + fake_term));
}

TEST_CASE("Flipping swaps whole samples, with its probability, reproducibly", "[objective]") {
  Rng rng(4);
  const auto real = column(real_scores), fake = column(fake_scores);
  REQUIRE(NonSaturating{.flip = 1}.discriminator_loss(rng, real, fake).item() ==
          Approx(NonSaturating{}.discriminator_loss(rng, fake, real).item()));
  REQUIRE(LeastSquares{.flip = 1}.discriminator_loss(rng, real, fake).item() ==
          Approx(LeastSquares{}.discriminator_loss(rng, fake, real).item()));

  // At score 0, half the square is 1/2 for the label 1 and 0 for the label 0: the loss counts the labels.
  constexpr Index n = 20000;
  const auto zeros = D::zeros({n, 1});
  Rng first(9), second(9);
  const LeastSquares tenth{.flip = 0.1};
  const double loss = tenth.discriminator_loss(first, D::zeros({n, 1}), D::full({n, 1}, 0.5)).item();
  const double share_of_ones = 2 * (loss - 0.125);  // fakes at 1/2 count the same for either label
  REQUIRE(share_of_ones == Approx(0.9).margin(4.5 * std::sqrt(0.09 / n)));
  REQUIRE(tenth.discriminator_loss(second, zeros, D::full({n, 1}, 0.5)).item() == loss);
  REQUIRE(first.state() == second.state());

  // Scores of patches: one label a sample.
  auto patches = D::zeros({50, 3, 3, 1}).set_requires_grad();
  const auto g = grad(LeastSquares{.flip = 0.5}.discriminator_loss(rng, patches, patches.detach()), patches);
  Index ones = 0;
  for (Index i = 0; i < 50; ++i) {
    for (Index k = 1; k < 9; ++k) REQUIRE(g.data()[9 * i + k] == g.data()[9 * i]);
    ones += g.data()[9 * i] != 0;
  }
  REQUIRE((ones > 5 && ones < 45));
}

TEST_CASE("Losses of logits of 1e4 are finite in float, with their gradients", "[objective]") {
  for_all_objectives([](const auto& objective) {
    Rng rng(2);
    Tensor<float> real({4, 1}, {1e4f, -1e4f, 1e4f, -1e4f}), fake({4, 1}, {1e4f, 1e4f, -1e4f, -1e4f});
    real.set_requires_grad();
    fake.set_requires_grad();
    const auto discriminator = objective.discriminator_loss(rng, real, fake);
    const auto generator = objective.generator_loss(real, fake);
    for (const auto& loss : {discriminator, generator}) {
      REQUIRE(std::isfinite(loss.item()));
      for (const auto& g : grad(loss, {real, fake}))
        for (Index i = 0; i < 4; ++i) REQUIRE(std::isfinite(g.data()[i]));
    }
  });
}

TEST_CASE("Objectives refuse scores and options that make no sense", "[objective]") {
  for_all_objectives([](const auto& objective) {
    Rng rng;
    const D real({4, 1}), none;
    REQUIRE_THROWS_WITH(objective.discriminator_loss(rng, none, real), ContainsSubstring("scores of real samples"));
    REQUIRE_THROWS_WITH(objective.discriminator_loss(rng, real, none), ContainsSubstring("scores of fakes"));
    REQUIRE_THROWS_WITH(objective.generator_loss(real, none), ContainsSubstring("scores of fakes"));
    REQUIRE_THROWS_WITH(objective.discriminator_loss(rng, D({0, 1}), real), ContainsSubstring("[0, 1]"));
  });
  Rng rng;
  const D three({3, 1}), four({4, 1}), wide({4, 2});
  REQUIRE_THROWS_WITH(RelativisticPairing{}.discriminator_loss(rng, three, four),
                      ContainsSubstring("relativistic pairing: scores [3, 1] of real samples and [4, 1] of fakes"));
  REQUIRE_THROWS_WITH(RelativisticPairing{}.generator_loss(D(), four), ContainsSubstring("are undefined"));
  REQUIRE_THROWS_WITH(RelativisticAverage{}.discriminator_loss(rng, four, wide), ContainsSubstring("[4, 2]"));
  REQUIRE_THROWS_WITH((NonSaturating{.real_label = 1.5}.discriminator_loss(rng, four, four)),
                      ContainsSubstring("non-saturating: real_label is 1.5"));
  REQUIRE_THROWS_WITH((Minimax{.flip = -0.1}.discriminator_loss(rng, four, four)),
                      ContainsSubstring("minimax: flip is -0.1"));
  REQUIRE_THROWS_WITH((LeastSquares{.flip = 2}.discriminator_loss(rng, four, four)),
                      ContainsSubstring("least squares: flip is 2"));
  const double nan = std::nan("");
  REQUIRE_THROWS_WITH((NonSaturating{.real_label = nan}.discriminator_loss(rng, four, four)),
                      ContainsSubstring("real_label is nan"));
  REQUIRE_THROWS_WITH((Minimax{.flip = nan}.discriminator_loss(rng, four, four)), ContainsSubstring("flip is nan"));
  REQUIRE_THROWS_WITH((RelativisticAverage{.real_label = nan}.discriminator_loss(rng, four, four)),
                      ContainsSubstring("real_label is nan"));
  for (const auto& labels :
       {LeastSquares{.real_label = nan}, LeastSquares{.fake_label = nan}, LeastSquares{.generator_label = HUGE_VAL}}) {
    REQUIRE_THROWS_WITH(labels.discriminator_loss(rng, four, four), ContainsSubstring("least squares: labels "));
    REQUIRE_THROWS_WITH(labels.generator_loss(D(), four), ContainsSubstring("least squares: labels "));
  }
  // One score a sample on one side and two, or none for its own axis, on the other.
  for_all_objectives([&](const auto& objective) {
    Rng draws;
    REQUIRE_THROWS_WITH(objective.discriminator_loss(draws, four, wide),
                        ContainsSubstring("[4, 1]") && ContainsSubstring("[4, 2]"));
    REQUIRE_THROWS_WITH(objective.discriminator_loss(draws, four, D({4})), ContainsSubstring("[4]"));
  });
  REQUIRE_THROWS_WITH((RelativisticAverage{.real_label = 0}.discriminator_loss(rng, four, four)),
                      ContainsSubstring("relativistic average: real_label is 0"));
}

TEST_CASE("The hinge of a score of infinity is 0 or infinite, not NaN", "[objective]") {
  const double infinity = std::numeric_limits<double>::infinity();
  Rng rng;
  const Hinge hinge;
  REQUIRE(hinge.discriminator_loss(rng, D({1, 1}, {infinity}), D({1, 1}, {-infinity})).item() == 0);
  REQUIRE(hinge.discriminator_loss(rng, D({1, 1}, {-infinity}), D({1, 1}, {-infinity})).item() == infinity);
  REQUIRE(hinge.discriminator_loss(rng, D({1, 1}, {infinity}), D({1, 1}, {infinity})).item() == infinity);
}
