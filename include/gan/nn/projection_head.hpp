// ProjectionHead: the last layer of a discriminator that knows the class.
#pragma once

#include <string>

#include "gan/nn/class_embedding.hpp"
#include "gan/nn/dense.hpp"

namespace gan {

struct ProjectionHeadOptions {
  Index pack = 1;        ///< samples the discriminator sees at once; it divides the features
  DenseOptions dense{};  ///< of the dense layer; the embedding has its spectral norm, too
  Initializer embedding_initializer = init::glorot_uniform();
};

/// score = features weight + bias + <embedding(label), features>: features [n, f] -> [n, 1], embedding [classes, f]
/// (Miyato and Koyama, 2018). In packs of k each of the k labels meets f / k of the features. It reads
/// condition().labels.
template <std::floating_point T>
class ProjectionHead : public Layer<T> {
 public:
  using Options = ProjectionHeadOptions;

  /// Throws for fewer than 1 feature or class, and for packs that do not divide the features.
  ProjectionHead(Module<T>* parent, std::string name, Index features, Index classes,
                 const ProjectionHeadOptions& options = {})
      : Layer<T>(parent, std::move(name)),
        features_(features),
        pack_(options.pack),
        score_(this, "score", features, 1, options.dense),
        embedding_(this, "embedding", classes, width(features, options.pack),
                   {.initializer = options.embedding_initializer, .spectral_norm = options.dense.spectral_norm}) {}

  /// Throws unless features are [n, f], and without a condition with a label, or a pack of labels, for each row.
  Tensor<T> forward(const Tensor<T>& features) override {
    check(features.rank() == 2 && features.shape()[1] == features_, "features ", features.shape(), ", expected [n, ",
          features_, "]");
    const auto& condition = this->condition();
    check(condition.pack == pack_, "labels in packs of ", condition.pack, ", expected ", pack_,
          " (ProjectionHeadOptions::pack)");
    const auto code = embed(embedding_, condition, features.shape()[0]);
    return score_(features) + sum(code * features, {1}, true);
  }

  std::string kind() const override { return "ProjectionHead"; }

 private:
  Index width(Index features, Index pack) const {
    check(pack >= 1 && features % pack == 0, "projection head \"", this->path(), "\": packs of ", pack,
          " do not divide ", features, " features");
    return features / pack;
  }

  Index features_, pack_;
  Dense<T> score_;
  Embedding<T> embedding_;
};

}  // namespace gan
