// The pair for images that trains best in minutes: a generator with residual blocks, a spectrally normalized pyramid.
#pragma once

#include <algorithm>
#include <string>

#include "gan/models/class_head.hpp"
#include "gan/models/discriminator.hpp"
#include "gan/models/generator.hpp"
#include "gan/models/image_sizes.hpp"
#include "gan/nn/activation.hpp"
#include "gan/nn/class_embedding.hpp"
#include "gan/nn/conv2d.hpp"
#include "gan/nn/conv_transpose2d.hpp"
#include "gan/nn/dense.hpp"
#include "gan/nn/norm_layer.hpp"
#include "gan/nn/reshape.hpp"
#include "gan/nn/residual_block.hpp"
#include "gan/nn/sequential.hpp"

namespace gan {

template <std::floating_point T>
struct ImageGeneratorOptions {
  Shape image = {28, 28, 1};  ///< [h, w, c]; h and w are multiples of 4
  Index classes = 0;          ///< of labels; 0: none
  Index latent = 64;
  /// Channels of the largest hidden map, of half the image's size; each map before has twice as many, up to 8 times.
  Index width = 32;
  Index blocks = 1;        ///< residual blocks at each size
  double class_scale = 3;  ///< what stands for the class beside the noise: a one-hot code times this
  ActivationFunction<T> output_activation = activation::hard_tanh(0.05);
};

struct ImageDiscriminatorOptions {
  Shape image = {28, 28, 1};  ///< [h, w, c]
  Index classes = 0;          ///< of labels; 0: none
  ClassHead class_head = ClassHead::projection;
  Index width = 32;    ///< channels of the first map; each later one has twice as many, up to 8 times
  Index hidden = 256;  ///< size of the dense layer before the score's
};

namespace detail {

/// Channels of the map that lies `depth` halvings behind the largest one: twice as many each, up to 8 times.
inline Index image_channels(Index width, Index depth) { return width << std::min<Index>(3, depth); }

inline void check_image_pair(const char* what, const Shape& image, Index width) {
  check_image(what, image);
  check(width >= 1 && width <= Index{1} << 20, what, ": width ", width, ", expected a number in [1, 2^20]");
}

}  // namespace detail

/// z [n, latent] -> images [n, h, w, c], by a dense layer to a map of 4 to 7 pixels (h / 4 at most) and, at each
/// size, `blocks` residual blocks (norm, ReLU, convolution 3 x 3, twice) and a transposed convolution 4 x 4 that
/// doubles it. The norm is batch norm, one scale and shift a class where there are classes.
///
/// Values a little outside [-1, 1] are cut when they are written as bytes: a tanh could not give the black and the
/// white of real images exactly, and without a limit the discriminator would see by noise in the black which images are
/// generated. Weights begin small (init::fan_in_uniform), the last layer's half as large and its bias at -0.7, so that
/// the first images are dark.
template <std::floating_point T>
class ImageGenerator : public Generator<T> {
 public:
  using Options = ImageGeneratorOptions<T>;

