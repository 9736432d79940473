// What each objective counts as right.
#include "gan/loss/accuracy.hpp"

#include <map>
#include <string_view>

#include "gan/loss/any_objective.hpp"
#include "gan/ops/reshape.hpp"
#include "support/catch.hpp"

using namespace gan;

namespace {

using D = Tensor<double>;

// The four ways to count give four answers: by sign, by the nearer label, by pairs, against the others' mean (0.15 of
// the fakes, 0.8 of the real ones).
const D real({4, 1}, {0.6, 0.4, -0.2, 2.4}), fake({4, 1}, {0.7, -0.1, -0.3, 0.3});
constexpr Accuracy by_sign{0.75, 0.5}, by_label{0.5, 0.75}, by_pair{0.75, 0.75}, by_mean{0.75, 1};

/// Of those that do not count by sign.
const std::map<std::string_view, Accuracy> exceptions = {{"least-squares", by_label},
                                                         {"wasserstein", by_pair},
                                                         {"relativistic-average", by_mean},
                                                         {"relativistic-pairing", by_pair}};

void require_accuracy(const Accuracy& found, const Accuracy& wanted) {
  REQUIRE(found.real == wanted.real);
  REQUIRE(found.fake == wanted.fake);
}

}  // namespace

TEST_CASE("every objective counts what is right in its own way") {
  Objectives::for_each([&]<class O>() {
    INFO(O::name);
    const Accuracy wanted = exceptions.contains(O::name) ? exceptions.at(O::name) : by_sign;
    require_accuracy(accuracy(O{}, real, fake), wanted);
    require_accuracy(AnyObjective<double>(O{}).accuracy(real, fake), wanted);
    require_accuracy(accuracy(AnyObjective<double>(O{}), real, fake), wanted);
    // Patches count one by one. Means over the batch are of one place, so they give other numbers.
    if (O::name != RelativisticAverage::name)
      require_accuracy(accuracy(O{}, reshape(real, {2, 2, 1, 1}), reshape(fake, {2, 2, 1, 1})), wanted);
  });
}

TEST_CASE("relativistic average compares patches of one place") {
  // Means over the batch of the fakes are 0.2 and 0, of the real ones 0.2 and 1.4.
  const D real_patches({2, 2, 1, 1}, {0.6, 0.4, -0.2, 2.4}), fake_patches({2, 2, 1, 1}, {0.7, -0.3, -0.3, 0.3});
  require_accuracy(accuracy(RelativisticAverage{}, real_patches, fake_patches), {0.75, 0.75});
}

TEST_CASE("least squares counts by its own labels, of either order") {
  require_accuracy(accuracy(LeastSquares{.real_label = 0.5, .fake_label = -0.5}, real, fake), by_sign);
  require_accuracy(accuracy(LeastSquares{.real_label = 0, .fake_label = 1}, real, fake), {0.5, 0.25});
}

TEST_CASE("a score between is right for nobody") {
  const D zero({1, 1}, {0}), half({1, 1}, {0.5});
  for (const auto name : {"non-saturating", "hinge", "wasserstein", "relativistic-average", "relativistic-pairing"})
    require_accuracy(objective_named<double>(name).accuracy(zero, zero), {0, 0});
  require_accuracy(accuracy(LeastSquares{}, half, half), {0, 0});
}

TEST_CASE("batches of two sizes have an accuracy where the loss takes them") {
  const D three({3, 1}, {0.6, 0.4, -0.2});
  require_accuracy(accuracy(Hinge{}, three, fake), {2.0 / 3, 0.5});
  require_accuracy(accuracy(Wasserstein{}, three, fake), {2.0 / 3, 2.0 / 3});
  require_accuracy(accuracy(RelativisticAverage{}, three, fake), {2.0 / 3, 0.5});
  REQUIRE_THROWS_WITH(accuracy(RelativisticPairing{}, three, fake), ContainsSubstring("do not pair"));
}

TEST_CASE("an accuracy needs scores and records nothing") {
  D scores = real.clone().set_requires_grad();
  Objectives::for_each([&]<class O>() {
    INFO(O::name);
    accuracy(O{}, scores, scores);
    REQUIRE(grad_enabled());
    REQUIRE_THROWS_WITH(accuracy(O{}, D(), scores), ContainsSubstring("scores of real samples are undefined"));
    REQUIRE_THROWS_WITH(accuracy(O{}, scores, D({0, 1})), ContainsSubstring("scores of fakes are [0, 1]"));
  });
}

namespace {

/// An objective of a user that looks at its scores.
struct Looking {
  bool* recorded;
  static constexpr bool generator_needs_real = false;
  DiscriminatorLoss<double> discriminator_loss(const D& r, const D& f) const { return {mean(r), mean(f)}; }
  D generator_loss(const D&, const D& f) const { return mean(f); }
  Accuracy accuracy(const D& r, const D& f) const {
    *recorded = (r + f).requires_grad();
    return {0.25, 0.5};
  }
};

}  // namespace

TEST_CASE("an objective's own accuracy is asked, without history") {
  D scores = real.clone().set_requires_grad();
  bool recorded = true;
  require_accuracy(accuracy(Looking{&recorded}, scores, scores), {0.25, 0.5});
  REQUIRE_FALSE(recorded);
  recorded = true;
  require_accuracy(AnyObjective<double>(Looking{&recorded}).accuracy(scores, scores), {0.25, 0.5});
  REQUIRE_FALSE(recorded);
}
