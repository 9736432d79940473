// Layers that are a function of few lines: dense, layer norm, embedding, activations, flatten and reshape; and layers
// of the user's own.
#include "gan/nn/layer.hpp"

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "gan/core/parallel.hpp"
#include "gan/nn/activation.hpp"
#include "gan/nn/dense.hpp"
#include "gan/nn/embedding.hpp"
#include "gan/nn/layer_norm.hpp"
#include "gan/nn/reshape.hpp"
#include "gan/nn/sequential.hpp"
#include "support/layercheck.hpp"
#include "support/threads.hpp"

using gan::Dense;
using gan::Index;
using gan::Rng;
using gan::Shape;
using gan::Tensor;
using gan::test::check_layer;
using gan::test::random_tensor;

namespace {

/// A root to hang layers on.
template <class T>
class Root : public gan::Module<T> {
 public:
  explicit Root(Rng& rng) : gan::Module<T>(rng) {}
};

}  // namespace

TEST_CASE("dense is x weight + bias", "[nn]") {
  Rng rng(1);
  Root<double> root(rng);
  Dense<double> dense(&root, "dense", 2, 3, {.bias_initializer = gan::init::constant(10)});
  Tensor<double> weight = dense.weight();
  weight.mutable_values() << 1, 2, 3, 4, 5, 6;
  const auto y = dense(Tensor<double>({2, 2}, {1, 0, 2, -1}));
  REQUIRE(y.shape() == Shape{2, 3});
  REQUIRE((y.values() == Tensor<double>({6}, {11, 12, 13, 8, 9, 10}).values()).all());
  REQUIRE(dense(Tensor<double>({4, 5, 2})).shape() == Shape{4, 5, 3});
  REQUIRE(dense(Tensor<double>({0, 2})).shape() == Shape{0, 3});
  const Dense<double> bare(&root, "bare", 2, 3, {.bias = false});
  REQUIRE(bare.parameters().size() == 1);
}

TEST_CASE("gradients of dense", "[nn]") {
  Rng rng(2);
  Root<double> root(rng);
  Dense<double> dense(&root, "dense", 3, 4, {.bias_initializer = gan::init::normal(0, 1)});
  check_layer(dense, random_tensor({5, 3}, rng));
  check_layer(dense, random_tensor({2, 2, 3}, rng));
  check_layer(dense, random_tensor({1, 3}, rng));
  Dense<double> bare(&root, "bare", 1, 2, {.bias = false});
  check_layer(bare, random_tensor({3, 1}, rng));
}

TEST_CASE("gradients of layer norm, and its statistics", "[nn]") {
  Rng rng(3);
  Root<double> root(rng);
  gan::LayerNorm<double> norm(&root, "norm", 5);
  for (auto& parameter : norm.parameters())
    parameter.tensor.mutable_values() += random_tensor({5}, rng, -0.4, 0.4).values();
  check_layer(norm, random_tensor({3, 5}, rng, -2, 2));
  check_layer(norm, random_tensor({2, 2, 5}, rng, -2, 2));

  gan::LayerNorm<double> plain(&root, "plain", 64);
  const auto x = gan::normal<double>(rng, {700, 64}, 3, 2), y = plain(x);
  for (const Index row : {0, 350, 699}) {
    const auto values = y.matrix().row(row).array();
    REQUIRE(std::abs(values.mean()) < 1e-12);
    REQUIRE(values.square().mean() == Approx(1).epsilon(1e-4));
  }
  // Each sample by itself, in both modes.
  const auto alone = plain(Tensor<double>({1, 64}, std::span<const double>(x.data() + 64, 64)));
  REQUIRE((alone.matrix().row(0) - y.matrix().row(1)).norm() < 1e-12);
  plain.eval();
  REQUIRE((plain(x).values() == y.values()).all());
  REQUIRE_FALSE(plain.mixes_batch());
}

