// BatchNorm for any rank, channels-last.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "gan/core/finite.hpp"
#include "gan/nn/layer.hpp"
#include "gan/ops/batch_norm.hpp"
#include "gan/ops/reduce.hpp"

namespace gan {

struct BatchNormOptions {
  double momentum = 0.1;  ///< share of the new batch in the running statistics, in [0, 1]
  double epsilon = 1e-5;  ///< added to the variance, above 0
  Initializer scale_initializer = init::ones();
  bool affine = true;  ///< with a trainable scale and shift of each channel
};

/// Normalizes each channel of x [n, ..., c] -> [n, ..., c]: with the batch's statistics in training mode, which also
/// update the running ones, and with those in evaluation mode. Like PyTorch, the running variance is the unbiased one
/// (Ioffe and Szegedy, 2015). A batch whose statistics are not finite leaves the running ones as they are. See also
/// FreshStatistics.
template <std::floating_point T>
class BatchNorm : public Layer<T> {
 public:
  using Options = BatchNormOptions;

  /// Throws for fewer than 1 channel and for options out of range.
  BatchNorm(Module<T>* parent, std::string name, Index channels, const BatchNormOptions& options = {})
      : Layer<T>(parent, std::move(name)),
        momentum_(options.momentum),
        epsilon_(options.epsilon),
        running_mean_(this, "running_mean", checked(channels), init::zeros()),
        running_variance_(this, "running_variance", {channels}, init::ones()) {
    if (!options.affine) return;
    scale_.emplace(this, "scale", Shape{channels}, options.scale_initializer);
    shift_.emplace(this, "shift", Shape{channels}, init::zeros());
  }

  /// Throws unless the last axis of x is `channels`, and for one value a channel in training mode.
  Tensor<T> forward(const Tensor<T>& x) override {
    const Index c = running_mean_.size();
    if (x.rank() < 2 || x.shape().last() != c) fail("x ", x.shape(), ", expected [n, ..., ", c, "]");
    const Tensor<T> scale = scale_ ? Tensor<T>(*scale_) : Tensor<T>::ones({c});
    const Tensor<T> shift = shift_ ? Tensor<T>(*shift_) : Tensor<T>::zeros({c});
    if (!this->training() && !fresh_batches_) {
      const auto factor = scale / sqrt(running_variance_ + epsilon_);
      return x * factor + (shift - running_mean_ * factor);
    }
    if (x.shape().rows() < 2) fail("x ", x.shape(), " has one value a channel, expected at least 2");
    auto [y, mean, variance] = batch_norm(x, scale, shift, epsilon_);
    const double share = fresh_batches_ ? 1.0 / static_cast<double>(*fresh_batches_ + 1) : momentum_;
    const T m = static_cast<T>(share), n = static_cast<T>(x.shape().rows());
    auto next_mean = running_mean_.clone(), next_variance = running_variance_.clone();
    if (m == 1) {  // exactly these, whatever there was
      next_mean.mutable_values() = mean.values();
      next_variance.mutable_values() = variance.values() * (n / (n - 1));
    } else {
      next_mean.mutable_values() += m * (mean.values() - next_mean.values());
      next_variance.mutable_values() += m * (variance.values() * (n / (n - 1)) - next_variance.values());
    }
    if (all_finite(next_mean) && all_finite(next_variance)) {  // an average would never forget a NaN
      running_mean_.mutable_values() = next_mean.values();
      running_variance_.mutable_values() = next_variance.values();
      if (fresh_batches_) ++*fresh_batches_;
    }
    return y;
  }

  std::string kind() const override { return "BatchNorm"; }
  bool mixes_batch() const override { return true; }

 private:
  template <std::floating_point U>
  friend class FreshStatistics;

  Shape checked(Index channels) const {
    check(channels >= 1 && is_finite(epsilon_) && epsilon_ > 0 && is_finite(momentum_) && momentum_ >= 0 &&
              momentum_ <= 1,
          "batch norm \"", this->path(), "\": ", channels, " channels, epsilon ", epsilon_, ", momentum ", momentum_,
          ", expected channels >= 1, epsilon > 0, momentum in [0, 1]");
    return {channels};
  }

  double momentum_, epsilon_;
  std::optional<Parameter<T>> scale_, shift_;
  Buffer<T> running_mean_, running_variance_;
  std::optional<Index> fresh_batches_;
};

}  // namespace gan
