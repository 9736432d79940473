// FourierFeatures: coordinates beside sines and cosines of them, so that small networks see fine detail.
#pragma once

#include <string>
#include <utility>

#include "gan/core/finite.hpp"
#include "gan/core/number.hpp"
#include "gan/nn/layer.hpp"
#include "gan/ops/concatenate.hpp"
#include "gan/ops/elementwise.hpp"
#include "gan/ops/matmul.hpp"

namespace gan {

/// x, sin(x B), cos(x B): x [n, in] -> [n, in + 2 count]. B [in, count] is drawn once, N(0, deviation), and not trained
/// (Tancik et al., 2020): the deviation, in radians a unit of x, is how fine the detail is that what follows can see.
template <std::floating_point T>
class FourierFeatures : public Layer<T> {
 public:
  /// Throws for lengths below 1, and for a deviation that is not above 0 and finite.
  FourierFeatures(Module<T>* parent, std::string name, Index in, Index count, double deviation)
      : Layer<T>(parent, std::move(name)),
        frequencies_(this, "frequencies", checked(in, count, deviation), init::normal(0, deviation)) {}

  /// Throws unless x is [n, in].
  Tensor<T> forward(const Tensor<T>& x) override {
    if (x.rank() != 2 || x.shape()[1] != frequencies_.shape()[0])
      fail("x ", x.shape(), ", expected [n, ", frequencies_.shape()[0], "]");
    const Tensor<T> angles = matmul<T>(x, frequencies_);
    return concatenate<T>({x, sin(angles), cos(angles)}, 1);
  }

  /// Length of a row of the output.
  Index features() const { return frequencies_.shape()[0] + 2 * frequencies_.shape()[1]; }
  std::string kind() const override { return "FourierFeatures"; }

 private:
  Shape checked(Index in, Index count, double deviation) const {
    check(in >= 1 && count >= 1 && is_finite(deviation) && deviation > 0, "Fourier features \"", this->path(),
          "\": ", in, " inputs, ", count, " frequencies of deviation ", number_text(deviation),
          ", expected 1 or more of each and a deviation above 0");
    return {in, count};
  }

  Buffer<T> frequencies_;
};

}  // namespace gan
