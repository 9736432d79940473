// Binary cross entropy against its formula, at the edges, and misused.
#include "gan/loss/bce.hpp"

#include <cmath>
#include <limits>

#include "gan/ops/concatenate.hpp"
#include "gan/ops/slice.hpp"
#include "support/catch.hpp"
#include "support/gradcheck.hpp"

using namespace gan;

namespace {

using D = Tensor<double>;
const D probabilities({2, 2}, {0.1, 0.5, 0.9, 0.3}), targets({2, 2}, {0, 1, 1, 0.25});

double entropy(double p, double t) { return -(t * std::log(p) + (1 - t) * std::log(1 - p)); }

double total_entropy(double smoothing) {
  double total = 0;
  for (Index i = 0; i < 4; ++i)
    total += entropy(probabilities.data()[i], targets.data()[i] * (1 - smoothing) + smoothing / 2);
  return total;
}

/// log(p / (1 - p)).
D logits() {
  auto x = probabilities.clone();
  for (Index i = 0; i < x.size(); ++i) x.mutable_data()[i] = std::log(x.data()[i] / (1 - x.data()[i]));
  return x;
}

}  // namespace

TEST_CASE("bce follows its formula") {
  REQUIRE(bce(probabilities, targets).item() == Approx(total_entropy(0) / 4));
  REQUIRE(bce(probabilities, targets, Reduction::sum).item() == Approx(total_entropy(0)));
  REQUIRE(bce(probabilities, targets, Reduction::sum, 0.2).item() == Approx(total_entropy(0.2)));
  const auto x = logits();
  REQUIRE(bce_with_logits(x, targets).item() == Approx(total_entropy(0) / 4));
  REQUIRE(bce_with_logits(x, targets, Reduction::sum).item() == Approx(total_entropy(0)));
  REQUIRE(bce_with_logits(x, targets, Reduction::sum, 0.2).item() == Approx(total_entropy(0.2)));
  for (const double t : {0.0, 0.3, 1.0}) {
    double total = 0;
    for (Index i = 0; i < 4; ++i) total += entropy(probabilities.data()[i], t * 0.9 + 0.05);
    REQUIRE(bce_with_logits(x, t, Reduction::sum, 0.1).item() == Approx(total));
    REQUIRE(bce_with_logits(x, t).item() == Approx(bce_with_logits(x, D::full(x.shape(), t)).item()));
  }
}

TEST_CASE("bce has the gradients of its formula, in first and second order") {
  const D inner_targets({2, 2}, {0.1, 0.9, 0.8, 0.25});  // differences move them
  test::check_gradients([](const auto& in) { return bce(in[0], in[1], Reduction::sum, 0.1); },
                        {probabilities, inner_targets}, 1e-5);
  test::check_gradients([](const auto& in) { return bce_with_logits(in[0], in[1]); }, {logits(), inner_targets});
  test::check_gradients([](const auto& in) { return bce_with_logits(in[0], 0.7, Reduction::sum); }, {logits()});
  auto x = logits().set_requires_grad();
  const auto g = grad(bce_with_logits(x, targets, Reduction::sum), x);
  for (Index i = 0; i < 4; ++i) REQUIRE(g.data()[i] == Approx(probabilities.data()[i] - targets.data()[i]));
}

TEST_CASE("bce limits the logarithm as PyTorch does") {
  Tensor<float> p({4}, {0, 1, 0, 1}), t({4}, {1, 0, 0, 1});
  p.set_requires_grad();
  const auto loss = bce(p, t, Reduction::sum);
  REQUIRE(loss.item() == 200);
  const auto g = grad(loss, p);
  REQUIRE(g.at({0}) == Approx(-1e12));
  REQUIRE(g.at({1}) == Approx(1e12));
  REQUIRE(g.at({2}) == 1);
  REQUIRE(g.at({3}) == -1);
}

