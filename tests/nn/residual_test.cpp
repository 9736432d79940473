#include "gan/nn/residual.hpp"

#include "gan/nn/activation.hpp"
#include "gan/nn/dense.hpp"
#include "support/catch.hpp"
#include "support/layercheck.hpp"
#include "support/root.hpp"

using namespace gan;
using gan::test::check_layer;
using gan::test::random_tensor;
using gan::test::require_close;
using Root = gan::test::Root<double>;

TEST_CASE("residual adds its shortcut", "[nn]") {
  Rng rng(6);
  Root root(rng);
  Residual<double> block(&root, "block");
  const auto x = random_tensor(rng, {2, 3});
  block.body().add<Dense>("dense", 3, 4);
  REQUIRE_THROWS_WITH(block(x), ContainsSubstring("\"block\": body gives [2, 4], shortcut [2, 3]"));
  block.shortcut().add<Dense>("project", 3, 4, DenseOptions{.bias = false});
  block.body().add<Activation>("act", activation::tanh());
  REQUIRE(block.parameters().size() == 3);
  REQUIRE(block.parameters().back().name == "shortcut.project.weight");
  check_layer(block, x);

  Residual<double> identity(&root, "identity", 0.5);
  identity.body().add<Activation>("act", activation::tanh());
  require_close(identity(x), (x + tanh(x)) * 0.5, 1e-15, "identity");
  REQUIRE_THROWS_WITH(Residual<double>(&root, "bad", std::nan("")), ContainsSubstring("residual \"bad\": scale nan"));
  check_layer(identity, x);
}
