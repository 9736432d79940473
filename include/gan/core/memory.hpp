// A cache of aligned buffers: freeing and allocating large arrays again costs a page fault every 4 KB, every step.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <mutex>
#include <new>
#include <unordered_map>
#include <vector>

#include "gan/core/error.hpp"

namespace gan {

/// Process-wide cache of buffers, aligned to 64 bytes, that tensors take their storage from. Thread-safe. Buffers that
/// lie unused while many times the cached memory is asked for go back to the system: what a program needed once, for a
/// large batch or a metric, it does not hold for life.
class BufferCache {
 public:
  struct Statistics {
    std::uint64_t system_allocations = 0;  ///< calls made to the system allocator since the program started
    std::size_t bytes_in_use = 0;          ///< held by live tensors, rounded up to the buffers' sizes
    std::size_t bytes_cached = 0;          ///< free, kept for the next tensor of that size
    std::size_t peak_bytes_in_use = 0;
  };

  /// The one cache. It is never destroyed, so tensors of static lifetime may outlive `main`.
  static BufferCache& instance() {
    static auto* cache = new BufferCache;
    return *cache;
  }

  /// An uninitialized buffer of at least `bytes`. Throws gan::Error when there is no memory.
  void* acquire(std::size_t bytes);
  /// Gives back what `acquire(bytes)` returned.
  void release(void* buffer, std::size_t bytes) noexcept;
  /// Returns all free buffers to the system.
  void trim() noexcept;
  /// Begins `peak_bytes_in_use` anew, at what is in use now.
  void reset_peak() noexcept;
  Statistics statistics() const;

  /// The size a request is rounded up to: a multiple of an eighth of its power of two, so at most 12.5 % is wasted.
  static std::size_t rounded(std::size_t bytes) {
    if (bytes <= 512) return (bytes + 63) / 64 * 64 + (bytes == 0 ? 64 : 0);
    const std::size_t quantum = std::bit_floor(bytes - 1) / 8;
    return (bytes + quantum - 1) / quantum * quantum;
  }

 private:
  static constexpr std::align_val_t alignment{64};

  struct List {
    std::vector<void*> free;
    std::size_t count = 0;   // buffers of this size, free or not
    std::size_t unused = 0;  // the fewest that were free at any time since the last sweep
  };

  // All with the mutex held.
  void* take(std::size_t size);
  static void give_back(List& list, std::size_t buffers) noexcept;
  void give_back() noexcept;
  void sweep_now_and_then(std::size_t size) noexcept;

  mutable std::mutex mutex_;
  std::unordered_map<std::size_t, List> lists_;
  Statistics statistics_;
  // Since the last sweep: requests, their bytes, and the most that was cached.
  std::size_t requests_ = 0, requested_ = 0, most_cached_ = 0;
};

inline void* BufferCache::acquire(std::size_t bytes) {
  const std::size_t size = rounded(bytes);
  const std::lock_guard lock(mutex_);
  void* const buffer = take(size);
  statistics_.bytes_in_use += size;
  statistics_.peak_bytes_in_use = std::max(statistics_.peak_bytes_in_use, statistics_.bytes_in_use);
  sweep_now_and_then(size);
  return buffer;
}

inline void* BufferCache::take(std::size_t size) {
  void* buffer = nullptr;
  try {
    auto& list = lists_[size];
    if (!list.free.empty()) {
      buffer = list.free.back();
      list.free.pop_back();
      list.unused = std::min(list.unused, list.free.size());
      statistics_.bytes_cached -= size;
      return buffer;
    }
    // Room for every buffer of this size, so that release cannot fail.
    if (list.free.capacity() <= list.count) list.free.reserve(2 * list.count + 1);
    buffer = ::operator new(size, alignment, std::nothrow);
    if (!buffer && statistics_.bytes_cached > 0) {
      give_back();
      buffer = ::operator new(size, alignment, std::nothrow);
    }
    if (buffer) {
      ++statistics_.system_allocations;
      ++list.count;
    }
  } catch (const std::bad_alloc&) {  // of the lists themselves
    give_back();
  }
  check(buffer != nullptr, "memory: cannot allocate ", size, " bytes (", statistics_.bytes_in_use, " in use)");
  return buffer;
}

inline void BufferCache::release(void* buffer, std::size_t bytes) noexcept {
  const std::size_t size = rounded(bytes);
  const std::lock_guard lock(mutex_);
  lists_.find(size)->second.free.push_back(buffer);
  statistics_.bytes_in_use -= size;
  statistics_.bytes_cached += size;
  most_cached_ = std::max(most_cached_, statistics_.bytes_cached);
}

inline void BufferCache::trim() noexcept {
  const std::lock_guard lock(mutex_);
  give_back();
}

inline void BufferCache::reset_peak() noexcept {
  const std::lock_guard lock(mutex_);
  statistics_.peak_bytes_in_use = statistics_.bytes_in_use;
}

inline void BufferCache::give_back(List& list, std::size_t buffers) noexcept {
  for (; buffers > 0; --buffers, --list.count) {
    ::operator delete(list.free.back(), alignment);
    list.free.pop_back();
  }
}

inline void BufferCache::give_back() noexcept {
  for (auto& [size, list] : lists_) {
    give_back(list, list.free.size());
    list.unused = 0;
  }
  statistics_.bytes_cached = 0;
}

// A sweep is due when every cached byte could have been used many times: several steps of any training, however many
// operations a step has.
inline void BufferCache::sweep_now_and_then(std::size_t size) noexcept {
  constexpr std::size_t least_requests = 1 << 12, times = 32;
  requested_ += size;
  if (++requests_ < least_requests || requested_ / times < most_cached_) return;
  for (auto at = lists_.begin(); at != lists_.end();) {
    auto& [bytes, list] = *at;
    statistics_.bytes_cached -= list.unused * bytes;
    give_back(list, list.unused);
    list.unused = list.free.size();
    at = list.count == 0 ? lists_.erase(at) : std::next(at);
  }
  requests_ = requested_ = 0;
  most_cached_ = statistics_.bytes_cached;
}

inline BufferCache::Statistics BufferCache::statistics() const {
  const std::lock_guard lock(mutex_);
  return statistics_;
}

}  // namespace gan
