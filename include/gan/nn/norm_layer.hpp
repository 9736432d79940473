// NormLayer: which normalization a block of layers is built with, as a value to pass in options.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "gan/nn/conditional_batch_norm.hpp"
#include "gan/nn/group_norm.hpp"
#include "gan/nn/pixel_norm.hpp"

namespace gan {

/// Makes a layer that normalizes that many channels, a child of `parent`; empty for none. Made from what the functions
/// in `norms` return, or from a callable of one's own.
template <std::floating_point T>
using NormLayer = std::function<std::unique_ptr<Layer<T>>(Module<T>* parent, const std::string& name, Index channels)>;

namespace norms {

/// BatchNorm.
inline auto batch(const BatchNormOptions& options = {}) {
  return [options]<class T>(Module<T>* parent, const std::string& name, Index channels) -> std::unique_ptr<Layer<T>> {
    return std::make_unique<BatchNorm<T>>(parent, name, channels, options);
  };
}
/// ConditionalBatchNorm for that many classes.
inline auto conditional_batch(Index classes, const BatchNormOptions& options = {}) {
  return [=]<class T>(Module<T>* parent, const std::string& name, Index channels) -> std::unique_ptr<Layer<T>> {
    return std::make_unique<ConditionalBatchNorm<T>>(parent, name, classes, channels, options);
  };
}
/// InstanceNorm.
inline auto instance(const GroupNormOptions& options = {}) {
  return [options]<class T>(Module<T>* parent, const std::string& name, Index channels) -> std::unique_ptr<Layer<T>> {
    return std::make_unique<InstanceNorm<T>>(parent, name, channels, options);
  };
}
/// PixelNorm.
inline auto pixel(double epsilon = 1e-8) {
  return [epsilon]<class T>(Module<T>* parent, const std::string& name, Index) -> std::unique_ptr<Layer<T>> {
    return std::make_unique<PixelNorm<T>>(parent, name, epsilon);
  };
}

}  // namespace norms
}  // namespace gan
