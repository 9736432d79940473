// Exponential moving average of a network's state.
#pragma once

#include <algorithm>
#include <utility>

#include "gan/core/finite.hpp"
#include "gan/nn/module.hpp"
#include "gan/train/state_average.hpp"

namespace gan {

struct MovingAverageOptions {
  double decay = 0.999;
  /// At update k the decay is min(decay, (1 + k) / (10 + k)), so that the first, poor values are soon forgotten.
  bool warm_up = true;
};

/// average = decay * average + (1 - decay) * value for every parameter and buffer (batch norm's statistics included,
/// and spectral norm's vector, whose length does not matter) of a module, which is usually better to sample from than
/// the last values (Yazici et al., 2019).
template <std::floating_point T>
class MovingAverage : public StateAverage<T> {
 public:
  /// Begins with the module's values. Throws unless decay is in [0, 1).
  explicit MovingAverage(Module<T>& module, const MovingAverageOptions& options = {})
      : MovingAverage(module.state(), options) {}
  /// Of these tensors, which it keeps handles of.
  explicit MovingAverage(NamedTensors<T> values, const MovingAverageOptions& options = {})
      : StateAverage<T>(std::move(values)), options_(options) {
    check(is_finite(options.decay) && options.decay >= 0 && options.decay < 1, "moving average: decay ", options.decay,
          ", expected [0, 1)");
  }

  void update() override {
    const double k = static_cast<double>(this->updates());
    this->advance(1 - (options_.warm_up ? std::min(options_.decay, (1 + k) / (10 + k)) : options_.decay));
  }

 private:
  MovingAverageOptions options_;
};

}  // namespace gan
