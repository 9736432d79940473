// How often a discriminator is right.
#pragma once

#include <algorithm>
#include <string_view>

#include "gan/ops/arithmetic.hpp"

namespace gan {

/// Shares of scores, in [0, 1], that say what is so.
struct Accuracy {
  double real = 0, fake = 0;
};

namespace detail {

/// One score a sample, at least one sample.
template <class T>
void check_scores(std::string_view objective, const char* what, const Tensor<T>& scores) {
  check(scores.defined(), objective, ": the scores of ", what, " are undefined");
  check(scores.rank() >= 1 && scores.size() > 0, objective, ": the scores of ", what, " are ", scores.shape(),
        ", expected [n, 1] with n > 0");
}

/// The same of both, and nothing but the number of samples differs.
template <class T>
void check_scores(std::string_view objective, const Tensor<T>& real, const Tensor<T>& fake) {
  check_scores(objective, "real samples", real);
  check_scores(objective, "fakes", fake);
  check(real.shape().with(0, 1) == fake.shape().with(0, 1), objective, ": scores ", real.shape(),
        " of real samples and ", fake.shape(), " of fakes differ in more than the batch size");
}

/// The share of the elements that are right.
template <class T, class Right>
double share_of(const Tensor<T>& scores, Right right) {
  Index count = 0;
  for (Index i = 0; i < scores.size(); ++i) count += right(static_cast<double>(scores.data()[i])) ? 1 : 0;
  return static_cast<double>(count) / static_cast<double>(scores.size());
}

/// The share of pairs, i-th with i-th, whose real score is above the fake one: the accuracy of scores that only
/// compare. Samples of the larger batch that have no partner do not count.
template <class T>
Accuracy accuracy_of_pairs(std::string_view objective, const Tensor<T>& real, const Tensor<T>& fake) {
  check_scores(objective, real, fake);
  const Index pairs = std::min(real.size(), fake.size());
  Index count = 0;
  for (Index i = 0; i < pairs; ++i) count += real.data()[i] > fake.data()[i] ? 1 : 0;
  const double share = static_cast<double>(count) / static_cast<double>(pairs);
  return {share, share};
}

}  // namespace detail

/// The shares of real and of fake scores that the objective counts as right: real [n, 1], fake [m, 1], or maps
/// [n, h, w, 1] of patches, which count one by one. By the objective's own accuracy(real, fake) where it has one, or by
/// sign: above 0 for real samples, below 0 for fakes. Records no history. Throws as discriminator_loss() does for
/// scores that make no sense.
template <class O, class T>
Accuracy accuracy(const O& objective, const Tensor<T>& real, const Tensor<T>& fake) {
  const NoGrad no_grad;
  if constexpr (requires { objective.accuracy(real, fake); }) {
    return objective.accuracy(real, fake);
  } else {
    detail::check_scores("accuracy", real, fake);
    return {detail::share_of(real, [](double s) { return s > 0; }),
            detail::share_of(fake, [](double s) { return s < 0; })};
  }
}

}  // namespace gan