TEST_CASE("an embedding picks rows and adds up their gradients", "[nn]") {
  Rng rng(4);
  Root<double> root(rng);
  gan::Embedding<double> embedding(&root, "labels", 4, 3);
  const Tensor<double> weight = embedding.parameters()[0].tensor;
  const auto y = embedding({2, 0, 2});
  REQUIRE(y.shape() == Shape{3, 3});
  REQUIRE((y.matrix().row(0) == weight.matrix().row(2)));
  REQUIRE((y.matrix().row(1) == weight.matrix().row(0)));
  gan::backward(gan::sum(y));
  REQUIRE(weight.grad().matrix()(2, 1) == 2);
  REQUIRE(weight.grad().matrix()(0, 1) == 1);
  REQUIRE(weight.grad().matrix()(3, 1) == 0);
  gan::test::check_gradients_of([&] { return gan::square(embedding({2, 0, 2, 3})); }, {weight});
  REQUIRE_THROWS_WITH(embedding({0, 4}), ContainsSubstring(embedding.path() + "\": ") && ContainsSubstring("4"));
  REQUIRE_THROWS_WITH(embedding({-1}), ContainsSubstring("-1"));
  REQUIRE_THROWS_WITH(embedding({}),
                      ContainsSubstring("0 labels") && ContainsSubstring("embedding \"" + embedding.path()));
  REQUIRE_THROWS_WITH(gan::Embedding<double>(&root, "none", 0, 3), ContainsSubstring("embedding \"none\": 0 classes"));
}

TEST_CASE("activations as layers: values, names, gradients", "[nn]") {
  Rng rng(5);
  Root<double> root(rng);
  namespace act = gan::activation;
  const double e = std::exp(1.0);
  struct Case {
    gan::ActivationFunction<double> function;
    std::string name;
    double at_one, at_minus_one;
  };
  const std::vector<Case> cases{{act::identity(), "Identity", 1, -1},
                                {act::relu(), "ReLU", 1, 0},
                                {act::leaky_relu(0.3), "LeakyReLU", 1, -0.3},
                                {act::elu(2), "ELU", 1, 2 * (1 / e - 1)},
                                {act::gelu(), "GELU", 0.8413447460685429, -0.15865525393145707},
                                {act::sigmoid(), "Sigmoid", 1 / (1 + 1 / e), 1 / (1 + e)},
                                {act::tanh(), "Tanh", std::tanh(1), -std::tanh(1)},
                                {act::softplus(), "Softplus", std::log1p(e), std::log1p(1 / e)},
                                {act::softmax(), "Softmax", e * e / (e * e + 1), 1 / (e * e + 1)}};
  for (const auto& [function, name, at_one, at_minus_one] : cases) {
    INFO(name);
    gan::Activation<double> layer(&root, name, function);
    REQUIRE(layer.kind() == name);
    REQUIRE(layer.parameters().empty());
    const auto y = layer(Tensor<double>({1, 2}, {1, -1}));
    REQUIRE(y.data()[0] == Approx(at_one).epsilon(1e-9));
    REQUIRE(y.data()[1] == Approx(at_minus_one).epsilon(1e-9));
    check_layer(layer, random_tensor({3, 4}, rng, -2, 2));
  }
  const gan::ActivationFunction<double> cube{"Cube", [](const auto& x) { return x * x * x; }};
  gan::Activation<double> own(&root, "own", cube);
  check_layer(own, random_tensor({2, 3}, rng));
}

TEST_CASE("flatten and reshape change shapes without copying", "[nn]") {
  Rng rng(6);
  Root<double> root(rng);
  gan::Flatten<double> flatten(&root, "flatten");
  gan::Reshape<double> reshape(&root, "reshape", Shape{2, 3, 1});
  const auto x = random_tensor({4, 2, 3, 1}, rng);
  const auto flat = flatten(x);
  REQUIRE(flat.shape() == Shape{4, 6});
  REQUIRE(flat.data() == x.data());
  const auto back = reshape(flat);
  REQUIRE(back.shape() == x.shape());
  REQUIRE(back.data() == x.data());
  REQUIRE(flatten(Tensor<double>({5})).shape() == Shape{5, 1});
  check_layer(flatten, x);
  check_layer(reshape, random_tensor({2, 6}, rng));
  REQUIRE_THROWS_WITH(reshape(Tensor<double>({4, 5})),
                      ContainsSubstring("[4, 5]") && ContainsSubstring("[4, 2, 3, 1]"));
  REQUIRE_THROWS_WITH(reshape(Tensor<double>::scalar(1)),
                      ContainsSubstring("reshape \"reshape\"") && ContainsSubstring("no batch axis"));
  REQUIRE_THROWS_WITH(flatten(Tensor<double>::scalar(1)), ContainsSubstring("no batch axis"));
}

