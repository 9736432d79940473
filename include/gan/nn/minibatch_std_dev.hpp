// MinibatchStdDev: shows a discriminator how much the samples of a batch differ.
#pragma once

#include <algorithm>
#include <string>

#include "gan/core/finite.hpp"
#include "gan/nn/layer.hpp"
#include "gan/ops/concatenate.hpp"
#include "gan/ops/reduce.hpp"
#include "gan/ops/slice.hpp"

namespace gan {

struct MinibatchStdDevOptions {
  Index group_size = 4;   ///< samples that are compared, at least 2; 0 for the whole batch
  Index features = 1;     ///< channels added, each from its own part of the channels of x
  double epsilon = 1e-8;  ///< added to the variance, above 0
};

/// Appends channels that hold the standard deviation within a group of samples, averaged over pixels and channels:
/// x [n, ..., c] -> [n, ..., c + features] (Karras et al., 2018). Sample i is in group i modulo the number of groups,
/// max(1, n / group size): when the size does not divide n, all groups have that many samples or more. A batch of one
/// sample has no deviation.
template <std::floating_point T>
class MinibatchStdDev : public Layer<T> {
 public:
  using Options = MinibatchStdDevOptions;

  /// Throws for options out of range.
  MinibatchStdDev(Module<T>* parent, std::string name, const MinibatchStdDevOptions& options = {})
      : Layer<T>(parent, std::move(name)), options_(options) {
    check(options.group_size >= 0 && options.group_size != 1 && options.features >= 1 && is_finite(options.epsilon) &&
              options.epsilon > 0,
          "minibatch std dev \"", this->path(), "\": group size ", options.group_size, ", ", options.features,
          " features, epsilon ", options.epsilon, ", expected group size 0 or >= 2, features >= 1 and epsilon > 0");
  }

  /// Throws unless `features` divides the channels of x.
  Tensor<T> forward(const Tensor<T>& x) override {
    const Index f = options_.features;
    if (x.rank() < 2 || x.size() == 0 || x.shape().last() % f != 0)
      fail("x ", x.shape(), ", expected [n, ..., a multiple of ", f, "]");
    const Index n = x.shape()[0], pixels = x.shape().rows() / n;
    const Index groups = options_.group_size == 0 ? 1 : std::max<Index>(1, n / options_.group_size);
    const Index size = n / groups, longer = n % groups;  // the first `longer` groups have one sample more
    const auto rows = reshape(x, Shape{n, pixels, f, x.shape().last() / f});
    const auto whole = in_rows(longer == 0 ? rows : slice(rows, 0, 0, size * groups), size);
    if (longer == 0) return appended(x, broadcast_to(stddev(whole), Shape{size, groups, pixels, f, 1}));
    const auto rest = in_rows(slice(rows, 0, size * groups, n), 1);
    const auto of_longer = stddev(concatenate<T>({slice(whole, 1, 0, longer), rest}, 0));
    const auto of_all = concatenate<T>({of_longer, stddev(slice(whole, 1, longer, groups))}, 1);
    const auto repeated = broadcast_to(of_all, Shape{size + 1, groups, pixels, f, 1});
    return appended(x, slice(reshape(repeated, Shape{(size + 1) * groups, pixels, f, 1}), 0, 0, n));
  }

  std::string kind() const override { return "MinibatchStdDev"; }
  bool mixes_batch() const override { return true; }

 private:
  // [count * groups, ...] -> [count, groups, ...], a group a column.
  static Tensor<T> in_rows(const Tensor<T>& x, Index count) {
    return reshape(x, x.shape().with(0, x.shape()[0] / count).inserted(0, count));
  }

  // [count, groups, pixels, features, channels] -> [1, groups, 1, features, 1].
  Tensor<T> stddev(const Tensor<T>& grouped) const {
    return mean(sqrt(variance(grouped, {0}, true) + options_.epsilon), {2, 4}, true);
  }

  Tensor<T> appended(const Tensor<T>& x, const Tensor<T>& features) const {
    return concatenate<T>({x, reshape(features, x.shape().with(-1, options_.features))}, -1);
  }

  MinibatchStdDevOptions options_;
};

}  // namespace gan
