// The convolution layers: values, gradients, registration and errors.
#include "gan/nn/conv2d.hpp"

#include <cmath>

#include "gan/nn/conv_transpose2d.hpp"
#include "gan/nn/dense.hpp"
#include "gan/nn/sequential.hpp"
#include "gan/ops/slice.hpp"
#include "support/catch.hpp"
#include "support/layercheck.hpp"
#include "support/root.hpp"

using namespace gan;
using gan::test::check_layer;
using gan::test::random_tensor;
using gan::test::require_close;
using Root = gan::test::Root<double>;

TEST_CASE("conv2d layer is the convolution of its parameters", "[nn]") {
  Rng rng(1);
  Root root(rng);
  Conv2d<double> conv(
      &root, "conv", 4, 6,
      {.kernel = {3, 2}, .stride = 2, .padding = Padding::same(), .groups = 2, .bias_initializer = init::normal(0, 1)});
  const auto parameters = conv.parameters();
  REQUIRE(parameters.size() == 2);
  REQUIRE(parameters[0].name == "weight");
  REQUIRE(parameters[0].tensor.shape() == Shape{3, 2, 2, 6});
  REQUIRE(parameters[1].tensor.shape() == Shape{6});
  const auto x = random_tensor(rng, {2, 5, 5, 4});
  const auto y = conv(x);
  REQUIRE(y.shape() == Shape{2, 3, 3, 6});
  require_close(
      y, conv2d(x, parameters[0].tensor, parameters[1].tensor, {.stride = 2, .padding = Padding::same(), .groups = 2}),
      0, "forward");
  check_layer(conv, x);

  Conv2d<double> bare(&root, "bare", 2, 3, {.kernel = 2, .dilation = 2, .bias = false});
  REQUIRE(bare.parameter_count() == 2 * 2 * 2 * 3);
  check_layer(bare, random_tensor(rng, {2, 4, 3, 2}));
}

TEST_CASE("transposed layer is the transposed convolution of its parameters", "[nn]") {
  Rng rng(2);
  Root root(rng);
  ConvTranspose2d<double> conv(&root, "conv", 4, 2,
                               {.kernel = 3,
                                .stride = 2,
                                .padding = 1,
                                .groups = 2,
                                .output_padding = {1, 0},
                                .bias_initializer = init::normal(0, 1)});
  const auto parameters = conv.parameters();
  REQUIRE(parameters[0].tensor.shape() == Shape{3, 3, 1, 4});
  REQUIRE(parameters[1].tensor.shape() == Shape{2});
  const auto x = random_tensor(rng, {2, 3, 2, 4});
  const auto y = conv(x);
  REQUIRE(y.shape() == Shape{2, 6, 3, 2});
  require_close(y,
                conv_transpose2d(x, parameters[0].tensor, parameters[1].tensor,
                                 {.stride = 2, .padding = 1, .groups = 2, .output_padding = {1, 0}}),
                0, "forward");
  check_layer(conv, x);

  // The generator of a 28 x 28 DCGAN, by shapes.
  Sequential<double> net(&root, "net");
  net.add<ConvTranspose2d>("a", 4, 3, ConvTranspose2dOptions{.kernel = 5, .padding = Padding::same(), .bias = false});
  net.add<ConvTranspose2d>("b", 3, 2, ConvTranspose2dOptions{.kernel = 5, .stride = 2, .padding = Padding::same()});
  net.add<ConvTranspose2d>("c", 2, 1, ConvTranspose2dOptions{.kernel = 5, .stride = 2, .padding = Padding::same()});
  REQUIRE(net(Tensor<double>({3, 7, 7, 4})).shape() == Shape{3, 28, 28, 1});
}

