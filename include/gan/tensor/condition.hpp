// Condition: what stands beside the samples of a batch, e.g. their classes, and tells a network what is wanted.
#pragma once

#include <concepts>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "gan/tensor/tensor.hpp"

namespace gan {

/// What is known about the n samples of a batch: class labels, a tensor (attributes, an image, another domain's
/// sample), both, or nothing. A tensor keeps its history, so that gradients reach whatever made it.
///
/// Where a discriminator sees samples in packs of k (PacGAN), there are k labels and k values a row.
template <std::floating_point T>
struct Condition {
  std::vector<Index> labels{};  ///< [n k], each in [0, classes); empty: none
  Index classes = 0;            ///< number of classes of the labels
  Tensor<T> values{};           ///< [n, ...]; undefined: none
  Index pack = 1;               ///< k, labels of one row

  bool has_labels() const { return !labels.empty(); }
  bool has_values() const { return values.defined(); }
  bool empty() const { return !has_labels() && !has_values(); }
  /// Number of samples or packs of them; 0 when empty.
  Index rows() const {
    if (has_labels()) return static_cast<Index>(labels.size()) / pack;
    return has_values() && values.rank() >= 1 ? values.shape()[0] : 0;
  }

  /// Throws, naming `what`, unless labels are in [0, classes), values and labels have equally many rows, and those are
  /// `rows`; an empty condition passes.
  void check_rows(const std::string& what, Index rows) const;
};

template <std::floating_point T>
void Condition<T>::check_rows(const std::string& what, Index rows) const {
  if (has_labels()) {
    check(classes >= 1, what, ": ", labels.size(), " labels without a number of classes");
    for (std::size_t i = 0; i < labels.size(); ++i)
      check(labels[i] >= 0 && labels[i] < classes, what, ": label ", labels[i], " of sample ", i, ", expected [0, ",
            classes, ")");
    check(pack >= 1 && static_cast<Index>(labels.size()) == rows * pack, what, ": ", labels.size(), " labels for ",
          rows, pack == 1 ? " samples" : " packs of samples");
  }
  if (has_values())
    check(values.rank() >= 1 && values.shape()[0] == rows, what, ": condition ", values.shape(), " for ", rows,
          " samples, expected [", rows, ", ...]");
}

}  // namespace gan
