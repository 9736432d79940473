// Binary cross entropy, from probabilities and from logits.
#pragma once

#include "gan/core/finite.hpp"
#include "gan/loss/reduction.hpp"

namespace gan {

/// -(t log p + (1 - t) log(1 - p)), averaged or summed: probabilities p in [0, 1] and targets t, of one shape ->
/// scalar. The logarithms are no less than -100, and gradients no larger than 1e12, as in PyTorch. Prefer logits.
/// `smoothing` s in [0, 1] moves the targets towards 1/2: t (1 - s) + s / 2.
/// Throws when the shapes differ, for probabilities and targets outside [0, 1], and for s outside.
template <class T>
Tensor<T> bce(const Tensor<T>& probabilities, const Tensor<T>& targets, Reduction reduction = Reduction::mean,
              double smoothing = 0);

/// The same for p = sigmoid(x), x any logits: softplus(x) - x t, written as t softplus(-x) + (1 - t) softplus(x), which
/// keeps small losses and gradients exact and is finite for all finite x. Throws for targets outside [0, 1]: a loss
/// without a lower bound.
template <class T>
Tensor<T> bce_with_logits(const Tensor<T>& logits, const Tensor<T>& targets, Reduction reduction = Reduction::mean,
                          double smoothing = 0);

/// The same with one target for all, in [0, 1].
template <class T>
Tensor<T> bce_with_logits(const Tensor<T>& logits, double target, Reduction reduction = Reduction::mean,
                          double smoothing = 0);

namespace detail {

// max(log p, -100), with gradient 1 / max(p, 1e-12).
template <class T>
Tensor<T> limited_log(const Tensor<T>& p) {
  return record(
      "limited_log", kernels::map_scalar("limited_log", p, [](T a) { return std::max(std::log(a), T(-100)); }), {p},
      [](Backward<T>& d) { d.give(0, d.grad() / maximum(d.x(0), Tensor<T>::scalar(T(1e-12)))); }, {},
      Reads::all_inputs());
}

inline void check_smoothing(const char* loss, double smoothing) {
  check(is_finite(smoothing) && smoothing >= 0 && smoothing <= 1, loss, ": smoothing is ", smoothing,
        ", expected a number in [0, 1]");
}

/// NaN passes: it belongs to whoever watches the loss.
template <class T>
void check_unit_interval(const char* loss, const char* what, const Tensor<T>& x) {
  const T* values = x.data();
  for (Index i = 0; i < x.size(); ++i)
    check(!(values[i] < 0 || values[i] > 1), loss, ": ", what, " ", values[i], " at element ", i, " of ", x.shape(),
          ", expected [0, 1]");
}

template <class T>
Tensor<T> smoothed(const char* loss, const Tensor<T>& targets, double smoothing) {
  check_smoothing(loss, smoothing);
  check_unit_interval(loss, "target", targets);
  return smoothing == 0 ? targets : affine(targets, 1 - smoothing, smoothing / 2);
}

}  // namespace detail

template <class T>
Tensor<T> bce(const Tensor<T>& probabilities, const Tensor<T>& targets, Reduction reduction, double smoothing) {
  detail::check_same_shape("bce", "probabilities", probabilities, "targets", targets);
  detail::check_unit_interval("bce", "probability", probabilities);
  const auto t = detail::smoothed("bce", targets, smoothing);
  const auto losses = neg(t * detail::limited_log(probabilities) + (1 - t) * detail::limited_log(1 - probabilities));
  return detail::reduced(losses, reduction);
}

template <class T>
Tensor<T> bce_with_logits(const Tensor<T>& logits, const Tensor<T>& targets, Reduction reduction, double smoothing) {
  detail::check_same_shape("bce_with_logits", "logits", logits, "targets", targets);
  const auto t = detail::smoothed("bce_with_logits", targets, smoothing);
  return detail::reduced(t * softplus(neg(logits)) + (1 - t) * softplus(logits), reduction);
}

template <class T>
Tensor<T> bce_with_logits(const Tensor<T>& logits, double target, Reduction reduction, double smoothing) {
  check(logits.defined(), "bce_with_logits: logits are undefined");
  detail::check_smoothing("bce_with_logits", smoothing);
  check(is_finite(target) && target >= 0 && target <= 1, "bce_with_logits: target is ", target,
        ", expected a number in [0, 1]");
  const double t = target * (1 - smoothing) + smoothing / 2;
  if (t == 0) return detail::reduced(softplus(logits), reduction);
  if (t == 1) return detail::reduced(softplus(neg(logits)), reduction);
  return detail::reduced(t * softplus(neg(logits)) + (1 - t) * softplus(logits), reduction);
}

}  // namespace gan
