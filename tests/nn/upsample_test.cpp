#include "gan/nn/upsample.hpp"

#include "support/catch.hpp"
#include "support/layercheck.hpp"
#include "support/root.hpp"

using namespace gan;
using gan::test::check_layer;
using gan::test::random_tensor;
using gan::test::require_close;
using Root = gan::test::Root<double>;

TEST_CASE("upsampling layers", "[nn]") {
  Rng rng(2);
  Root root(rng);
  const auto x = random_tensor(rng, {2, 2, 3, 4});
  Upsample2d<double> nearest(&root, "nearest"), bilinear(&root, "bilinear", {2, 3}, Upsampling::bilinear);
  PixelShuffle<double> shuffle(&root, "shuffle");
  require_close(nearest(x), upsample_nearest(x, 2), 0, "nearest");
  require_close(bilinear(x), upsample_bilinear(x, {2, 3}), 0, "bilinear");
  require_close(shuffle(x), pixel_shuffle(x, 2), 0, "shuffle");
  for (Layer<double>* layer : {static_cast<Layer<double>*>(&nearest), static_cast<Layer<double>*>(&bilinear),
                               static_cast<Layer<double>*>(&shuffle)})
    check_layer(*layer, x);
  REQUIRE_THROWS_WITH(Upsample2d<double>(&root, "a", 0), ContainsSubstring("\"a\": factor {0, 0}"));
  REQUIRE_THROWS_WITH(PixelShuffle<double>(&root, "b", 0), ContainsSubstring("\"b\": factor 0"));
  REQUIRE_THROWS_WITH(nearest(Tensor<double>({2, 3})), ContainsSubstring("\"nearest\": x [2, 3]"));
  REQUIRE_THROWS_WITH(shuffle(Tensor<double>({2, 3, 3, 6})), ContainsSubstring("a multiple of 4"));
}
