// Blocks for images: padding, pixel norm, smaller images, residual blocks, U-Net, PatchGAN.
#include "gan/models/patch_discriminator.hpp"
#include "gan/nn/downsample.hpp"
#include "gan/nn/pad2d.hpp"
#include "gan/nn/residual_block.hpp"
#include "gan/nn/unet.hpp"
#include "support/catch.hpp"
#include "support/layercheck.hpp"

using namespace gan;
using gan::test::check_layer;
using gan::test::random_tensor;
using gan::test::require_close;
using D = Tensor<double>;

namespace {

struct Root : Module<double> {
  explicit Root(Rng& rng) : Module<double>(rng) {}
};

}  // namespace

TEST_CASE("padding, pixel norm and downsampling as layers", "[nn]") {
  Rng rng(1);
  Root root(rng);
  const auto x = random_tensor(rng, {2, 2, 4, 3});
  ReflectionPad2d<double> reflection(&root, "reflection", 1);
  Pad2d<double> edge(&root, "edge", {0, 1, 2, 0}, PaddingMode::replicate);
  PixelNorm<double> norm(&root, "norm");
  Downsample2d<double> average(&root, "average"), bilinear(&root, "bilinear", {1, 2}, Downsampling::bilinear);
  require_close(reflection(x), pad2d(x, 1, PaddingMode::reflect), 0, "reflection");
  REQUIRE(edge(x).shape() == Shape{2, 3, 6, 3});
  require_close(sum(square(norm(x)), {-1}), D::full({2, 2, 4}, 3), 1e-6, "one length");
  REQUIRE(average(x).shape() == Shape{2, 1, 2, 3});
  require_close(bilinear(x), downsample_bilinear(x, {1, 2}), 0, "bilinear");
  for (Layer<double>* layer : {static_cast<Layer<double>*>(&reflection), static_cast<Layer<double>*>(&norm),
                               static_cast<Layer<double>*>(&bilinear)})
    check_layer(*layer, x);
  REQUIRE_THROWS_WITH(reflection(D({1, 1, 1, 1})),
                      ContainsSubstring("ReflectionPad2d \"reflection\": pad2d: 1 before"));
  REQUIRE_THROWS_WITH(average(D({1, 3, 4, 1})), ContainsSubstring("\"average\": x [1, 3, 4, 1]"));
  REQUIRE_THROWS_WITH(Downsample2d<double>(&root, "a", 0), ContainsSubstring("factor {0, 0}"));
  REQUIRE_THROWS_WITH(PixelNorm<double>(&root, "b", 0), ContainsSubstring("epsilon 0"));
}

TEST_CASE("residual blocks keep, double and halve images", "[nn]") {
  Rng rng(2);
  Root root(rng);
  const auto x = random_tensor(rng, {2, 2, 2, 2});
  const Condition<double> condition{.labels = {1, 0}, .classes = 2};
  const Given<double> given(root, condition);
  ResidualBlock<double> plain(&root, "plain", 2, 2, {.activation = activation::tanh()});
  ResidualBlock<double> up(
      &root, "up", 2, 1,
      {.resample = Resample::up, .norm = norms::conditional_batch(2), .activation = activation::tanh()});
  ResidualBlock<double> down(&root, "down", 2, 3,
                             {.resample = Resample::down, .activation = activation::tanh(), .first_activation = false});
  REQUIRE(plain.parameters().size() == 4);  // the shortcut is x
  REQUIRE(up(x).shape() == Shape{2, 4, 4, 1});
  REQUIRE(up.mixes_batch());
  REQUIRE(down(x).shape() == Shape{2, 1, 1, 3});
  check_layer(plain, x);
  check_layer(up, x);
  check_layer(down, x);
  for (const auto& [name, tensor] : plain.parameters())
    if (name == "conv2.weight") Tensor<double>(tensor).mutable_values().setZero();
  require_close(plain(x), x, 0, "a body of zeros leaves x");
  ResidualBlock<double> spectral(&root, "spectral", 2, 2, {.norm = norms::batch(), .spectral_norm = true});
  REQUIRE(spectral.buffers().size() == 6);  // u of two convolutions, statistics of two norms
  REQUIRE(spectral(x).shape() == x.shape());
  REQUIRE_THROWS_WITH(down(D({1, 3, 2, 2})), ContainsSubstring("\"down\": x [1, 3, 2, 2], expected rows"));
  REQUIRE_THROWS_WITH(up(D({2, 2, 2, 3})), ContainsSubstring("\"up\": x [2, 2, 2, 3], expected [n, h, w, 2]"));
}

