// AuxiliaryClassifierHead: the last layer of a discriminator that names the class.
#pragma once

#include <string>

#include "gan/nn/dense.hpp"
#include "gan/ops/concatenate.hpp"

namespace gan {

struct AuxiliaryClassifierHeadOptions {
  Index pack = 1;        ///< samples the discriminator sees at once
  DenseOptions dense{};  ///< of both dense layers
};

/// Score and logits of the classes: features [n, f] -> [n, 1 + classes], or [n, 1 + k classes] for packs of k (AC-GAN,
/// Odena et al., 2017). A discriminator that ends with it has {.extra = k classes}; the rest without the score, as
/// [n k, classes], goes with the labels into cross_entropy.
template <std::floating_point T>
class AuxiliaryClassifierHead : public Layer<T> {
 public:
  using Options = AuxiliaryClassifierHeadOptions;

  /// Throws for fewer than 1 feature, class or sample in a pack.
  AuxiliaryClassifierHead(Module<T>* parent, std::string name, Index features, Index classes,
                          const AuxiliaryClassifierHeadOptions& options = {})
      : Layer<T>(parent, std::move(name)),
        score_(this, "score", features, 1, options.dense),
        classes_(this, "classes", features, outputs(classes, options.pack), options.dense) {}

  /// Throws unless features are [n, f].
  Tensor<T> forward(const Tensor<T>& features) override {
    check(features.rank() == 2, "features ", features.shape(), ", expected [n, f]");
    return concatenate<T>({score_(features), classes_(features)}, 1);
  }

  std::string kind() const override { return "AuxiliaryClassifierHead"; }

 private:
  Index outputs(Index classes, Index pack) const {
    check(classes >= 1 && pack >= 1, "auxiliary classifier head \"", this->path(), "\": ", classes,
          " classes, packs of ", pack, ", expected 1 or more");
    return classes * pack;
  }

  Dense<T> score_, classes_;
};

}  // namespace gan
