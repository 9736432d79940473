// Dropout: shares, scaling, evaluation, reproducibility.
#include "gan/nn/dropout.hpp"

#include <cmath>
#include <limits>

#include "gan/core/parallel.hpp"
#include "support/layercheck.hpp"
#include "support/threads.hpp"

using gan::Index;
using gan::Rng;
using gan::Tensor;

namespace {

template <class T>
class Net : public gan::Layer<T> {
 public:
  Net(Rng& rng, double rate) : gan::Layer<T>(rng), dropout{this, "dropout", rate} {}
  Tensor<T> forward(const Tensor<T>& x) override { return dropout(x); }
  gan::Dropout<T> dropout;
};

bool equal(const Tensor<float>& a, const Tensor<float>& b) { return (a.values() == b.values()).all(); }

}  // namespace

TEST_CASE("dropout drops the share asked for and scales the rest", "[nn]") {
  const double rate = GENERATE(0.1, 0.5, 0.9);
  Rng rng(1);
  Net<float> net(rng, rate);
  const Index n = 100000;
  const auto y = net(Tensor<float>::ones({n}));
  const double dropped = double((y.values() == 0).count());
  REQUIRE(std::abs(dropped / double(n) - rate) < 4.5 * std::sqrt(rate * (1 - rate) / double(n)));
  const float kept = static_cast<float>(1 / (1 - rate));
  REQUIRE((y.values() == 0 || y.values() == kept).all());
  // No stripes: neighbors are dropped together as often as chance has it.
  double pairs = 0;
  for (Index i = 0; i + 1 < n; ++i) pairs += y.data()[i] == 0 && y.data()[i + 1] == 0 ? 1 : 0;
  REQUIRE(pairs / double(n) == Approx(rate * rate).margin(0.01));
}

TEST_CASE("evaluation and a rate of 0 are the identity and draw nothing", "[nn]") {
  Rng rng(1);
  Net<float> net(rng, 0.5), none(rng, 0);
  const auto x = gan::normal<float>(rng, {10, 10});
  const auto before = none.rng().state();
  REQUIRE(equal(none(x), x));
  REQUIRE(none.rng().state() == before);
  net.eval();
  const auto state = net.rng().state();
  REQUIRE(net(x).is(x));
  REQUIRE(net.rng().state() == state);
  net.train();
  REQUIRE_FALSE(equal(net(x), x));
  REQUIRE(net.rng().state() != state);
}

TEST_CASE("masks repeat with the seed, whatever the number of threads", "[nn]") {
  const gan::test::ThreadCount restore;
  const auto x = Tensor<float>::ones({300, 200});
  gan::set_threads(1);
  Rng a(2), b(2), c(3);
  Net<float> first(a, 0.4), second(b, 0.4), other(c, 0.4);
  const auto y = first(x);
  gan::set_threads(2);
  REQUIRE(equal(y, second(x)));
  REQUIRE_FALSE(equal(y, other(x)));
  const auto next = first(x);
  REQUIRE_FALSE(equal(y, next));  // each pass has a mask of its own
  REQUIRE(equal(next, second(x)));
}

TEST_CASE("gradients of dropout go where values went", "[nn]") {
  Rng rng(4);
  Net<double> net(rng, 0.5);
  gan::test::check_layer(net, gan::test::random_tensor(rng, {4, 5}));
  const auto x = Tensor<double>::ones({6, 7}).set_requires_grad();
  const auto y = net(x);
  gan::backward(gan::sum(y));
  REQUIRE((x.grad().values() == y.values()).all());
}

TEST_CASE("dropout's mistakes name it and the rate", "[nn]") {
  Rng rng(5);
  Net<float> net(rng, 0.5);
  using Dropout = gan::Dropout<float>;
  REQUIRE_THROWS_WITH(Dropout(&net, "d", 1), ContainsSubstring("dropout \"d\": rate 1, expected [0, 1)"));
  REQUIRE_THROWS_WITH(Dropout(&net, "d", -0.1), ContainsSubstring("rate -0.1"));
  REQUIRE_THROWS_AS(Dropout(&net, "d", std::numeric_limits<double>::quiet_NaN()), gan::Error);
  REQUIRE(net.children().size() == 1);
}
