// Pad2d and ReflectionPad2d: layers that make images larger at their edges.
#pragma once

#include <string>

#include "gan/nn/layer.hpp"
#include "gan/ops/padding.hpp"

namespace gan {

/// x [n, h, w, c] -> [n, top + h + bottom, left + w + right, c], filled by `mode` (ops/padding.hpp). A convolution
/// after it has no padding of its own.
template <std::floating_point T>
class Pad2d : public Layer<T> {
 public:
  Pad2d(Module<T>* parent, std::string name, const Padding& padding, PaddingMode mode = PaddingMode::zero)
      : Layer<T>(parent, std::move(name)), padding_(padding), mode_(mode) {}

  /// Throws where the mode has no pixel to take.
  Tensor<T> forward(const Tensor<T>& x) override { return pad2d(x, padding_, mode_); }
  std::string kind() const override { return "Pad2d"; }

 private:
  Padding padding_;
  PaddingMode mode_;
};

/// Pads with the mirror image, without the edge itself: no seam of zeros around generated images (CycleGAN). Throws for
/// padding that is not less than the image.
template <std::floating_point T>
class ReflectionPad2d : public Pad2d<T> {
 public:
  ReflectionPad2d(Module<T>* parent, std::string name, const Padding& padding)
      : Pad2d<T>(parent, std::move(name), padding, PaddingMode::reflect) {}
  std::string kind() const override { return "ReflectionPad2d"; }
};

}  // namespace gan
