#include "gan/nn/sequential.hpp"

#include "gan/nn/activation.hpp"
#include "gan/nn/dense.hpp"
#include "support/layercheck.hpp"

using gan::Dense;
using gan::Rng;
using gan::test::check_layer;
using gan::test::random_tensor;

TEST_CASE("a sequence applies its layers in order and owns them", "[nn]") {
  Rng rng(8);
  gan::Sequential<double> net(rng);
  auto& first = net.add<Dense>("first", 3, 4);
  net.add<gan::Activation>("act", gan::activation::tanh());
  auto& second = net.add<Dense>("second", 4, 2, gan::DenseOptions{.bias = false});
  REQUIRE(net.size() == 3);
  const auto x = random_tensor(rng, {5, 3});
  REQUIRE((net(x).values() == second(gan::tanh(first(x))).values()).all());
  REQUIRE(net.parameters()[2].name == "second.weight");
  check_layer(net, x);
  REQUIRE_THROWS_WITH(net.add<Dense>("first", 1, 1), ContainsSubstring("\"first\" is taken"));
  REQUIRE(net.size() == 3);
  gan::Sequential<double> none(rng);
  REQUIRE(none(x).is(x));
}
