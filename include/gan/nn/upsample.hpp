// Upsample2d and PixelShuffle: layers that make images larger.
#pragma once

#include <string>

#include "gan/nn/layer.hpp"
#include "gan/ops/resize.hpp"

namespace gan {

enum class Upsampling { nearest, bilinear };

/// x [n, h, w, c] -> [n, h f, w f, c] for a whole factor f, by repeating pixels or by linear interpolation.
template <std::floating_point T>
class Upsample2d : public Layer<T> {
 public:
  /// Throws for factors below 1.
  Upsample2d(Module<T>* parent, std::string name, Size2d factor = 2, Upsampling mode = Upsampling::nearest)
      : Layer<T>(parent, std::move(name)), factor_(factor), mode_(mode) {
    check(factor.rows >= 1 && factor.columns >= 1, "upsample2d \"", this->path(), "\": factor ", factor,
          ", expected 1 or more");
  }

  /// Throws unless x is a batch of images.
  Tensor<T> forward(const Tensor<T>& x) override {
    if (x.rank() != 4) fail("x ", x.shape(), ", expected [n, h, w, channels]");
    return mode_ == Upsampling::nearest ? upsample_nearest(x, factor_) : upsample_bilinear(x, factor_);
  }
  std::string kind() const override { return "Upsample2d"; }

 private:
  Size2d factor_;
  Upsampling mode_;
};

/// Channels become pixels: x [n, h, w, f f c] -> [n, h f, w f, c] (Shi et al., 2016); order as in ops/resize.hpp.
template <std::floating_point T>
class PixelShuffle : public Layer<T> {
 public:
  /// Throws for a factor below 1.
  PixelShuffle(Module<T>* parent, std::string name, Index factor = 2)
      : Layer<T>(parent, std::move(name)), factor_(factor) {
    check(factor >= 1 && factor <= 1024, "pixel shuffle \"", this->path(), "\": factor ", factor,
          ", expected 1 ... 1024");
  }

  /// Throws unless f f divides the channels of x.
  Tensor<T> forward(const Tensor<T>& x) override {
    if (x.rank() != 4 || x.shape()[3] % (factor_ * factor_) != 0)
      fail("x ", x.shape(), ", expected [n, h, w, a multiple of ", factor_ * factor_, "]");
    return pixel_shuffle(x, factor_);
  }
  std::string kind() const override { return "PixelShuffle"; }

 private:
  Index factor_;
};

}  // namespace gan