TEST_CASE("u-net keeps the size of images of any depth that fits", "[nn]") {
  Rng rng(3);
  Root root(rng);
  UNet<double> net(&root, "net", 1, 2, {.depth = 2, .base = 1, .weight_initializer = init::normal(0, 0.3)});
  const auto x = random_tensor(rng, {2, 4, 4, 1});
  REQUIRE(net(x).shape() == Shape{2, 4, 4, 2});
  check_layer(net, x);
  UNet<double> deep(&root, "deep", 3, 1, {.depth = 5, .base = 1, .norm = norms::batch(), .dropout = 0.5});
  REQUIRE(deep(random_tensor(rng, {2, 32, 64, 3})).shape() == Shape{2, 32, 64, 1});
  UNet<double> bare(&root, "bare", 1, 1, {.depth = 1, .base = 2, .norm = {}});
  REQUIRE(bare(x).shape() == x.shape());
  REQUIRE(bare.parameter_count() == 16 * 2 + 2 + 16 * 2 + 1);
  REQUIRE_THROWS_WITH(net(D({1, 6, 4, 1})),
                      ContainsSubstring("UNet \"net\": x [1, 6, 4, 1]") && ContainsSubstring("multiples of 4"));
  REQUIRE_THROWS_WITH(net(D({1, 4, 4, 2})), ContainsSubstring("expected [n, h, w, 1]"));
  REQUIRE_THROWS_WITH(UNet<double>(&root, "a", 1, 1, {.depth = 0}),
                      ContainsSubstring("\"a\"") && ContainsSubstring("depth 0"));
}

TEST_CASE("a patch discriminator's logit depends on its receptive field", "[models]") {
  Rng rng(4);
  PatchDiscriminator<double> d(
      rng, {.channels = 1, .layers = 1, .base = 1, .norm = {}, .weight_initializer = init::normal(0, 0.3)});
  REQUIRE(d.receptive_field() == 16);
  REQUIRE(PatchDiscriminator<double>(rng, {.layers = 3, .base = 1}).receptive_field() == 70);
  auto x = random_tensor(rng, {1, 36, 36, 1});
  x.set_requires_grad();
  const auto y = d(x);
  REQUIRE(y.shape() == Shape{1, 16, 16, 1});
  const auto one = slice(slice(y, 1, 8, 9), 2, 8, 9);
  const auto g = grad(sum(one), x);
  Index rows = 0;
  for (Index i = 0; i < 36; ++i) rows += max(abs(slice(g, 1, i, i + 1))).item() > 0;
  REQUIRE(rows == 16);
  check_layer(d, random_tensor(rng, {1, 6, 6, 1}));

  Root root(rng);
  PatchDiscriminator<double> both(&root, "both", {.channels = 1, .condition = 2, .layers = 1, .base = 1});
  const auto small = random_tensor(rng, {2, 8, 8, 1});
  Condition<double> condition{.values = random_tensor(rng, {2, 8, 8, 2})};
  condition.values.set_requires_grad();
  const auto scores = both(small, condition);
  REQUIRE(scores.shape() == Shape{2, 2, 2, 1});
  REQUIRE(max(abs(grad(sum(square(scores)), condition.values))).item() > 0);
  REQUIRE_THROWS_WITH(both(small, Condition<double>{.values = D({2, 8, 4, 2})}),
                      ContainsSubstring("PatchDiscriminator \"both\": condition [2, 8, 4, 2] for x [2, 8, 8, 1]"));
  REQUIRE_THROWS_WITH(d(D({1, 4, 4, 3})), ContainsSubstring("x [1, 4, 4, 3], expected [n, h, w, 1]"));
  REQUIRE_THROWS_WITH(d(D({1, 2, 2, 1})), ContainsSubstring("conv"));
  REQUIRE_THROWS_WITH(PatchDiscriminator<double>(rng, {.layers = 0}), ContainsSubstring("0 layers"));
}
