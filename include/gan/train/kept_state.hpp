// What a forward pass may change of a network, kept aside.
#pragma once

#include <algorithm>
#include <vector>

#include "gan/nn/module.hpp"

namespace gan {

/// Copies of a network's buffers (running statistics, vectors of spectral norm), to put back when what changed them
/// came to nothing. The memory is taken once.
template <std::floating_point T>
class KeptBuffers {
 public:
  explicit KeptBuffers(const Module<T>& module) : live_(module.buffers()) {
    for (const auto& [name, tensor] : live_) kept_.push_back(tensor.clone());
  }

  /// Takes the values of now.
  void take() {
    for (std::size_t i = 0; i < kept_.size(); ++i)
      std::copy_n(live_[i].tensor.data(), kept_[i].size(), kept_[i].mutable_data());
  }
  void put_back() {
    for (std::size_t i = 0; i < kept_.size(); ++i)
      std::copy_n(kept_[i].data(), kept_[i].size(), live_[i].tensor.mutable_data());
  }

 private:
  NamedTensors<T> live_;
  std::vector<Tensor<T>> kept_;
};

/// While it lives, a network may be tried out: its buffers and its generator of random numbers are put back at the end.
template <std::floating_point T>
class Trial {
 public:
  explicit Trial(Module<T>& network) : network_(network), buffers_(network), rng_(network.rng().state()) {}
  ~Trial() { put_back(); }
  Trial(const Trial&) = delete;
  Trial& operator=(const Trial&) = delete;

  /// Puts both back, for the next try.
  void put_back() {
    buffers_.put_back();
    network_.rng().set_state(rng_);
  }
  /// Whether the network has drawn random numbers since.
  bool has_drawn() const { return network_.rng().state() != rng_; }

 private:
  Module<T>& network_;
  KeptBuffers<T> buffers_;
  RngState rng_;
};

}  // namespace gan
