// Loops over the threads of OpenMP, with results that do not depend on how the work was split.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <exception>
#include <mutex>
#include <new>
#ifdef _OPENMP
#include <omp.h>
#endif

#include "gan/core/scratch.hpp"
#include "gan/core/shape.hpp"

namespace gan {

/// Number of threads that loops and matrix products use.
inline int threads() {
#ifdef _OPENMP
  return omp_get_max_threads();
#else
  return 1;
#endif
}

/// Sets it: for loops that the calling thread starts, and for Eigen's own products, of all threads. A thread that was
/// started otherwise begins with OpenMP's default; since sums over parts depend on the number of threads, a training
/// loop that moves to another thread gives the same bits only after set_threads there. Throws unless it is in [1,
/// 1024].
inline void set_threads(int n) {
  check(n >= 1 && n <= 1024, "set_threads: ", n, " threads, expected 1 to 1024");
#ifdef _OPENMP
  omp_set_num_threads(n);
#endif
  Eigen::setNbThreads(n);
}

namespace detail {

// Nothing may be thrown out of a parallel region: keeps what the first of its parts threw.
class FirstException {
 public:
  void keep(Index part) noexcept {
    const std::lock_guard lock(mutex_);
    if (exception_ && part_ < part) return;
    exception_ = std::current_exception();
    part_ = part;
  }
  void rethrow() const {
    if (exception_) [[unlikely]]
      std::rethrow_exception(exception_);
  }

 private:
  std::mutex mutex_;
  std::exception_ptr exception_;
  Index part_ = 0;
};

// Not templates, so that a loop's body is compiled once: not for one thread and again for many.
inline void run_part(void (*run)(const void*, Index, Index), const void* f, Index begin, Index end) {
  try {
    run(f, begin, end);
  } catch (const std::bad_alloc&) {
    fail("memory: a loop over ", end - begin, " items found none");
  }
}

[[gnu::noinline]] inline void run_parts(Index n, [[maybe_unused]] Index grain, void (*run)(const void*, Index, Index),
                                        const void* f) {
#ifdef _OPENMP
  const Index parts = std::min<Index>(omp_in_parallel() ? 1 : omp_get_max_threads(), (n + grain - 1) / grain);
  if (parts > 1) {
    FirstException thrown;
#pragma omp parallel for schedule(static, 1) num_threads(static_cast <int>(parts))
    for (Index part = 0; part < parts; ++part) {
      try {
        run_part(run, f, n * part / parts, n * (part + 1) / parts);
      } catch (...) {
        thrown.keep(part);
      }
    }
    return thrown.rethrow();
  }
#endif
  run_part(run, f, 0, n);
}

}  // namespace detail

/// Calls f(begin, end) over contiguous parts of [0, n), in parallel when n > grain. `f` must give the same result
/// however [0, n) is split: element-wise work, or whole items. What it throws arrives at the caller when all parts have
/// ended, the first part's if several throw; a lack of memory arrives as gan::Error.
template <class F>
void parallel_for(Index n, Index grain, const F& f) {
  if (n <= 0) return;
  detail::run_parts(
      n, grain, [](const void* body, Index begin, Index end) { (*static_cast<const F*>(body))(begin, end); }, &f);
}

/// Calls f(begin, end) over parts of [0, n), in parallel when it pays. The parts begin at multiples of 64, so that
/// which elements vector instructions take, and with it their rounding, does not depend on the number of threads.
template <class F>
void elementwise_for(Index n, F&& f) {
  constexpr Index block = 64, grain = (1 << 14) / block;
  parallel_for((n + block - 1) / block, grain,
               [&](Index begin, Index end) { f(begin * block, std::min(end * block, n)); });
}

/// Calls f(begin, end, sum) over parts of [0, n), each with an array of `size` zeros of its own to add to, and adds the
/// arrays up in order. The parts depend on n and the number of threads alone, so that results are reproducible.
template <class T, class F>
void parallel_sum(Index n, Index grain, Index size, T* total, F f) {
  using Array = Eigen::Map<Eigen::Array<T, Eigen::Dynamic, 1>>;
  using ConstArray = Eigen::Map<const Eigen::Array<T, Eigen::Dynamic, 1>>;
  const Index parts = std::clamp<Index>((n + grain - 1) / grain, 1, threads());
  const Scratch<T> others((parts - 1) * size);
  const auto sum_of = [&](Index part) { return part == 0 ? total : others.data() + (part - 1) * size; };
  parallel_for(parts, 1, [&](Index begin, Index end) {
    for (Index part = begin; part < end; ++part) {
      std::fill_n(sum_of(part), size, T(0));
      f(n * part / parts, n * (part + 1) / parts, sum_of(part));
    }
  });
  elementwise_for(parts == 1 ? 0 : size, [&](Index begin, Index end) {
    for (Index part = 1; part < parts; ++part)
      Array(total + begin, end - begin) += ConstArray(sum_of(part) + begin, end - begin);
  });
}

}  // namespace gan
