// together: two sources side by side, as unpaired data of two domains.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "gan/data/source.hpp"

namespace gan {

/// Data of two domains side by side, as CycleGAN takes it: samples of `a` with their labels, and in condition.values
/// samples of `b`, each in an order of its own. An epoch is that of the source with more batches; the other one begins
/// again meanwhile.
template <std::floating_point T>
class Together : public Source<T> {
 public:
  using typename Source<T>::Texts;

  /// Keeps references of both. Throws unless both make batches of one size.
  Together(Source<T>& a, Source<T>& b) : a_(a), b_(b), leader_(a.batches_per_epoch() >= b.batches_per_epoch() ? a : b) {
    check(a.batch() == b.batch() && a.last_batch() == b.last_batch(), "together: batches of ", a.batch(),
          " (the last one of an epoch of ", a.last_batch(), ") and of ", b.batch(), " (", b.last_batch(),
          "), expected equal ones");
    check(a.last_batch() == a.batch() || a.batches_per_epoch() == b.batches_per_epoch(), "together: a last batch of ",
          a.last_batch(), " in epochs of ", a.batches_per_epoch(), " and ", b.batches_per_epoch(),
          " batches would meet a full one, expected drop_last");
  }

  Batch<T> next() override { return joined(a_.next(), b_.next()); }
  Index epoch() const override { return leader_.epoch(); }
  Index position() const override { return leader_.position(); }
  Index batches_per_epoch() const override { return leader_.batches_per_epoch(); }
  Index batch() const override { return a_.batch(); }
  Index last_batch() const override { return a_.last_batch(); }
  Texts state() const override { return joined(a_.state(), b_.state()); }
  void set_state(const Texts& state) override;
  Index items() const override { return std::min(a_.items(), b_.items()); }
  OptionTexts settings() const override {
    OptionTexts all;
    for (auto& [name, text] : a_.settings()) all.push_back({"a_" + name, text});
    for (auto& [name, text] : b_.settings()) all.push_back({"b_" + name, text});
    return all;
  }
  void resume(const Texts& state, const Texts& saved) override;
  Batch<T> reference(Index n) const override { return joined(a_.reference(n), b_.reference(n)); }
  Index classes() const override { return a_.classes(); }
  std::vector<double> class_frequencies() const override { return a_.class_frequencies(); }

 private:
  static Batch<T> joined(Batch<T> a, Batch<T> b) {
    a.condition.values = std::move(b.samples);
    return a;
  }
  static Texts joined(const Texts& a, const Texts& b) {
    Texts all;
    for (const auto& [name, text] : a) all["a_" + name] = text;
    for (const auto& [name, text] : b) all["b_" + name] = text;
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
void Together<T>::set_state(const Texts& state) {
  const Texts before = a_.state();
  a_.set_state(part(state, "a_"));
  try {
    b_.set_state(part(state, "b_"));
  } catch (...) {
    a_.set_state(before);
    throw;
  }
}

template <std::floating_point T>
void Together<T>::resume(const Texts& state, const Texts& saved) {
  const Texts before = a_.state();
  a_.resume(part(state, "a_"), part(saved, "a_"));
  try {
    b_.resume(part(state, "b_"), part(saved, "b_"));
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
