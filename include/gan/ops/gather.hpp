// Rows by number: the adjoint pair gather and scatter-add, and one-hot rows.
#pragma once

#include <memory>
#include <vector>

#include "gan/ops/reshape.hpp"

namespace gan {

/// Row numbers, shared between an operation and its adjoint.
using Indices = std::shared_ptr<const std::vector<Index>>;

/// table [rows, ...], k indices in [0, rows) -> [k, ...]. Throws for an index out of range.
template <class T>
Tensor<T> gather(const Tensor<T>& table, const Indices& indices);
template <class T>
Tensor<T> gather(const Tensor<T>& table, std::vector<Index> indices) {
  return gather(table, std::make_shared<const std::vector<Index>>(std::move(indices)));
}

/// x [k, ...], k indices in [0, rows) -> [rows, ...]: row i is the sum of all x[j] with indices[j] == i.
template <class T>
Tensor<T> scatter_add(const Tensor<T>& x, const Indices& indices, Index rows);
template <class T>
Tensor<T> scatter_add(const Tensor<T>& x, std::vector<Index> indices, Index rows) {
  return scatter_add(x, std::make_shared<const std::vector<Index>>(std::move(indices)), rows);
}

/// n labels in [0, classes) -> [n, classes]: 1 at the label, 0 elsewhere.
template <class T>
Tensor<T> one_hot(std::span<const Index> labels, Index classes);

/// Throws, in the name of `op`, unless all indices are in [0, rows).
inline void check_indices(const char* op, std::span<const Index> indices, Index rows) {
  for (std::size_t i = 0; i < indices.size(); ++i)
    check(indices[i] >= 0 && indices[i] < rows, op, ": index ", indices[i], " at position ", i, ", expected [0, ", rows,
          ")");
}

template <class T>
Tensor<T> gather(const Tensor<T>& table, const Indices& indices) {
  const Profile::Scope scope("gather");
  check(table.rank() >= 1, "gather: table ", table.shape(), " has no rows");
  const Index rows = table.shape()[0], count = static_cast<Index>(indices->size());
  check_indices("gather", *indices, rows);
  auto y = Tensor<T>::empty(table.shape().with(0, count));
  const Index row = rows == 0 ? 0 : table.size() / rows;
  const T* from = table.data();
  T* to = y.mutable_data();
  parallel_for(count, std::max<Index>(1, (1 << 14) / std::max<Index>(row, 1)), [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i)
      std::copy_n(from + (*indices)[static_cast<std::size_t>(i)] * row, row, to + i * row);
  });
  return record(
      "gather", y, {table}, [indices, rows](Backward<T>& d) { d.give(0, scatter_add(d.grad(), indices, rows)); }, {},
      Reads::nothing());
}

template <class T>
Tensor<T> scatter_add(const Tensor<T>& x, const Indices& indices, Index rows) {
  const Profile::Scope scope("scatter_add");
  const Index count = static_cast<Index>(indices->size());
  check(x.rank() >= 1 && x.shape()[0] == count, "scatter_add: ", count, " indices for x ", x.shape());
  check_indices("scatter_add", *indices, rows);
  auto y = Tensor<T>::zeros(x.shape().with(0, rows));
  const Index row = count == 0 ? 0 : x.size() / count;
  T* to = y.mutable_data();
  for (Index i = 0; i < count; ++i)  // in order: rows may repeat, and sums must not depend on threads
    Values<T>(to + (*indices)[static_cast<std::size_t>(i)] * row, row) += ConstValues<T>(x.data() + i * row, row);
  return record(
      "scatter_add", y, {x}, [indices](Backward<T>& d) { d.give(0, gather(d.grad(), indices)); }, {}, Reads::nothing());
}

template <class T>
Tensor<T> one_hot(std::span<const Index> labels, Index classes) {
  check_indices("one_hot", labels, classes);
  Tensor<T> y({static_cast<Index>(labels.size()), classes});
  T* row = y.mutable_data();
  for (const Index label : labels) {
    row[label] = T(1);
    row += classes;
  }
  return y;
}

}  // namespace gan
