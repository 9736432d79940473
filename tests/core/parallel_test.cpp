// Parallel loops cover every index once, whatever the grain and the number of threads.
#include "gan/core/parallel.hpp"

#include <atomic>
#include <new>
#include <vector>

#include "gan/core/memory.hpp"
#include "support/catch.hpp"
#include "support/threads.hpp"

using gan::Index;

TEST_CASE("every index is visited once") {
  const gan::test::ThreadCount keep;
  for (const int threads : {1, 2, 3, 7})
    for (const Index n : {0, 1, 2, 3, 63, 64, 65, 1000, 40000})
      for (const Index grain : {1, 7, 64, 16384}) {
        CAPTURE(threads, n, grain);
        gan::set_threads(threads);
        std::vector<int> visits(static_cast<std::size_t>(n), 0);
        std::atomic<int> calls{0}, outside{0};
        gan::parallel_for(n, grain, [&](Index begin, Index end) {
          ++calls;
          if (begin < 0 || end > n || begin >= end) ++outside;
          for (Index i = begin; i < end; ++i) ++visits[static_cast<std::size_t>(i)];
        });
        REQUIRE(outside == 0);
        REQUIRE(visits == std::vector<int>(static_cast<std::size_t>(n), 1));
        REQUIRE(calls <= threads);
        if (n <= grain) REQUIRE(calls == (n == 0 ? 0 : 1));
#ifdef _OPENMP
        if (n >= threads * grain) REQUIRE(calls == threads);
#endif
      }
}

TEST_CASE("loops inside loops run in one part") {
  const gan::test::ThreadCount keep;
  gan::set_threads(2);
  std::atomic<int> outer{0}, inner{0};
  std::atomic<Index> total{0};
  gan::parallel_for(2, 1, [&](Index, Index) {
    ++outer;
    gan::parallel_for(100, 1, [&](Index begin, Index end) {
      ++inner;
      total += end - begin;
    });
  });
  REQUIRE(total == 100 * outer);
#ifdef _OPENMP
  REQUIRE(inner == outer);
#endif
}

TEST_CASE("what a part throws arrives at the caller, of the first part") {
  const gan::test::ThreadCount keep;
  for (const int threads : {1, 2, 3, 7}) {
    CAPTURE(threads);
    gan::set_threads(threads);
    std::atomic<Index> done{0};
    REQUIRE_THROWS_WITH(gan::parallel_for(1000, 1,
                                          [&](Index begin, Index end) {
                                            done += end - begin;
                                            gan::fail("part at ", begin);
                                          }),
                        "part at 0");
#ifdef _OPENMP
    REQUIRE(done == 1000);  // the other parts are not cut short
#endif
    REQUIRE_THROWS_AS(gan::parallel_for(10, 1, [](Index, Index) { throw 5; }), int);
    REQUIRE_THROWS_WITH(gan::parallel_for(10, 1, [](Index, Index) { throw std::bad_alloc(); }),
                        ContainsSubstring("memory: a loop over ") && ContainsSubstring(" items found none"));
    REQUIRE_THROWS_WITH(
        gan::parallel_for(10, 1, [](Index, Index) { gan::BufferCache::instance().acquire(std::size_t{1} << 60); }),
        ContainsSubstring("memory: cannot allocate"));
    Index sum = 0;
    gan::parallel_for(10, 100, [&](Index begin, Index end) { sum += end - begin; });  // and loops still work
    REQUIRE(sum == 10);
  }
}

TEST_CASE("the number of threads is checked") {
  const gan::test::ThreadCount keep;
  gan::set_threads(2);
#ifdef _OPENMP
  REQUIRE(gan::threads() == 2);
  REQUIRE(Eigen::nbThreads() == 2);
#endif
  REQUIRE_THROWS_WITH(gan::set_threads(0), "set_threads: 0 threads, expected 1 to 1024");
  REQUIRE_THROWS_WITH(gan::set_threads(-3), ContainsSubstring("-3 threads"));
  REQUIRE_THROWS_WITH(gan::set_threads(2000000), ContainsSubstring("2000000 threads"));
#ifdef _OPENMP
  REQUIRE(gan::threads() == 2);
#endif
}
