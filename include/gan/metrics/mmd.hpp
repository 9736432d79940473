// Maximum mean discrepancy: a distance of two distributions from their samples, by kernels.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "gan/metrics/features.hpp"

namespace gan {

struct MmdOptions {
  /// Of the kernels; empty: `factors` times the median distance of the real samples, so that what is measured along a
  /// run, or of several generators, is measured alike.
  std::vector<double> bandwidths = {};
  std::vector<double> factors = {0.25, 0.5, 1, 2, 4};  ///< for the median heuristic
};

/// The median of the distances between the rows of x [n, d], of which at most 1,000, evenly spaced, are taken; when
/// more than half of them are 0, the mean of the others; 1 when all rows are equal (Gretton et al., 2012).
template <class T>
double median_distance(const Tensor<T>& x);

/// Unbiased estimate of the squared maximum mean discrepancy, E k(x, x') + E k(y, y') - 2 E k(x, y), of real samples x
/// [n, d] and generated ones y [m, d]: about 0, also a little below, for equal distributions. k is the mean of the
/// Gaussian kernels exp(-|a - b|^2 / (2 bandwidth^2)), so that the result is at most 2. Throws for fewer than 2 rows,
/// widths that differ, rows that are not finite, and bandwidths not above 0 (Gretton et al., 2012).
template <class T>
double squared_mmd(const Tensor<T>& real, const Tensor<T>& generated, const MmdOptions& options = {});

namespace detail {

template <std::same_as<Features> F>
double median_distance(const F& x) {
  constexpr Index most = 1000;
  const Index n = std::min(x.rows(), most);
  Features taken(n, x.cols());
  for (Index i = 0; i < n; ++i) taken.row(i) = x.row(i * x.rows() / n);
  Features squares(n, n);
  Distances(taken, taken).for_each_tile([&](Index, Index row, Index column, const Features& tile) {
    squares.block(row, column, tile.rows(), tile.cols()) = tile;
  });
  std::vector<double> distances;
  for (Index i = 0; i < n; ++i)
    for (Index j = 0; j < i; ++j) distances.push_back(squares(i, j));
  if (distances.empty()) return 1;
  const auto middle = distances.begin() + static_cast<Index>(distances.size() / 2);
  std::nth_element(distances.begin(), middle, distances.end());
  if (*middle > 0) return std::sqrt(*middle);
  double sum = 0, count = 0;
  for (const double square : distances)
    if (square > 0) sum += std::sqrt(square), ++count;
  return count > 0 ? sum / count : 1;
}

/// Sum of the kernels over all pairs of rows, or over those of different number when `same` says both are one sample.
template <std::same_as<Features> F>
double kernel_sum(const F& x, const F& y, bool same, const std::vector<double>& bandwidths) {
  const Distances distances(x, y);
  std::vector<double> sums(static_cast<std::size_t>(distances.blocks()), 0);
  distances.for_each_tile([&](Index block, Index row, Index column, const Features& tile) {
    double sum = 0;
    for (const double bandwidth : bandwidths)
      // Twice times the inverse: the square of a tiny bandwidth is 0, and 0 / 0 no kernel.
      sum += (tile.array() * -0.5 * (1 / bandwidth) * (1 / bandwidth)).exp().sum() /
             static_cast<double>(bandwidths.size());
    if (same) {
      const Index first = std::max(row, column), last = std::min(row + tile.rows(), column + tile.cols());
      for (Index i = first; i < last; ++i)
        for (const double bandwidth : bandwidths)
          sum -= std::exp(-0.5 * tile(i - row, i - column) * (1 / bandwidth) * (1 / bandwidth)) /
                 static_cast<double>(bandwidths.size());
    }
    sums[static_cast<std::size_t>(block)] += sum;
  });
  double total = 0;
  for (const double sum : sums) total += sum;
  return total;
}

}  // namespace detail

template <class T>
double median_distance(const Tensor<T>& x) {
  return detail::median_distance(detail::features("median_distance", "x", x, 1));
}

template <class T>
double squared_mmd(const Tensor<T>& real, const Tensor<T>& generated, const MmdOptions& options) {
  const auto x = detail::features("squared_mmd", "real", real, 2);
  const auto y = detail::features("squared_mmd", "generated", generated, 2);
  detail::check_same_width("squared_mmd", "real", real, "generated", generated);
  std::vector<double> bandwidths = options.bandwidths;
  if (bandwidths.empty()) {
    check(!options.factors.empty(), "squared_mmd: 0 bandwidths and 0 factors, expected one or more");
    const double median = detail::median_distance(x);
    for (const double factor : options.factors) bandwidths.push_back(factor * median);
  }
  for (const double bandwidth : bandwidths)
    check(is_finite(bandwidth) && bandwidth >= std::numeric_limits<double>::min(), "squared_mmd: bandwidth ", bandwidth,
          ", expected a positive number");
  const double n = static_cast<double>(x.rows()), m = static_cast<double>(y.rows());
  return detail::kernel_sum(x, x, true, bandwidths) / (n * (n - 1)) +
         detail::kernel_sum(y, y, true, bandwidths) / (m * (m - 1)) -
         2 * detail::kernel_sum(x, y, false, bandwidths) / (n * m);
}

}  // namespace gan
