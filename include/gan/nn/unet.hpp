// UNet: from image to image through a bottleneck, with connections that skip it.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "gan/nn/activation.hpp"
#include "gan/nn/conv2d.hpp"
#include "gan/nn/conv_transpose2d.hpp"
#include "gan/nn/dropout.hpp"
#include "gan/nn/norm_layer.hpp"
#include "gan/ops/concatenate.hpp"

namespace gan {

template <std::floating_point T>
struct UNetOptions {
  Index depth = 3;  ///< halvings; rows and columns are multiples of 2^depth
  Index base = 64;  ///< channels of the first level; they double with each down to 8 times as many
  NormLayer<T> norm = norms::instance();
  double dropout = 0;  ///< in the three levels of the way up that are next to the bottom; pix2pix has 0.5
  ActivationFunction<T> output_activation = gan::activation::tanh();
  Initializer weight_initializer = init::dcgan_weight();
};

/// x [n, h, w, in] -> [n, h, w, out] (Ronneberger et al., 2015), in the form of pix2pix (Isola et al., 2017): on the
/// way down convolutions 4 x 4 of stride 2 after leaky ReLU, on the way up transposed ones after ReLU, each of which
/// also sees what the way down had at its size. No norm on the first level and at the bottom.
template <std::floating_point T>
class UNet : public Layer<T> {
 public:
  using Options = UNetOptions<T>;

  /// Throws for fewer than 1 channel, and for a depth outside [1, 16].
  UNet(Module<T>* parent, std::string name, Index in, Index out, const UNetOptions<T>& options = {});

  /// Throws unless x has `in` channels and its size is halved `depth` times without a rest.
  Tensor<T> forward(const Tensor<T>& x) override;

  std::string kind() const override { return "UNet"; }

 private:
  struct Level {
    std::unique_ptr<Layer<T>> down, down_norm, up, up_norm, dropout;
  };

  Index in_;
  ActivationFunction<T> output_activation_;
  std::vector<Level> levels_;
};

template <std::floating_point T>
UNet<T>::UNet(Module<T>* parent, std::string name, Index in, Index out, const UNetOptions<T>& options)
    : Layer<T>(parent, std::move(name)), in_(in), output_activation_(options.output_activation) {
  const Index depth = options.depth;
  check(in >= 1 && out >= 1 && options.base >= 1 && depth >= 1 && depth <= 16, "u-net \"", this->path(), "\": ", in,
        " input and ", out, " output channels, base ", options.base, ", depth ", depth,
        ", expected channels >= 1, depth 1 ... 16");
  const auto channels = [&](Index level) { return options.base * (Index{1} << std::min<Index>(level, 3)); };
  for (Index i = 0; i < depth; ++i) {
    const std::string number = std::to_string(i + 1);
    const bool bottom = i == depth - 1;
    const auto norm = [&](const std::string& which, Index count) {
      return options.norm ? options.norm(this, which + number, count) : nullptr;
    };
    Level level;
    level.down = std::make_unique<Conv2d<T>>(
        this, "down" + number, i == 0 ? in : channels(i - 1), channels(i),
        Conv2dOptions{.kernel = 4, .stride = 2, .padding = 1, .weight_initializer = options.weight_initializer});
    if (i > 0 && !bottom) level.down_norm = norm("down_norm", channels(i));
    level.up = std::make_unique<ConvTranspose2d<T>>(
        this, "up" + number, bottom ? channels(i) : 2 * channels(i), i == 0 ? out : channels(i - 1),
        ConvTranspose2dOptions{
            .kernel = 4, .stride = 2, .padding = 1, .weight_initializer = options.weight_initializer});
    if (i > 0) level.up_norm = norm("up_norm", channels(i - 1));
    if (i > 0 && depth - i <= 3 && options.dropout != 0)
      level.dropout = std::make_unique<Dropout<T>>(this, "dropout" + number, options.dropout);
    levels_.push_back(std::move(level));
  }
}

template <std::floating_point T>
Tensor<T> UNet<T>::forward(const Tensor<T>& x) {
  const Index unit = Index{1} << levels_.size();
  check(x.rank() == 4 && x.shape()[3] == in_ && x.shape()[1] > 0 && x.shape()[2] > 0 && x.shape()[1] % unit == 0 &&
            x.shape()[2] % unit == 0,
        "x ", x.shape(), ", expected [n, h, w, ", in_, "] with rows and columns that are multiples of ", unit);
  std::vector<Tensor<T>> skips;
  Tensor<T> y = x;
  for (std::size_t i = 0; i < levels_.size(); ++i) {
    y = (*levels_[i].down)(i == 0 ? y : leaky_relu(y, 0.2));
    if (levels_[i].down_norm) y = (*levels_[i].down_norm)(y);
    skips.push_back(y);
  }
  for (std::size_t i = levels_.size(); i-- > 0;) {
    y = (*levels_[i].up)(relu(y));
    if (i == 0) break;
    if (levels_[i].up_norm) y = (*levels_[i].up_norm)(y);
    if (levels_[i].dropout) y = (*levels_[i].dropout)(y);
    y = concatenate<T>({y, skips[i - 1]}, -1);
  }
  return output_activation_(y);
}

}  // namespace gan
