// Loader<T>: an endless row of batches of a dataset in seeded random order.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "gan/core/error.hpp"
#include "gan/core/metadata.hpp"
#include "gan/core/random.hpp"
#include "gan/data/augment.hpp"
#include "gan/data/batch.hpp"
#include "gan/data/dataset.hpp"
#include "gan/data/draw.hpp"
#include "gan/data/source.hpp"

namespace gan {

struct LoaderOptions {
  Index batch = 128;
  std::uint64_t seed = 0;
  bool shuffle = true;
  bool drop_last = true;  ///< leave out the items that do not fill the last batch of an epoch
  /// Show every class that occurs equally often: items of rare classes several times an epoch, not all of the frequent
  /// ones.
  bool balanced = false;
  /// Show items in proportion to these, one for each: with a share of 3 / size on average three times an epoch. Empty:
  /// equally often.
  std::vector<double> weights{};
};

/// Hands out every item of a dataset once an epoch, or as often as its weight or class says, without end; an epoch has
/// as many items as the dataset either way. The order of epoch e is a function of (seed, e) alone, and what
/// augmentations draw for a batch one of (seed, e, position).
///
/// Batches are made when asked for: 128 MNIST images take 65 us on one core (measured, AVX-512), half a percent of the
/// smallest network's step, so preparing the next one on another thread would gain nothing.
template <std::floating_point T>
class Loader : public Source<T> {
 public:
  using typename Source<T>::Texts;

  /// Keeps a handle of the dataset's items, so the dataset itself need not outlive the loader. Augmentations are
  /// applied in order. Throws for a batch below 1, or with drop_last above the dataset's size; for an augmentation that
  /// is no function; for weights of another number, negative, not finite or all 0; balanced without labels; and for
  /// weights and balanced together, or without shuffle.
  explicit Loader(Dataset<T> dataset, const LoaderOptions& options = {},
                  std::vector<Augmentation<T>> augmentations = {});

  /// The next batch, with its labels when the dataset has any; begins the next epoch by itself. With drop_last all are
  /// of size `batch`, otherwise an epoch's last one may be smaller.
  Batch<T> next() override;

  Index epoch() const override { return place_.epoch; }
  Index position() const override { return place_.position; }
  Index batches_per_epoch() const override { return batches_; }
  /// At most the number of items.
  Index batch() const override { return std::min(options_.batch, dataset_.size()); }
  /// `batch`, or what is left.
  Index last_batch() const override {
    const Index rest = dataset_.size() % options_.batch;
    return options_.drop_last || rest == 0 ? options_.batch : rest;
  }
  Index items() const override { return dataset_.size(); }

  /// "seed", "epoch" and "position": with the same dataset and options all it takes to go on.
  Texts state() const override;
  /// Throws, changing nothing, for an epoch or position that this loader cannot have.
  void set_state(const Texts& state) override { move_to(place_of(state)); }
  /// "items", "shape", "batch", "shuffle", "drop_last", "draw", "augmentations" (their number), "data" (the
  /// fingerprint).
  OptionTexts settings() const override;
  /// When items, batch or drop_last are others than the saved ones, an epoch under way begins again, and a complete one
  /// stays complete. Throws also when the saved settings are not those of a loader.
  void resume(const Texts& state, const Texts& saved) override;

  /// Items i size / n for i = 0 ... n - 1, through the augmentations.
  Batch<T> reference(Index n) const override;
  Index classes() const override { return dataset_.classes(); }
  /// As they are drawn.
  std::vector<double> class_frequencies() const override;

  /// Applies the augmentations to images [k, ...item_shape].
  void augment(Rng& rng, Tensor<T>& images) const {
    for (const auto& augmentation : augmentations_) augmentation(rng, images);
  }

  const Dataset<T>& dataset() const { return dataset_; }
  const LoaderOptions& options() const { return options_; }
  /// Number of augmentations.
  std::size_t augmentations() const { return augmentations_.size(); }

 protected:
  /// The batch of items `indices`, whose augmentations draw from that state on.
  virtual Batch<T> make(std::span<const Index> indices, const RngState& random) const;

