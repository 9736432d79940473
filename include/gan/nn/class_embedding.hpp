// The classes of a condition as numbers that layers can use.
#pragma once

#include <optional>
#include <string>

#include "gan/core/finite.hpp"
#include "gan/nn/embedding.hpp"
#include "gan/nn/layer.hpp"
#include "gan/ops/concatenate.hpp"
#include "gan/ops/gather.hpp"
#include "gan/ops/reshape.hpp"
#include "gan/ops/sum.hpp"

namespace gan {

/// The rows that an embedding has for the labels of `rows` samples: [rows, width], and for packs of k samples, which
/// have k labels a row, [rows, k width], one after the other as the samples are joined. Throws without labels, for
/// another number of them, and for labels that the embedding does not know.
template <class T>
Tensor<T> embed(Embedding<T>& embedding, const Condition<T>& condition, Index rows) {
  check(condition.has_labels(), "the condition of ", rows, " samples has no class labels");
  condition.check_rows("condition", rows);
  const auto each = embedding(condition.labels);
  return condition.pack == 1 ? each : reshape(each, Shape{rows, condition.pack * each.shape().last()});
}

namespace detail {

/// v [n, c] -> [n, 1, ..., 1, c], to be broadcast over the positions of x [n, ..., c].
template <class T>
Tensor<T> over_positions(const Tensor<T>& v, const Tensor<T>& x) {
  Shape shape = v.shape();
  while (shape.rank() < x.rank()) shape = shape.inserted(1, 1);
  return reshape(v, shape);
}

}  // namespace detail

struct ConcatenateClassOptions {
  Index width = 0;   ///< of a trained embedding; 0: the label as it is, one-hot, `classes` wide
  double scale = 1;  ///< of the one-hot code
  Initializer initializer = init::normal(0, 1);
  bool spectral_norm = false;  ///< of that embedding
};

/// Conditioning by concatenation (Mirza and Osindero, 2014): appends what stands for a sample's class, the same at each
/// position: z [n, l] -> [n, l + width], images [n, h, w, c] -> [n, h, w, c + width]. Packs of k append k width. It
/// reads condition().labels:
///
///     net.add<gan::ConcatenateClass>("label", 10, gan::ConcatenateClassOptions{.width = 16});
template <std::floating_point T>
class ConcatenateClass : public Layer<T> {
 public:
  using Options = ConcatenateClassOptions;

  /// Throws for fewer than 1 class and a negative width.
  ConcatenateClass(Module<T>* parent, std::string name, Index classes, const ConcatenateClassOptions& options = {})
      : Layer<T>(parent, std::move(name)), classes_(classes), scale_(options.scale) {
    check(classes >= 1 && options.width >= 0 && is_finite(scale_), "concatenate class \"", this->path(),
          "\": ", classes, " classes, width ", options.width, ", scale ", scale_,
          ", expected classes >= 1, width >= 0 and a finite scale");
    if (options.width > 0)
      embedding_.emplace(this, "embedding", classes, options.width,
                         EmbeddingOptions{.initializer = options.initializer, .spectral_norm = options.spectral_norm});
  }

  /// Throws without a condition with a label in [0, classes) for each sample.
  Tensor<T> forward(const Tensor<T>& x) override {
    check(x.rank() >= 2, "x ", x.shape(), ", expected [n, ..., c]");
    const auto code = detail::over_positions(code_of(this->condition(), x.shape()[0]), x);
    return concatenate<T>({x, broadcast_to(code, x.shape().with(-1, code.shape().last()))}, -1);
  }

  std::string kind() const override { return "ConcatenateClass"; }

 private:
  Tensor<T> code_of(const Condition<T>& condition, Index rows) {
    if (embedding_) return embed(*embedding_, condition, rows);
    check(condition.has_labels(), "the condition of ", rows, " samples has no class labels");
    condition.check_rows("condition", rows);
    const auto code = reshape(one_hot<T>(condition.labels, classes_), Shape{rows, condition.pack * classes_});
    return scale_ == 1 ? code : code * scale_;
  }

  Index classes_;
  double scale_;
  std::optional<Embedding<T>> embedding_;
};

}  // namespace gan
