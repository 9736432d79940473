// What layers have in common, and layers of the user's own.
#include "gan/nn/layer.hpp"

#include <string>
#include <vector>

#include "gan/core/parallel.hpp"
#include "gan/nn/activation.hpp"
#include "gan/nn/dense.hpp"
#include "gan/nn/layer_norm.hpp"
#include "gan/nn/sequential.hpp"
#include "support/layercheck.hpp"
#include "support/root.hpp"
#include "support/threads.hpp"

using gan::Dense;
using gan::Index;
using gan::Rng;
using gan::Tensor;
using gan::test::check_layer;
using gan::test::random_tensor;
using gan::test::Root;

TEST_CASE("wrong shapes name the layer by its path", "[nn]") {
  Rng rng(7);
  gan::Sequential<float> net(rng);
  auto& block = net.add<gan::Sequential>("block");
  block.add<Dense>("hidden", 64, 256);
  REQUIRE_THROWS_WITH(net(Tensor<float>({32, 100})),
                      ContainsSubstring("Dense \"block.hidden\": x [32, 100] does not match weight [64, 256]: expected "
                                        "x [n, 64]"));
  REQUIRE_THROWS_WITH(net(Tensor<float>::scalar(1)), ContainsSubstring("dense \"block.hidden\""));
  Root<float> root(rng);
  gan::LayerNorm<float> norm(&root, "norm", 4);
  REQUIRE_THROWS_WITH(norm(Tensor<float>({2, 5})),
                      ContainsSubstring("LayerNorm \"norm\": x [2, 5], expected [..., 4]"));
  using Norm = gan::LayerNorm<float>;
  REQUIRE_THROWS_WITH(Norm(&root, "n", 0), ContainsSubstring("layer norm \"n\": width 0"));
  REQUIRE_THROWS_WITH(Norm(&root, "n", -1), ContainsSubstring("layer norm \"n\": width -1"));
  REQUIRE_THROWS_WITH(Norm(&root, "n", 3, 0.0), ContainsSubstring("epsilon 0"));
  REQUIRE_THROWS_WITH(Norm(&root, "n", 3, std::nan("")), ContainsSubstring("epsilon nan"));
  REQUIRE_THROWS_WITH(gan::activation::leaky_relu(std::nan("")), ContainsSubstring("leaky_relu: slope nan"));
  REQUIRE_THROWS_WITH(gan::activation::elu(std::nan("")), ContainsSubstring("elu: alpha nan"));
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
  check_layer(residual, random_tensor(rng, {4, 3}));
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