  /// Throws for sizes that do not fit and numbers below 1.
  explicit ImageGenerator(Rng& rng, const Options& options = {})
      : Generator<T>(rng, {.latent = options.latent, .classes = options.classes}) {
    const char* const what = "image generator";
    detail::check_image_pair(what, options.image, options.width);
    check(options.blocks >= 0, what, ": ", options.blocks, " blocks at each size, expected 0 or more");
    const Index doublings = detail::image_halvings(options.image);
    const Index h = options.image[0] >> doublings, w = options.image[1] >> doublings;
    const auto channels = [&](Index stage) {  // of the map before doubling `stage`
      return detail::image_channels(options.width, doublings - 1 - stage);
    };
    const NormLayer<T> norm =
        options.classes > 0 ? NormLayer<T>(norms::conditional_batch(options.classes)) : NormLayer<T>(norms::batch());
    const auto small = init::fan_in_uniform();
    if (options.classes > 0)
      net_.template add<ConcatenateClass>("label", options.classes,
                                          ConcatenateClassOptions{.scale = options.class_scale});
    net_.template add<Dense>("project", options.latent + options.classes, h * w * channels(0),
                             DenseOptions{.weight_initializer = small, .bias_initializer = small});
    net_.template add<Reshape>("reshape", Shape{h, w, channels(0)});
    for (Index stage = 0; stage < doublings; ++stage) {
      const std::string number = std::to_string(stage + 1);
      for (Index block = 0; block < options.blocks; ++block)
        net_.template add<ResidualBlock>(
            "block" + number + (block > 0 ? "_" + std::to_string(block + 1) : ""), channels(stage), channels(stage),
            ResidualBlockOptions<T>{.norm = norm, .weight_initializer = small, .bias_initializer = small});
      const bool last = stage + 1 == doublings;
      net_.add("norm" + number, norm, channels(stage));
      net_.template add<Activation>("activation" + number, activation::relu());
      net_.template add<ConvTranspose2d>(
          last ? "output" : "up" + number, channels(stage), last ? options.image[2] : channels(stage + 1),
          ConvTranspose2dOptions{.kernel = 4,
                                 .stride = 2,
                                 .padding = 1,
                                 .weight_initializer = init::fan_out_uniform(last ? 0.5 : 1),
                                 .bias_initializer = last ? init::constant(-0.7) : init::fan_out_uniform()});
    }
    net_.template add<Activation>("output_activation", options.output_activation);
  }

  Tensor<T> forward(const Tensor<T>& z) override { return net_(z); }
  std::string kind() const override { return "ImageGenerator"; }

 private:
  Sequential<T> net_{this, "net"};
};

/// Images [n, h, w, c] -> scores [n, 1], or [n, 1 + classes] with ClassHead::auxiliary: convolutions that halve the
/// size until it is at most 4, leaky ReLU, a dense layer, and the score, by projection where there are classes. Every
/// weight is divided by its largest singular value (SpectralNorm); there is no other norm.
template <std::floating_point T>
class ImageDiscriminator : public Discriminator<T> {
 public:
  using Options = ImageDiscriminatorOptions;

  /// Throws for sizes that do not fit and numbers below 1.
  explicit ImageDiscriminator(Rng& rng, const Options& options = {})
      : Discriminator<T>(rng, {.extra = options.class_head == ClassHead::auxiliary ? options.classes : 0,
                               .classes = options.classes}) {
    detail::check_image_pair("image discriminator", options.image, options.width);
    const auto small = init::fan_in_uniform();
    Index h = options.image[0], w = options.image[1], in = options.image[2];
    for (Index layer = 1; std::max(h, w) > 4; ++layer) {
      const Index out = detail::image_channels(options.width, layer - 1);
      const std::string number = std::to_string(layer);
      // Of an even size 4 x 4 takes each pixel into two sums a side; of an odd one 3 x 3 keeps the padding alike.
      net_.template add<Conv2d>("conv" + number, in, out,
                                Conv2dOptions{.kernel = Size2d{h % 2 == 0 ? 4 : 3, w % 2 == 0 ? 4 : 3},
                                              .stride = 2,
                                              .padding = 1,
                                              .spectral_norm = true,
                                              .weight_initializer = small,
                                              .bias_initializer = small});
      net_.template add<Activation>("activation" + number, activation::leaky_relu(0.2));
      h = (h + 1) / 2, w = (w + 1) / 2, in = out;
    }
    const DenseOptions dense{.spectral_norm = true, .weight_initializer = small, .bias_initializer = small};
    net_.template add<Flatten>("flatten");
    net_.template add<Dense>("hidden", h * w * in, options.hidden, dense);
    net_.template add<Activation>("hidden_activation", activation::leaky_relu(0.2));
    add_head(net_, options.hidden, options.classes, options.class_head, dense, init::normal(0, 1));
  }

  Tensor<T> forward(const Tensor<T>& x) override { return net_(x); }
  std::string kind() const override { return "ImageDiscriminator"; }

 private:
  Sequential<T> net_{this, "net"};
};

}  // namespace gan
