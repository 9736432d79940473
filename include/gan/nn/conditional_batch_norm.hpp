// ConditionalBatchNorm: batch norm with a scale and a shift for each class.
#pragma once

#include <string>

#include "gan/nn/batch_norm.hpp"
#include "gan/nn/class_embedding.hpp"
#include "gan/ops/reduce.hpp"

namespace gan {

/// y = normalize(x) * scale[label] + shift[label], with the statistics of BatchNorm: x [n, ..., c] -> [n, ..., c],
/// scale, shift [classes, c], which begin with 1 and 0 (Dumoulin et al., 2017; Miyato and Koyama, 2018). Of a pack's k
/// labels it takes the mean. It reads condition().labels.
template <std::floating_point T>
class ConditionalBatchNorm : public Layer<T> {
 public:
  using Options = BatchNormOptions;

  /// The options' `affine` and initializer are not used. Throws for fewer than 1 class or channel and as BatchNorm
  /// does.
  ConditionalBatchNorm(Module<T>* parent, std::string name, Index classes, Index channels,
                       const BatchNormOptions& options = {})
      : Layer<T>(parent, std::move(name)),
        channels_(channels),
        norm_(this, "norm", channels, without_affine(options)),
        scale_(this, "scale", classes, channels, {.initializer = init::ones()}),
        shift_(this, "shift", classes, channels, {.initializer = init::zeros()}) {}

  /// Throws unless the last axis of x is `channels`, without a condition with a label for each sample, and for one
  /// value a channel in training mode.
  Tensor<T> forward(const Tensor<T>& x) override {
    check(x.rank() >= 2 && x.shape().last() == channels_, "x ", x.shape(), ", expected [n, ..., ", channels_, "]");
    const auto& condition = this->condition();
    const auto scale = of_rows(scale_, condition, x), shift = of_rows(shift_, condition, x);  // before statistics move
    return norm_(x) * scale + shift;
  }

  std::string kind() const override { return "ConditionalBatchNorm"; }

 private:
  static BatchNormOptions without_affine(BatchNormOptions options) {
    options.affine = false;
    return options;
  }

  Tensor<T> of_rows(Embedding<T>& table, const Condition<T>& condition, const Tensor<T>& x) {
    auto rows = embed(table, condition, x.shape()[0]);
    if (condition.pack > 1) rows = mean(reshape(rows, Shape{x.shape()[0], condition.pack, channels_}), {1});
    return detail::over_positions(rows, x);
  }

  Index channels_;
  BatchNorm<T> norm_;
  Embedding<T> scale_, shift_;
};

}  // namespace gan
