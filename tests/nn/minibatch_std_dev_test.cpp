#include "gan/nn/minibatch_std_dev.hpp"

#include <cmath>

#include "support/catch.hpp"
#include "support/layercheck.hpp"
#include "support/root.hpp"

using namespace gan;
using gan::test::check_layer;
using gan::test::random_tensor;
using gan::test::require_close;
using Root = gan::test::Root<double>;

TEST_CASE("minibatch standard deviation appends what differs within a group", "[nn]") {
  Rng rng(5);
  Root root(rng);
  MinibatchStdDev<double> layer(&root, "layer", {.group_size = 2});
  // Groups are samples 0 and 2, 1 and 3; deviations per channel: 1 and 3 -> mean 2; 0 and 5 -> 2.5.
  const Tensor<double> x({4, 1, 1, 2}, {1, 0, 7, 10, 3, 6, 7, 20});
  require_close(layer(x), Tensor<double>({4, 1, 1, 3}, {1, 0, 2, 7, 10, 2.5, 3, 6, 2, 7, 20, 2.5}), 1e-4,
                "groups of 2");
  MinibatchStdDev<double> two(&root, "two", {.group_size = 0, .features = 2});
  const auto y = two(x);
  REQUIRE(y.shape() == Shape{4, 1, 1, 4});
  REQUIRE(y.at({3, 0, 0, 2}) == Approx(std::sqrt(6.75)));
  REQUIRE(y.at({0, 0, 0, 3}) == Approx(std::sqrt(53.0)));
  REQUIRE(layer.mixes_batch());
  REQUIRE(root.mixes_batch());
  REQUIRE(layer(Tensor<double>({3, 2, 2, 2})).shape() == Shape{3, 2, 2, 3});
  check_layer(layer, random_tensor(rng, {4, 2, 2, 2}));
  check_layer(two, random_tensor(rng, {3, 4}));
  REQUIRE_THROWS_WITH(MinibatchStdDev<double>(&root, "a", {.features = 0}), ContainsSubstring("0 features"));
  REQUIRE_THROWS_WITH(two(Tensor<double>({2, 3})),
                      ContainsSubstring("\"two\": x [2, 3]") && ContainsSubstring("a multiple of 2"));
}

TEST_CASE("no sample is alone in its group, whatever the size of the batch", "[nn]") {
  Rng rng(15);
  Root root(rng);
  MinibatchStdDev<double> layer(&root, "layer", {.group_size = 3, .features = 2});
  for (const Index n : {1, 2, 3, 4, 5, 7, 9, 11, 31}) {
    INFO("batch of " << n);
    const auto x = random_tensor(rng, {n, 2, 1, 4});
    const auto y = layer(x);
    REQUIRE(y.shape() == Shape{n, 2, 1, 6});
    const Index groups = std::max<Index>(1, n / 3);
    for (Index i = 0; i < n; ++i)
      for (Index f = 0; f < 2; ++f) {
        double mean_stddev = 0;  // over 2 pixels and 2 channels
        for (Index at = 0; at < 4; ++at) {
          const Index pixel = at / 2, channel = 2 * f + at % 2;
          double sum = 0, squares = 0;
          Index members = 0;
          for (Index j = i % groups; j < n; j += groups) {
            const double v = x.at({j, pixel, 0, channel});
            sum += v, squares += v * v, ++members;
          }
          REQUIRE(members >= std::min<Index>(n, 3));
          const double count = static_cast<double>(members);
          mean_stddev += std::sqrt(std::max(0.0, squares / count - sum * sum / (count * count)) + 1e-8) / 4;
        }
        for (Index pixel = 0; pixel < 2; ++pixel) {
          REQUIRE(y.at({i, pixel, 0, 4 + f}) == Approx(mean_stddev).margin(1e-9));
          REQUIRE(y.at({i, pixel, 0, f}) == x.at({i, pixel, 0, f}));
        }
      }
  }
  check_layer(layer, random_tensor(rng, {7, 4}));
  using Layer = MinibatchStdDev<double>;
  REQUIRE_THROWS_WITH(Layer(&root, "a", {.group_size = 1}), ContainsSubstring("group size 1"));
  REQUIRE_THROWS_WITH(Layer(&root, "a", {.epsilon = std::nan("")}), ContainsSubstring("epsilon nan"));
}
