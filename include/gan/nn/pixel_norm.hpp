// PixelNorm: the channels of each pixel brought to one length.
#pragma once

#include <string>

#include "gan/core/finite.hpp"
#include "gan/nn/layer.hpp"
#include "gan/ops/reduce.hpp"

namespace gan {

/// y = x / sqrt(mean(x^2) + epsilon), with the mean over the last axis: x [..., c] -> [..., c] (Karras et al., 2018).
template <std::floating_point T>
class PixelNorm : public Layer<T> {
 public:
  /// Throws unless epsilon > 0.
  PixelNorm(Module<T>* parent, std::string name, double epsilon = 1e-8)
      : Layer<T>(parent, std::move(name)), epsilon_(epsilon) {
    check(is_finite(epsilon) && epsilon > 0, "pixel norm \"", this->path(), "\": epsilon ", epsilon,
          ", expected a number above 0");
  }

  /// Throws without a last axis.
  Tensor<T> forward(const Tensor<T>& x) override {
    check(x.rank() >= 1, "x ", x.shape(), ", expected [..., c]");
    return x / sqrt(mean(square(x), {-1}, true) + epsilon_);
  }
  std::string kind() const override { return "PixelNorm"; }

 private:
  double epsilon_;
};

}  // namespace gan
