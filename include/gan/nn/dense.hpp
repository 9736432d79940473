// Dense: a fully connected layer.
#pragma once

#include <optional>
#include <string>

#include "gan/nn/layer.hpp"
#include "gan/nn/spectral_norm.hpp"
#include "gan/ops/matmul.hpp"

namespace gan {

struct DenseOptions {
  bool bias = true;            ///< leave it out before a batch norm, which has its own
  bool spectral_norm = false;  ///< divide the weight by its largest singular value
  Initializer weight_initializer = init::glorot_uniform();
  Initializer bias_initializer = init::zeros();  ///< its fans are those of the weight
};

/// y = x weight + bias: x [n, ..., in] -> [n, ..., out], weight [in, out], bias [out].
template <std::floating_point T>
class Dense : public Layer<T> {
 public:
  using Options = DenseOptions;

  /// Throws for lengths below 1.
  Dense(Module<T>* parent, std::string name, Index in, Index out, const DenseOptions& options = {})
      : Layer<T>(parent, std::move(name)), weight_(this, "weight", checked(in, out), options.weight_initializer) {
    if (options.bias)
      bias_.emplace(this, "bias", Shape{out}, options.bias_initializer.with_fans(init::fans(weight_.shape())));
    if (options.spectral_norm) spectral_norm_.emplace(this, weight_);
  }

  Dense(Module<T>* parent, Index in, Index out, DenseOptions = {}) = delete;  // name it: {this, "name", in, out}
  template <class Other>  // its parent has another scalar type: a network is all float or all double
  Dense(Module<Other>* parent, std::string name, Index in, Index out, DenseOptions = {}) = delete;

  /// Throws unless the last axis of x is `in`.
  Tensor<T> forward(const Tensor<T>& x) override {
    if (x.rank() < 1 || x.shape().last() != weight_.shape()[0])
      fail("x ", x.shape(), " does not match weight ", weight_.shape(), ": expected x [n, ", weight_.shape()[0], "]");
    return linear<T>(x, spectral_norm_ ? (*spectral_norm_)(weight_) : weight_, bias_ ? *bias_ : Tensor<T>());
  }

  std::string kind() const override { return "Dense"; }
  const Parameter<T>& weight() const { return weight_; }

 private:
  Shape checked(Index in, Index out) const {
    check(in >= 1 && out >= 1, "dense \"", this->path(), "\": ", in, " inputs and ", out,
          " outputs, expected 1 or more");
    return {in, out};
  }

  Parameter<T> weight_;
  std::optional<Parameter<T>> bias_;
  std::optional<SpectralNorm<T>> spectral_norm_;
};

}  // namespace gan