TEST_CASE("bce_with_logits is exact for hard targets and finite for huge logits") {
  for (const float size : {20.f, 88.f, 1e4f, 3e38f}) {
    Tensor<float> x({4}, {size, -size, size, -size}), t({4}, {1, 1, 0, 0});
    x.set_requires_grad();
    const auto check_all = [&](const Tensor<float>& losses, const Tensor<float>& g) {
      INFO("size " << size << ", " << losses << ", " << g);
      const float small = std::exp(-size);
      REQUIRE(losses.at({0}) == Approx(small));
      REQUIRE(losses.at({1}) == Approx(size));
      REQUIRE(losses.at({2}) == Approx(size));
      REQUIRE(losses.at({3}) == Approx(small));
      REQUIRE(g.at({0}) == Approx(-small).margin(1e-37));
      REQUIRE(g.at({1}) == -1);
      REQUIRE(g.at({2}) == 1);
      REQUIRE(g.at({3}) == Approx(small).margin(1e-37));
    };
    Tensor<float> losses({4});
    for (Index i = 0; i < 4; ++i)
      losses.mutable_data()[i] = bce_with_logits(slice(x, 0, i, i + 1), slice(t, 0, i, i + 1)).item();
    check_all(losses, grad(bce_with_logits(x, t, Reduction::sum) * 1e-3, x) * 1e3);
    const auto positive = grad(bce_with_logits(x, 1.0, Reduction::sum), x);
    const auto negative = grad(bce_with_logits(x, 0.0, Reduction::sum), x);
    check_all(losses, concatenate<float>({slice(positive, 0, 0, 2), slice(negative, 0, 2, 4)}, 0));
  }
}

TEST_CASE("bce refuses other shapes, other targets and no probabilities") {
  const D x({2, 1}), t({2});
  REQUIRE_THROWS_WITH(bce(x, t), ContainsSubstring("bce: probabilities [2, 1] and targets [2] differ in shape"));
  REQUIRE_THROWS_WITH(bce_with_logits(x, t), ContainsSubstring("logits [2, 1] and targets [2] differ in shape"));
  REQUIRE_THROWS_WITH(bce(x, D()), ContainsSubstring("targets are undefined"));
  REQUIRE_THROWS_WITH(bce(D({2}, {0.5, 1.5}), t), ContainsSubstring("probability 1.5 at element 1 of [2]"));
  REQUIRE_THROWS_WITH(bce(D({2}, {-0.5, 0.5}), t), ContainsSubstring("probability -0.5 at element 0"));
  REQUIRE_THROWS_WITH(bce(t, t, Reduction::mean, 1.5), ContainsSubstring("smoothing is 1.5"));
  REQUIRE_THROWS_WITH(bce_with_logits(t, t, Reduction::mean, -1), ContainsSubstring("smoothing is -1"));
  REQUIRE_THROWS_WITH(bce_with_logits(t, 1.0, Reduction::mean, -1), ContainsSubstring("smoothing is -1"));
  REQUIRE(std::isnan(bce(D({2}, {0.5, std::nan("")}), t).item()));
  for (const double bad : {2.0, -1e-9, std::nan(""), std::numeric_limits<double>::infinity()})
    REQUIRE_THROWS_WITH(bce_with_logits(t, bad), ContainsSubstring("bce_with_logits: target is "));
  REQUIRE_THROWS_WITH(bce_with_logits(D(), 1.0), ContainsSubstring("logits are undefined"));
  REQUIRE_THROWS_WITH(bce_with_logits(t, D({2}, {1, 2})), ContainsSubstring("target 2 at element 1 of [2]"));
  REQUIRE_THROWS_WITH(bce(t, D({2}, {-1, 0})), ContainsSubstring("target -1 at element 0 of [2]"));
  REQUIRE(std::isnan(bce_with_logits(t, D({2}, {1, std::nan("")})).item()));
  REQUIRE_THROWS_WITH(bce(t, t, Reduction::mean, std::nan("")), ContainsSubstring("smoothing is nan"));
}
