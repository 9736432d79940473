// Discriminator: base class of networks that tell real samples from generated ones.
#pragma once

#include <string>

#include "gan/nn/layer.hpp"
#include "gan/nn/summary.hpp"

namespace gan {

/// Derive from it and write `forward`: samples [n, ...] -> logits [n, 1], positive for "real". No sigmoid at the end:
/// the losses take logits.
template <std::floating_point T>
class Discriminator : public Layer<T> {
 public:
  using Scalar = T;

  explicit Discriminator(Rng& rng) : Layer<T>(rng) {}

  std::string kind() const override { return "Discriminator"; }

  /// The table of layers, for samples of that shape.
  std::string summary(const Shape& item) { return gan::summary(*this, item); }
};

}  // namespace gan
