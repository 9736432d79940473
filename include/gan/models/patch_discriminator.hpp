// PatchDiscriminator: judges overlapping patches of an image instead of the whole.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gan/models/discriminator.hpp"
#include "gan/nn/activation.hpp"
#include "gan/nn/conv2d.hpp"
#include "gan/nn/norm_layer.hpp"
#include "gan/ops/concatenate.hpp"

namespace gan {

template <std::floating_point T>
struct PatchDiscriminatorOptions {
  Index channels = 3;   ///< of the images
  Index condition = 0;  ///< channels of condition().values, images of the same size that are joined to x (pix2pix)
  Index layers = 3;     ///< convolutions of stride 2
  Index base = 64;      ///< channels after the first; they double with each up to 8 times as many
  NormLayer<T> norm = norms::instance();
  bool spectral_norm = false;
  Initializer weight_initializer = init::dcgan_weight();
};

/// PatchGAN (Isola et al., 2017): x [n, h, w, channels] -> logits [n, h', w', 1], one for each patch that it sees.
/// `layers` convolutions 4 x 4 of stride 2, then two of stride 1, all with padding 1, leaky ReLU between them, and norm
/// except at both ends. h' = h / 2^layers - 2. A patch is receptive_field() pixels a side: 16, 34, 70, 142 for 1 to 4
/// layers.
template <std::floating_point T>
class PatchDiscriminator : public Discriminator<T> {
 public:
  using Options = PatchDiscriminatorOptions<T>;

  /// Throws for fewer than 1 channel or layer, and more than 12 layers.
  explicit PatchDiscriminator(Rng& rng, const PatchDiscriminatorOptions<T>& options = {}) : Discriminator<T>(rng) {
    build(options);
  }
  PatchDiscriminator(Module<T>* parent, std::string name, const PatchDiscriminatorOptions<T>& options = {})
      : Discriminator<T>(parent, std::move(name)) {
    build(options);
  }

  /// Throws for images of other channels or too small for one patch, and when it is made for a condition, without
  /// values of its channels and of the size of x.
  Tensor<T> forward(const Tensor<T>& x) override;

  /// Pixels a side that one logit depends on.
  Index receptive_field() const { return 9 * (Index{1} << strided_) - 2; }

  std::string kind() const override { return "PatchDiscriminator"; }

 private:
  void build(const PatchDiscriminatorOptions<T>& options);

  Index channels_ = 0, condition_ = 0, strided_ = 0;
  std::vector<std::unique_ptr<Layer<T>>> layers_;
};

template <std::floating_point T>
void PatchDiscriminator<T>::build(const PatchDiscriminatorOptions<T>& options) {
  check(options.channels >= 1 && options.condition >= 0 && options.base >= 1 && options.layers >= 1 &&
            options.layers <= 12,
        "patch discriminator: ", options.channels, " channels, condition ", options.condition, ", base ", options.base,
        ", ", options.layers, " layers, expected channels >= 1, condition >= 0, base >= 1, 1 to 12 layers");
  channels_ = options.channels;
  condition_ = options.condition;
  strided_ = options.layers;
  Index in = channels_ + condition_;
  for (Index i = 0; i <= strided_ + 1; ++i) {
    const std::string number = std::to_string(i + 1);
    const bool last = i == strided_ + 1;
    const Index out = last ? 1 : options.base * (Index{1} << std::min<Index>(i, 3));
    layers_.push_back(std::make_unique<Conv2d<T>>(this, "conv" + number, in, out,
                                                  Conv2dOptions{.kernel = 4,
                                                                .stride = i < strided_ ? 2 : 1,
                                                                .padding = 1,
                                                                .spectral_norm = options.spectral_norm,
                                                                .weight_initializer = options.weight_initializer}));
    if (last) return;
    if (i > 0 && options.norm) layers_.push_back(options.norm(this, "norm" + number, out));
    layers_.push_back(std::make_unique<Activation<T>>(this, "activation" + number, activation::leaky_relu(0.2)));
    in = out;
  }
}

template <std::floating_point T>
Tensor<T> PatchDiscriminator<T>::forward(const Tensor<T>& x) {
  check(x.rank() == 4 && x.shape()[3] == channels_, "x ", x.shape(), ", expected [n, h, w, ", channels_, "]");
  Tensor<T> y = x;
  if (condition_ > 0) {
    const auto& condition = this->condition();
    check(condition.has_values() && condition.values.shape() == x.shape().with(-1, condition_), "condition ",
          condition.has_values() ? condition.values.shape() : Shape{}, " for x ", x.shape(), ", expected ",
          x.shape().with(-1, condition_));
    y = concatenate<T>({x, condition.values}, -1);
  }
  for (const auto& layer : layers_) y = (*layer)(y);
  return y;
}

}  // namespace gan
