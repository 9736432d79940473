// The DCGAN pair: convolutions only, for images of any size that is a multiple of 4 (Radford et al., 2015).
#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include "gan/models/class_head.hpp"
#include "gan/models/discriminator.hpp"
#include "gan/models/generator.hpp"
#include "gan/models/image_sizes.hpp"
#include "gan/nn/activation.hpp"
#include "gan/nn/batch_norm.hpp"
#include "gan/nn/class_embedding.hpp"
#include "gan/nn/conv2d.hpp"
#include "gan/nn/conv_transpose2d.hpp"
#include "gan/nn/dense.hpp"
#include "gan/nn/dropout.hpp"
#include "gan/nn/minibatch_std_dev.hpp"
#include "gan/nn/reshape.hpp"
#include "gan/nn/sequential.hpp"

namespace gan {

template <std::floating_point T>
struct DcganGeneratorOptions {
  Index latent = 100;
  LatentDistribution distribution = latent::normal();
  Index classes = 0;          ///< of labels, which are embedded and joined to the noise; 0: none
  Shape image = {28, 28, 1};  ///< [h, w, c]
  /// Channels of the hidden maps are multiples of it: the last has `width`, each one before twice as many.
  Index width = 64;
  /// The hidden maps' channels and the strides of the transposed convolutions behind each, given instead of `width`.
  /// Empty: every layer doubles the size, from a first map of 4 to 7 pixels (3 for 12, and at least two doublings).
  std::vector<Index> channels = std::initializer_list<Index>{};  // {} alone is an internal error of GCC 12
  std::vector<Index> strides = std::initializer_list<Index>{};
  Index kernel = 5;
  ActivationFunction<T> activation = gan::activation::leaky_relu(0.2);  ///< the paper has ReLU
  bool batch_norm = true;
  ActivationFunction<T> output_activation = gan::activation::tanh();
  Initializer weight_initializer = init::dcgan_weight();
  Initializer scale_initializer = init::ones();  ///< of batch norms; the paper's code has init::dcgan_scale()
};

template <std::floating_point T>
struct DcganDiscriminatorOptions {
  Index classes = 0;                             ///< of labels; 0: none
  ClassHead class_head = ClassHead::projection;  ///< what is done with them
  Shape image = {28, 28, 1};                     ///< [h, w, c]
  Index width = 64;                              ///< channels of the first map; each later one has twice as many
  std::vector<Index> channels = std::initializer_list<Index>{};
  std::vector<Index> strides = std::initializer_list<Index>{};
  Index kernel = 5;
  ActivationFunction<T> activation = gan::activation::leaky_relu(0.2);
  bool batch_norm = false;  ///< after each convolution but the first, as in the paper
  double dropout = 0;       ///< after each activation
  bool spectral_norm = false;
  bool minibatch_std_dev = false;                              ///< behind the last map
  std::vector<Index> hidden = std::initializer_list<Index>{};  ///< sizes of dense layers before the logit's
  Initializer weight_initializer = init::dcgan_weight();
  Initializer scale_initializer = init::ones();
};

namespace detail {

/// Fills channels and strides that were left empty; `widening` is true when channels grow with depth. Throws for sizes
/// that do not fit.
template <class Options>
Options dcgan_layout(const char* what, Options options, bool widening) {
  const Shape& image = options.image;
  check_image(what, image);
  check(options.kernel >= 1 && options.width >= 1, what, ": kernel ", options.kernel, " and width ", options.width,
        ", expected 1 or more");
  if (options.channels.empty()) {
    const std::size_t depth =
        options.strides.empty() ? static_cast<std::size_t>(image_halvings(image)) : options.strides.size();
    check(depth <= 20 && options.width <= Index{1} << 20, what, ": width ", options.width, ", doubled in ", depth,
          " layers, expected at most 2^20 and 20 layers; give their channels instead");
    for (std::size_t i = 0; i < depth; ++i) options.channels.push_back(options.width << (widening ? i : depth - 1 - i));
  }
  if (options.strides.empty()) options.strides.assign(options.channels.size(), 2);
  check(options.channels.size() == options.strides.size(), what, ": ", options.channels.size(), " channels and ",
        options.strides.size(), " strides, expected as many");
  Index scale = 1;
  for (std::size_t i = 0; i < options.strides.size(); ++i) {
    const Index stride = options.strides[i];
    check(stride >= 1 && options.channels[i] >= 1, what, ": stride ", stride, " and ", options.channels[i],
          " channels of layer ", i, ", expected 1 or more");
    scale *= stride;
    check(image[0] % scale == 0 && image[1] % scale == 0, what, ": strides multiply to ", scale,
          ", which does not divide image ", image);
  }
  return options;
}

inline Index total_stride(const std::vector<Index>& strides) {
  Index scale = 1;
  for (const Index stride : strides) scale *= stride;
  return scale;
}

}  // namespace detail

/// z [n, latent] -> images [n, h, w, c] in [-1, 1]: a dense layer to the first map, then transposed convolutions with
/// `same` padding, each but the last followed by batch norm and activation. No layer has a bias.
template <std::floating_point T>
class DcganGenerator : public Generator<T> {
 public:
  using Options = DcganGeneratorOptions<T>;

