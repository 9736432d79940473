// Pixels moved by number, padding by its modes, and smaller images.
#include "gan/ops/padding.hpp"

#include "gan/ops/convolution.hpp"
#include "gan/ops/downsample.hpp"
#include "gan/ops/reduce.hpp"
#include "support/catch.hpp"
#include "support/gradcheck.hpp"

using namespace gan;
using gan::test::check_gradients;
using gan::test::random_tensor;
using gan::test::require_close;
using D = Tensor<double>;

TEST_CASE("pad2d fills the outside by its mode", "[ops]") {
  const D x({1, 1, 3, 1}, {1, 2, 3});
  const auto row = [&](PaddingMode mode) { return reshape(pad2d(x, {0, 0, 2, 2}, mode), Shape{7}); };
  require_close(row(PaddingMode::zero), D({7}, {0, 0, 1, 2, 3, 0, 0}), 0, "zero");
  require_close(row(PaddingMode::reflect), D({7}, {3, 2, 1, 2, 3, 2, 1}), 0, "reflect");
  require_close(row(PaddingMode::replicate), D({7}, {1, 1, 1, 2, 3, 3, 3}), 0, "replicate");
  require_close(row(PaddingMode::circular), D({7}, {2, 3, 1, 2, 3, 1, 2}), 0, "circular");
  const D square({1, 2, 2, 1}, {1, 2, 3, 4});
  require_close(pad2d(square, {1, 0, 0, 1}, PaddingMode::reflect), D({1, 3, 3, 1}, {3, 4, 3, 1, 2, 1, 3, 4, 3}), 0,
                "both axes");
  REQUIRE(pad2d(x, {}, PaddingMode::reflect).is(x));

  Rng rng(1);
  const auto images = random_tensor(rng, {2, 3, 4, 2}), weight = random_tensor(rng, {3, 3, 2, 3});
  require_close(conv2d(pad2d(images, 1), weight), conv2d(images, weight, {.padding = 1}), 1e-14, "as convolutions pad");
  for (const auto mode : {PaddingMode::zero, PaddingMode::reflect, PaddingMode::replicate, PaddingMode::circular})
    check_gradients([mode](const auto& in) { return pad2d(in[0], {1, 2, 0, 3}, mode); }, {images});
  check_gradients([](const auto& in) { return gan::square(pad2d(in[0], 1, PaddingMode::reflect)); },
                  {random_tensor(rng, {1, 2, 2, 1})});

  REQUIRE_THROWS_WITH(pad2d(x, {0, 0, 3, 0}, PaddingMode::reflect), ContainsSubstring("pad2d: 3 before and 0 after 3"));
  REQUIRE_THROWS_WITH(pad2d(x, {0, 0, 0, 4}, PaddingMode::circular), ContainsSubstring("expected 0 ... 3"));
  REQUIRE_THROWS_WITH(pad2d(x, {-1, 0, 0, 0}), ContainsSubstring("-1 before"));
  REQUIRE_THROWS_WITH(pad2d(x, Padding::same()), ContainsSubstring("Padding::same() has no size"));
  REQUIRE_THROWS_WITH(pad2d(D({2, 3}), 1), ContainsSubstring("x [2, 3]"));
  REQUIRE_THROWS_WITH(pad2d(D({1, 0, 3, 1}), 1, PaddingMode::replicate), ContainsSubstring("has no pixels"));
}

TEST_CASE("gather_pixels and scatter_pixels are adjoint", "[ops]") {
  Rng rng(2);
  const auto x = random_tensor(rng, {2, 2, 2, 3});
  const PixelMap map{.rows = 1, .columns = 3, .per_image = true, .from = {3, -1, 3, 0, 1, 2}};
  const auto y = gather_pixels(x, map);
  REQUIRE(y.at({0, 0, 0, 1}) == x.at({0, 1, 1, 1}));
  REQUIRE(y.at({0, 0, 1, 1}) == 0);
  REQUIRE(y.at({1, 0, 1, 2}) == x.at({1, 0, 1, 2}));
  check_gradients([&](const auto& in) { return square(gather_pixels(in[0], map)); }, {x});
  check_gradients(
      [&](const auto& in) { return square(scatter_pixels(in[0], std::make_shared<const PixelMap>(map), 2, 2)); },
      {random_tensor(rng, {2, 1, 3, 3})});
  REQUIRE_THROWS_WITH(gather_pixels(D({3, 2, 2, 1}), map), ContainsSubstring("a map of 6 pixels to 1 x 3"));
  REQUIRE_THROWS_WITH(gather_pixels(D({2, 1, 3, 1}), map), ContainsSubstring("pixel 3 of images [2, 1, 3, 1]"));
  REQUIRE_THROWS_WITH(gather_pixels(D({2, 3}), map), ContainsSubstring("x [2, 3]"));
}

TEST_CASE("downsample_bilinear is a mean that keeps constants", "[ops]") {
  Rng rng(3);
  const D x({1, 1, 6, 1}, {0, 0, 8, 0, 0, 0});
  require_close(reshape(downsample_bilinear(x, {1, 2}), Shape{3}), D({3}, {1, 3, 0}), 1e-15, "blur [1, 3, 3, 1] / 8");
  for (const Index factor : {1, 2, 3})
    require_close(downsample_bilinear(D::ones({1, 6, 6, 2}), factor), D::ones({1, 6 / factor, 6 / factor, 2}), 1e-14,
                  "constants");
  check_gradients(
      [](const auto& in) {
        return square(downsample_bilinear(in[0], {2, 3}));
      },
      {random_tensor(rng, {1, 4, 3, 2})});
  REQUIRE_THROWS_WITH(downsample_bilinear(x, 2), ContainsSubstring("multiples of {2, 2}"));
  REQUIRE_THROWS_WITH(downsample_bilinear(D({2, 2}), 2), ContainsSubstring("x [2, 2]"));
}
