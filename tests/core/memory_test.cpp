// The buffer cache: rounding, reuse, accounting, threads.
#include "gan/core/memory.hpp"

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "support/catch.hpp"

using gan::BufferCache;

namespace {
thread_local int allocations_until_failure = -1;  // never
}

// In this program, so that an allocation can be made to fail.
void* operator new(std::size_t bytes) {
  if (allocations_until_failure >= 0 && allocations_until_failure-- == 0) throw std::bad_alloc();
  if (void* memory = std::malloc(bytes)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

// The test asks for more than any machine has, and the operators above are not the sanitizer's: it would stop there.
extern "C" const char* __asan_default_options() { return "allocator_may_return_null=1:alloc_dealloc_mismatch=0"; }

TEST_CASE("requests are rounded up by at most an eighth") {
  std::size_t before = 0;
  for (std::size_t bytes = 0; bytes < 200000; bytes += bytes < 5000 ? 1 : 37) {
    const std::size_t size = BufferCache::rounded(bytes);
    CAPTURE(bytes, size);
    REQUIRE(size >= std::max<std::size_t>(bytes, 1));
    REQUIRE(size % 64 == 0);
    REQUIRE(size >= before);
    REQUIRE(BufferCache::rounded(size) == size);  // what one request leaves fits all others of its class
    REQUIRE(double(size - bytes) <= std::max(64.0, 0.125 * double(bytes)));
    before = size;
  }
  REQUIRE(BufferCache::rounded(0) == 64);
  REQUIRE(BufferCache::rounded(512) == 512);
  REQUIRE(BufferCache::rounded(1 << 20) == 1 << 20);
  REQUIRE(BufferCache::rounded((1 << 20) + 1) == (1 << 20) + (1 << 17));
}

TEST_CASE("a released buffer is used again") {
  auto& cache = BufferCache::instance();
  void* first = cache.acquire(10000);
  REQUIRE(reinterpret_cast<std::uintptr_t>(first) % 64 == 0);
  std::memset(first, 1, 10000);
  cache.release(first, 10000);
  const auto before = cache.statistics();
  void* second = cache.acquire(BufferCache::rounded(10000));  // the same class
  REQUIRE(second == first);
  const auto after = cache.statistics();
  REQUIRE(after.system_allocations == before.system_allocations);
  REQUIRE(after.bytes_in_use == before.bytes_in_use + BufferCache::rounded(10000));
  REQUIRE(after.bytes_cached + BufferCache::rounded(10000) == before.bytes_cached);
  void* third = cache.acquire(10000);
  REQUIRE(third != second);
  REQUIRE(cache.statistics().system_allocations == before.system_allocations + 1);
  cache.release(second, 10000);
  cache.release(third, 10000);
  REQUIRE(cache.statistics().bytes_in_use == before.bytes_in_use);
  REQUIRE(cache.statistics().peak_bytes_in_use >= before.bytes_in_use + 2 * BufferCache::rounded(10000));
}

TEST_CASE("trim gives free buffers back and leaves the others") {
  auto& cache = BufferCache::instance();
  auto* kept = static_cast<char*>(cache.acquire(3000));
  void* released = cache.acquire(5000);
  kept[0] = 5, kept[2999] = 7;
  cache.release(released, 5000);
  REQUIRE(cache.statistics().bytes_cached > 0);
  const auto in_use = cache.statistics().bytes_in_use;
  cache.trim();
  REQUIRE(cache.statistics().bytes_cached == 0);
  REQUIRE(cache.statistics().bytes_in_use == in_use);
  REQUIRE(kept[0] == 5);
  REQUIRE(kept[2999] == 7);
  const auto allocations = cache.statistics().system_allocations;
  void* again = cache.acquire(5000);
  REQUIRE(cache.statistics().system_allocations == allocations + 1);
  cache.release(again, 5000);
  cache.release(kept, 3000);
  REQUIRE(cache.statistics().bytes_cached == BufferCache::rounded(5000) + BufferCache::rounded(3000));
}

TEST_CASE("more memory than there is, is an error") {
  auto& cache = BufferCache::instance();
  void* cached = cache.acquire(7000);
  cache.release(cached, 7000);
  const auto before = cache.statistics();
  REQUIRE_THROWS_WITH(cache.acquire(std::size_t{1} << 60),
                      ContainsSubstring("memory: cannot allocate 1152921504606846976 bytes ("));
  REQUIRE(cache.statistics().bytes_in_use == before.bytes_in_use);
  REQUIRE(cache.statistics().system_allocations == before.system_allocations);
  REQUIRE(cache.statistics().bytes_cached == 0);  // what was cached has been tried
  void* buffer = cache.acquire(7000);             // and the cache still works
  cache.release(buffer, 7000);
}

TEST_CASE("what is not used for long goes back to the system") {
  auto& cache = BufferCache::instance();
  cache.trim();
  constexpr std::size_t large = 64 << 20, small = 1 << 20;
  const auto use = [&](std::size_t bytes, int buffers) {
    std::vector<void*> held;
    for (int i = 0; i < buffers; ++i) held.push_back(cache.acquire(bytes));
    for (void* buffer : held) cache.release(buffer, bytes);
  };
  use(large, 2);  // once
  REQUIRE(cache.statistics().bytes_cached == 2 * large);
  for (int i = 0; i < 3000; ++i) use(small, 3);  // in use for ever
  REQUIRE(cache.statistics().bytes_cached == 3 * small);
  const auto allocations = cache.statistics().system_allocations;
  for (int i = 0; i < 3000; ++i) use(small, 3);
  REQUIRE(cache.statistics().system_allocations == allocations);

  // However rare, what is used again and again stays when little else is asked for.
  use(large, 1);
  const auto before = cache.statistics().system_allocations;
  for (int step = 0; step < 20; ++step) {
    use(large, 1);
    for (int i = 0; i < 10; ++i) use(small, 3);
  }
  REQUIRE(cache.statistics().system_allocations == before);

  cache.reset_peak();
  REQUIRE(cache.statistics().peak_bytes_in_use == cache.statistics().bytes_in_use);
  use(large, 1);
  REQUIRE(cache.statistics().peak_bytes_in_use == cache.statistics().bytes_in_use + large);
  cache.trim();
}

TEST_CASE("a cache without memory for its own lists is an error") {
  auto& cache = BufferCache::instance();
  const auto before = cache.statistics();
  for (int nth = 0; nth < 2; ++nth) {
    const std::size_t bytes = nth == 0 ? 12345678 : 23456789;  // sizes that nothing else asks for
    CAPTURE(nth);
    std::string message;
    allocations_until_failure = nth;
    try {
      cache.acquire(bytes);
    } catch (const gan::Error& error) {
      message = error.what();
    }
    REQUIRE(allocations_until_failure == -1);
    REQUIRE_THAT(message, ContainsSubstring("memory: cannot allocate "));
    REQUIRE(cache.statistics().bytes_in_use == before.bytes_in_use);
    void* buffer = cache.acquire(bytes);  // and the cache still works
    cache.release(buffer, bytes);
  }
  cache.trim();
}

TEST_CASE("threads never get the same buffer") {
  auto& cache = BufferCache::instance();
  const auto before = cache.statistics();
  std::atomic<int> errors{0};
  const auto work = [&](unsigned char id) {
    std::vector<std::pair<unsigned char*, std::size_t>> held;
    for (std::size_t i = 0; i < 3000; ++i) {
      const std::size_t bytes = 64 + i * 7919 % 2000;
      auto* buffer = static_cast<unsigned char*>(cache.acquire(bytes));
      std::memset(buffer, id, bytes);
      held.emplace_back(buffer, bytes);
      if (held.size() < 8) continue;
      const auto [oldest, size] = held.front();
      if (oldest[0] != id || oldest[size / 2] != id || oldest[size - 1] != id) ++errors;
      cache.release(oldest, size);
      held.erase(held.begin());
    }
    for (const auto& [buffer, size] : held) cache.release(buffer, size);
  };
  std::vector<std::thread> threads;
  for (unsigned char id = 1; id <= 4; ++id) threads.emplace_back(work, id);
  for (auto& thread : threads) thread.join();
  REQUIRE(errors == 0);
  REQUIRE(cache.statistics().bytes_in_use == before.bytes_in_use);
}