  /// "28 x 28 x 1".
  static std::string shape_text(const Shape& shape) {
    std::string text;
    for (const Index length : shape) text += (text.empty() ? "" : " x ") + std::to_string(length);
    return text;
  }

 private:
  struct Place {
    std::uint64_t seed = 0;
    Index epoch = 0, position = 0;
  };

  // Streams of the seed, apart from those that people number from 0.
  static constexpr std::uint64_t order_stream = std::uint64_t{0x6f72646572} << 24;
  static constexpr std::uint64_t augment_stream = std::uint64_t{0x6175676d65} << 24;
  static constexpr std::uint64_t peek_stream = std::uint64_t{0x7065656b} << 24;

  void check_draw() const;
  static Place place_of(const Texts& state) {
    const MetadataReader read("loader", state);
    return {read.seed("seed"), read.count("epoch"), read.count("position")};
  }
  void move_to(const Place& place);
  std::vector<Index> order_of(const Place& place) const;

  Dataset<T> dataset_;
  LoaderOptions options_;
  std::vector<Augmentation<T>> augmentations_;
  Index batches_ = 0;
  std::vector<double> weights_;  // of balanced classes
  Place place_;
  std::vector<Index> order_;
};

template <std::floating_point T>
Loader<T>::Loader(Dataset<T> dataset, const LoaderOptions& options, std::vector<Augmentation<T>> augmentations)
    : dataset_(std::move(dataset)), options_(options), augmentations_(std::move(augmentations)) {
  const Index size = dataset_.size();
  check(options_.batch >= 1, "loader: batch of ", options_.batch, ", expected at least 1");
  check(!options_.drop_last || options_.batch <= size, "loader: batch of ", options_.batch, " from a dataset of ", size,
        " items: expected at most ", size, ", or drop_last = false");
  for (std::size_t i = 0; i < augmentations_.size(); ++i)
    check(static_cast<bool>(augmentations_[i]), "loader: augmentation ", i, " of ", augmentations_.size(),
          " is empty, expected a function");
  check_draw();
  if (options_.balanced) weights_ = balanced_weights(dataset_.labels(), dataset_.classes());
  batches_ = options_.drop_last ? size / options_.batch : (size - 1) / options_.batch + 1;
  move_to({options_.seed, 0, 0});
}

template <std::floating_point T>
void Loader<T>::check_draw() const {
  const bool weighted = !options_.weights.empty();
  check(!options_.balanced || !weighted, "loader: balanced and ", options_.weights.size(),
        " weights, expected one of both");
  check(options_.shuffle || (!options_.balanced && !weighted), "loader: ", options_.balanced ? "balanced" : "weights",
        " with shuffle = false, expected a random order");
  check(!options_.balanced || dataset_.has_labels(), "loader: balanced, but the ", dataset_.size(),
        " items have no labels");
  if (weighted) check_weights("loader", options_.weights, dataset_.size());
}

template <std::floating_point T>
std::vector<Index> Loader<T>::order_of(const Place& place) const {
  if (options_.shuffle) {
    Rng rng(place.seed, order_stream + static_cast<std::uint64_t>(place.epoch));
    if (options_.balanced) return draw_weighted(rng, weights_, dataset_.labels());
    return options_.weights.empty() ? rng.permutation(dataset_.size()) : draw_weighted(rng, options_.weights);
  }
  std::vector<Index> order(static_cast<std::size_t>(dataset_.size()));
  std::iota(order.begin(), order.end(), Index{0});
  return order;
}

template <std::floating_point T>
void Loader<T>::move_to(const Place& place) {
  check(place.position <= batches_, "loader: state after ", place.position, " batches of an epoch, expected 0 to ",
        batches_, ": a state of another dataset or batch size");
  order_ = order_of(place);
  place_ = place;
}

template <std::floating_point T>
Batch<T> Loader<T>::next() {
  if (place_.position == batches_) move_to({place_.seed, place_.epoch + 1, 0});
  const Index begin = place_.position * options_.batch, count = std::min(options_.batch, dataset_.size() - begin);
  const auto indices =
      std::span<const Index>(order_).subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(count));
  Batch<T> batch = make(indices, {place_.seed, augment_stream + static_cast<std::uint64_t>(place_.epoch),
                                  static_cast<std::uint64_t>(place_.position) << 32});
  ++place_.position;
  return batch;
}

