// FunctionSource: what a function gives, as a source.
#pragma once

#include <concepts>
#include <functional>
#include <utility>

#include "gan/data/source.hpp"

namespace gan {

/// Batches of somebody who has no source: each is what next() gives. It has no epochs and no state, so it is for single
/// steps (Game::advance), and reference() is the newest batch, whatever its size.
template <std::floating_point T>
class FunctionSource : public Source<T> {
 public:
  using typename Source<T>::Texts;

  explicit FunctionSource(std::function<Batch<T>()> next) : next_(std::move(next)) {}

  Batch<T> next() override {
    newest_ = next_();
    return newest_;
  }
  Index epoch() const override { return 0; }
  Index position() const override { return 0; }
  Index batches_per_epoch() const override { return 1; }
  Index batch() const override { return 1; }
  Texts state() const override { return {}; }
  void set_state(const Texts&) override {}
  Batch<T> reference(Index) const override { return newest_; }

 private:
  std::function<Batch<T>()> next_;
  Batch<T> newest_;
};

}  // namespace gan
