// The arithmetic a core can do at most: independent fused multiply-adds in vector registers.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <chrono>

#include "gan/core/parallel.hpp"

namespace gan::bench {

/// Best of several runs of a bare FMA loop on `threads` threads, GFLOP/s in all.
inline double peak_gflops(int threads) {
  using Packet = Eigen::internal::packet_traits<float>::type;
  constexpr int lanes = Eigen::internal::packet_traits<float>::size, chains = 12, repeats = 1 << 18;
  volatile float sink = 0;
  double best = 0;
  for (int run = 0; run < 12; ++run) {
    const auto start = std::chrono::steady_clock::now();
    parallel_for(threads, 1, [&](Index, Index) {
      Packet sums[chains];
      for (auto& sum : sums) sum = Eigen::internal::pset1<Packet>(1.0f);
      const Packet factor = Eigen::internal::pset1<Packet>(0.999f), step = Eigen::internal::pset1<Packet>(0.001f);
      for (int i = 0; i < repeats; ++i)
        for (auto& sum : sums) sum = Eigen::internal::pmadd(sum, factor, step);
      for (const auto& sum : sums) sink = Eigen::internal::pfirst(sum);
    });
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    best = std::max(best, 2.0 * lanes * chains * repeats * threads / seconds * 1e-9);
  }
  return best;
}

}  // namespace gan::bench
