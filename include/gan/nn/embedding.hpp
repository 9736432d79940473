// Embedding: a trainable row for each of a number of classes.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gan/nn/module.hpp"
#include "gan/nn/spectral_norm.hpp"
#include "gan/ops/gather.hpp"

namespace gan {

struct EmbeddingOptions {
  Initializer initializer = init::normal(0, 1);
  bool spectral_norm = false;  ///< divide the table by its largest singular value
};

/// k labels in [0, classes) -> [k, width], rows of weight [classes, width].
template <std::floating_point T>
class Embedding : public Module<T> {
 public:
  using Options = EmbeddingOptions;

  /// Throws for fewer than 1 class or column.
  Embedding(Module<T>* parent, std::string name, Index classes, Index width, const EmbeddingOptions& options = {})
      : Module<T>(parent, std::move(name)), weight_(this, "weight", checked(classes, width), options.initializer) {
    if (options.spectral_norm) spectral_norm_.emplace(this, weight_);
  }

  /// Throws for a label out of range, and for no labels at all, which a batch of a data set without labels has.
  Tensor<T> operator()(std::vector<Index> labels) {
    return this->at_place([&] {
      check(!labels.empty(), "0 labels, expected one a sample (does the data set have labels?)");
      return gather<T>(spectral_norm_ ? (*spectral_norm_)(weight_) : weight_, std::move(labels));
    });
  }

  std::string kind() const override { return "Embedding"; }

 private:
  Shape checked(Index classes, Index width) const {
    check(classes >= 1 && width >= 1, "embedding \"", this->path(), "\": ", classes, " classes of width ", width,
          ", expected 1 or more");
    return {classes, width};
  }

  Parameter<T> weight_;
  std::optional<SpectralNorm<T>> spectral_norm_;
};

}  // namespace gan
