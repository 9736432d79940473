// Discriminator: base class of networks that tell real samples from generated ones.
#pragma once

#include <string>

#include "gan/nn/layer.hpp"
#include "gan/nn/summary.hpp"

namespace gan {

struct DiscriminatorOptions {
  Index extra = 0;    ///< outputs beside the score, e.g. logits of classes, for terms of the game
  Index classes = 0;  ///< of the labels that forward asks for by condition(); 0: it asks for none, or any number
};

/// How a discriminator that is told the class uses it: its score is one for that class (projection; Miyato and Koyama,
/// 2018), or it names the class beside the score (AC-GAN; Odena et al., 2017), which terms of the trainer then use.
enum class ClassHead { projection, auxiliary };

/// Derive from it and write `forward`: samples [n, ...] -> logits [n, 1], positive for "real", or [n, 1 + extra] with
/// what else the game's terms ask for. No sigmoid at the end: the losses take logits.
template <std::floating_point T>
class Discriminator : public Layer<T> {
 public:
  using Scalar = T;

  explicit Discriminator(Rng& rng, const DiscriminatorOptions& options = {})
      : Layer<T>(rng), extra_(options.extra), classes_(options.classes) {
    check_options();
  }
  /// The same as a part of a game or another module.
  Discriminator(Module<T>* parent, std::string name, const DiscriminatorOptions& options = {})
      : Layer<T>(parent, std::move(name)), extra_(options.extra), classes_(options.classes) {
    check_options();
  }

  /// Scores and further outputs of one sample; an ensemble has a score a member.
  virtual Index scores() const { return 1; }
  Index extra() const { return extra_; }
  /// Number of classes it declares; 0: none.
  Index classes() const { return classes_; }

  std::string kind() const override { return "Discriminator"; }

  /// The table of layers, for samples of that shape.
  std::string summary(const Shape& item) {
    Condition<T> condition{.classes = classes_};
    if (classes_ > 0) condition.labels = {0};
    return gan::summary(*this, item, condition);
  }

 private:
  void check_options() const {
    check(extra_ >= 0 && classes_ >= 0, "discriminator: ", extra_, " extra outputs and ", classes_,
          " classes, expected 0 or more of each");
  }

  Index extra_, classes_;
};

}  // namespace gan
