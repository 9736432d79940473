// Embedding: a trainable row for each of a number of classes.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "gan/nn/module.hpp"
#include "gan/ops/gather.hpp"

namespace gan {

/// k labels in [0, classes) -> [k, width], rows of weight [classes, width].
template <std::floating_point T>
class Embedding : public Module<T> {
 public:
  Embedding(Module<T>* parent, std::string name, Index classes, Index width,
            const Initializer& initializer = init::normal(0, 1))
      : Module<T>(parent, std::move(name)), weight_(this, "weight", checked(classes, width), initializer) {}

  /// Throws for a label out of range, and for no labels at all, which a batch of a data set without labels has.
  Tensor<T> operator()(std::vector<Index> labels) {
    return this->at_place([&] {
      check(!labels.empty(), "0 labels, expected one a sample (does the data set have labels?)");
      return gather(weight_, std::move(labels));
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
};

}  // namespace gan
