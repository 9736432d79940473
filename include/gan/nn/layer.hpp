// Layer: a module that maps one tensor to another.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "gan/nn/module.hpp"
#include "gan/nn/module_scopes.hpp"

namespace gan {

/// A module with a forward pass. Derive from it, write `forward`, and call the layer like a function; gradients follow
/// from the operations that forward uses.
template <std::floating_point T>
class Layer : public Module<T> {
 public:
  using Module<T>::Module;

  virtual Tensor<T> forward(const Tensor<T>& x) = 0;  // every network writes its own, with override

  /// forward(x). An error of a shape names this layer's path (Module::at_place), and the call is noted in the layer
  /// trace of this thread if there is one.
  Tensor<T> operator()(const Tensor<T>& x) {
    Tensor<T> y = this->at_place([&] { return forward(x); });
    if (trace()) [[unlikely]]
      trace()->push_back({this, y.shape()});
    return y;
  }

  /// The same where this layer and all below it are told a condition.
  Tensor<T> operator()(const Tensor<T>& x, const Condition<T>& condition) {
    const Given<T> given(*this, condition);
    return (*this)(x);
  }

  /// A call of a layer, as the summary sees it.
  struct Call {
    const Layer* layer;
    Shape output;
  };
  using Trace = std::vector<Call>;
  /// Where this thread notes calls; null for nowhere.
  static Trace*& trace() {
    thread_local Trace* calls = nullptr;
    return calls;
  }
};

}  // namespace gan
