#include "gan/nn/group_norm.hpp"

#include "support/catch.hpp"
#include "support/layercheck.hpp"
#include "support/root.hpp"

using namespace gan;
using gan::test::check_layer;
using gan::test::random_tensor;
using gan::test::require_close;

namespace {

using Root = gan::test::Root<double>;

// Parameters other than those that make a layer the identity.
void disturb(Rng& rng, Module<double>& module) {
  for (auto& parameter : module.parameters())
    parameter.tensor.mutable_values() += random_tensor(rng, parameter.tensor.shape(), -0.4, 0.4).values();
}

}  // namespace

TEST_CASE("group norm normalizes each group of each image", "[nn]") {
  Rng rng(3);
  Root root(rng);
  GroupNorm<double> norm(&root, "norm", 2, 6);
  auto x = random_tensor(rng, {3, 4, 5, 6}, 2, 5);
  const auto y = norm(x);
  for (Index n = 0; n < 3; ++n)
    for (Index group = 0; group < 2; ++group) {
      double total = 0, squares = 0;
      for (Index p = 0; p < 20; ++p)
        for (Index c = 3 * group; c < 3 * group + 3; ++c) {
          const double v = y.data()[(n * 20 + p) * 6 + c];
          total += v;
          squares += v * v;
        }
      REQUIRE(total / 60 == Approx(0).margin(1e-12));
      REQUIRE(squares / 60 == Approx(1).epsilon(1e-4));
    }
  disturb(rng, norm);
  check_layer(norm, random_tensor(rng, {2, 2, 2, 6}));
  check_layer(norm, random_tensor(rng, {2, 6}));
  GroupNorm<double> plain(&root, "plain", 3, 6, {.affine = false});
  REQUIRE(plain.parameters().empty());
  check_layer(plain, random_tensor(rng, {2, 2, 2, 6}));
  REQUIRE(norm(Tensor<double>({0, 4, 4, 6})).shape() == Shape{0, 4, 4, 6});
  REQUIRE_THROWS_WITH(GroupNorm<double>(&root, "a", 4, 6), ContainsSubstring("\"a\": 4 groups of 6 channels"));
  REQUIRE_THROWS_WITH(GroupNorm<double>(&root, "b", 2, 6, {.epsilon = 0}), ContainsSubstring("epsilon 0"));
  REQUIRE_THROWS_WITH(GroupNorm<double>(&root, "b", 2, 6, {.epsilon = std::nan("")}), ContainsSubstring("epsilon nan"));
  REQUIRE_THROWS_WITH(norm(Tensor<double>({2, 5})), ContainsSubstring("GroupNorm \"norm\": x [2, 5]"));
}

TEST_CASE("instance norm normalizes each channel of each image", "[nn]") {
  Rng rng(4);
  Root root(rng);
  InstanceNorm<double> norm(&root, "norm", 3);
  const auto x = random_tensor(rng, {2, 4, 4, 3}, -3, 1), y = norm(x);
  for (Index n = 0; n < 2; ++n)
    for (Index c = 0; c < 3; ++c) {
      double total = 0;
      for (Index p = 0; p < 16; ++p) total += y.data()[(n * 16 + p) * 3 + c];
      REQUIRE(total == Approx(0).margin(1e-12));
    }
  // One image's result does not depend on the others.
  require_close(norm(slice(x, 0, 1, 2)), slice(y, 0, 1, 2), 1e-12, "alone");
  disturb(rng, norm);
  check_layer(norm, random_tensor(rng, {2, 2, 3, 3}));
  REQUIRE_FALSE(norm.mixes_batch());
  REQUIRE_THROWS_WITH(norm(Tensor<double>({2, 1, 1, 3})),
                      ContainsSubstring("instance norm \"norm\"") && ContainsSubstring("1 values in each group"));
}
