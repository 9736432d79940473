// Cross entropy of softmax probabilities against labels.
#pragma once

#include <span>
#include <vector>

#include "gan/core/finite.hpp"
#include "gan/loss/reduction.hpp"
#include "gan/ops/gather.hpp"
#include "gan/ops/softmax.hpp"

namespace gan {

/// -log softmax(logits)[label], averaged or summed: logits [n, classes], n labels in [0, classes) -> scalar.
/// `smoothing` s in [0, 1] gives every class s / classes of the target (Szegedy et al., 2016). Throws for other shapes
/// and for labels out of range.
template <class T>
Tensor<T> cross_entropy(const Tensor<T>& logits, std::span<const Index> labels, Reduction reduction = Reduction::mean,
                        double smoothing = 0) {
  check(logits.rank() == 2 && logits.shape()[0] == static_cast<Index>(labels.size()), "cross_entropy: ", labels.size(),
        " labels for logits ", logits.shape(), ", expected [", labels.size(), ", classes]");
  check(is_finite(smoothing) && smoothing >= 0 && smoothing <= 1, "cross_entropy: smoothing is ", smoothing,
        ", expected a number in [0, 1]");
  const Index classes = logits.shape()[1];
  check_indices("cross_entropy", labels, classes);
  auto targets = one_hot<T>(labels, classes);
  if (smoothing > 0) {
    const NoGrad no_grad;
    targets = affine(targets, 1 - smoothing, smoothing / static_cast<double>(classes));
  }
  return detail::reduced(neg(sum(targets * log_softmax(logits), {1})), reduction);
}

template <class T>
Tensor<T> cross_entropy(const Tensor<T>& logits, const std::vector<Index>& labels,
                        Reduction reduction = Reduction::mean, double smoothing = 0) {
  return cross_entropy(logits, std::span<const Index>(labels), reduction, smoothing);
}

}  // namespace gan