  /// Throws for sizes that do not fit.
  explicit DcganGenerator(Rng& rng, const Options& given = {})
      : Generator<T>(rng, {.latent = given.latent, .distribution = given.distribution, .classes = given.classes}) {
    const Options o = detail::dcgan_layout("dcgan generator", given, false);
    Index in = o.latent;
    if (o.classes > 0) {
      net_.template add<ConcatenateClass>("label", o.classes, ConcatenateClassOptions{.width = o.latent});
      in *= 2;
    }
    const Index scale = detail::total_stride(o.strides), h = o.image[0] / scale, w = o.image[1] / scale;
    const std::size_t depth = o.channels.size();
    net_.template add<Dense>("project", in, h * w * o.channels[0],
                             DenseOptions{.bias = false, .weight_initializer = o.weight_initializer});
    finish("0", h * w * o.channels[0], o);
    net_.template add<Reshape>("reshape", Shape{h, w, o.channels[0]});
    for (std::size_t i = 0; i < depth; ++i) {
      const std::string number = std::to_string(i + 1);
      const bool last = i + 1 == depth;
      const Index out = last ? o.image[2] : o.channels[i + 1];
      net_.template add<ConvTranspose2d>(last ? "output" : "conv" + number, o.channels[i], out,
                                         ConvTranspose2dOptions{.kernel = o.kernel,
                                                                .stride = o.strides[i],
                                                                .padding = Padding::same(),
                                                                .bias = false,
                                                                .weight_initializer = o.weight_initializer});
      if (!last) finish(number, out, o);
    }
    net_.template add<Activation>("output_activation", o.output_activation);
  }

  Tensor<T> forward(const Tensor<T>& z) override { return net_(z); }
  std::string kind() const override { return "DcganGenerator"; }

 private:
  void finish(const std::string& number, Index channels, const Options& o) {
    if (o.batch_norm)
      net_.template add<BatchNorm>("norm" + number, channels,
                                   BatchNormOptions{.scale_initializer = o.scale_initializer});
    net_.template add<Activation>("activation" + number, o.activation);
  }

  Sequential<T> net_{this, "net"};
};

/// Images [n, h, w, c] -> logits [n, 1], or [n, 1 + classes] with ClassHead::auxiliary: strided convolutions with
/// `same` padding, then dense layers, by default one.
template <std::floating_point T>
class DcganDiscriminator : public Discriminator<T> {
 public:
  using Options = DcganDiscriminatorOptions<T>;

  /// Throws for sizes that do not fit.
  explicit DcganDiscriminator(Rng& rng, const Options& given = {})
      : Discriminator<T>(
            rng, {.extra = given.class_head == ClassHead::auxiliary ? given.classes : 0, .classes = given.classes}) {
    const Options o = detail::dcgan_layout("dcgan discriminator", given, true);
    Index in = o.image[2];
    for (std::size_t i = 0; i < o.channels.size(); ++i) {
      const std::string number = std::to_string(i + 1);
      const bool norm = o.batch_norm && i > 0;
      net_.template add<Conv2d>("conv" + number, in, o.channels[i],
                                Conv2dOptions{.kernel = o.kernel,
                                              .stride = o.strides[i],
                                              .padding = Padding::same(),
                                              .bias = !norm,
                                              .spectral_norm = o.spectral_norm,
                                              .weight_initializer = o.weight_initializer});
      if (norm)
        net_.template add<BatchNorm>("norm" + number, o.channels[i],
                                     BatchNormOptions{.scale_initializer = o.scale_initializer});
      net_.template add<Activation>("activation" + number, o.activation);
      if (o.dropout != 0) net_.template add<Dropout>("dropout" + number, o.dropout);
      in = o.channels[i];
    }
    if (o.minibatch_std_dev) {
      net_.template add<MinibatchStdDev>("std_dev");
      ++in;
    }
    const Index scale = detail::total_stride(o.strides);
    const DenseOptions dense{.spectral_norm = o.spectral_norm, .weight_initializer = o.weight_initializer};
    net_.template add<Flatten>("flatten");
    in *= o.image[0] / scale * (o.image[1] / scale);
    for (std::size_t i = 0; i < o.hidden.size(); ++i) {
      const std::string number = std::to_string(i + 1);
      net_.template add<Dense>("hidden" + number, in, o.hidden[i], dense);
      net_.template add<Activation>("hidden_activation" + number, o.activation);
      in = o.hidden[i];
    }
    add_head(net_, in, o.classes, o.class_head, dense);
  }

  Tensor<T> forward(const Tensor<T>& x) override { return net_(x); }
  std::string kind() const override { return "DcganDiscriminator"; }

 private:
  Sequential<T> net_{this, "net"};
};

}  // namespace gan
