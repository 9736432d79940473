// Layers that read the class of a sample: concatenation, conditional batch norm, projection, auxiliary classifier.
#include <Eigen/SVD>

#include "gan/nn/activation.hpp"
#include "gan/nn/auxiliary_classifier_head.hpp"
#include "gan/nn/conditional_batch_norm.hpp"
#include "gan/nn/conv_transpose2d.hpp"
#include "gan/nn/projection_head.hpp"
#include "gan/nn/residual.hpp"
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

void disturb(Module<double>& module, Rng& rng) {
  for (auto& parameter : module.parameters())
    parameter.tensor.mutable_values() += random_tensor(rng, parameter.tensor.shape(), -0.4, 0.4).values();
}

const Condition<double> three{.labels = {2, 0, 2}, .classes = 3};
const Condition<double> packs{.labels = {2, 0, 1, 1}, .classes = 3, .pack = 2};

}  // namespace

TEST_CASE("the class is joined to noise and images", "[nn]") {
  Rng rng(1);
  Root root(rng);
  ConcatenateClass<double> plain(&root, "plain", 3), trained(&root, "trained", 3, {.width = 2});
  const auto z = random_tensor(rng, {3, 4}), x = random_tensor(rng, {3, 2, 2, 1});
  require_close(slice(plain(z, three), 1, 4, 7), D({3, 3}, {0, 0, 1, 1, 0, 0, 0, 0, 1}), 0, "one-hot");
  require_close(slice(plain(z, three), 1, 0, 4), z, 0, "noise");
  const auto maps = trained(x, three), weight = trained.parameters().front().tensor;
  REQUIRE(maps.shape() == Shape{3, 2, 2, 3});
  for (Index pixel = 0; pixel < 4; ++pixel) REQUIRE(maps.at({1, pixel / 2, pixel % 2, 2}) == weight.at({0, 1}));
  REQUIRE(plain.parameters().empty());
  const auto joined = trained(random_tensor(rng, {2, 5}), packs);  // two packs of two
  REQUIRE(joined.shape() == Shape{2, 9});
  REQUIRE(joined.at({0, 5}) == weight.at({2, 0}));
  REQUIRE(joined.at({0, 8}) == weight.at({0, 1}));
  REQUIRE(plain(D({2, 5}), packs).shape() == Shape{2, 11});
  const Given<double> given(root, three);
  check_layer(plain, z);
  check_layer(trained, x);
  REQUIRE_THROWS_WITH(plain(D({2, 4})),
                      ContainsSubstring("ConcatenateClass \"plain\": condition: 3 labels for 2 samples"));
  REQUIRE_THROWS_WITH(plain(z, {.labels = {0, 1, 3}, .classes = 3}), ContainsSubstring("label 3 of sample 2"));
  REQUIRE_THROWS_WITH(trained(z, {.labels = {0, 1, 3}, .classes = 4}), ContainsSubstring("index 3"));
  REQUIRE_THROWS_WITH(trained(z, {.values = z}), ContainsSubstring("has no class labels"));
  REQUIRE_THROWS_WITH(ConcatenateClass<double>(&root, "a", 0), ContainsSubstring("\"a\": 0 classes"));
  Root bare(rng);
  ConcatenateClass<double> alone(&bare, "alone", 3);
  REQUIRE_THROWS_WITH(alone(z), ContainsSubstring("\"alone\"") && ContainsSubstring("asks for a condition"));
}

TEST_CASE("conditional batch norm has a scale and a shift for each class", "[nn]") {
  Rng rng(2);
  Root root(rng);
  ConditionalBatchNorm<double> norm(&root, "norm", 3, 2);
  BatchNorm<double> plain(&root, "plain", 2);
  const auto x = random_tensor(rng, {3, 2, 2, 2}, -2, 5);
  require_close(norm(x, three), plain(x), 1e-14, "before training it is batch norm");
  REQUIRE(norm.parameters().size() == 2);
  REQUIRE(norm.buffers().size() == 2);
  disturb(norm, rng);
  const auto y = norm(x, three), expected = plain(x);
  const auto scale = norm.parameters()[0].tensor, shift = norm.parameters()[1].tensor;
  REQUIRE(scale.shape() == Shape{3, 2});
  for (const Index row : {0, 1, 2}) {
    const Index label = three.labels[static_cast<std::size_t>(row)];
    REQUIRE(y.at({row, 1, 0, 1}) == Approx(expected.at({row, 1, 0, 1}) * scale.at({label, 1}) + shift.at({label, 1})));
  }
  const auto four = random_tensor(rng, {2, 3, 2});  // two packs
  const auto mean_of_pack = norm(four, packs), base = plain(four);
  REQUIRE(mean_of_pack.at({0, 0, 0}) == Approx(base.at({0, 0, 0}) * (scale.at({2, 0}) + scale.at({0, 0})) / 2 +
                                               (shift.at({2, 0}) + shift.at({0, 0})) / 2));
  {
    const Given<double> given(root, three);
    check_layer(norm, random_tensor(rng, {3, 2, 2}));
    const Evaluate<double> evaluating(root);
    check_layer(norm, random_tensor(rng, {3, 2}));
  }
  const auto before = norm.buffers()[0].tensor.clone();
  REQUIRE_THROWS_WITH(norm(x, {.labels = {0, 1, 5}, .classes = 6}), ContainsSubstring("index 5"));
  REQUIRE_THROWS_WITH(norm(x), ContainsSubstring("\"norm\"") && ContainsSubstring("asks for a condition"));
  require_close(norm.buffers()[0].tensor, before, 0, "an error changes no statistics");
  REQUIRE_THROWS_WITH(norm(D({3, 5}), three), ContainsSubstring("\"norm\": x [3, 5], expected [n, ..., 2]"));
  REQUIRE_THROWS_WITH(ConditionalBatchNorm<double>(&root, "a", 3, 0), ContainsSubstring("0 channels"));
  REQUIRE(norm.mixes_batch());

  // Deep inside: a Residual inside a Sequential.
  Sequential<double> net(&root, "net");
  auto& block = net.add<Residual>("block");
  block.body().add<ConditionalBatchNorm>("norm", 3, 2);
  disturb(net, rng);
  require_close(net(x, three), x + block.body()(x, three), 1e-14, "deep");
}

