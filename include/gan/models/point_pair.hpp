// The pair for points of a few dimensions, e.g. mixtures of Gaussians, that finds all modes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gan/models/discriminator.hpp"
#include "gan/models/generator.hpp"
#include "gan/models/mlp.hpp"
#include "gan/nn/activation.hpp"
#include "gan/nn/dense.hpp"
#include "gan/nn/fourier_features.hpp"
#include "gan/nn/sequential.hpp"
#include "gan/ops/reshape.hpp"

namespace gan {

struct PointGeneratorOptions {
  Index dimensions = 2;
  /// As flat as the data, and uniform, it is cut into modes with the fewest samples between them.
  Index latent = 2;
  LatentDistribution distribution = gan::latent::uniform();
  std::vector<Index> hidden = {96, 96, 96, 96};
  Index frequencies = 0;  ///< Fourier features of the latent, for many modes; 0: none
  double frequency = 4;   ///< deviation of these, in radians a unit of the latent
};

struct PointDiscriminatorOptions {
  Index dimensions = 2;
  Index pack = 1;  ///< points that it sees at once (TrainerOptions::pack)
  std::vector<Index> hidden = {96, 96};
  Index frequencies = 32;  ///< Fourier features of each point, for detail as fine as the modes; 0: none
  double frequency = 4;    ///< deviation of these, in radians a unit of the data, which should have a deviation near 1
  bool spectral_norm = false;
};

/// z [n, latent] -> points [n, dimensions], by dense layers and ReLU.
template <std::floating_point T>
class PointGenerator : public Generator<T> {
 public:
  using Options = PointGeneratorOptions;

  /// Throws for numbers below 1, and for a frequency that is not above 0.
  explicit PointGenerator(Rng& rng, const Options& options = {})
      : Generator<T>(rng, {.latent = options.latent, .distribution = options.distribution}) {
    check(options.dimensions >= 1 && options.frequencies >= 0, "point generator: ", options.dimensions,
          " dimensions and ", options.frequencies, " frequencies, expected 1 or more, and 0 or more");
    if (options.frequencies > 0)
      net_.template add<FourierFeatures>("features", options.latent, options.frequencies, options.frequency);
    const MlpGeneratorOptions<T> layers{
        .hidden = options.hidden, .activation = activation::relu(), .batch_norm = false};
    const Index last = detail::add_hidden(net_, options.latent + 2 * options.frequencies, layers,
                                          {.weight_initializer = init::he_normal()});
    net_.template add<Dense>("output", last, options.dimensions);
  }

  Tensor<T> forward(const Tensor<T>& z) override { return net_(z); }
  std::string kind() const override { return "PointGenerator"; }

 private:
  Sequential<T> net_{this, "net"};
};

/// Points [n, pack dimensions] -> logits [n, 1], by dense layers and leaky ReLU from Fourier features of each point.
template <std::floating_point T>
class PointDiscriminator : public Discriminator<T> {
 public:
  using Options = PointDiscriminatorOptions;

  /// Throws for numbers below 1, and for a frequency that is not above 0.
  explicit PointDiscriminator(Rng& rng, const Options& options = {})
      : Discriminator<T>(rng), dimensions_(options.dimensions), pack_(options.pack) {
    check(dimensions_ >= 1 && pack_ >= 1 && options.frequencies >= 0, "point discriminator: ", dimensions_,
          " dimensions, packs of ", pack_, ", ", options.frequencies,
          " frequencies, expected 1 or more of the first two, and 0 or more");
    const MlpDiscriminatorOptions<T> layers{.hidden = options.hidden};
    const Index last =
        detail::add_hidden(net_, (dimensions_ + 2 * options.frequencies) * pack_, layers,
                           {.spectral_norm = options.spectral_norm, .weight_initializer = init::he_normal(0.2)});
    net_.template add<Dense>("output", last, Index{1}, DenseOptions{.spectral_norm = options.spectral_norm});
    if (options.frequencies > 0)
      features_.emplace(this, "features", dimensions_, options.frequencies, options.frequency);
  }

  /// Throws unless x is [n, pack dimensions].
  Tensor<T> forward(const Tensor<T>& x) override {
    check(x.rank() == 2 && x.shape()[1] == pack_ * dimensions_, "point discriminator: x ", x.shape(), ", expected [n, ",
          pack_ * dimensions_, "]: packs of ", pack_, " points of ", dimensions_, " dimensions");
    if (!features_) return net_(x);
    return net_(reshape((*features_)(reshape(x, {-1, dimensions_})), {x.shape()[0], pack_ * features_->features()}));
  }
  std::string kind() const override { return "PointDiscriminator"; }

 private:
  Index dimensions_, pack_;
  Sequential<T> net_{this, "net"};
  std::optional<FourierFeatures<T>> features_;
};

}  // namespace gan
