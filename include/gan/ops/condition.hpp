// Conditions taken apart and put together, row by row.
#pragma once

#include <vector>

#include "gan/ops/concatenate.hpp"
#include "gan/ops/gather.hpp"
#include "gan/ops/permute.hpp"
#include "gan/ops/reshape.hpp"
#include "gan/tensor/condition.hpp"

namespace gan {

/// Rows `rows` of a condition, in that order. Throws outside [0, condition.rows()).
template <class T>
Condition<T> gather(const Condition<T>& condition, const std::vector<Index>& rows) {
  Condition<T> y{.classes = condition.classes, .pack = condition.pack};
  if (condition.has_labels()) {
    check_indices("gather", rows, condition.rows());
    for (const Index row : rows)
      for (Index i = 0; i < condition.pack; ++i)
        y.labels.push_back(condition.labels[static_cast<std::size_t>(row * condition.pack + i)]);
  }
  if (condition.has_values()) y.values = gather(condition.values, rows);
  return y;
}

/// One condition after the other: those of `a`, then those of `b`. Throws unless both have labels, or values, alike.
template <class T>
Condition<T> concatenate(const Condition<T>& a, const Condition<T>& b) {
  check(a.has_labels() == b.has_labels() && a.has_values() == b.has_values() && a.classes == b.classes &&
            a.pack == b.pack,
        "concatenate: conditions of ", a.labels.size(), " labels of ", a.classes, " classes and of ", b.labels.size(),
        " of ", b.classes, ", or only one with values");
  Condition<T> y = a;
  y.labels.insert(y.labels.end(), b.labels.begin(), b.labels.end());
  if (a.has_values()) y.values = concatenate<T>({a.values, b.values}, 0);
  return y;
}

/// x [n, ..., c] -> [n / k, ..., k c]: k samples after each other become one row, joined along the last axis, as a
/// discriminator of packs sees them (PacGAN, Lin et al., 2018). Throws unless k divides n.
template <class T>
Tensor<T> pack_samples(const Tensor<T>& x, Index k) {
  if (k == 1) return x;
  check(k >= 1 && x.rank() >= 2 && x.shape()[0] % k == 0, "pack_samples: batch ", x.shape(),
        " is not made of packs of ", k);
  const Index n = x.shape()[0], c = x.shape().last(), positions = n * c == 0 ? 0 : x.size() / (n * c);
  return reshape(permute(reshape(x, Shape{n / k, k, positions, c}), {0, 2, 1, 3}),
                 x.shape().with(0, n / k).with(-1, k * c));
}

/// The same of their conditions: k labels a row, and values packed as samples are.
template <class T>
Condition<T> pack_samples(const Condition<T>& condition, Index k) {
  Condition<T> y = condition;
  if (k == 1) return y;
  check(!condition.has_labels() || static_cast<Index>(condition.labels.size()) % k == 0,
        "pack_samples: ", condition.labels.size(), " labels are not made of packs of ", k);
  y.pack *= k;
  if (condition.has_values()) y.values = pack_samples(condition.values, k);
  return y;
}

}  // namespace gan
