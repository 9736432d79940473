// ConvTranspose2d: a transposed convolution layer, which makes images larger.
#pragma once

#include <algorithm>
#include <optional>
#include <string>

#include "gan/nn/layer.hpp"
#include "gan/nn/spectral_norm.hpp"
#include "gan/ops/convolution.hpp"

namespace gan {

struct ConvTranspose2dOptions {
  Size2d kernel = 3;  ///< one number or {rows, columns}, as for stride and dilation
  Size2d stride = 1;
  Padding padding = {};  ///< of the convolution that this one transposes; with Padding::same() oh = h * stride
  Size2d dilation = 1;
  Index groups = 1;
  Size2d output_padding = 0;   ///< less than the stride: rows and columns added at the bottom and right
  bool bias = true;            ///< leave it out before a batch norm, which has its own
  bool spectral_norm = false;  ///< divide the weight by its largest singular value
  Initializer weight_initializer = init::glorot_uniform();
  Initializer bias_initializer = init::zeros();  ///< its fans are those of the weight
};

/// y = conv_transpose2d(x, weight) + bias: x [n, h, w, in] -> [n, oh, ow, out], weight [kernel rows, kernel columns,
/// out / groups, in], bias [out]; sizes as in ops/convolution.hpp.
template <std::floating_point T>
class ConvTranspose2d : public Layer<T> {
 public:
  using Options = ConvTranspose2dOptions;

  /// Throws for fewer than 1 channel, an empty kernel, and groups that do not divide the channels.
  ConvTranspose2d(Module<T>* parent, std::string name, Index in, Index out, const ConvTranspose2dOptions& options = {})
      : Layer<T>(parent, std::move(name)),
        in_(in),
        convolution_{options.stride, options.padding, options.dilation, options.groups, options.output_padding},
        weight_(this, "weight", checked(in, out, options),
                options.weight_initializer.with_fans(fans(in, out, options))) {
    if (options.bias)
      bias_.emplace(this, "bias", Shape{out}, options.bias_initializer.with_fans(fans(in, out, options)));
    if (options.spectral_norm) spectral_norm_.emplace(this, weight_);
  }

  ConvTranspose2d(Module<T>* parent, Index in, Index out,
                  const ConvTranspose2dOptions& = {}) = delete;  // name it: {this, "name", in, out}
  template <class Other>  // its parent has another scalar type: a network is all float or all double
  ConvTranspose2d(Module<Other>* parent, std::string name, Index in, Index out,
                  const ConvTranspose2dOptions& = {}) = delete;

  /// Throws unless x has `in` channels and the result has pixels.
  Tensor<T> forward(const Tensor<T>& x) override {
    if (x.rank() != 4 || x.shape()[3] != in_)
      fail("x ", x.shape(), " does not match weight ", weight_.shape(), ": expected x [n, h, w, ", in_, "]");
    return conv_transpose2d<T>(x, spectral_norm_ ? (*spectral_norm_)(weight_) : weight_, bias_ ? *bias_ : Tensor<T>(),
                               convolution_);
  }

  std::string kind() const override { return "ConvTranspose2d"; }
  const Parameter<T>& weight() const { return weight_; }

 private:
  Shape checked(Index in, Index out, const ConvTranspose2dOptions& o) const {
    check(in >= 1 && out >= 1 && o.kernel.rows >= 1 && o.kernel.columns >= 1, "conv transpose2d \"", this->path(),
          "\": ", in, " input and ", out, " output channels, kernel ", o.kernel, ", expected 1 or more");
    check(o.groups >= 1 && in % o.groups == 0 && out % o.groups == 0, "conv transpose2d \"", this->path(),
          "\": ", o.groups, " groups do not divide ", in, " input and ", out, " output channels");
    return {o.kernel.rows, o.kernel.columns, out / o.groups, in};
  }

  // An output is reached by every stride-th place of the kernel only, on average over the outputs.
  static init::Fans fans(Index in, Index out, const ConvTranspose2dOptions& o) {
    const auto groups = static_cast<double>(o.groups);
    const auto rows = static_cast<double>(o.kernel.rows), columns = static_cast<double>(o.kernel.columns);
    const double met_rows = std::max(1.0, rows / static_cast<double>(o.stride.rows));
    const double met_columns = std::max(1.0, columns / static_cast<double>(o.stride.columns));
    return {static_cast<double>(in) / groups * met_rows * met_columns,
            static_cast<double>(out) / groups * rows * columns};
  }

  Index in_;
  Conv2dParams convolution_;
  Parameter<T> weight_;
  std::optional<Parameter<T>> bias_;
  std::optional<SpectralNorm<T>> spectral_norm_;
};

}  // namespace gan
