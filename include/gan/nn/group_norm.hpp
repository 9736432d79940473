// GroupNorm and InstanceNorm: each image normalized by itself.
#pragma once

#include <optional>
#include <string>

#include "gan/core/finite.hpp"
#include "gan/nn/layer.hpp"
#include "gan/ops/reduce.hpp"

namespace gan {

struct GroupNormOptions {
  bool affine = true;     ///< with a scale and a shift for each channel
  double epsilon = 1e-5;  ///< added to the variance, above 0
};

/// y = normalize(x) * scale + shift, with statistics over all pixels of one image and one group of neighboring
/// channels: x [n, ..., c] -> [n, ..., c] (Wu and He, 2018). One group is layer norm over whole images, c groups are
/// instance norm.
template <std::floating_point T>
class GroupNorm : public Layer<T> {
 public:
  using Options = GroupNormOptions;

  /// Throws unless 1 <= groups divides channels and epsilon > 0.
  GroupNorm(Module<T>* parent, std::string name, Index groups, Index channels, const GroupNormOptions& options = {})
      : Layer<T>(parent, std::move(name)), groups_(groups), channels_(channels), epsilon_(options.epsilon) {
    check(groups >= 1 && channels >= 1 && channels % groups == 0 && is_finite(epsilon_) && epsilon_ > 0,
          "group norm \"", this->path(), "\": ", groups, " groups of ", channels, " channels, epsilon ", epsilon_,
          ", expected groups that divide the channels and epsilon > 0");
    if (!options.affine) return;
    scale_.emplace(this, "scale", Shape{channels}, init::ones());
    shift_.emplace(this, "shift", Shape{channels}, init::zeros());
  }

  /// Throws unless the last axis of x is `channels`, and for groups of one value.
  Tensor<T> forward(const Tensor<T>& x) override {
    if (x.rank() < 2 || x.shape().last() != channels_) fail("x ", x.shape(), ", expected [n, ..., ", channels_, "]");
    const Index n = x.shape()[0], pixels = n == 0 ? 1 : x.shape().rows() / n, width = channels_ / groups_;
    if (n > 0 && pixels * width < 2)
      fail("x ", x.shape(), " has ", pixels * width, " values in each group, expected at least 2");
    const auto y = reshape(normalize(reshape(x, Shape{n, pixels, groups_, width}), {1, 3}, epsilon_), x.shape());
    return scale_ ? y * *scale_ + *shift_ : y;
  }

  std::string kind() const override { return "GroupNorm"; }

 private:
  Index groups_, channels_;
  double epsilon_;
  std::optional<Parameter<T>> scale_, shift_;
};

/// Normalizes each channel of each image: x [n, ..., c] -> [n, ..., c] (Ulyanov et al., 2016).
template <std::floating_point T>
class InstanceNorm : public GroupNorm<T> {
 public:
  /// Throws for fewer than 1 channel and unless epsilon > 0.
  InstanceNorm(Module<T>* parent, std::string name, Index channels, const GroupNormOptions& options = {})
      : GroupNorm<T>(parent, std::move(name), channels, channels, options) {}

  std::string kind() const override { return "InstanceNorm"; }
};

}  // namespace gan
