// One budget of memory for the work of several threads.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace gan {

class MemoryBudget {
 public:
  explicit MemoryBudget(std::uint64_t bytes) : bytes_(bytes) {}

  /// While it lives, `bytes` of the budget are taken; made, it waits until they are free. What is more than the whole
  /// budget is taken when nobody else has any. A thread that holds one may not wait for another of the same budget.
  class Share {
   public:
    Share(MemoryBudget& budget, std::uint64_t bytes) : budget_(budget), bytes_(bytes) {
      std::unique_lock lock(budget_.mutex_);
      budget_.freed_.wait(lock, [&] {
        return budget_.taken_ == 0 || (budget_.taken_ <= budget_.bytes_ && bytes_ <= budget_.bytes_ - budget_.taken_);
      });
      budget_.taken_ += bytes_;
    }
    ~Share() {
      {
        const std::lock_guard lock(budget_.mutex_);
        budget_.taken_ -= bytes_;
      }
      budget_.freed_.notify_all();
    }
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;

   private:
    MemoryBudget& budget_;
    std::uint64_t bytes_;
  };

 private:
  std::mutex mutex_;
  std::condition_variable freed_;
  std::uint64_t bytes_, taken_ = 0;
};

}  // namespace gan
