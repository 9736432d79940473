// The number of threads, put back at the end of a scope.
#pragma once

#include "gan/core/parallel.hpp"

namespace gan::test {

/// Sets the number of threads while it lives; without a number it leaves that to gan::set_threads in its scope.
class ThreadCount {
 public:
  ThreadCount() = default;
  explicit ThreadCount(int n) { set_threads(n); }
  ~ThreadCount() { set_threads(before_); }
  ThreadCount(const ThreadCount&) = delete;
  ThreadCount& operator=(const ThreadCount&) = delete;

 private:
  int before_ = threads();
};

}  // namespace gan::test
