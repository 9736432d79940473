// Paired data: two datasets whose i-th items belong together, as a source of both.
#pragma once

#include <concepts>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "gan/data/loader.hpp"

namespace gan {

/// A loader of items of `a`, and beside each the item of `b` with the same number: a photo and its map (pix2pix), a
/// picture and its small copy (super-resolution).
template <std::floating_point T>
class Zip : public Loader<T> {
 public:
  /// Throws as Loader does, and unless both have equally many items.
  Zip(Dataset<T> a, Dataset<T> b, const LoaderOptions& options = {}, std::vector<Augmentation<T>> augmentations = {})
      : Loader<T>(std::move(a), options, std::move(augmentations)), partner_(std::move(b)) {
    check(this->dataset().size() == partner_.size(), "zip: ", this->dataset().size(), " items and ", partner_.size(),
          ", expected equally many: the i-th ones belong together");
  }

  /// Those of the loader, and "partner_shape" and "partner_data" of `b`.
  OptionTexts settings() const override {
    OptionTexts all = Loader<T>::settings();
    all.emplace_back("partner_shape", Loader<T>::shape_text(partner_.item_shape()));
    all.emplace_back("partner_data", std::to_string(partner_.fingerprint()));
    return all;
  }

  const Dataset<T>& partner() const { return partner_; }

 protected:
  Batch<T> make(std::span<const Index> indices, const RngState& random) const override {
    Batch<T> batch = Loader<T>::make(indices, random);
    batch.condition.values = partner_.gather(indices);
    Rng rng(random);
    this->augment(rng, batch.condition.values);
    return batch;
  }

 private:
  Dataset<T> partner_;
};

/// Batches of pairs: samples of `a` with their labels, and in condition.values the items of `b` that belong to them.
/// Augmentations are called for either with a generator in the same state, so that both are flipped or shifted alike;
/// a shift is one of as many pixels in both, whatever their sizes. Throws as Loader does, and unless both have equally
/// many items. Isola et al., 2017.
template <std::floating_point T>
Zip<T> zip(const Dataset<T>& a, const Dataset<T>& b, const LoaderOptions& options = {},
           std::vector<Augmentation<T>> augmentations = {}) {
  return Zip<T>(a, b, options, std::move(augmentations));
}

}  // namespace gan
