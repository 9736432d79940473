// Losses of numbers and of labels against their formulas.
#include "gan/loss/regression.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include "gan/loss/cross_entropy.hpp"
#include "support/catch.hpp"
#include "support/gradcheck.hpp"

using namespace gan;
using D = Tensor<double>;

TEST_CASE("Squared, absolute and Huber's loss follow their formulas", "[regression]") {
  const D x({2, 2}, {1, 2, -3, 0.5}), t({2, 2}, {1, 4, 1, 0});  // differences 0, -2, -4, 0.5
  REQUIRE(mse(x, t).item() == Approx(20.25 / 4));
  REQUIRE(mse(x, t, Reduction::sum).item() == Approx(20.25));
  REQUIRE(l1(x, t).item() == Approx(6.5 / 4));
  REQUIRE(l1(x, t, Reduction::sum).item() == Approx(6.5));
  REQUIRE(huber(x, t, 1, Reduction::sum).item() == Approx(1.5 + 3.5 + 0.125));
  REQUIRE(huber(x, t, 3).item() == Approx((2 + 3 * 2.5 + 0.125) / 4));
  REQUIRE(huber(x, t, 100).item() == Approx(mse(x, t).item() / 2));
}

TEST_CASE("Regression losses have the gradients of their formulas", "[regression]") {
  const D x({2, 2}, {1.5, 2, -3, 0.5}), t({2, 2}, {1, 4, 1, 0});
  test::check_gradients([](const auto& in) { return mse(in[0], in[1]); }, {x, t});
  test::check_gradients([](const auto& in) { return l1(in[0], in[1], Reduction::sum); }, {x, t});
  test::check_gradients([](const auto& in) { return huber(in[0], in[1], 1, Reduction::sum); }, {x, t});
}

TEST_CASE("Regression losses refuse shapes that differ", "[regression]") {
  const D x({3, 1}), t({3});
  REQUIRE_THROWS_WITH(mse(x, t), ContainsSubstring("mse: x [3, 1] and target [3] differ in shape"));
  REQUIRE_THROWS_WITH(l1(x, t), ContainsSubstring("l1: x [3, 1]"));
  REQUIRE_THROWS_WITH(huber(x, t), ContainsSubstring("huber: x [3, 1]"));
  REQUIRE_THROWS_WITH(huber(t, t, 0), ContainsSubstring("delta is 0"));
  REQUIRE_THROWS_WITH(mse(D(), t), ContainsSubstring("mse: x are undefined"));
}

TEST_CASE("Cross entropy follows its formula", "[cross_entropy]") {
  const D logits({2, 3}, {1, 2, 3, -1, 0, 4});
  const std::vector<Index> labels = {2, 0};
  const auto minus_log = [&](Index row, Index label) {
    double total = 0;
    for (Index k = 0; k < 3; ++k) total += std::exp(logits.at({row, k}));
    return std::log(total) - logits.at({row, label});
  };
  const double expected = minus_log(0, 2) + minus_log(1, 0);
  REQUIRE(cross_entropy(logits, labels).item() == Approx(expected / 2));
  REQUIRE(cross_entropy(logits, labels, Reduction::sum).item() == Approx(expected));
  double uniform = 0;
  for (Index k = 0; k < 3; ++k) uniform += (minus_log(0, k) + minus_log(1, k)) / 3;
  REQUIRE(cross_entropy(logits, labels, Reduction::sum, 0.3).item() == Approx(0.7 * expected + 0.3 * uniform));
  test::check_gradients([&](const auto& in) { return cross_entropy(in[0], labels, Reduction::mean, 0.1); }, {logits});
}

TEST_CASE("Cross entropy is finite for huge logits and refuses wrong labels", "[cross_entropy]") {
  Tensor<float> logits({2, 2}, {1e4f, -1e4f, 1e4f, -1e4f});
  logits.set_requires_grad();
  const auto loss = cross_entropy(logits, {0, 1}, Reduction::sum);
  REQUIRE(loss.item() == Approx(2e4));
  const auto g = grad(loss, logits);
  REQUIRE(g.at({0, 0}) == 0);
  REQUIRE(g.at({1, 0}) == 1);
  REQUIRE(g.at({1, 1}) == -1);
  REQUIRE_THROWS_WITH(cross_entropy(logits, {0}), ContainsSubstring("1 labels for logits [2, 2]"));
  REQUIRE_THROWS_WITH(cross_entropy(logits, {0, 2}), ContainsSubstring("index 2 at position 1"));
  REQUIRE_THROWS_WITH(cross_entropy(logits, {0, -1}), ContainsSubstring("index -1 at position 1"));
  REQUIRE_THROWS_WITH(cross_entropy(logits, {0, 1}, Reduction::mean, 2), ContainsSubstring("smoothing is 2"));
}

TEST_CASE("numbers that are none are refused as options of losses", "[regression]") {
  const Tensor<double> x({2});
  REQUIRE_THROWS_WITH(huber(x, x, std::nan("")), ContainsSubstring("huber: delta is nan"));
  REQUIRE(huber(x, x + 2, std::numeric_limits<double>::infinity()).item() == 2);
  REQUIRE_THROWS_WITH(cross_entropy(Tensor<double>({1, 2}), std::vector<Index>{0}, Reduction::mean, std::nan("")),
                      ContainsSubstring("smoothing is nan"));
}
