// Exponential moving average of a network's state.
#pragma once

#include <algorithm>
#include <utility>

#include "gan/core/finite.hpp"
#include "gan/nn/module.hpp"

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
class MovingAverage {
 public:
  /// Begins with the module's values. Throws unless decay is in [0, 1).
  explicit MovingAverage(Module<T>& module, const MovingAverageOptions& options = {})
      : options_(options), live_(module.state()) {
    check(is_finite(options.decay) && options.decay >= 0 && options.decay < 1, "moving average: decay ", options.decay,
          ", expected [0, 1)");
    for (const auto& [name, tensor] : live_) average_.push_back({name, tensor.clone()});
  }

  /// Takes the module's current values in.
  void update() {
    const double k = static_cast<double>(updates_++);
    const T rest = T(1 - (options_.warm_up ? std::min(options_.decay, (1 + k) / (10 + k)) : options_.decay));
    for (std::size_t i = 0; i < live_.size(); ++i) {
      const T* from = live_[i].tensor.data();
      T* to = average_[i].tensor.mutable_data();
      elementwise_for(live_[i].tensor.size(), [&](Index begin, Index end) {
        for (Index j = begin; j < end; ++j) to[j] += rest * (from[j] - to[j]);
      });
    }
  }

  /// Number of updates so far, and handles of the averages, named as the module's state.
  Index updates() const { return updates_; }
  void set_updates(Index updates) { updates_ = updates; }
  const NamedTensors<T>& state() const { return average_; }

  /// While it lives, the module holds the averages, and this holds the module's values.
  class Swap {
   public:
    explicit Swap(MovingAverage& average) : average_(average) { exchange(); }
    ~Swap() { exchange(); }
    Swap(const Swap&) = delete;
    Swap& operator=(const Swap&) = delete;

   private:
    void exchange() {
      for (std::size_t i = 0; i < average_.live_.size(); ++i)
        average_.live_[i].tensor.swap_values(average_.average_[i].tensor);
    }
    MovingAverage& average_;
  };

 private:
  MovingAverageOptions options_;
  NamedTensors<T> live_, average_;
  Index updates_ = 0;
};

}  // namespace gan
