// A cache of aligned buffers: freeing and allocating large arrays again costs a page fault every 4 KB, every step.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <new>
#include <unordered_map>
#include <vector>

#include "gan/core/error.hpp"

namespace gan {

/// Process-wide cache of buffers, aligned to 64 bytes, that tensors take their storage from. Thread-safe.
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

  /// An uninitialised buffer of at least `bytes`. Throws gan::Error when there is no memory.
  void* acquire(std::size_t bytes);
  /// Gives back what `acquire(bytes)` returned.
  void release(void* buffer, std::size_t bytes) noexcept;
  /// Returns all free buffers to the system.
  void trim() noexcept;
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
    std::size_t count = 0;  // buffers of this size, free or not
  };

  void give_back() noexcept;  // with the mutex held

  mutable std::mutex mutex_;
  std::unordered_map<std::size_t, List> lists_;
  Statistics statistics_;
};

inline void* BufferCache::acquire(std::size_t bytes) {
  const std::size_t size = rounded(bytes);
  const std::lock_guard lock(mutex_);
  void* buffer = nullptr;
  auto& list = lists_[size];
  if (!list.free.empty()) {
    buffer = list.free.back();
    list.free.pop_back();
    statistics_.bytes_cached -= size;
  } else {
    // Room for every buffer of this size, so that release cannot fail.
    if (list.free.capacity() <= list.count) list.free.reserve(2 * list.count + 1);
    buffer = ::operator new(size, alignment, std::nothrow);
    if (!buffer && statistics_.bytes_cached > 0) {
      give_back();
      buffer = ::operator new(size, alignment, std::nothrow);
    }
    check(buffer != nullptr, "memory: cannot allocate ", size, " bytes (", statistics_.bytes_in_use, " in use)");
    ++statistics_.system_allocations;
    ++list.count;
  }
  statistics_.bytes_in_use += size;
  statistics_.peak_bytes_in_use = std::max(statistics_.peak_bytes_in_use, statistics_.bytes_in_use);
  return buffer;
}

inline void BufferCache::release(void* buffer, std::size_t bytes) noexcept {
  const std::size_t size = rounded(bytes);
  const std::lock_guard lock(mutex_);
  lists_.find(size)->second.free.push_back(buffer);
  statistics_.bytes_in_use -= size;
  statistics_.bytes_cached += size;
}

inline void BufferCache::trim() noexcept {
  const std::lock_guard lock(mutex_);
  give_back();
}

inline void BufferCache::give_back() noexcept {
  for (auto& [size, list] : lists_) {
    for (void* buffer : list.free) ::operator delete(buffer, alignment);
    list.count -= list.free.size();
    list.free.clear();
  }
  statistics_.bytes_cached = 0;
}

inline BufferCache::Statistics BufferCache::statistics() const {
  const std::lock_guard lock(mutex_);
  return statistics_;
}

}  // namespace gan
