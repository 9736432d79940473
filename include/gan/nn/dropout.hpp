// Dropout.
#pragma once

#include <string>

#include "gan/core/finite.hpp"
#include "gan/nn/layer.hpp"
#include "gan/ops/arithmetic.hpp"

namespace gan {

/// In training mode each element of x [...] is zero with probability `rate`, else x / (1 - rate); in evaluation mode
/// y = x (Srivastava et al., 2014).
template <std::floating_point T>
class Dropout : public Layer<T> {
 public:
  /// Throws unless rate is in [0, 1).
  Dropout(Module<T>* parent, std::string name, double rate) : Layer<T>(parent, std::move(name)), rate_(rate) {
    check(is_finite(rate) && rate >= 0 && rate < 1, "dropout \"", this->path(), "\": rate ", rate, ", expected [0, 1)");
  }

  Tensor<T> forward(const Tensor<T>& x) override {
    if (!this->training() || rate_ == 0) return x;
    return x * bernoulli<T>(this->rng(), x.shape(), 1 - rate_, 1 / (1 - rate_));
  }

  std::string kind() const override { return "Dropout"; }

 private:
  double rate_;
};

}  // namespace gan
