// The nearest of known items to each sample: whether a generator repeats what it was trained on.
#pragma once

#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "gan/metrics/features.hpp"
#include "gan/ops/slice.hpp"

namespace gan {

/// For each row of samples [n, d] the nearest row of items [m, d], and how far it is.
struct Nearest {
  std::vector<Index> index;      ///< [n]
  std::vector<double> distance;  ///< [n], Euclidean
};

/// Throws for empty sets, widths that differ and rows that are not finite. Takes n m products of rows, and memory for
/// 4,096 items at a time beside both sets.
template <class T>
Nearest nearest(const Tensor<T>& samples, const Tensor<T>& items) {
  const auto x = detail::features("nearest", "samples", samples, 1);
  detail::check_feature_shape("nearest", "items", items, 1);
  detail::check_same_width("nearest", "samples", samples, "items", items);
  constexpr Index part = 4096;
  const auto n = static_cast<std::size_t>(x.rows());
  Nearest found{std::vector<Index>(n, 0), std::vector<double>(n, std::numeric_limits<double>::infinity())};
  for (Index first = 0; first < items.shape()[0]; first += part) {
    const Index last = std::min(items.shape()[0], first + part);
    const auto known = detail::features("nearest", "items", slice(items, 0, first, last), 1);
    detail::Distances(x, known).for_each_tile([&](Index, Index row, Index column, const detail::Features& tile) {
      for (Index i = 0; i < tile.rows(); ++i)
        for (Index j = 0; j < tile.cols(); ++j) {
          auto& best = found.distance[static_cast<std::size_t>(row + i)];
          if (tile(i, j) >= best) continue;
          best = tile(i, j);
          found.index[static_cast<std::size_t>(row + i)] = first + column + j;
        }
    });
  }
  for (double& distance : found.distance) distance = std::sqrt(distance);
  return found;
}

}  // namespace gan
