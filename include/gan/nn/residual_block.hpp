// ResidualBlock: the block that SNGAN's and BigGAN's networks are made of.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "gan/nn/activation.hpp"
#include "gan/nn/conv2d.hpp"
#include "gan/nn/norm_layer.hpp"
#include "gan/ops/pooling.hpp"
#include "gan/ops/resize.hpp"

namespace gan {

/// What a block does to the size of images: nothing, doubles it, or halves it.
enum class Resample { none, up, down };

template <std::floating_point T>
struct ResidualBlockOptions {
  Resample resample = Resample::none;
  NormLayer<T> norm = {};  ///< before each activation; empty: none
  ActivationFunction<T> activation = gan::activation::relu();
  bool first_activation = true;  ///< norm and activation before the first convolution; not in a first block, on images
  bool spectral_norm = false;    ///< on all convolutions
  Initializer weight_initializer = init::glorot_uniform();
  Initializer bias_initializer = init::zeros();
};

/// y = shortcut(x) + body(x), pre-activated (He et al., 2016; Miyato et al., 2018; Brock et al., 2019): x [n, h, w, in]
/// -> [n, h', w', out], with h' = h, 2 h (nearest pixel) or h / 2 (mean). The body is
///
///     norm1, activation, (up), conv1 3 x 3, norm2, activation, conv2 3 x 3, (down)
///
/// and the shortcut x itself, or a 1 x 1 convolution where channels or size change.
template <std::floating_point T>
class ResidualBlock : public Layer<T> {
 public:
  using Options = ResidualBlockOptions<T>;

  /// Throws for fewer than 1 channel.
  ResidualBlock(Module<T>* parent, std::string name, Index in, Index out, const ResidualBlockOptions<T>& options = {})
      : Layer<T>(parent, std::move(name)),
        in_(in),
        resample_(options.resample),
        activation_(options.activation),
        first_activation_(options.first_activation),
        conv1_(this, "conv1", in, out, convolution(3, options)),
        conv2_(this, "conv2", out, out, convolution(3, options)) {
    if (options.norm && first_activation_) norm1_ = options.norm(this, "norm1", in);
    if (options.norm) norm2_ = options.norm(this, "norm2", out);
    if (in != out || resample_ != Resample::none) shortcut_.emplace(this, "shortcut", in, out, convolution(1, options));
  }

  /// Throws unless x is a batch of images with `in` channels, and for a size that does not halve.
  Tensor<T> forward(const Tensor<T>& x) override {
    check(x.rank() == 4 && x.shape()[3] == in_, "x ", x.shape(), ", expected [n, h, w, ", in_, "]");
    check(resample_ != Resample::down || (x.shape()[1] % 2 == 0 && x.shape()[2] % 2 == 0), "x ", x.shape(),
          ", expected rows and columns that are multiples of 2");
    auto y = first_activation_ ? activated(norm1_.get(), x) : x;
    if (resample_ == Resample::up) y = upsample_nearest(y, 2);
    y = conv2_(activated(norm2_.get(), conv1_(y)));
    if (resample_ == Resample::down) y = avg_pool2d(y);
    return y + shortcut(x);
  }

  std::string kind() const override { return "ResidualBlock"; }

 private:
  static Conv2dOptions convolution(Index kernel, const ResidualBlockOptions<T>& options) {
    return {.kernel = kernel,
            .padding = Padding::same(),
            .spectral_norm = options.spectral_norm,
            .weight_initializer = options.weight_initializer,
            .bias_initializer = options.bias_initializer};
  }

  Tensor<T> activated(Layer<T>* norm, const Tensor<T>& x) { return activation_(norm ? (*norm)(x) : x); }

  // A 1 x 1 convolution commutes with both changes of size; it is done on the smaller image.
  Tensor<T> shortcut(const Tensor<T>& x) {
    if (!shortcut_) return x;
    if (resample_ == Resample::down) return (*shortcut_)(avg_pool2d(x));
    const auto y = (*shortcut_)(x);
    return resample_ == Resample::up ? upsample_nearest(y, 2) : y;
  }

  Index in_;
  Resample resample_;
  ActivationFunction<T> activation_;
  bool first_activation_;
  Conv2d<T> conv1_, conv2_;
  std::unique_ptr<Layer<T>> norm1_, norm2_;
  std::optional<Conv2d<T>> shortcut_;
};

}  // namespace gan
