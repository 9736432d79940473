// Layers for images that are a function of few lines: pooling, upsampling, group and instance norm, minibatch standard
// deviation, residual.
#include <cmath>

#include "gan/nn/activation.hpp"
#include "gan/nn/dense.hpp"
#include "gan/nn/group_norm.hpp"
#include "gan/nn/minibatch_std_dev.hpp"
#include "gan/nn/pooling.hpp"
#include "gan/nn/residual.hpp"
#include "gan/nn/upsample.hpp"
#include "support/catch.hpp"
#include "support/layercheck.hpp"

using namespace gan;
using gan::test::check_layer;
using gan::test::random_tensor;
using gan::test::require_close;

namespace {

struct Root : Module<double> {
  explicit Root(Rng& rng) : Module<double>(rng) {}
};

// Parameters other than those that make a layer the identity.
void disturb(Module<double>& module, Rng& rng) {
  for (auto& parameter : module.parameters())
    parameter.tensor.mutable_values() += random_tensor(parameter.tensor.shape(), rng, -0.4, 0.4).values();
}

}  // namespace

TEST_CASE("pooling layers", "[nn]") {
  Rng rng(1);
  Root root(rng);
  const auto x = random_tensor({2, 4, 5, 3}, rng);
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
  REQUIRE_THROWS_WITH(average(Tensor<double>({2, 1, 5, 3})), ContainsSubstring("layer \"average\": avg_pool2d"));
  REQUIRE_THROWS_WITH(largest(Tensor<double>({2, 5})), ContainsSubstring("layer \"largest\": max_pool2d: x [2, 5]"));
  REQUIRE_THROWS_WITH(global(Tensor<double>({2, 0, 5, 3})), ContainsSubstring("\"global\": x [2, 0, 5, 3]"));
}

TEST_CASE("upsampling layers", "[nn]") {
  Rng rng(2);
  Root root(rng);
  const auto x = random_tensor({2, 2, 3, 4}, rng);
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

TEST_CASE("group norm normalises each group of each image", "[nn]") {
  Rng rng(3);
  Root root(rng);
  GroupNorm<double> norm(&root, "norm", 2, 6);
  auto x = random_tensor({3, 4, 5, 6}, rng, 2, 5);
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
  disturb(norm, rng);
  check_layer(norm, random_tensor({2, 2, 2, 6}, rng));
  check_layer(norm, random_tensor({2, 6}, rng));
  GroupNorm<double> plain(&root, "plain", 3, 6, {.affine = false});
  REQUIRE(plain.parameters().empty());
  check_layer(plain, random_tensor({2, 2, 2, 6}, rng));
  REQUIRE(norm(Tensor<double>({0, 4, 4, 6})).shape() == Shape{0, 4, 4, 6});
  REQUIRE_THROWS_WITH(GroupNorm<double>(&root, "a", 4, 6), ContainsSubstring("\"a\": 4 groups of 6 channels"));
  REQUIRE_THROWS_WITH(GroupNorm<double>(&root, "b", 2, 6, {.epsilon = 0}), ContainsSubstring("epsilon 0"));
  REQUIRE_THROWS_WITH(GroupNorm<double>(&root, "b", 2, 6, {.epsilon = std::nan("")}), ContainsSubstring("epsilon nan"));
  REQUIRE_THROWS_WITH(norm(Tensor<double>({2, 5})), ContainsSubstring("group norm \"norm\": x [2, 5]"));
}

TEST_CASE("instance norm normalises each channel of each image", "[nn]") {
  Rng rng(4);
  Root root(rng);
  InstanceNorm<double> norm(&root, "norm", 3);
  const auto x = random_tensor({2, 4, 4, 3}, rng, -3, 1), y = norm(x);
  for (Index n = 0; n < 2; ++n)
    for (Index c = 0; c < 3; ++c) {
      double total = 0;
      for (Index p = 0; p < 16; ++p) total += y.data()[(n * 16 + p) * 3 + c];
      REQUIRE(total == Approx(0).margin(1e-12));
    }
  // One image's result does not depend on the others.
  require_close(norm(slice(x, 0, 1, 2)), slice(y, 0, 1, 2), 1e-12, "alone");
  disturb(norm, rng);
  check_layer(norm, random_tensor({2, 2, 3, 3}, rng));
  REQUIRE_FALSE(norm.mixes_batch());
  REQUIRE_THROWS_WITH(norm(Tensor<double>({2, 1, 1, 3})),
                      ContainsSubstring("instance norm \"norm\"") && ContainsSubstring("1 values in each group"));
}

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
  check_layer(layer, random_tensor({4, 2, 2, 2}, rng));
  check_layer(two, random_tensor({3, 4}, rng));
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
    const auto x = random_tensor({n, 2, 1, 4}, rng);
    const auto y = layer(x);
    REQUIRE(y.shape() == Shape{n, 2, 1, 6});
    const Index groups = std::max<Index>(1, n / 3);
    for (Index i = 0; i < n; ++i)
      for (Index f = 0; f < 2; ++f) {
        double mean_deviation = 0;  // over 2 pixels and 2 channels
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
          mean_deviation += std::sqrt(std::max(0.0, squares / count - sum * sum / (count * count)) + 1e-8) / 4;
        }
        for (Index pixel = 0; pixel < 2; ++pixel) {
          REQUIRE(y.at({i, pixel, 0, 4 + f}) == Approx(mean_deviation).margin(1e-9));
          REQUIRE(y.at({i, pixel, 0, f}) == x.at({i, pixel, 0, f}));
        }
      }
  }
  check_layer(layer, random_tensor({7, 4}, rng));
  using Layer = MinibatchStdDev<double>;
  REQUIRE_THROWS_WITH(Layer(&root, "a", {.group_size = 1}), ContainsSubstring("group size 1"));
  REQUIRE_THROWS_WITH(Layer(&root, "a", {.epsilon = std::nan("")}), ContainsSubstring("epsilon nan"));
}

TEST_CASE("residual adds its shortcut", "[nn]") {
  Rng rng(6);
  Root root(rng);
  Residual<double> block(&root, "block");
  const auto x = random_tensor({2, 3}, rng);
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
