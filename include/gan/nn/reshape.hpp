// Flatten and Reshape: other shapes of each sample.
#pragma once

#include <string>

#include "gan/nn/layer.hpp"
#include "gan/ops/reshape.hpp"

namespace gan {

/// x [n, ...] -> [n, everything else], without copying.
template <std::floating_point T>
class Flatten : public Layer<T> {
 public:
  using Layer<T>::Layer;
  Tensor<T> forward(const Tensor<T>& x) override { return flatten(x); }
  std::string kind() const override { return "Flatten"; }
};

/// x [n, ...] -> [n, ...item], without copying. Throws when the sizes differ.
template <std::floating_point T>
class Reshape : public Layer<T> {
 public:
  Reshape(Module<T>* parent, std::string name, const Shape& item) : Layer<T>(parent, std::move(name)), item_(item) {}
  Tensor<T> forward(const Tensor<T>& x) override {
    if (x.rank() < 1) fail("x ", x.shape(), " has no batch axis");
    return reshape(x, item_.inserted(0, x.shape()[0]));
  }
  std::string kind() const override { return "Reshape"; }

 private:
  Shape item_;
};

}  // namespace gan
