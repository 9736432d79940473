// Other forms of a tensor's values that products are made of: rounded, or in a layout of an engine's.
#pragma once

#include <algorithm>
#include <cstdint>
#include <mutex>
#include <vector>

#include "gan/core/memory.hpp"

namespace gan::detail {

/// Forms of the values of one storage, made when first asked for and kept until the values change. Thread-safe.
class Twins {
 public:
  ~Twins() { forget(); }
  Twins() = default;
  Twins(const Twins&) = delete;
  Twins& operator=(const Twins&) = delete;

  /// The twin of that form, `bytes` long, made by make(memory) unless there is one of this version of the values.
  template <class Make>
  const void* get(std::uint64_t form, std::size_t bytes, std::uint64_t version, const Make& make) {
    const std::lock_guard lock(mutex_);
    if (version != version_) forget();
    version_ = version;
    const auto found = std::find_if(all_.begin(), all_.end(), [&](const Twin& twin) { return twin.form == form; });
    if (found != all_.end()) return found->memory;
    all_.reserve(all_.size() + 1);
    void* const memory = BufferCache::instance().acquire(bytes);
    try {
      make(memory);
    } catch (...) {
      BufferCache::instance().release(memory, bytes);
      throw;
    }
    all_.push_back({form, bytes, memory});
    return memory;
  }

 private:
  struct Twin {
    std::uint64_t form;
    std::size_t bytes;
    void* memory;
  };

  void forget() noexcept {
    for (const auto& twin : all_) BufferCache::instance().release(twin.memory, twin.bytes);
    all_.clear();
  }

  std::mutex mutex_;
  std::uint64_t version_ = 0;
  std::vector<Twin> all_;
};

}  // namespace gan::detail
