// MinibatchStdDev: shows a discriminator how much the samples of a batch differ.
#pragma once

#include <string>

#include "gan/nn/layer.hpp"
#include "gan/ops/reduce.hpp"
#include "gan/ops/shaping.hpp"

namespace gan {

struct MinibatchStdDevOptions {
  Index group_size = 4;   ///< samples that are compared; 0 for the whole batch
  Index features = 1;     ///< channels added, each from its own part of the channels of x
  double epsilon = 1e-8;  ///< added to the variance, above 0
};

/// Appends channels that hold the standard deviation within a group of samples, averaged over pixels and channels:
/// x [n, ..., c] -> [n, ..., c + features] (Karras et al., 2018). Sample i is in group i modulo the number of groups.
/// When the group size does not divide n, the largest smaller one that does is taken.
template <std::floating_point T>
class MinibatchStdDev : public Layer<T> {
 public:
  using Options = MinibatchStdDevOptions;

  /// Throws for options out of range.
  MinibatchStdDev(Module<T>* parent, std::string name, const MinibatchStdDevOptions& options = {})
      : Layer<T>(parent, std::move(name)), options_(options) {
    check(options.group_size >= 0 && options.features >= 1 && options.epsilon > 0, "minibatch std dev \"", this->path(),
          "\": group size ", options.group_size, ", ", options.features, " features, epsilon ", options.epsilon,
          ", expected group size >= 0, features >= 1 and epsilon > 0");
  }

  /// Throws unless `features` divides the channels of x.
  Tensor<T> forward(const Tensor<T>& x) override {
    const Index f = options_.features;
    if (x.rank() < 2 || x.size() == 0 || x.shape().last() % f != 0)
      fail("minibatch std dev \"", this->path(), "\": x ", x.shape(), ", expected [n, ..., a multiple of ", f, "]");
    const Index n = x.shape()[0], pixels = x.shape().rows() / n;
    Index size = options_.group_size == 0 ? n : std::min(n, options_.group_size);
    while (n % size != 0) --size;
    const auto grouped = reshape(x, Shape{size, n / size, pixels, f, x.shape().last() / f});
    const auto deviation = sqrt(variance(grouped, {0}, true) + options_.epsilon);
    const auto repeated = broadcast_to(mean(deviation, {2, 4}, true), Shape{size, n / size, pixels, f, 1});
    return concatenate<T>({x, reshape(repeated, x.shape().with(-1, f))}, -1);
  }

  std::string kind() const override { return "MinibatchStdDev"; }
  bool mixes_batch() const override { return true; }

 private:
  MinibatchStdDevOptions options_;
};

}  // namespace gan
