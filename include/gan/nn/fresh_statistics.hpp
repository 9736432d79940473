// FreshStatistics: batch norm's running statistics taken anew.
#pragma once

#include <concepts>
#include <vector>

#include "gan/nn/batch_norm.hpp"

namespace gan {

/// While it lives, every BatchNorm of the module and below it normalizes with the batch's statistics, in evaluation
/// mode too, and its running ones become the plain mean of those of the batches it sees. An averaged network needs
/// that: the average of statistics is not the statistics of the averaged weights (Izmailov et al., 2018).
///
///     const gan::Evaluate mode(network);
///     const gan::FreshStatistics fresh(network);
///     for (int i = 0; i < 10; ++i) network(some_batch());
template <std::floating_point T>
class FreshStatistics {
 public:
  explicit FreshStatistics(Module<T>& module) {
    find(module);
    for (auto* norm : norms_) norm->fresh_batches_ = 0;
  }
  ~FreshStatistics() {
    for (auto* norm : norms_) norm->fresh_batches_.reset();
  }
  FreshStatistics(const FreshStatistics&) = delete;
  FreshStatistics& operator=(const FreshStatistics&) = delete;

  /// Whether there is no BatchNorm.
  bool empty() const { return norms_.empty(); }

 private:
  void find(Module<T>& module) {
    if (auto* norm = dynamic_cast<BatchNorm<T>*>(&module)) norms_.push_back(norm);
    for (auto* child : module.children()) find(*child);
  }

  std::vector<BatchNorm<T>*> norms_;
};

}  // namespace gan
