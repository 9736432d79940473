// Downsample2d: a layer that makes images smaller without aliasing.
#pragma once

#include <string>

#include "gan/nn/layer.hpp"
#include "gan/ops/downsample.hpp"
#include "gan/ops/pooling.hpp"

namespace gan {

enum class Downsampling { average, bilinear };

/// x [n, h, w, c] -> [n, h / f, w / f, c] for a whole factor f, by the mean of each f x f block, or by the blur that is
/// the adjoint of bilinear upsampling, [1, 3, 3, 1] / 8 for 2 (Zhang, 2019; Karras et al., 2019). The other way is
/// Upsample2d.
template <std::floating_point T>
class Downsample2d : public Layer<T> {
 public:
  /// Throws for factors below 1.
  Downsample2d(Module<T>* parent, std::string name, Size2d factor = 2, Downsampling mode = Downsampling::average)
      : Layer<T>(parent, std::move(name)), factor_(factor), mode_(mode) {
    check(factor.rows >= 1 && factor.columns >= 1, "downsample2d \"", this->path(), "\": factor ", factor,
          ", expected 1 or more");
  }

  /// Throws unless x is a batch of images whose rows and columns the factor divides.
  Tensor<T> forward(const Tensor<T>& x) override {
    check(x.rank() == 4 && x.shape()[1] % factor_.rows == 0 && x.shape()[2] % factor_.columns == 0, "x ", x.shape(),
          ", expected [n, h, w, channels] with rows and columns that are multiples of ", factor_);
    return mode_ == Downsampling::average ? avg_pool2d(x, {.kernel = factor_}) : downsample_bilinear(x, factor_);
  }
  std::string kind() const override { return "Downsample2d"; }

 private:
  Size2d factor_;
  Downsampling mode_;
};

}  // namespace gan
