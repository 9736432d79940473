// Source: where batches come from, as a game sees it.
#pragma once

#include <concepts>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "gan/core/error.hpp"
#include "gan/core/metadata.hpp"
#include "gan/data/batch.hpp"

namespace gan {

/// Batches without end, in epochs. Games, callbacks and checkpoints need no more of data than this: a Loader is one,
/// `zip` and `together` make one of two, and a class of one's own may draw, read or compute its batches:
///
///     class Noise : public gan::Source<float> {
///      public:
///       gan::Batch<float> next() override {
///         gan::Rng rng(0, made_++);
///         return {gan::normal<float>(rng, {64, 2})};
///       }
///       ...
///     };
///
/// Contract: from the same state() the same batches follow, bit for bit, and set_state() takes what state() gave, of
/// this object or of one made alike. Before the first batch epoch and position are 0. An epoch is over when
/// position() == batches_per_epoch(); the next batch begins another one.
template <std::floating_point T>
class Source {
 public:
  using Texts = std::map<std::string, std::string>;

  virtual ~Source() = default;

  virtual Batch<T> next() = 0;

  /// Epoch of the latest batch, from 0, and how many batches of it have been handed out.
  virtual Index epoch() const = 0;
  virtual Index position() const = 0;
  /// At least 1.
  virtual Index batches_per_epoch() const = 0;
  /// Samples of a full batch, and of an epoch's last one.
  virtual Index batch() const = 0;
  virtual Index last_batch() const { return batch(); }
  /// Number of different samples there are, at least that of a batch.
  virtual Index items() const { return batch() * batches_per_epoch(); }

  /// Where it is, as text; and going on from there. Throws, changing nothing, for what state() cannot have given.
  virtual Texts state() const = 0;
  virtual void set_state(const Texts& state) = 0;
  /// What it was made with, by name: a resumed run is compared with it.
  virtual OptionTexts settings() const { return {}; }
  /// set_state() of a source that had the settings `saved` then, which may be others than today's.
  virtual void resume(const Texts& state, [[maybe_unused]] const Texts& saved) { set_state(state); }

  /// n samples to compare with, as batches look like, the same at each call and without moving the source: spread over
  /// its data. Throws unless n is in [1, items()].
  virtual Batch<T> reference(Index n) const = 0;
  /// Number of classes of the labels; 0: it has none. How often each occurs, adding up to 1; empty without.
  virtual Index classes() const { return 0; }
  virtual std::vector<double> class_frequencies() const { return {}; }

  /// The next batch of data of two kinds: (samples, condition.values). Throws for data of one.
  std::pair<Tensor<T>, Tensor<T>> two() {
    Batch<T> both = next();
    check(both.condition.has_values(),
          "source: the game asks for two samples at a time, and its batches hold one: make it of two loaders with "
          "zip() or together()");
    return {std::move(both.samples), std::move(both.condition.values)};
  }
};

}  // namespace gan
