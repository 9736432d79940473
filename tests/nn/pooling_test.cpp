#include "gan/nn/pooling.hpp"

#include "support/catch.hpp"
#include "support/layercheck.hpp"
#include "support/root.hpp"

using namespace gan;
using gan::test::check_layer;
using gan::test::random_tensor;
using gan::test::require_close;
using Root = gan::test::Root<double>;

TEST_CASE("pooling layers", "[nn]") {
  Rng rng(1);
  Root root(rng);
  const auto x = random_tensor(rng, {2, 4, 5, 3});
  AvgPool2d<double> average(&root, "average");
  MaxPool2d<double> largest(&root, "largest", {.kernel = 3, .stride = 2, .padding = Padding::same()});
  GlobalAveragePool<double> global(&root, "global");
  require_close(average(x), avg_pool2d(x), 0, "average");
  require_close(largest(x), max_pool2d(x, {.kernel = 3, .stride = 2, .padding = Padding::same()}), 0, "max");
  REQUIRE(global(x).shape() == Shape{2, 3});
  double total = 0;
  for (Index p = 0; p < 20; ++p) total += x.data()[p * 3 + 1];
  REQUIRE(global(x).at({0, 1}) == Approx(total / 20));
  check_layer(average, x);
  check_layer(largest, x);
  check_layer(global, x);
  REQUIRE_THROWS_WITH(average(Tensor<double>({2, 1, 5, 3})), ContainsSubstring("AvgPool2d \"average\": avg_pool2d"));
  REQUIRE_THROWS_WITH(largest(Tensor<double>({2, 5})),
                      ContainsSubstring("MaxPool2d \"largest\": max_pool2d: x [2, 5]"));
  REQUIRE_THROWS_WITH(global(Tensor<double>({2, 0, 5, 3})), ContainsSubstring("\"global\": x [2, 0, 5, 3]"));
}
