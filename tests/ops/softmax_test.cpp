// Softmax and its logarithm: values, gradients, extreme logits.
#include "gan/ops/softmax.hpp"

#include <algorithm>
#include <cmath>

#include "support/catch.hpp"
#include "support/gradcheck.hpp"
#include "support/reference.hpp"

using gan::Index;
using gan::Shape;
using gan::Tensor;
using namespace gan::test;

namespace {

void require_values(const Tensor<double>& x) {
  const auto y = softmax(x), z = log_softmax(x);
  REQUIRE(y.shape() == x.shape());
  REQUIRE(z.shape() == x.shape());
  double worst = 0;
  for (Index row = 0; row < x.shape().rows(); ++row) {
    double total = 0;
    for (Index i = 0; i < x.shape().last(); ++i) total += std::exp(x.matrix()(row, i));
    for (Index i = 0; i < x.shape().last(); ++i) {
      const double expected = std::exp(x.matrix()(row, i)) / total;
      worst =
          std::max({worst, std::abs(y.matrix()(row, i) - expected), std::abs(z.matrix()(row, i) - std::log(expected))});
    }
  }
  REQUIRE(worst < 1e-12);
}

}  // namespace

TEST_CASE("softmax on random shapes") {
  gan::Rng rng(71);
  for (int trial = 0; trial < 12; ++trial) {
    const auto x = random_tensor(rng, random_shape(rng), -2, 2);
    CAPTURE(x.shape());
    require_values(x);
    if (x.size() > 64) continue;
    check_gradients([](const Inputs& v) { return softmax(v[0]); }, {x});
    check_gradients([](const Inputs& v) { return log_softmax(v[0]); }, {x});
  }
  for (const Shape& shape : {Shape{2000, 10}, Shape{3, 9000}, Shape{70000, 1}})
    require_values(random_tensor(rng, shape));
}

TEMPLATE_TEST_CASE("extreme logits", "", float, double) {
  using T = TestType;
  auto x = Tensor<T>({2, 3}, {T(1e4), T(-1e4), 0, T(-1e4), T(-1e4), T(-1e4)}).set_requires_grad();
  const auto y = softmax(x), z = log_softmax(x);
  REQUIRE(y.at({0, 0}) == 1);
  REQUIRE(y.at({0, 1}) == Approx(0).margin(1e-30));
  REQUIRE(y.at({1, 2}) == Approx(1.0 / 3));
  REQUIRE(z.at({0, 0}) == Approx(0).margin(1e-30));
  REQUIRE(z.at({0, 1}) == Approx(-2e4));
  REQUIRE(z.at({1, 0}) == Approx(-std::log(3.0)));
  REQUIRE(grad(z, x).values().isFinite().all());
  REQUIRE(grad(y, x).values().isFinite().all());
}

TEST_CASE("rows of length 0 are refused, and no rows are fine") {
  REQUIRE_THROWS_WITH(softmax(Tensor<double>({2, 0})), "softmax: [2, 0] has no last axis with elements");
  REQUIRE_THROWS_WITH(log_softmax(Tensor<double>::scalar(1)), "log_softmax: [] has no last axis with elements");
  REQUIRE(softmax(Tensor<double>({0, 3})).shape() == Shape{0, 3});
}
