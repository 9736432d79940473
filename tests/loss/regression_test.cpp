#include "gan/loss/regression.hpp"

#include <limits>
#include <vector>

#include "gan/loss/cross_entropy.hpp"
#include "support/catch.hpp"
#include "support/gradcheck.hpp"

using namespace gan;
using D = Tensor<double>;

TEST_CASE("squared, absolute and Huber's loss follow their formulas") {
  const D x({2, 2}, {1, 2, -3, 0.5}), t({2, 2}, {1, 4, 1, 0});  // differences 0, -2, -4, 0.5
  REQUIRE(mse(x, t).item() == Approx(20.25 / 4));
  REQUIRE(mse(x, t, Reduction::sum).item() == Approx(20.25));
  REQUIRE(l1(x, t).item() == Approx(6.5 / 4));
  REQUIRE(l1(x, t, Reduction::sum).item() == Approx(6.5));
  REQUIRE(huber(x, t, 1, Reduction::sum).item() == Approx(1.5 + 3.5 + 0.125));
  REQUIRE(huber(x, t, 3).item() == Approx((2 + 3 * 2.5 + 0.125) / 4));
  REQUIRE(huber(x, t, 100).item() == Approx(mse(x, t).item() / 2));
}

TEST_CASE("regression losses have the gradients of their formulas") {
  const D x({2, 2}, {1.5, 2, -3, 0.5}), t({2, 2}, {1, 4, 1, 0});
  test::check_gradients([](const auto& in) { return mse(in[0], in[1]); }, {x, t});
  test::check_gradients([](const auto& in) { return l1(in[0], in[1], Reduction::sum); }, {x, t});
  test::check_gradients([](const auto& in) { return huber(in[0], in[1], 1, Reduction::sum); }, {x, t});
}

TEST_CASE("regression losses refuse shapes that differ") {
  const D x({3, 1}), t({3});
  REQUIRE_THROWS_WITH(mse(x, t), ContainsSubstring("mse: x [3, 1] and target [3] differ in shape"));
  REQUIRE_THROWS_WITH(l1(x, t), ContainsSubstring("l1: x [3, 1]"));
  REQUIRE_THROWS_WITH(huber(x, t), ContainsSubstring("huber: x [3, 1]"));
  REQUIRE_THROWS_WITH(huber(t, t, 0), ContainsSubstring("delta is 0"));
  REQUIRE_THROWS_WITH(mse(D(), t), ContainsSubstring("mse: x are undefined"));
}

TEST_CASE("numbers that are none are refused as options of losses") {
  const Tensor<double> x({2});
  REQUIRE_THROWS_WITH(huber(x, x, std::nan("")), ContainsSubstring("huber: delta is nan"));
  REQUIRE(huber(x, x + 2, std::numeric_limits<double>::infinity()).item() == 2);
  REQUIRE_THROWS_WITH(cross_entropy(Tensor<double>({1, 2}), std::vector<Index>{0}, Reduction::mean, std::nan("")),
                      ContainsSubstring("smoothing is nan"));
}
