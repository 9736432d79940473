// Gradients of scores with respect to samples, which penalties are made of.
#pragma once

#include <string_view>

#include "gan/ops/elementwise.hpp"

namespace gan::detail {

/// The gradient of each sample's score with respect to that sample, differentiable: x [n, ...] -> [n, ...].
template <class T, class D>
Tensor<T> score_gradient(std::string_view penalty, D& discriminator, const Tensor<T>& x) {
  check(x.defined() && x.rank() >= 1 && x.size() > 0, penalty, ": no samples");
  // Not a leaf: a later backward through the penalty would leave a gradient in one. The anchor never gets any.
  const Tensor<T> anchor = Tensor<T>::scalar(0).set_requires_grad();
  const Tensor<T> samples = record(
      "penalty_samples", x.detach(), {anchor}, [](Backward<T>&) {}, {}, Reads::nothing());
  const Tensor<T> score = discriminator(samples);
  check(score.defined() && score.rank() >= 1 && score.shape()[0] == x.shape()[0], penalty, ": score ",
        score.defined() ? score.shape() : Shape{}, " of samples ", x.shape(), ", expected [", x.shape()[0], ", 1]");
  Tensor<T> gradient;
  if (score.requires_grad()) {
    BackwardPass<T> pass(score, true, true);
    pass.set_targets({samples});
    pass.run(Tensor<T>::ones(score.shape()));
    gradient = pass.gradient(samples);
  }
  check(gradient.defined(), penalty, ": the score does not depend on the samples ", x.shape(),
        " (does the discriminator detach its input, or is recording off?)");
  return gradient;
}

/// The squared Euclidean norm of each sample: x [n, ...] -> [n].
template <class T>
Tensor<T> squared_norms(const Tensor<T>& x) {
  return sum(square(reshape(x, {x.shape()[0], -1})), {1});
}

/// Checks that samples may be mixed one by one.
template <class T>
void check_same_samples(std::string_view penalty, const Tensor<T>& real, const Tensor<T>& fake) {
  check(real.defined() && fake.defined(), penalty, ": needs real and fake samples");
  check(real.shape() == fake.shape(), penalty, ": real samples ", real.shape(), " and fakes ", fake.shape(),
        " differ in shape");
}

}  // namespace gan::detail
