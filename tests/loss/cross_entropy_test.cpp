#include "gan/loss/cross_entropy.hpp"

#include <cmath>
#include <vector>

#include "support/catch.hpp"
#include "support/gradcheck.hpp"

using namespace gan;
using D = Tensor<double>;

TEST_CASE("cross entropy follows its formula") {
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

TEST_CASE("cross entropy is finite for huge logits and refuses wrong labels") {
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
