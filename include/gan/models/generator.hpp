// Generator: base class of networks that turn noise into samples.
#pragma once

#include <string>
#include <utility>

#include "gan/models/latent.hpp"
#include "gan/nn/layer.hpp"
#include "gan/nn/summary.hpp"

namespace gan {

struct GeneratorOptions {
  Index latent = 100;                                  ///< length of the noise vector
  LatentDistribution distribution = latent::normal();  ///< what it is drawn from
};

/// Derive from it and write `forward`: z [n, latent] -> samples [n, ...].
template <std::floating_point T>
class Generator : public Layer<T> {
 public:
  using Scalar = T;

  /// Throws for a latent length below 1.
  Generator(Rng& rng, GeneratorOptions options)
      : Layer<T>(rng), latent_(options.latent), distribution_(std::move(options.distribution)) {
    check(latent_ >= 1, "generator: latent length ", latent_, ", expected 1 or more");
  }

  /// The same as a part of a game or another module.
  Generator(Module<T>* parent, std::string name, GeneratorOptions options)
      : Layer<T>(parent, std::move(name)),
        latent_(options.latent),
        distribution_(std::move(options.distribution)) {
    check(latent_ >= 1, "generator \"", this->path(), "\": latent length ", latent_, ", expected 1 or more");
  }

  Index latent() const { return latent_; }
  const LatentDistribution& distribution() const { return distribution_; }
  std::string kind() const override { return "Generator"; }

  /// Noise for n samples: z [n, latent].
  Tensor<T> draw(Rng& rng, Index n) const { return distribution_.template draw<T>(rng, n, latent_); }

  /// Samples for noise z [n, latent], in evaluation mode and without history.
  Tensor<T> sample(const Tensor<T>& z) {
    const NoGrad no_grad;
    const Evaluate<T> mode(*this);
    return (*this)(z);
  }
  /// n samples for noise drawn from `rng`.
  Tensor<T> sample(Index n, Rng& rng) { return sample(draw(rng, n)); }

  /// The table of layers.
  std::string summary() { return gan::summary(*this, {latent_}); }

 private:
  Index latent_;
  LatentDistribution distribution_;
};

}  // namespace gan
