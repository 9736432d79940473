// Which items an epoch shows when some are to be seen more often than others.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <span>
#include <vector>

#include "gan/core/error.hpp"
#include "gan/core/finite.hpp"
#include "gan/core/random.hpp"

namespace gan {

/// Weights that show every class that occurs equally often: one over the number of its items.
inline std::vector<double> balanced_weights(std::span<const Index> labels, Index classes) {
  std::vector<Index> counts(static_cast<std::size_t>(classes));
  for (const Index label : labels) ++counts[static_cast<std::size_t>(label)];
  std::vector<double> weights;
  weights.reserve(labels.size());
  for (const Index label : labels) weights.push_back(1 / static_cast<double>(counts[static_cast<std::size_t>(label)]));
  return weights;
}

/// Throws, naming `what`, unless there are `size` weights, all finite and not negative, and one of them above 0.
inline void check_weights(const char* what, std::span<const double> weights, Index size) {
  check(static_cast<Index>(weights.size()) == size, what, ": ", weights.size(), " weights for ", size,
        " items, expected one for each");
  double largest = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    check(is_finite(weights[i]) && weights[i] >= 0, what, ": weight ", weights[i], " of item ", i,
          ", expected a finite number, 0 or more");
    largest = std::max(largest, weights[i]);
  }
  check(largest > 0, what, ": all ", size, " weights are 0, expected one above it");
}

/// n items, n their number, in random order: item i occurs n weight_i / (sum of weights) times, rounded up or down at
/// random so that this is its mean; equal weights give each item once. With `groups`, one number an item, all items of
/// a group together occur as often as their weights say, rounded likewise. Expects what check_weights lets pass.
///
/// Every item takes its weight of a line, and n points at equal distances, the first one at random, fall on it: of all
/// draws with replacement these vary least from what the weights say.
inline std::vector<Index> draw_weighted(Rng& rng, std::span<const double> weights, std::span<const Index> groups = {}) {
  const auto n = static_cast<Index>(weights.size());
  const double largest = *std::max_element(weights.begin(), weights.end());
  const auto weight = [&](Index i) { return weights[static_cast<std::size_t>(i)] / largest; };
  // Neighbors on the line are hardly ever drawn together: other neighbors each time.
  std::vector<Index> line = rng.permutation(n);
  if (!groups.empty())
    std::stable_sort(line.begin(), line.end(), [&](Index a, Index b) {
      return groups[static_cast<std::size_t>(a)] < groups[static_cast<std::size_t>(b)];
    });
  double total = 0;
  for (const Index i : line) total += weight(i);
  const double first = rng.uniform(), distance = total / static_cast<double>(n);

  std::vector<Index> drawn;
  drawn.reserve(line.size());
  double end = 0;
  Index last = 0;
  for (const Index i : line) {
    if (weight(i) == 0) continue;
    end += weight(i);
    last = i;
    while (static_cast<Index>(drawn.size()) < n && (static_cast<double>(drawn.size()) + first) * distance < end)
      drawn.push_back(i);
  }
  drawn.resize(line.size(), last);  // a point that rounding has put beyond the end
  std::vector<Index> order = rng.permutation(n);
  for (Index& i : order) i = drawn[static_cast<std::size_t>(i)];
  return order;
}

}  // namespace gan
