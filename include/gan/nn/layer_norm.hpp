// LayerNorm: each sample normalized by itself.
#pragma once

#include <string>

#include "gan/core/finite.hpp"
#include "gan/nn/layer.hpp"
#include "gan/ops/reduce.hpp"

namespace gan {

/// y = normalize(x) * scale + shift with statistics over the last axis: x [..., width] -> [..., width] (Ba et al.,
/// 2016).
template <std::floating_point T>
class LayerNorm : public Layer<T> {
 public:
  /// Throws for a width below 1 and unless epsilon > 0.
  LayerNorm(Module<T>* parent, std::string name, Index width, double epsilon = 1e-5)
      : Layer<T>(parent, std::move(name)),
        epsilon_(epsilon),
        scale_(this, "scale", checked(width), init::ones()),
        shift_(this, "shift", {width}, init::zeros()) {}

  /// Throws unless the last axis of x is `width`.
  Tensor<T> forward(const Tensor<T>& x) override {
    if (x.rank() < 1 || x.shape().last() != scale_.size())
      fail("x ", x.shape(), ", expected [..., ", scale_.size(), "]");
    return normalize(x, {-1}, epsilon_) * scale_ + shift_;
  }

  std::string kind() const override { return "LayerNorm"; }

 private:
  Shape checked(Index width) const {
    check(width >= 1 && is_finite(epsilon_) && epsilon_ > 0, "layer norm \"", this->path(), "\": width ", width,
          ", epsilon ", epsilon_, ", expected width >= 1 and epsilon > 0");
    return {width};
  }

  double epsilon_;
  Parameter<T> scale_, shift_;
};

}  // namespace gan
