// The MLP pair: dense layers only.
#pragma once

#include <string>
#include <vector>

#include "gan/models/class_head.hpp"
#include "gan/models/discriminator.hpp"
#include "gan/models/generator.hpp"
#include "gan/nn/activation.hpp"
#include "gan/nn/batch_norm.hpp"
#include "gan/nn/class_embedding.hpp"
#include "gan/nn/dense.hpp"
#include "gan/nn/dropout.hpp"
#include "gan/nn/reshape.hpp"
#include "gan/nn/sequential.hpp"

namespace gan {

template <std::floating_point T>
struct MlpGeneratorOptions {
  Index latent = 100;
  LatentDistribution distribution = gan::latent::normal();
  Index classes = 0;         ///< of labels, which are embedded and joined to the noise; 0: none
  Shape item = {28, 28, 1};  ///< shape of one sample
  std::vector<Index> hidden = {256, 512, 1024};
  ActivationFunction<T> activation = gan::activation::leaky_relu(0.2);
  bool batch_norm = true;  ///< after each hidden activation
  double dropout = 0;      ///< after each hidden layer
  ActivationFunction<T> output_activation = gan::activation::tanh();
};

template <std::floating_point T>
struct MlpDiscriminatorOptions {
  Index classes = 0;                             ///< of labels; 0: none
  ClassHead class_head = ClassHead::projection;  ///< what is done with them
  Shape item = {28, 28, 1};
  std::vector<Index> hidden = {512, 256};
  ActivationFunction<T> activation = gan::activation::leaky_relu(0.2);
  bool batch_norm = false;
  double dropout = 0;
  bool spectral_norm = false;                                             ///< on every dense layer
  ActivationFunction<T> output_activation = gan::activation::identity();  ///< logits
};

namespace detail {

/// Adds the hidden layers to `net`; returns the width of the last.
template <class T, class Options>
Index add_hidden(Sequential<T>& net, Index in, const Options& options, const DenseOptions& dense = {}) {
  for (std::size_t i = 0; i < options.hidden.size(); ++i) {
    const std::string number = std::to_string(i + 1);
    net.template add<Dense>("dense" + number, in, options.hidden[i], dense);
    net.template add<Activation>("activation" + number, options.activation);
    if (options.batch_norm) net.template add<BatchNorm>("norm" + number, options.hidden[i]);
    if (options.dropout != 0) net.template add<Dropout>("dropout" + number, options.dropout);
    in = options.hidden[i];
  }
  return in;
}

}  // namespace detail

/// z [n, latent] -> [n, ...item]. The defaults suit MNIST.
template <std::floating_point T>
class MlpGenerator : public Generator<T> {
 public:
  using Options = MlpGeneratorOptions<T>;

  explicit MlpGenerator(Rng& rng, const Options& options = {})
      : Generator<T>(rng,
                     {.latent = options.latent, .distribution = options.distribution, .classes = options.classes}) {
    Index in = options.latent;
    if (options.classes > 0) {
      net_.template add<ConcatenateClass>("label", options.classes, ConcatenateClassOptions{.width = options.latent});
      in *= 2;
    }
    in = detail::add_hidden(net_, in, options);
    net_.template add<Dense>("output", in, options.item.size());
    net_.template add<Activation>("output_activation", options.output_activation);
    net_.template add<Reshape>("reshape", options.item);
  }

  Tensor<T> forward(const Tensor<T>& z) override { return net_(z); }
  std::string kind() const override { return "MlpGenerator"; }

 private:
  Sequential<T> net_{this, "net"};
};

/// x [n, ...item] -> logits [n, 1], or [n, 1 + classes] with ClassHead::auxiliary.
template <std::floating_point T>
class MlpDiscriminator : public Discriminator<T> {
 public:
  using Options = MlpDiscriminatorOptions<T>;

  explicit MlpDiscriminator(Rng& rng, const Options& options = {})
      : Discriminator<T>(rng, {.extra = options.class_head == ClassHead::auxiliary ? options.classes : 0,
                               .classes = options.classes}) {
    net_.template add<Flatten>("flatten");
    const DenseOptions dense{.spectral_norm = options.spectral_norm};
    const Index in = detail::add_hidden(net_, options.item.size(), options, dense);
    add_head(net_, in, options.classes, options.class_head, dense);
    net_.template add<Activation>("output_activation", options.output_activation);
  }

  Tensor<T> forward(const Tensor<T>& x) override { return net_(x); }
  std::string kind() const override { return "MlpDiscriminator"; }

 private:
  Sequential<T> net_{this, "net"};
};

}  // namespace gan
