// Products of raw matrices, for dense layers and for convolutions that are one product.
#pragma once

#include <Eigen/Core>
#include <algorithm>

#include "gan/tensor/tensor.hpp"

namespace gan::kernels {

/// A row-major matrix whose rows are `stride` elements apart.
template <class T>
using StridedMatrix =
    Eigen::Map<Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>, 0, Eigen::OuterStride<>>;
template <class T>
using ConstStridedMatrix =
    Eigen::Map<const Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>, 0, Eigen::OuterStride<>>;

template <class T>
ConstStridedMatrix<T> strided(const T* data, Index rows, Index columns, Index stride) {
  return {data, rows, columns, Eigen::OuterStride<>(stride)};
}
template <class T>
StridedMatrix<T> strided(T* data, Index rows, Index columns, Index stride) {
  return {data, rows, columns, Eigen::OuterStride<>(stride)};
}

template <class T>
auto packed(T* data, Index rows, Index columns) {
  return strided(data, rows, columns, columns);
}

/// Columns or rows [from, from + length) of x.
template <class Strided>
Strided part_of(Strided x, bool columns, Index from, Index length) {
  const Eigen::OuterStride<> stride(x.outerStride());
  return columns ? Strided(x.data() + from, x.rows(), length, stride)
                 : Strided(x.data() + from * x.outerStride(), length, x.cols(), stride);
}

/// c += op(a) op(b), where op transposes if asked, on the calling thread.
template <class T>
void multiply_add(ConstStridedMatrix<T> a, bool transpose_a, ConstStridedMatrix<T> b, bool transpose_b,
                  StridedMatrix<T> c) {
  // Few, plain expressions: each one costs a second of every user's compile time.
  if (transpose_a && transpose_b)
    c.noalias() += a.transpose() * b.transpose();
  else if (transpose_a)
    c.noalias() += a.transpose() * b;
  else if (transpose_b)
    c.noalias() += a * b.transpose();
  else
    c.noalias() += a * b;
}

/// c += op(a) op(b) for a small c and a long sum, of which each thread has a part.
template <class T>
void multiply_long(ConstStridedMatrix<T> a, bool transpose_a, ConstStridedMatrix<T> b, bool transpose_b,
                   StridedMatrix<T> c, Index k, Index grain) {
  const Index m = c.rows(), n = c.cols();
  const Scratch<T> total(m * n);
  parallel_sum(k, grain, m * n, total.data(), [&](Index begin, Index end, T* sum) {
    multiply_add<T>(part_of(a, !transpose_a, begin, end - begin), transpose_a,
                    part_of(b, transpose_b, begin, end - begin), transpose_b, packed(sum, m, n));
  });
  c += packed(static_cast<const T*>(total.data()), m, n);
}

/// The same on all threads, each with a block of c; c = op(a) op(b) unless `accumulate`. Eigen's own threads wait for
/// each other inside a product, which is many times slower whenever another program wants a core.
template <class T>
void gemm(ConstStridedMatrix<T> a, bool transpose_a, ConstStridedMatrix<T> b, bool transpose_b, StridedMatrix<T> c,
          bool accumulate) {
  constexpr double smallest_task = 50000;  // below two of these Eigen, too, keeps to one thread
  constexpr Index unit = 16;               // blocks of whole vectors
  const Index m = c.rows(), n = c.cols(), k = transpose_a ? a.rows() : a.cols();
  const bool by_rows = m >= n;
  const Index units = ((by_rows ? m : n) + unit - 1) / unit;
  const double work = static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
  if (units < threads() && work >= 2 * smallest_task) {
    if (!accumulate) c.setZero();
    const double grain = smallest_task / (static_cast<double>(m) * static_cast<double>(n));
    return multiply_long<T>(a, transpose_a, b, transpose_b, c, k, static_cast<Index>(grain) + 1);
  }
  const Index tasks = std::max<Index>(1, static_cast<Index>(std::min(work / smallest_task, double(units))));
  parallel_for(units, (units + tasks - 1) / tasks, [&](Index begin, Index end) {
    const Index from = begin * unit, length = std::min(end * unit, by_rows ? m : n) - from;
    StridedMatrix<T> block = part_of(c, !by_rows, from, length);
    if (!accumulate) block.setZero();
    if (by_rows)
      multiply_add<T>(part_of(a, transpose_a, from, length), transpose_a, b, transpose_b, block);
    else
      multiply_add<T>(a, transpose_a, part_of(b, !transpose_b, from, length), transpose_b, block);
  });
}

/// A tensor as the matrix [rows, last axis].
template <class T>
ConstStridedMatrix<T> rows_of(const Tensor<T>& x) {
  return packed(x.data(), x.shape().rows(), x.shape().last());
}
template <class T>
StridedMatrix<T> mutable_rows_of(Tensor<T>& x) {
  return packed(x.mutable_data(), x.shape().rows(), x.shape().last());
}

}  // namespace gan::kernels
