// Kernel distance of two sets of features, with its error.
#pragma once

#include <Eigen/Core>
#include <cmath>
#include <span>
#include <vector>

#include "gan/core/random.hpp"
#include "gan/metrics/features.hpp"

namespace gan {

struct KernelDistance {
  double value = 0;  ///< about 0, also a little below, for equal distributions
  double error = 0;  ///< standard error of `value`, from the spread of the subsets
};

struct KernelDistanceOptions {
  Index subsets = 50;
  Index subset_size = 500;  ///< rows of each set in a subset; fewer when there are fewer
};

/// The squared maximum mean discrepancy of real features x [n, d] and generated ones y [m, d] with the kernel
/// (a.b / d + 1)^3, unbiased, as the mean over random subsets: "KID" of papers, on an Inception network's features
/// (Binkowski et al., 2018). Unlike the Frechet distance its expectation does not depend on the number of samples.
/// Throws for fewer than 2 rows, widths that differ, rows that are not finite, and fewer than 2 subsets or rows in one.
template <class T>
KernelDistance kernel_distance(Rng& rng, const Tensor<T>& real, const Tensor<T>& generated,
                               const KernelDistanceOptions& options = {});

namespace detail {

/// Sum of the kernel over all pairs of rows, but for pairs of a row with itself when both are one set.
template <std::same_as<Features> F>
double polynomial_kernel_sum(const F& a, const F& b, bool same) {
  const auto kernels = ((a * b.transpose()).array() / static_cast<double>(a.cols()) + 1).cube().eval();
  double sum = kernels.sum();
  if (same) sum -= kernels.matrix().diagonal().sum();
  return sum;
}

}  // namespace detail

template <class T>
KernelDistance kernel_distance(Rng& rng, const Tensor<T>& real, const Tensor<T>& generated,
                               const KernelDistanceOptions& options) {
  const auto x = detail::features("kernel_distance", "real", real, 2);
  const auto y = detail::features("kernel_distance", "generated", generated, 2);
  detail::check_same_width("kernel_distance", "real", real, "generated", generated);
  check(options.subsets >= 2 && options.subset_size >= 2, "kernel_distance: ", options.subsets, " subsets of ",
        options.subset_size, " rows, expected 2 or more of each");
  const Index n = std::min({options.subset_size, x.rows(), y.rows()});
  const double pairs = static_cast<double>(n) * static_cast<double>(n - 1);
  std::vector<detail::Features> parts;
  for (Index i = 0; i < options.subsets; ++i)
    for (const auto* all : {&x, &y}) {
      const auto order = rng.permutation(all->rows());
      detail::Features part(n, all->cols());
      for (Index row = 0; row < n; ++row) part.row(row) = all->row(order[static_cast<std::size_t>(row)]);
      parts.push_back(std::move(part));
    }
  std::vector<double> values(static_cast<std::size_t>(options.subsets));
  parallel_for(options.subsets, 1, [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      const auto &a = parts[static_cast<std::size_t>(2 * i)], &b = parts[static_cast<std::size_t>(2 * i + 1)];
      values[static_cast<std::size_t>(i)] =
          (detail::polynomial_kernel_sum(a, a, true) + detail::polynomial_kernel_sum(b, b, true)) / pairs -
          2 * detail::polynomial_kernel_sum(a, b, false) / (static_cast<double>(n) * static_cast<double>(n));
    }
  });
  KernelDistance result;
  const double count = static_cast<double>(options.subsets);
  for (const double value : values) result.value += value / count;
  double squares = 0;
  for (const double value : values) squares += (value - result.value) * (value - result.value);
  result.error = std::sqrt(squares / (count - 1) / count);
  return result;
}

}  // namespace gan
