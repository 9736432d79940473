// A small generator and discriminator, data to train them on, and bitwise comparison of states.
#pragma once

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "gan/data/dataset.hpp"
#include "gan/data/loader.hpp"
#include "gan/data/toy.hpp"
#include "gan/models/mlp.hpp"
#include "gan/train/trainer.hpp"

/// What a pair is made of: items [2] or any other shape, batch norm and dropout where asked.
struct SmallPairOptions {
  gan::Shape item{2};
  gan::Index hidden = 8;
  bool batch_norm = false;
  double dropout = 0;
  bool discriminator_batch_norm = false;
};

/// An MLP generator and discriminator of few parameters.
template <class T>
struct SmallPair {
  using G = gan::MlpGenerator<T>;
  using D = gan::MlpDiscriminator<T>;

  explicit SmallPair(std::uint64_t seed, const SmallPairOptions& o = {})
      : rng(seed),
        generator(
            rng, {.latent = 3, .item = o.item, .hidden = {o.hidden}, .batch_norm = o.batch_norm, .dropout = o.dropout}),
        discriminator(
            rng,
            {.item = o.item, .hidden = {o.hidden}, .batch_norm = o.discriminator_batch_norm, .dropout = o.dropout}) {}

  gan::Rng rng;
  G generator;
  D discriminator;
};

template <class T>
gan::Tensor<T> real_batch(gan::Index n, std::uint64_t seed = 5, gan::Shape item = {2}) {
  gan::Rng rng(seed);
  return gan::normal<T>(rng, item.inserted(0, n), 0.3, 0.5);
}

/// n points of the ring.
template <class T>
gan::Dataset<T> ring_data(gan::Index n, std::uint64_t seed = 1) {
  gan::Rng rng(seed);
  return gan::Dataset<T>::from({2}, gan::gaussian_ring<T>(rng, n));
}

/// The bytes of all tensors, one after the other.
template <class T>
std::string bits(const gan::NamedTensors<T>& tensors) {
  std::string all;
  for (const auto& [name, tensor] : tensors)
    all.append(reinterpret_cast<const char*>(tensor.data()), static_cast<std::size_t>(tensor.size()) * sizeof(T));
  return all;
}
template <class T>
std::string bits(const gan::Tensor<T>& tensor) {
  return bits<T>({{"", tensor}});
}
/// The bytes of all that a trainer's next step depends on.
template <class Trainer>
std::string everything(Trainer& trainer) {
  std::string all = bits(trainer.training_state());
  for (const auto& [key, value] : trainer.metadata()) all += key + "=" + value + ";";
  return all;
}

/// Independent copies.
template <class T>
gan::NamedTensors<T> copies(const gan::NamedTensors<T>& tensors) {
  gan::NamedTensors<T> all;
  for (const auto& [name, tensor] : tensors) all.push_back({name, tensor.clone()});
  return all;
}

/// The largest difference of two states, which may hold empty tensors. Throws unless names and shapes are the same.
template <class T>
double distance(const gan::NamedTensors<T>& a, const gan::NamedTensors<T>& b) {
  gan::check(a.size() == b.size(), "states of ", a.size(), " and ", b.size(), " tensors");
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto &x = a[i].tensor, &y = b[i].tensor;
    gan::check(a[i].name == b[i].name && x.shape() == y.shape(), "\"", a[i].name, "\" ", x.shape(), " and \"",
               b[i].name, "\" ", y.shape());
    if (x.size() > 0) largest = std::max(largest, static_cast<double>((x.values() - y.values()).abs().maxCoeff()));
  }
  return largest;
}