template <std::floating_point T>
Batch<T> Loader<T>::reference(Index n) const {
  const Index size = dataset_.size();
  check(n >= 1 && n <= size, "loader: a reference of ", n, " items of ", size,
        ", expected 1 or more, and no more than there are");
  std::vector<Index> indices(static_cast<std::size_t>(n));
  for (Index i = 0; i < n; ++i) indices[static_cast<std::size_t>(i)] = i * size / n;
  return make(indices, {place_.seed, peek_stream, 0});
}

template <std::floating_point T>
Batch<T> Loader<T>::make(std::span<const Index> indices, const RngState& random) const {
  Batch<T> batch{dataset_.gather(indices)};
  if (dataset_.has_labels()) {
    batch.condition.classes = dataset_.classes();
    batch.condition.labels.reserve(indices.size());
    for (const Index i : indices) batch.condition.labels.push_back(dataset_.labels()[static_cast<std::size_t>(i)]);
  }
  Rng rng(random);
  augment(rng, batch.samples);
  return batch;
}

template <std::floating_point T>
std::vector<double> Loader<T>::class_frequencies() const {
  std::vector<double> frequencies(static_cast<std::size_t>(dataset_.classes()));
  const auto labels = dataset_.labels();
  const auto& weights = options_.balanced ? weights_ : options_.weights;
  const double largest = weights.empty() ? 1 : *std::max_element(weights.begin(), weights.end());
  double total = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const double weight = weights.empty() ? 1 : weights[i] / largest;
    frequencies[static_cast<std::size_t>(labels[i])] += weight;
    total += weight;
  }
  for (double& frequency : frequencies) frequency /= total;
  return frequencies;
}

template <std::floating_point T>
auto Loader<T>::state() const -> Texts {
  return {{"seed", std::to_string(place_.seed)},
          {"epoch", std::to_string(place_.epoch)},
          {"position", std::to_string(place_.position)}};
}

template <std::floating_point T>
OptionTexts Loader<T>::settings() const {
  const auto yes_no = [](bool on) { return std::string(on ? "yes" : "no"); };
  std::string draw = options_.balanced ? "balanced" : "each";
  if (!options_.weights.empty())
    draw = "weights " + std::to_string(detail::hash_bytes(0xcbf29ce484222325u, options_.weights.data(),
                                                          options_.weights.size() * sizeof(double)));
  return {{"items", std::to_string(dataset_.size())},
          {"shape", shape_text(dataset_.item_shape())},
          {"batch", std::to_string(options_.batch)},
          {"shuffle", yes_no(options_.shuffle)},
          {"drop_last", yes_no(options_.drop_last)},
          {"draw", draw},
          {"augmentations", std::to_string(augmentations_.size())},
          {"data", std::to_string(dataset_.fingerprint())}};
}

template <std::floating_point T>
void Loader<T>::resume(const Texts& state, const Texts& saved) {
  const MetadataReader read("loader", saved);
  const Index size = read.count("items"), batch = read.count("batch");
  check(batch >= 1, "loader: \"batch\" is ", batch, ", expected at least 1");
  const auto found = saved.find("drop_last");
  check(found != saved.end() && (found->second == "yes" || found->second == "no"), "loader: \"drop_last\" is ",
        found == saved.end() ? "missing from the saved settings" : "\"" + found->second + "\"",
        ", expected \"yes\" or \"no\"");
  const bool drops = found->second == "yes";
  Place place = place_of(state);
  if (size != dataset_.size() || batch != options_.batch || drops != options_.drop_last) {
    const Index batches = drops ? size / batch : size / batch + (size % batch > 0);
    if (place.position >= batches) ++place.epoch;
    place.position = 0;
  }
  move_to(place);
}

}  // namespace gan