TEST_CASE("projection head", "[nn]") {
  Rng rng(3);
  Root root(rng);
  ProjectionHead<double> head(&root, "head", 4, 3);
  const auto h = random_tensor(rng, {3, 4});
  const auto state = head.parameters();
  REQUIRE(state[2].name == "embedding.weight");
  const auto y = head(h, three);
  REQUIRE(y.shape() == Shape{3, 1});
  for (Index row = 0; row < 3; ++row) {
    double expected = state[1].tensor.at({0});
    for (Index k = 0; k < 4; ++k)
      expected += h.at({row, k}) *
                  (state[0].tensor.at({k, 0}) + state[2].tensor.at({three.labels[static_cast<std::size_t>(row)], k}));
    REQUIRE(y.at({row, 0}) == Approx(expected));
  }
  ProjectionHead<double> packed(&root, "packed", 4, 3, {.pack = 2});
  REQUIRE(packed.parameters()[2].tensor.shape() == Shape{3, 2});
  REQUIRE(packed(random_tensor(rng, {2, 4}), packs).shape() == Shape{2, 1});
  {
    const Given<double> given(root, three);
    check_layer(head, h);
  }
  {
    const Given<double> given(root, packs);
    check_layer(packed, random_tensor(rng, {2, 4}));
  }
  REQUIRE_THROWS_WITH(packed(D({3, 4}), three), ContainsSubstring("\"packed\": labels in packs of 1, expected 2"));
  REQUIRE_THROWS_WITH(head(D({3, 5}), three), ContainsSubstring("features [3, 5], expected [n, 4]"));
  REQUIRE_THROWS_WITH(ProjectionHead<double>(&root, "a", 5, 3, {.pack = 2}),
                      ContainsSubstring("packs of 2 do not divide"));
}

TEST_CASE("auxiliary classifier head", "[nn]") {
  Rng rng(4);
  Root root(rng);
  AuxiliaryClassifierHead<double> head(&root, "head", 2, 3), packed(&root, "packed", 2, 3, {.pack = 2});
  const auto h = random_tensor(rng, {2, 2});
  REQUIRE(head(h).shape() == Shape{2, 4});
  REQUIRE(packed(h).shape() == Shape{2, 7});
  check_layer(head, h);
  REQUIRE_THROWS_WITH(head(D({2, 3})), ContainsSubstring("\"head.score\""));
  REQUIRE_THROWS_WITH(head(D({2, 3, 2})), ContainsSubstring("features [2, 3, 2]"));
  REQUIRE_THROWS_WITH(AuxiliaryClassifierHead<double>(&root, "a", 2, 0), ContainsSubstring("0 classes"));
}

TEST_CASE("spectral norm of embeddings and transposed convolutions", "[nn]") {
  Rng rng(5);
  Root root(rng);
  Embedding<double> embedding(&root, "embedding", 3, 4, {.spectral_norm = true});
  ConvTranspose2d<double> up(&root, "up", 2, 3, {.kernel = 2, .stride = 2, .bias = false, .spectral_norm = true});
  REQUIRE(embedding.buffers().size() == 1);
  for (int i = 0; i < 200; ++i) {  // power iterations
    embedding({0});
    up(D({1, 1, 1, 2}));
  }
  const Evaluate<double> evaluating(root);
  const auto largest = [](const D& matrix) {
    return Eigen::JacobiSVD<Eigen::MatrixXd>(matrix.matrix()).singularValues()(0);
  };
  REQUIRE(largest(embedding({0, 1, 2})) == Approx(1));
  // Patches do not overlap: each pixel goes through one matrix, which then has norm 1.
  REQUIRE(largest(flatten(up(D({2, 1, 1, 2}, {1, 0, 0, 1})))) == Approx(1));
}