TEST_CASE("convolution layers name themselves and the numbers of a mistake", "[nn]") {
  Rng rng(3);
  Root root(rng);
  using Conv = Conv2d<double>;
  using Transposed = ConvTranspose2d<double>;
  REQUIRE_THROWS_WITH(Conv(&root, "a", 0, 3), ContainsSubstring("Conv2d \"a\": 0 input and 3 output channels"));
  REQUIRE_THROWS_WITH(Conv(&root, "b", 2, 3, {.kernel = {0, 3}}), ContainsSubstring("kernel {0, 3}"));
  REQUIRE_THROWS_WITH(Conv(&root, "c", 4, 3, {.groups = 2}), ContainsSubstring("2 groups do not divide 4 input and 3"));
  REQUIRE_THROWS_WITH(Transposed(&root, "d", 2, -1), ContainsSubstring("conv transpose2d \"d\""));
  REQUIRE_THROWS_WITH(Transposed(&root, "e", 4, 3, {.groups = 0}), ContainsSubstring("0 groups"));
  Conv conv(&root, "conv", 3, 4, {.kernel = 5});
  REQUIRE_THROWS_WITH(conv(Tensor<double>({2, 9, 9, 1})),
                      ContainsSubstring("Conv2d \"conv\": x [2, 9, 9, 1]") && ContainsSubstring("[n, h, w, 3]"));
  REQUIRE_THROWS_WITH(conv(Tensor<double>({2, 4, 9, 3})), ContainsSubstring("layer \"conv\"") &&
                                                              ContainsSubstring("covers 5") &&
                                                              ContainsSubstring("only 4"));
  Transposed up(&root, "up", 3, 4, {.stride = 2, .output_padding = 2});
  REQUIRE_THROWS_WITH(up(Tensor<double>({2, 4})), ContainsSubstring("ConvTranspose2d \"up\": x [2, 4]"));
  REQUIRE_THROWS_WITH(up(Tensor<double>({2, 4, 4, 3})),
                      ContainsSubstring("layer \"up\"") && ContainsSubstring("output padding 2"));
}

namespace {

double variance_of(const Tensor<double>& x) { return x.values().square().mean(); }  // of a mean of 0

/// He's initial weights have the variance 2 / met, where `met` inputs meet in one output, and so, for inputs of
/// variance 1, outputs have the variance 2. Away from the borders, where fewer meet.
void require_he(Layer<double>& layer, const Tensor<double>& weight, const Tensor<double>& x, double met, Index border) {
  INFO(layer.path() << ", weight " << weight.shape());
  // A variance from n normal numbers has the relative deviation sqrt(2 / n); outputs share the weights.
  const double of_weights = std::sqrt(2.0 / static_cast<double>(weight.size()));
  const double of_inputs = std::sqrt(2.0 / static_cast<double>(x.size()));
  REQUIRE(variance_of(weight) == Approx(2 / met).epsilon(4 * of_weights));
  auto y = layer(x);
  if (y.rank() == 4) y = slice(slice(y, 1, border, y.shape()[1] - border), 2, border, y.shape()[2] - border);
  REQUIRE(variance_of(y) == Approx(2).epsilon(4 * (of_weights + of_inputs)));
}

}  // namespace

TEST_CASE("He's weights keep the variance through every layer", "[nn]") {
  Rng rng(21);
  Root root(rng);
  const auto images = normal<double>(rng, {4, 12, 12, 32});
  const Initializer he = init::he_normal(), uniform = init::he_uniform();
  Dense<double> dense(&root, "dense", 200, 60, {.bias = false, .weight_initializer = he});
  require_he(dense, dense.weight(), normal<double>(rng, {60, 200}), 200, 0);
  const auto conv = [&](const char* name, const Conv2dOptions& options, double met) {
    Conv2d<double> layer(&root, name, 32, 24, options);
    require_he(layer, layer.weight(), images, met, 2);
  };
  conv("plain", {.padding = Padding::same(), .bias = false, .weight_initializer = he}, 9 * 32);
  conv(
      "strided, groups",
      {.kernel = 4, .stride = 2, .padding = Padding::same(), .groups = 4, .bias = false, .weight_initializer = uniform},
      16 * 8);
  const auto transposed = [&](const char* name, const ConvTranspose2dOptions& options, double met) {
    ConvTranspose2d<double> layer(&root, name, 32, 24, options);
    require_he(layer, layer.weight(), images, met, options.stride.columns == 1 ? 2 : 4);
  };
  transposed("transposed", {.padding = Padding::same(), .bias = false, .weight_initializer = he}, 9 * 32);
  transposed("transposed, 4 by 2",
             {.kernel = 4, .stride = 2, .padding = Padding::same(), .bias = false, .weight_initializer = he}, 4 * 32);
  transposed("transposed, 5 by 2",
             {.kernel = 5, .stride = 2, .padding = Padding::same(), .bias = false, .weight_initializer = uniform},
             6.25 * 32);
  transposed("transposed, oblong, groups",
             {.kernel = {3, 6},
              .stride = {1, 2},
              .padding = Padding::same(),
              .groups = 4,
              .bias = false,
              .weight_initializer = he},
             3 * 3 * 8);
  // Glorot's fans are those of the weight's shape.
  ConvTranspose2d<double> glorot(&root, "glorot", 32, 24, {.kernel = 4, .stride = 2});
  REQUIRE(variance_of(glorot.weight()) == Approx(2.0 / (16 * (32 + 24))).epsilon(0.05));
}
