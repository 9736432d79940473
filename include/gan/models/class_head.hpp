// The last layer of a discriminator that may be told the class.
#pragma once

#include "gan/models/discriminator.hpp"
#include "gan/nn/auxiliary_classifier_head.hpp"
#include "gan/nn/dense.hpp"
#include "gan/nn/projection_head.hpp"
#include "gan/nn/sequential.hpp"

namespace gan {

/// Adds the layer "output" to `net`, from features [n, in]: a dense layer to one logit without classes, else a
/// ProjectionHead or an AuxiliaryClassifierHead, whose dense layers are made as `dense` says. Throws for classes below
/// 0.
template <std::floating_point T>
void add_head(Sequential<T>& net, Index in, Index classes, ClassHead head, const DenseOptions& dense,
              const Initializer& embedding_initializer = init::glorot_uniform()) {
  check(classes >= 0, "discriminator: ", classes, " classes, expected 0 or more");
  if (classes == 0)
    net.template add<Dense>("output", in, Index{1}, dense);
  else if (head == ClassHead::projection)
    net.template add<ProjectionHead>(
        "output", in, classes, ProjectionHeadOptions{.dense = dense, .embedding_initializer = embedding_initializer});
  else
    net.template add<AuxiliaryClassifierHead>("output", in, classes, AuxiliaryClassifierHeadOptions{.dense = dense});
}

}  // namespace gan
