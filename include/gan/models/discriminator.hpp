// Discriminator: base class of networks that tell real samples from generated ones.
#pragma once

#include <string>

#include "gan/nn/layer.hpp"
#include "gan/nn/summary.hpp"

namespace gan {

struct DiscriminatorOptions {
  Index extra = 0;  ///< outputs beside the score, e.g. logits of classes, for terms of the game
};

/// Derive from it and write `forward`: samples [n, ...] -> logits [n, 1], positive for "real", or [n, 1 + extra] with
/// what else the game's terms ask for. No sigmoid at the end: the losses take logits.
template <std::floating_point T>
class Discriminator : public Layer<T> {
 public:
  using Scalar = T;

  explicit Discriminator(Rng& rng, const DiscriminatorOptions& options = {}) : Layer<T>(rng), extra_(options.extra) {
    check(extra_ >= 0, "discriminator: ", extra_, " extra outputs, expected 0 or more");
  }
  /// The same as a part of a game or another module.
  Discriminator(Module<T>* parent, std::string name, const DiscriminatorOptions& options = {})
      : Layer<T>(parent, std::move(name)), extra_(options.extra) {
    check(extra_ >= 0, "discriminator \"", this->path(), "\": ", extra_, " extra outputs, expected 0 or more");
  }

  /// Scores and further outputs of one sample; an ensemble has a score a member.
  virtual Index scores() const { return 1; }
  Index extra() const { return extra_; }

  std::string kind() const override { return "Discriminator"; }

  /// The table of layers, for samples of that shape.
  std::string summary(const Shape& item) { return gan::summary(*this, item); }

 private:
  Index extra_;
};

}  // namespace gan
