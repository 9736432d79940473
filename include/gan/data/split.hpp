// Some of a dataset held out from training, with the classes' shares kept.
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <numeric>
#include <vector>

#include "gan/core/error.hpp"
#include "gan/core/finite.hpp"
#include "gan/core/random.hpp"
#include "gan/data/dataset.hpp"

namespace gan {

template <std::floating_point T>
struct Split {
  Dataset<T> training, held_out;
};

/// Two datasets of the items, each item in one of them, in their order: `share` of all are held out, rounded to whole
/// items, and of every class its share, rounded up or down; which ones follows from the seed. Without labels all are of
/// one class. Items are copied. Throws unless the share is in (0, 1), and when a part would be empty.
template <std::floating_point T>
Split<T> split(const Dataset<T>& dataset, double share, std::uint64_t seed = 0) {
  check(is_finite(share) && share > 0 && share < 1, "split: a share of ", share,
        " to hold out, expected one in (0, 1)");
  const Index size = dataset.size(), held = std::llround(share * static_cast<double>(size));
  check(held > 0 && held < size, "split: a share of ", share, " of ", size, " items is ", held,
        held == 0 ? ", nothing to hold out" : ", nothing to train on");

  std::vector<std::vector<Index>> members(static_cast<std::size_t>(std::max<Index>(1, dataset.classes())));
  constexpr std::uint64_t stream = std::uint64_t{0x73706c6974} << 24;  // apart from those that people number from 0
  for (const Index i : Rng(seed, stream).permutation(size))
    members[dataset.has_labels() ? static_cast<std::size_t>(dataset.label(i)) : 0].push_back(i);

  // Each class gives its share rounded down, and those with the largest remainders one more until all are held out.
  std::vector<Index> counts, remainders;
  for (const auto& items : members) {
    const Index exact = held * static_cast<Index>(items.size());  // times 1 / size
    counts.push_back(exact / size);
    remainders.push_back(exact % size);
  }
  std::vector<std::size_t> classes(members.size());
  std::iota(classes.begin(), classes.end(), std::size_t{0});
  std::stable_sort(classes.begin(), classes.end(),
                   [&](std::size_t a, std::size_t b) { return remainders[a] > remainders[b]; });
  const Index rest = held - std::accumulate(counts.begin(), counts.end(), Index{0});
  for (Index i = 0; i < rest; ++i) ++counts[classes[static_cast<std::size_t>(i)]];

  std::vector<Index> training, held_out;
  for (std::size_t c = 0; c < members.size(); ++c) {
    const auto end = members[c].begin() + counts[c];
    held_out.insert(held_out.end(), members[c].begin(), end);
    training.insert(training.end(), end, members[c].end());
  }
  std::sort(training.begin(), training.end());
  std::sort(held_out.begin(), held_out.end());
  return {dataset.subset(training), dataset.subset(held_out)};
}

}  // namespace gan
