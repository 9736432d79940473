// AnyOptimizer: which optimizer a player has, with its options.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "gan/optim/adam.hpp"
#include "gan/optim/rms_prop.hpp"
#include "gan/optim/sgd.hpp"

namespace gan {

/// Made of the options of an optimizer, which name it: gan::AdamOptions{.learning_rate = 1e-4}, gan::SgdOptions{} ...
/// Options of an optimizer of one's own need a member `template <class T> using Optimizer = MyOptimizer<T>;`.
template <std::floating_point T>
class AnyOptimizer {
 public:
  AnyOptimizer() : AnyOptimizer(AdamOptions{}) {}
  template <class Options>
  requires requires { typename Options::template Optimizer<T>; }
  AnyOptimizer(const Options& options)
      : make_([options](NamedTensors<T> parameters) -> std::unique_ptr<Optimizer<T>> {
          return std::make_unique<typename Options::template Optimizer<T>>(std::move(parameters), options);
        }) {}

  std::unique_ptr<Optimizer<T>> make(NamedTensors<T> parameters) const { return make_(std::move(parameters)); }

 private:
  std::function<std::unique_ptr<Optimizer<T>>(NamedTensors<T>)> make_;
};

}  // namespace gan
