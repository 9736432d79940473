// The table of layers, letter by letter.
#include "gan/nn/summary.hpp"

#include <string>

#include "gan/nn/activation.hpp"
#include "gan/nn/batch_norm.hpp"
#include "gan/nn/dense.hpp"
#include "gan/nn/dropout.hpp"
#include "gan/nn/embedding.hpp"
#include "gan/nn/reshape.hpp"
#include "gan/nn/sequential.hpp"
#include "support/catch.hpp"

using gan::Rng;
using gan::Tensor;

TEST_CASE("the summary of a small network", "[nn]") {
  Rng rng(1);
  gan::Sequential<float> net(rng);
  net.add<gan::Flatten>("flatten");
  auto& block = net.add<gan::Sequential>("block");
  block.add<gan::Dense>("hidden", 12, 20);
  block.add<gan::Activation>("act", gan::activation::relu());
  block.add<gan::BatchNorm>("norm", 20);
  net.add<gan::Dropout>("dropout", 0.5);
  net.add<gan::Dense>("output", 20, 6);
  net.add<gan::Reshape>("reshape", gan::Shape{3, 2});
  net.add<gan::Flatten>("end");
  REQUIRE(gan::summary(net, {2, 6}) ==
          "Layer (kind)            Output shape  Parameters\n"
          "------------------------------------------------\n"
          "flatten (Flatten)       [n, 12]                0\n"
          "block.hidden (Dense)    [n, 20]              260\n"
          "block.act (ReLU)        [n, 20]                0\n"
          "block.norm (BatchNorm)  [n, 20]               40\n"
          "dropout (Dropout)       [n, 20]                0\n"
          "output (Dense)          [n, 6]               126\n"
          "reshape (Reshape)       [n, 3, 2]              0\n"
          "end (Flatten)           [n, 6]                 0\n"
          "------------------------------------------------\n"
          "Parameters: 426 (426 trainable), other state: 40\n");
  net.freeze();
  REQUIRE_THAT(gan::summary(net, {12}), ContainsSubstring("Parameters: 426 (0 trainable), other state: 40\n"));
}

TEST_CASE("the summary lists shared layers once, and parameters that no layer's call shows", "[nn]") {
  class Odd : public gan::Layer<float> {
   public:
    explicit Odd(Rng& rng) : Layer(rng) {}
    Tensor<float> forward(const Tensor<float>& x) override { return gain_ * dense_(dense_(x)); }
    std::string kind() const override { return "Odd"; }

   private:
    gan::Parameter<float> gain_{this, "gain", {3}, gan::init::ones()};
    gan::Dense<float> dense_{this, "dense", 3, 3};
    gan::Embedding<float> labels_{this, "labels", 10, 7};
    gan::Dense<float> unused_{this, "unused", 1, 1};
  };
  Rng rng(1);
  Odd odd(rng);
  REQUIRE(gan::summary(odd, {3}) ==
          "Layer (kind)        Output shape  Parameters\n"
          "--------------------------------------------\n"
          "dense (Dense)       [n, 3]                12\n"
          "dense (Dense)       [n, 3]            shared\n"
          "(Odd)                                      3\n"
          "labels (Embedding)                        70\n"
          "unused (Dense)                             2\n"
          "--------------------------------------------\n"
          "Parameters: 87 (87 trainable), other state: 0\n");
}

TEST_CASE("a summary leaves the network as it was", "[nn]") {
  Rng rng(1);
  gan::Sequential<float> net(rng);
  auto& norm = net.add<gan::BatchNorm>("norm", 3);
  net.add<gan::Dropout>("dropout", 0.5);
  norm.eval();
  const auto state = net.rng().state();
  gan::summary(net, {3});
  REQUIRE(net.training());
  REQUIRE_FALSE(norm.training());
  REQUIRE(net.rng().state() == state);
  REQUIRE((net.buffers()[1].tensor.values() == 1).all());
  // A pass that throws ends the trace too.
  REQUIRE_THROWS_WITH(gan::summary(net, {4}), ContainsSubstring("BatchNorm \"norm\": x [1, 4]"));
  REQUIRE(gan::Layer<float>::trace() == nullptr);
  REQUIRE(net.training());
  REQUIRE(gan::grad_enabled());
  gan::Layer<float>::Trace calls;
  gan::Layer<float>::trace() = &calls;
  net(Tensor<float>({2, 3}));
  gan::Layer<float>::trace() = nullptr;
  REQUIRE(calls.size() == 3);  // the layers as they finish, the network last
  REQUIRE(calls[0].layer == &norm);
  REQUIRE(calls[2].layer == &net);
  REQUIRE(calls[2].output == gan::Shape{2, 3});
}
