// AvgPool2d, MaxPool2d and GlobalAveragePool: layers that make images smaller.
#pragma once

#include <string>

#include "gan/nn/layer.hpp"
#include "gan/ops/pooling.hpp"
#include "gan/ops/reduce.hpp"

namespace gan {

/// Mean of each window: x [n, h, w, c] -> [n, oh, ow, c]. Throws when the windows do not fit.
template <std::floating_point T>
class AvgPool2d : public Layer<T> {
 public:
  using Options = PoolOptions;

  AvgPool2d(Module<T>* parent, std::string name, const PoolOptions& options = {})
      : Layer<T>(parent, std::move(name)), options_(options) {}

  Tensor<T> forward(const Tensor<T>& x) override { return avg_pool2d(x, options_); }
  std::string kind() const override { return "AvgPool2d"; }

 private:
  PoolOptions options_;
};

/// Largest pixel of each window: x [n, h, w, c] -> [n, oh, ow, c]. Throws when the windows do not fit.
template <std::floating_point T>
class MaxPool2d : public Layer<T> {
 public:
  using Options = PoolOptions;

  MaxPool2d(Module<T>* parent, std::string name, const PoolOptions& options = {})
      : Layer<T>(parent, std::move(name)), options_(options) {}

  Tensor<T> forward(const Tensor<T>& x) override { return max_pool2d(x, options_); }
  std::string kind() const override { return "MaxPool2d"; }

 private:
  PoolOptions options_;
};

/// Mean over all pixels: x [n, h, w, c] -> [n, c].
template <std::floating_point T>
class GlobalAveragePool : public Layer<T> {
 public:
  using Layer<T>::Layer;

  /// Throws unless x is a batch of images with at least one pixel.
  Tensor<T> forward(const Tensor<T>& x) override {
    if (x.rank() != 4 || x.shape()[1] * x.shape()[2] == 0)
      fail("x ", x.shape(), ", expected [n, h, w, channels] with pixels");
    return mean(x, {1, 2});
  }
  std::string kind() const override { return "GlobalAveragePool"; }
};

}  // namespace gan
