// StateAverage: what all averages of a network's state share.
#pragma once

#include <algorithm>
#include <utility>

#include "gan/tensor/named_tensors.hpp"

namespace gan {

/// An average of tensors over the updates of what they belong to, kept beside them. How much a new value counts is up
/// to the class derived from it.
template <std::floating_point T>
class StateAverage {
 public:
  StateAverage(const StateAverage&) = delete;
  StateAverage& operator=(const StateAverage&) = delete;
  virtual ~StateAverage() = default;

  /// Takes the current values in.
  virtual void update() = 0;

  /// Number of updates so far, and handles of the averages, named as the values.
  Index updates() const { return updates_; }
  void set_updates(Index updates) { updates_ = updates; }
  const NamedTensors<T>& state() const { return average_; }

  /// While it lives, the averaged tensors hold the averages, and this holds their values.
  class Swap {
   public:
    explicit Swap(StateAverage& average) : average_(average) { exchange(); }
    ~Swap() { exchange(); }
    Swap(const Swap&) = delete;
    Swap& operator=(const Swap&) = delete;

   private:
    void exchange() {
      for (std::size_t i = 0; i < average_.live_.size(); ++i)
        average_.live_[i].tensor.swap_values(average_.average_[i].tensor);
    }
    StateAverage& average_;
  };

 protected:
  /// Begins with the values as they are, and keeps handles of them.
  explicit StateAverage(NamedTensors<T> values) : live_(std::move(values)) {
    for (const auto& [name, tensor] : live_) average_.push_back({name, tensor.clone()});
  }

  /// One update: average += share * (value - average).
  void advance(double share) {
    ++updates_;
    const T part = static_cast<T>(share);
    for (std::size_t i = 0; i < live_.size(); ++i) {
      const T* from = live_[i].tensor.data();
      T* to = average_[i].tensor.mutable_data();
      elementwise_for(live_[i].tensor.size(), [&](Index begin, Index end) {
        if (part == 1)  // whatever the average was, be it NaN
          std::copy(from + begin, from + end, to + begin);
        else
          for (Index j = begin; j < end; ++j) to[j] += part * (from[j] - to[j]);
      });
    }
  }

 private:
  NamedTensors<T> live_, average_;
  Index updates_ = 0;
};

}  // namespace gan