TEST_CASE("wrong shapes name the layer by its path", "[nn]") {
  Rng rng(7);
  gan::Sequential<float> net(rng);
  auto& block = net.add<gan::Sequential>("block");
  block.add<Dense>("hidden", 64, 256);
  REQUIRE_THROWS_WITH(net(Tensor<float>({32, 100})),
                      ContainsSubstring("dense \"block.hidden\": x [32, 100] does not match weight [64, 256]: expected "
                                        "x [n, 64]"));
  REQUIRE_THROWS_WITH(net(Tensor<float>::scalar(1)), ContainsSubstring("dense \"block.hidden\""));
  Root<float> root(rng);
  gan::LayerNorm<float> norm(&root, "norm", 4);
  REQUIRE_THROWS_WITH(norm(Tensor<float>({2, 5})),
                      ContainsSubstring("layer norm \"norm\": x [2, 5], expected [..., 4]"));
  using Norm = gan::LayerNorm<float>;
  REQUIRE_THROWS_WITH(Norm(&root, "n", 0), ContainsSubstring("layer norm \"n\": width 0"));
  REQUIRE_THROWS_WITH(Norm(&root, "n", -1), ContainsSubstring("layer norm \"n\": width -1"));
  REQUIRE_THROWS_WITH(Norm(&root, "n", 3, 0.0), ContainsSubstring("epsilon 0"));
  REQUIRE_THROWS_WITH(Norm(&root, "n", 3, std::nan("")), ContainsSubstring("epsilon nan"));
  REQUIRE_THROWS_WITH(gan::activation::leaky_relu(std::nan("")), ContainsSubstring("leaky_relu: slope nan"));
  REQUIRE_THROWS_WITH(gan::activation::elu(std::nan("")), ContainsSubstring("elu: alpha nan"));
}

TEST_CASE("a sequence applies its layers in order and owns them", "[nn]") {
  Rng rng(8);
  gan::Sequential<double> net(rng);
  auto& first = net.add<Dense>("first", 3, 4);
  net.add<gan::Activation>("act", gan::activation::tanh());
  auto& second = net.add<Dense>("second", 4, 2, gan::DenseOptions{.bias = false});
  REQUIRE(net.size() == 3);
  const auto x = random_tensor({5, 3}, rng);
  REQUIRE((net(x).values() == second(gan::tanh(first(x))).values()).all());
  REQUIRE(net.parameters()[2].name == "second.weight");
  check_layer(net, x);
  REQUIRE_THROWS_WITH(net.add<Dense>("first", 1, 1), ContainsSubstring("\"first\" is taken"));
  REQUIRE(net.size() == 3);
  gan::Sequential<double> none(rng);
  REQUIRE(none(x).is(x));
}

TEST_CASE("a layer of the user's own is a class with a forward", "[nn]") {
  class Residual : public gan::Layer<double> {
   public:
    Residual(gan::Module<double>* parent, std::string name, Index width)
        : Layer(parent, std::move(name)), dense_{this, "dense", width, width} {}
    Tensor<double> forward(const Tensor<double>& x) override { return x + gain_ * gan::tanh(dense_(x)); }

   private:
    Dense<double> dense_;
    gan::Parameter<double> gain_{this, "gain", {}, gan::init::constant(0.5)};
  };
  Rng rng(9);
  Root<double> root(rng);
  Residual residual(&root, "residual", 3);
  REQUIRE(residual.parameters().size() == 3);
  check_layer(residual, random_tensor({4, 3}, rng));
}

TEST_CASE("layers give the same on any number of threads", "[nn]") {
  const gan::test::ThreadCount restore;
  std::vector<Tensor<float>> results;
  for (const int threads : {1, 2}) {
    gan::set_threads(threads);
    Rng rng(10);
    Root<float> root(rng);
    gan::LayerNorm<float> norm(&root, "norm", 96);
    gan::Activation<float> act(&root, "act", gan::activation::gelu());
    const auto x = gan::normal<float>(rng, {2000, 96}).set_requires_grad();
    const auto y = act(norm(x));
    gan::backward(gan::sum(gan::square(y)));
    std::vector<Tensor<float>> found{y, x.grad()};
    for (const auto& parameter : norm.parameters()) found.push_back(parameter.tensor.grad());
    if (threads == 1)
      results = found;
    else
      for (std::size_t i = 0; i < found.size(); ++i) REQUIRE((found[i].values() == results[i].values()).all());
  }
}
