// Scratch memory for loops.
#pragma once

#include <cstddef>

#include "gan/core/memory.hpp"
#include "gan/core/shape.hpp"

namespace gan {

/// Uninitialized memory for `count` elements, taken from the buffer cache, for as long as this lives.
template <class T>
class Scratch {
 public:
  explicit Scratch(Index count)
      : bytes_(static_cast<std::size_t>(count) * sizeof(T)),
        data_(static_cast<T*>(BufferCache::instance().acquire(bytes_))) {}
  ~Scratch() { BufferCache::instance().release(data_, bytes_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  T* data() const { return data_; }

 private:
  std::size_t bytes_;
  T* data_;
};

}  // namespace gan
