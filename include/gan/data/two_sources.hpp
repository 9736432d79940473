// Two sources as one: paired data, whose items belong together, and unpaired data of two domains.
#pragma once

#include <algorithm>
#include <memory>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "gan/data/source.hpp"

namespace gan {

/// Data of two domains side by side, as CycleGAN takes it: samples of `a`, and in condition.values those of `b`, each
/// in an order of its own. An epoch is that of the source with more batches; the other one begins again meanwhile.
template <std::floating_point T>
class Together : public Source<T> {
 public:
  /// Keeps references of both. Throws unless both make batches of one size.
  Together(Source<T>& a, Source<T>& b) : a_(a), b_(b), leader_(a.batches_per_epoch() >= b.batches_per_epoch() ? a : b) {
    check(a.batch() == b.batch() && a.smallest_batch() == b.smallest_batch(), "together: batches of ", a.batch(),
          " (the last one of an epoch of ", a.smallest_batch(), ") and of ", b.batch(), " (", b.smallest_batch(),
          "), expected equal ones");
    check(a.smallest_batch() == a.batch() || a.batches_per_epoch() == b.batches_per_epoch(), "together: a last batch of ",
          a.smallest_batch(), " in epochs of ", a.batches_per_epoch(), " and ", b.batches_per_epoch(),
          " batches would meet a full one, expected drop_last");
  }

  Batch<T> next() override {
    Batch<T> both = a_.next();
    both.condition = {.values = b_.next().samples};
    return both;
  }
  Index epoch() const override { return leader_.epoch(); }
  Index position() const override { return leader_.position(); }
  Index batches_per_epoch() const override { return leader_.batches_per_epoch(); }
  Index batch() const override { return a_.batch(); }
  Index smallest_batch() const override { return a_.smallest_batch(); }
  std::map<std::string, std::string> state() const override { return joined(a_.state(), b_.state()); }
  void set_state(const std::map<std::string, std::string>& state) override;
  std::map<std::string, std::string> settings() const override { return joined(a_.settings(), b_.settings()); }
  Batch<T> reference(Index n) const override {
    Batch<T> both = a_.reference(n);
    both.condition = {.values = b_.reference(n).samples};
    return both;
  }

 private:
  using Texts = std::map<std::string, std::string>;

  static Texts joined(const Texts& a, const Texts& b) {
    Texts all;
    for (const auto& [name, text] : a) all["a." + name] = text;
    for (const auto& [name, text] : b) all["b." + name] = text;
    return all;
  }
  static Texts part(const Texts& all, const std::string& prefix) {
    Texts part;
    for (const auto& [name, text] : all)
      if (name.starts_with(prefix)) part[name.substr(prefix.size())] = text;
    return part;
  }

  Source<T>&a_, &b_, &leader_;
};

template <std::floating_point T>
void Together<T>::set_state(const std::map<std::string, std::string>& state) {
  const Texts before = a_.state();
  a_.set_state(part(state, "a."));
  try {
    b_.set_state(part(state, "b."));
  } catch (...) {
    a_.set_state(before);
    throw;
  }
}

template <std::floating_point T>
Together<T> together(Source<T>& a, Source<T>& b) {
  return Together<T>(a, b);
}

}  // namespace gan
