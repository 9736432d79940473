// Precision, recall, density and coverage: quality and variety of samples, apart, by nearest neighbors.
#pragma once

#include <algorithm>
#include <atomic>
#include <vector>

#include "gan/metrics/features.hpp"

namespace gan {

/// With the ball of a sample reaching to its k-th nearest neighbor in its own set:
struct Prdc {
  double precision = 0;  ///< share of generated samples in some ball of a real one: quality, in [0, 1]
  double recall = 0;     ///< share of real samples in some ball of a generated one: variety, in [0, 1]
  double density = 0;    ///< mean number of real balls around a generated sample, over k: quality, about 1 is best
  double coverage = 0;   ///< share of real balls that hold a generated sample: variety, in [0, 1]
};

/// Real features [n, d] against generated ones [m, d], by Euclidean distances between rows: pixels, or whatever
/// describes the samples better. Density and coverage are the sturdier pair: one outlier does not carry them. Takes
/// n^2 + m^2 + n m products of rows, and memory for 2 (n + m) (d + k) numbers. Throws unless 1 <= k < n, m, for widths
/// that differ, and for rows that are not finite (Kynkaanniemi et al., 2019; Naeem et al., 2020).
template <class T>
Prdc prdc(const Tensor<T>& real, const Tensor<T>& generated, Index k = 5);

namespace detail {

/// Squared distance of each row to its k-th nearest other row.
template <std::same_as<Features> F>
std::vector<double> squared_radii(const F& x, Index k) {
  const auto length = static_cast<std::size_t>(k);
  std::vector<std::vector<double>> nearest(static_cast<std::size_t>(x.rows()));  // ascending, at most k
  Distances(x, x).for_each_tile([&](Index, Index row, Index column, const Features& tile) {
    for (Index i = 0; i < tile.rows(); ++i) {
      auto& found = nearest[static_cast<std::size_t>(row + i)];
      for (Index j = 0; j < tile.cols(); ++j) {
        const double square = tile(i, j);
        if (row + i == column + j || (found.size() == length && square >= found.back())) continue;
        if (found.size() == length) found.pop_back();
        found.insert(std::upper_bound(found.begin(), found.end(), square), square);
      }
    }
  });
  std::vector<double> radii;
  for (const auto& found : nearest) radii.push_back(found.back());
  return radii;
}

}  // namespace detail

template <class T>
Prdc prdc(const Tensor<T>& real, const Tensor<T>& generated, Index k) {
  check(k >= 1, "prdc: ", k, " neighbors, expected at least 1");
  const auto x = detail::features("prdc", "real", real, 2), y = detail::features("prdc", "generated", generated, 2);
  detail::check_same_width("prdc", "real", real, "generated", generated);
  check(k < std::min(x.rows(), y.rows()), "prdc: ", k, " neighbors of ", x.rows(), " real and ", y.rows(),
        " generated samples, expected fewer neighbors than samples");
  const auto real_radii = detail::squared_radii(x, k), generated_radii = detail::squared_radii(y, k);
  const auto n = static_cast<std::size_t>(x.rows()), m = static_cast<std::size_t>(y.rows());
  std::vector<std::atomic<Index>> balls(m);  // of real samples around each generated one
  std::vector<char> covered(n, 0), recalled(n, 0);
  detail::Distances(x, y).for_each_tile([&](Index, Index row, Index column, const detail::Features& tile) {
    for (Index i = 0; i < tile.rows(); ++i) {
      const auto at = static_cast<std::size_t>(row + i);
      for (Index j = 0; j < tile.cols(); ++j) {
        if (tile(i, j) <= real_radii[at]) {
          covered[at] = 1;
          balls[static_cast<std::size_t>(column + j)].fetch_add(1, std::memory_order_relaxed);
        }
        if (tile(i, j) <= generated_radii[static_cast<std::size_t>(column + j)]) recalled[at] = 1;
      }
    }
  });
  Prdc result;
  for (const auto& ball : balls) {
    const Index count = ball.load();
    result.precision += count > 0 ? 1 : 0;
    result.density += static_cast<double>(count);
  }
  for (std::size_t i = 0; i < n; ++i) result.coverage += covered[i], result.recall += recalled[i];
  result.precision /= static_cast<double>(m);
  result.density /= static_cast<double>(m) * static_cast<double>(k);
  result.recall /= static_cast<double>(n);
  result.coverage /= static_cast<double>(n);
  return result;
}

}  // namespace gan
