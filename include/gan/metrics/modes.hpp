// Mode coverage: how many modes of a known mixture a generator found, and how well.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "gan/core/weights.hpp"
#include "gan/metrics/features.hpp"

namespace gan {

struct ModeCoverage {
  Index modes = 0;            ///< of the mixture
  Index covered = 0;          ///< modes with at least one sample within 3 sigma
  double high_quality = 0;    ///< share of all samples within 3 sigma of their nearest mode, in [0, 1]
  double reverse_kl = 0;      ///< KL(samples || mixture) over the modes, in nats: 0 or more, or infinity
  std::vector<Index> counts;  ///< high-quality samples of each mode
};

/// Samples [n, d] against the modes of a mixture: centers [k, d], each Gaussian of deviation `sigma` in every
/// direction, as frequent as `weights` [k] say, which need not sum to 1; none: equally frequent. Distances are
/// Euclidean. The reverse KL is sum_i p_i log(p_i / w_i) with p the histogram of the high-quality samples over their
/// nearest modes and w the weights' shares; infinity when there is no such sample. A sample that is not finite counts
/// as one of low quality. Throws for shapes that do not fit, centers that are not finite, and sigma or a weight not
/// above 0 (VEEGAN, Srivastava et al., 2017; PacGAN, Lin et al., 2018).
template <class T>
ModeCoverage mode_coverage(const Tensor<T>& samples, const Tensor<T>& centers, double sigma,
                           std::span<const double> weights = {}) {
  detail::check_feature_shape("mode_coverage", "samples", samples, 1);
  const detail::Features modes = detail::features("mode_coverage", "centers", centers, 1);
  detail::check_same_width("mode_coverage", "samples", samples, "centers", centers);
  check(is_finite(sigma) && sigma > 0, "mode_coverage: sigma ", sigma, ", expected a positive number");
  const Index n = samples.shape()[0], d = samples.shape()[1], k = modes.rows();
  const double total = sum_of_weights("mode_coverage", "modes", weights, k);
  const T* x = samples.data();
  std::vector<Index> nearest(static_cast<std::size_t>(n));
  parallel_for(n, std::max<Index>(1, (1 << 16) / (k * d)), [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      double best = 9 * sigma * sigma;
      Index mode = -1;
      if (!std::all_of(x + i * d, x + (i + 1) * d, [](T value) { return is_finite(value); })) {
        nearest[static_cast<std::size_t>(i)] = mode;
        continue;
      }
      for (Index j = 0; j < k; ++j) {
        double square = 0;
        for (Index axis = 0; axis < d; ++axis) {
          const double difference = static_cast<double>(x[i * d + axis]) - modes(j, axis);
          square += difference * difference;
        }
        if (square < best || (mode < 0 && square == best)) best = square, mode = j;
      }
      nearest[static_cast<std::size_t>(i)] = mode;
    }
  });
  ModeCoverage result;
  result.modes = k;
  result.counts.assign(static_cast<std::size_t>(k), 0);
  for (const Index mode : nearest)
    if (mode >= 0) ++result.counts[static_cast<std::size_t>(mode)];
  double good = 0;
  for (const Index count : result.counts) {
    result.covered += count > 0 ? 1 : 0;
    good += static_cast<double>(count);
  }
  result.high_quality = good / static_cast<double>(n);
  if (good == 0) result.reverse_kl = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < result.counts.size(); ++i) {
    const double share = static_cast<double>(result.counts[i]) / good;
    if (result.counts[i] > 0) result.reverse_kl += share * std::log(share * total / (weights.empty() ? 1 : weights[i]));
  }
  result.reverse_kl = std::max(0.0, result.reverse_kl);  // rounding of an even histogram
  return result;
}

}  // namespace gan
