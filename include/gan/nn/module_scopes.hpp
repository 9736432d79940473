// What holds of a module for a while: frozen parameters, evaluation mode, a condition.
#pragma once

#include <concepts>
#include <memory>
#include <utility>
#include <vector>

#include "gan/nn/module.hpp"

namespace gan {

/// While it lives, no parameter of the module, or none of those given, takes part in what is recorded: gradients flow
/// through it to its inputs only. Flags are put back as they were.
template <std::floating_point T>
class Freeze {
 public:
  explicit Freeze(Module<T>& module) : Freeze(module.parameters()) {}
  explicit Freeze(NamedTensors<T> parameters) : parameters_(std::move(parameters)) {
    for (auto& [name, parameter] : parameters_) {
      before_.push_back(parameter.requires_grad());
      parameter.set_requires_grad(false);
    }
  }
  ~Freeze() {
    for (std::size_t i = 0; i < parameters_.size(); ++i) parameters_[i].tensor.set_requires_grad(before_[i]);
  }
  Freeze(const Freeze&) = delete;
  Freeze& operator=(const Freeze&) = delete;

 private:
  NamedTensors<T> parameters_;
  std::vector<bool> before_;
};

/// While it lives, the module and all below it are in evaluation mode. Their modes are put back one by one, so that a
/// part that was already evaluating stays so, and so that a part may end before this does.
template <std::floating_point T>
class Evaluate {
 public:
  explicit Evaluate(Module<T>& module) {
    note(module);
    module.eval();
  }
  ~Evaluate() {
    for (const auto& [mode, training] : before_) *mode = training;
  }
  Evaluate(const Evaluate&) = delete;
  Evaluate& operator=(const Evaluate&) = delete;

 private:
  void note(Module<T>& module) {
    before_.emplace_back(module.training_, module.training());
    for (auto* child : module.children()) note(*child);
  }

  std::vector<std::pair<std::shared_ptr<bool>, bool>> before_;
};

/// While it lives, the module and all below it are told this condition, which must outlive it too:
///
///     const gan::Given given(network, condition);
///     return network(x);                             // or at once: network(x, condition)
///
/// An empty condition is as good as none, and hides one that was given further up.
template <std::floating_point T>
class Given {
 public:
  Given(Module<T>& module, const Condition<T>& condition)
      : module_(module), before_(std::exchange(module.given_, &condition)) {}
  ~Given() { module_.given_ = before_; }
  Given(const Given&) = delete;
  Given& operator=(const Given&) = delete;

 private:
  Module<T>& module_;
  const Condition<T>* before_;
};

}  // namespace gan
