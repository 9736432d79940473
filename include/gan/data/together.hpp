// Unpaired data: two sources side by side, each in an order of its own.
#pragma once

#include <algorithm>
#include <concepts>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gan/data/loader.hpp"
#include "gan/data/source.hpp"

namespace gan {

/// Data of two domains, of which no two items belong together, as CycleGAN takes it: samples of `a` with their labels,
/// and in condition.values samples of `b`, whose labels are left out. An epoch is that of the source with more batches;
/// the other one begins again meanwhile. Zhu et al., 2017.
template <std::floating_point T>
class Together : public Source<T> {
 public:
  using typename Source<T>::Texts;

  /// Throws unless all batches are of one size, in both and at the end of an epoch; for one source given twice; and for
  /// two loaders whose orders would be the same, as those of equally many items with one seed.
  Together(std::shared_ptr<Source<T>> a, std::shared_ptr<Source<T>> b);
  /// Keeps references of both.
  Together(Source<T>& a, Source<T>& b) : Together(unowned(a), unowned(b)) {}
  Together(Together&&) noexcept = default;
  Together& operator=(Together&&) noexcept = default;

  Batch<T> next() override { return joined(a_->next(), b_->next()); }
  Index epoch() const override { return longer().epoch(); }
  Index position() const override { return longer().position(); }
  Index batches_per_epoch() const override { return longer().batches_per_epoch(); }
  Index batch() const override { return a_->batch(); }
  /// Those of the source that has fewer.
  Index items() const override { return std::min(a_->items(), b_->items()); }

  /// What either says, its names behind "a_" and "b_".
  Texts state() const override { return joined(a_->state(), b_->state()); }
  void set_state(const Texts& state) override;
  OptionTexts settings() const override { return joined(a_->settings(), b_->settings()); }
  void resume(const Texts& state, const Texts& saved) override;

  Batch<T> reference(Index n) const override;
  /// Those of `a`.
  Index classes() const override { return a_->classes(); }
  std::vector<double> class_frequencies() const override { return a_->class_frequencies(); }

 private:
  static Batch<T> joined(Batch<T> a, Batch<T> b) {
    check(!a.condition.has_values() && !b.condition.has_values(),
          "together: a source of pairs beside another one, expected two whose batches hold one sample each");
    a.condition.values = std::move(b.samples);
    return a;
  }
  template <class Pairs>
  static Pairs joined(const Pairs& a, const Pairs& b) {
    Pairs all;
    for (const auto& [name, text] : a) all.insert(all.end(), {"a_" + name, text});
    for (const auto& [name, text] : b) all.insert(all.end(), {"b_" + name, text});
    return all;
  }
  static std::shared_ptr<Source<T>> unowned(Source<T>& source) {
    return std::shared_ptr<Source<T>>(std::shared_ptr<void>(), &source);
  }
  static Texts part(const Texts& all, const std::string& prefix) {
    Texts found;
    for (const auto& [name, text] : all)
      if (name.starts_with(prefix)) found[name.substr(prefix.size())] = text;
    return found;
  }
  const Source<T>& longer() const { return a_->batches_per_epoch() >= b_->batches_per_epoch() ? *a_ : *b_; }
  /// Moves both, or neither.
  template <class MoveA, class MoveB>
  void move_both(MoveA move_a, MoveB move_b);

  std::shared_ptr<Source<T>> a_, b_;
};

/// Two sources side by side, of which references are kept.
template <std::floating_point T>
Together<T> together(Source<T>& a, Source<T>& b) {
  return Together<T>(a, b);
}

/// Loaders of both datasets side by side, with the same options and augmentations; their seeds differ.
template <std::floating_point T>
Together<T> together(const Dataset<T>& a, const Dataset<T>& b, const LoaderOptions& options = {},
                     const std::vector<Augmentation<T>>& augmentations = {}) {
  LoaderOptions other = options;
  other.seed += 0x9e3779b97f4a7c15;  // far from the seeds that people number
  return Together<T>(std::make_shared<Loader<T>>(a, options, augmentations),
                     std::make_shared<Loader<T>>(b, other, augmentations));
}

template <std::floating_point T>
Together<T>::Together(std::shared_ptr<Source<T>> a, std::shared_ptr<Source<T>> b) : a_(std::move(a)), b_(std::move(b)) {
  check(a_ && b_, "together: ", a_ ? "the second" : "the first", " source is null");
  check(a_ != b_, "together: one source given twice, expected two");
  check(a_->batch() == b_->batch(), "together: batches of ", a_->batch(), " and of ", b_->batch(),
        ", expected equal ones");
  for (const auto& source : {a_, b_})
    check(source->last_batch() == source->batch(), "together: batches of ", source->batch(), ", the last of ",
          source->last_batch(), ", would meet full ones: expected drop_last = true");
  const auto* const one = dynamic_cast<const Loader<T>*>(a_.get());
  const auto* const two = dynamic_cast<const Loader<T>*>(b_.get());
  check(!one || !two || one->items() != two->items() || one->options().seed != two->options().seed,
        "together: loaders of ", a_->items(), " items each with the same seed, ", one ? one->options().seed : 0,
        ", would show the same pairs in every epoch: expected seeds of their own");
}

template <std::floating_point T>
template <class MoveA, class MoveB>
void Together<T>::move_both(MoveA move_a, MoveB move_b) {
  const Texts before = a_->state();
  move_a();
  try {
    move_b();
  } catch (...) {
    a_->set_state(before);
    throw;
  }
}

template <std::floating_point T>
void Together<T>::set_state(const Texts& state) {
  move_both([&] { a_->set_state(part(state, "a_")); }, [&] { b_->set_state(part(state, "b_")); });
}

template <std::floating_point T>
void Together<T>::resume(const Texts& state, const Texts& saved) {
  move_both([&] { a_->resume(part(state, "a_"), part(saved, "a_")); },
            [&] { b_->resume(part(state, "b_"), part(saved, "b_")); });
}

template <std::floating_point T>
Batch<T> Together<T>::reference(Index n) const {
  check(n >= 1 && n <= items(), "together: a reference of ", n, " items of ", a_->items(), " and ", b_->items(),
        ", expected 1 or more, and no more than either has");
  return joined(a_->reference(n), b_->reference(n));
}

}  // namespace gan
