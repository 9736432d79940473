// ImagePool: earlier fakes, shown to a discriminator again.
#pragma once

#include <algorithm>
#include <string>
#include <utility>

#include "gan/nn/module.hpp"
#include "gan/ops/concatenate.hpp"
#include "gan/ops/slice.hpp"

namespace gan {

/// Keeps up to `capacity` samples, and hands out for each it is given that one or, with probability 1/2 once it is
/// full, one that it kept earlier, in whose place it keeps the new one (Shrivastava et al., 2017; CycleGAN). It is
/// saved with its game. Capacity 0 keeps nothing.
template <std::floating_point T>
class ImagePool : public Module<T> {
 public:
  /// Throws for a negative capacity.
  ImagePool(Module<T>* parent, std::string name, Index capacity)
      : Module<T>(parent, std::move(name)), capacity_(capacity), kept_({0}) {
    check(capacity >= 0, "image pool \"", this->path(), "\": capacity ", capacity, ", expected 0 or more");
    this->add_buffer("samples", kept_);
  }

  /// x [n, ...] -> [n, ...], without history. Throws unless all samples it is given have one shape.
  Tensor<T> operator()(const Tensor<T>& x);

  Index size() const { return kept_.shape()[0]; }
  std::string kind() const override { return "ImagePool"; }

  void expect(const NamedTensors<T>& state, const std::string& prefix) override {
    for (const auto& [name, tensor] : state)
      if (name == prefix + "samples" && tensor.rank() >= 1 && tensor.shape()[0] <= capacity_)
        keep(Tensor<T>(tensor.shape()));
  }

 private:
  void keep(Tensor<T> samples) {
    kept_ = std::move(samples);
    this->replace_buffer("samples", kept_);
  }

  Index capacity_;
  Tensor<T> kept_;  // [size, ...]
};

template <std::floating_point T>
Tensor<T> ImagePool<T>::operator()(const Tensor<T>& x) {
  const NoGrad no_grad;
  if (capacity_ == 0) return x.detach();
  check(x.rank() >= 1 && x.size() > 0 && (size() == 0 || kept_.shape().with(0, 1) == x.shape().with(0, 1)),
        "image pool \"", this->path(), "\": samples ", x.shape(), " for a pool of ", kept_.shape());
  Tensor<T> y = x.clone();
  const Index n = x.shape()[0], fresh = std::min(n, capacity_ - size());
  const Index item = x.size() / n;
  if (fresh > 0) {
    const Tensor<T> first = slice(x, 0, 0, fresh);
    keep(size() == 0 ? first.clone() : concatenate<T>({kept_, first}, 0));
  }
  T* const out = y.mutable_data();
  T* const kept = kept_.mutable_data();
  for (Index i = fresh; i < n; ++i) {
    if (this->rng().uniform() < 0.5) continue;
    const Index at = this->rng().integer(0, size());
    std::swap_ranges(out + i * item, out + (i + 1) * item, kept + at * item);
  }
  return y;
}

}  // namespace gan
