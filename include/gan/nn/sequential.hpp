// Sequential: layers one after the other.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gan/nn/layer.hpp"

namespace gan {

/// Owns layers and applies them in the order they were added:
///
///     net.add<gan::Dense>("hidden", 64, 256);
///     net.add<gan::Activation>("act", gan::activation::relu());
template <std::floating_point T>
class Sequential : public Layer<T> {
 public:
  using Layer<T>::Layer;

  /// Constructs `L<T>(this, name, args...)` at the end, and returns it.
  template <template <class> class L, class... Args>
  L<T>& add(std::string name, Args&&... args) {
    auto layer = std::make_unique<L<T>>(this, std::move(name), std::forward<Args>(args)...);
    auto& added = *layer;
    layers_.push_back(std::move(layer));
    return added;
  }

  /// Adds what make(this, name, args...) gives, a pointer to a layer: a NormLayer, say.
  template <class Make, class... Args>
  Layer<T>& add(std::string name, const Make& make, Args&&... args) {
    layers_.push_back(make(this, std::move(name), std::forward<Args>(args)...));
    return *layers_.back();
  }

  Tensor<T> forward(const Tensor<T>& x) override {
    Tensor<T> y = x;
    for (const auto& layer : layers_) y = (*layer)(y);
    return y;
  }

  std::string kind() const override { return "Sequential"; }
  std::size_t size() const { return layers_.size(); }

 private:
  std::vector<std::unique_ptr<Layer<T>>> layers_;
};

}  // namespace gan
