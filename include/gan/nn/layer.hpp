// Layer: a module that maps one tensor to another.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "gan/nn/module.hpp"

namespace gan {

/// A module with a forward pass. Derive from it, write `forward`, and call the layer like a function; gradients follow
/// from the operations that forward uses.
template <std::floating_point T>
class Layer : public Module<T> {
 public:
  using Module<T>::Module;

  virtual Tensor<T> forward(const Tensor<T>& x) = 0;

  /// forward(x), noted in the layer trace of this thread if there is one.
  Tensor<T> operator()(const Tensor<T>& x) {
    Tensor<T> y = forward(x);
    if (trace()) [[unlikely]]
      trace()->push_back({this, y.shape()});
    return y;
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
