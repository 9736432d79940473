// Wasserstein distances: exact on the line, sliced in more dimensions.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "gan/core/random.hpp"
#include "gan/metrics/features.hpp"

namespace gan {

/// W_p = (integral over u in [0, 1] of |F^-1(u) - G^-1(u)|^p)^(1/p) of two samples on the line, of any sizes, exactly,
/// by sorting; order p is 1 or 2. Throws for an empty sample, a value that is not finite, and another order.
double wasserstein(std::vector<double> x, std::vector<double> y, int order = 1);

struct SlicedWassersteinOptions {
  Index projections = 128;  ///< more of them: less noise, which falls with the square root
  int order = 2;            ///< 1 or 2
};

/// (mean over random unit directions v of W_p(x v, y v)^p)^(1/p) of x [n, d] against y [m, d]. In the units of the
/// samples; of two equal distributions moved apart by s, W_2 is |s| / sqrt(d). The same directions, hence comparable
/// results, come from the same state of `rng`. Throws for empty samples, widths that differ, rows that are not finite,
/// and options out of range (Rabin et al., 2011; Bonneel et al., 2015).
template <class T>
double sliced_wasserstein(Rng& rng, const Tensor<T>& x, const Tensor<T>& y,
                          const SlicedWassersteinOptions& options = {});

namespace detail {

/// The integral, for samples that are sorted already.
inline double sorted_wasserstein(std::span<const double> x, std::span<const double> y, int order) {
  const double n = static_cast<double>(x.size()), m = static_cast<double>(y.size());
  double total = 0;
  std::size_t i = 0, j = 0;
  double at = 0;  // of [0, 1]; both quantile functions are constant up to the nearer of their next steps
  while (i < x.size() && j < y.size()) {
    // Steps at (i + 1) / n and (j + 1) / m, compared exactly.
    const auto step_x = (i + 1) * y.size(), step_y = (j + 1) * x.size();
    const double next = step_x <= step_y ? static_cast<double>(i + 1) / n : static_cast<double>(j + 1) / m;
    const double difference = std::abs(x[i] - y[j]);
    total += (next - at) * (order == 1 ? difference : difference * difference);
    at = next;
    i += step_x <= step_y ? 1 : 0;
    j += step_y <= step_x ? 1 : 0;
  }
  return total;
}

inline void check_order(const char* metric, int order) {
  check(order == 1 || order == 2, metric, ": order ", order, ", expected 1 or 2");
}

/// Random unit vectors, one a row.
inline Features directions(Rng& rng, Index count, Index d) {
  Features out(count, d);
  rng.normal(std::span<double>(out.data(), static_cast<std::size_t>(out.size())));
  for (Index i = 0; i < count; ++i) {
    const double length = out.row(i).norm();
    if (length > 0)
      out.row(i) /= length;
    else
      out(i, 0) = 1;
  }
  return out;
}

}  // namespace detail

inline double wasserstein(std::vector<double> x, std::vector<double> y, int order) {
  detail::check_order("wasserstein", order);
  check(!x.empty() && !y.empty(), "wasserstein: ", x.size(), " and ", y.size(), " values, expected at least 1 each");
  for (auto* sample : {&x, &y}) {
    for (std::size_t i = 0; i < sample->size(); ++i)
      check(is_finite((*sample)[i]), "wasserstein: value ", i, " is ", (*sample)[i], ", expected a finite one");
    std::sort(sample->begin(), sample->end());
  }
  const double total = detail::sorted_wasserstein(x, y, order);
  return order == 1 ? total : std::sqrt(total);
}

template <class T>
double sliced_wasserstein(Rng& rng, const Tensor<T>& x, const Tensor<T>& y, const SlicedWassersteinOptions& options) {
  const auto a = detail::features("sliced_wasserstein", "x", x, 1);
  const auto b = detail::features("sliced_wasserstein", "y", y, 1);
  detail::check_same_width("sliced_wasserstein", "x", x, "y", y);
  detail::check_order("sliced_wasserstein", options.order);
  constexpr Index most = 1 << 20, chunk = 32;
  check(options.projections >= 1 && options.projections <= most, "sliced_wasserstein: ", options.projections,
        " projections, expected a number in [1, ", most, "]");
  double total = 0;
  for (Index first = 0; first < options.projections; first += chunk) {
    const Index count = std::min(chunk, options.projections - first);
    const detail::Features directions = detail::directions(rng, count, a.cols());
    detail::Features along_a = directions * a.transpose(), along_b = directions * b.transpose();
    std::vector<double> distances(static_cast<std::size_t>(count));
    parallel_for(count, 1, [&](Index begin, Index end) {
      for (Index i = begin; i < end; ++i) {
        const std::span<double> p(&along_a(i, 0), static_cast<std::size_t>(a.rows()));
        const std::span<double> q(&along_b(i, 0), static_cast<std::size_t>(b.rows()));
        std::sort(p.begin(), p.end());
        std::sort(q.begin(), q.end());
        distances[static_cast<std::size_t>(i)] = detail::sorted_wasserstein(p, q, options.order);
      }
    });
    for (const double distance : distances) total += distance;
  }
  total /= static_cast<double>(options.projections);
  return options.order == 1 ? total : std::sqrt(total);
}

}  // namespace gan
