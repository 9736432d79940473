// Conv2d: a convolution layer for images.
#pragma once

#include <optional>
#include <string>

#include "gan/nn/layer.hpp"
#include "gan/nn/spectral_norm.hpp"
#include "gan/ops/convolution.hpp"

namespace gan {

struct Conv2dOptions {
  Size2d kernel = 3;  ///< one number or {rows, columns}, as for stride and dilation
  Size2d stride = 1;
  Padding padding = {};  ///< numbers, Padding::same() or Padding::valid()
  Size2d dilation = 1;
  Index groups = 1;  ///< as many as channels: depthwise
  bool bias = true;  ///< leave it out before a batch norm, which has its own
  bool spectral_norm = false;
  Initializer weight_initializer = init::glorot_uniform();
  Initializer bias_initializer = init::zeros();  ///< its fans are those of the weight
};

/// y = conv2d(x, weight) + bias: x [n, h, w, in] -> [n, oh, ow, out], weight [kernel rows, kernel columns, in / groups,
/// out], bias [out]; sizes as in ops/convolution.hpp.
template <std::floating_point T>
class Conv2d : public Layer<T> {
 public:
  using Options = Conv2dOptions;

  /// Throws for fewer than 1 channel, an empty kernel, and groups that do not divide the channels.
  Conv2d(Module<T>* parent, std::string name, Index in, Index out, const Conv2dOptions& options = {})
      : Layer<T>(parent, std::move(name)),
        in_(in),
        convolution_{options.stride, options.padding, options.dilation, options.groups, 0},
        weight_(this, "weight", checked(in, out, options), options.weight_initializer) {
    if (options.bias)
      bias_.emplace(this, "bias", Shape{out}, options.bias_initializer.with_fans(init::fans(weight_.shape())));
    if (options.spectral_norm) spectral_norm_.emplace(this, weight_);
  }

  Conv2d(Module<T>* parent, Index in, Index out,
         const Conv2dOptions& = {}) = delete;  // name it: {this, "name", in, out}
  template <class Other>  // its parent has another scalar type: a network is all float or all double
  Conv2d(Module<Other>* parent, std::string name, Index in, Index out, const Conv2dOptions& = {}) = delete;

  /// Throws unless x has `in` channels and the kernel fits into the padded image.
  Tensor<T> forward(const Tensor<T>& x) override {
    if (x.rank() != 4 || x.shape()[3] != in_)
      fail("x ", x.shape(), " does not match weight ", weight_.shape(), ": expected x [n, h, w, ", in_, "]");
    const auto bias = bias_ ? *bias_ : Tensor<T>();
    return conv2d<T>(x, spectral_norm_ ? (*spectral_norm_)(weight_) : weight_, bias, convolution_);
  }

  std::string kind() const override { return "Conv2d"; }
  const Parameter<T>& weight() const { return weight_; }

 private:
  Shape checked(Index in, Index out, const Conv2dOptions& o) const {
    check(in >= 1 && out >= 1 && o.kernel.rows >= 1 && o.kernel.columns >= 1, "conv2d \"", this->path(), "\": ", in,
          " input and ", out, " output channels, kernel ", o.kernel, ", expected 1 or more");
    check(o.groups >= 1 && in % o.groups == 0 && out % o.groups == 0, "conv2d \"", this->path(), "\": ", o.groups,
          " groups do not divide ", in, " input and ", out, " output channels");
    return {o.kernel.rows, o.kernel.columns, in / o.groups, out};
  }

  Index in_;
  Conv2dParams convolution_;
  Parameter<T> weight_;
  std::optional<Parameter<T>> bias_;
  std::optional<SpectralNorm<T>> spectral_norm_;
};

}  // namespace gan
