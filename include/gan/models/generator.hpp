// Generator: base class of networks that turn noise into samples.
#pragma once

#include <algorithm>
#include <string>
#include <utility>

#include "gan/models/latent.hpp"
#include "gan/nn/layer.hpp"
#include "gan/nn/summary.hpp"
#include "gan/ops/slice.hpp"

namespace gan {

struct GeneratorOptions {
  Index latent = 100;                                  ///< length of the noise vector
  LatentDistribution distribution = latent::normal();  ///< what it is drawn from
};

/// Derive from it and write `forward`: z [n, latent] -> samples [n, ...]. A forward that draws random numbers in
/// evaluation mode, too, takes them from rng(), and every sample moves that on: who wants the same samples again, or a
/// training that does not notice, puts its state back.
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
      : Layer<T>(parent, std::move(name)), latent_(options.latent), distribution_(std::move(options.distribution)) {
    check(latent_ >= 1, "generator \"", this->path(), "\": latent length ", latent_, ", expected 1 or more");
  }

  Index latent() const { return latent_; }
  const LatentDistribution& distribution() const { return distribution_; }
  std::string kind() const override { return "Generator"; }

  /// Noise for n samples: z [n, latent].
  Tensor<T> draw(Rng& rng, Index n) const { return distribution_.template draw<T>(rng, n, latent_); }

  /// Samples for noise z [n, latent], in evaluation mode and without history. They are made `sample_rows` at a time, so
  /// that memory is needed for the activations of that many only.
  Tensor<T> sample(const Tensor<T>& z) {
    const NoGrad no_grad;
    const Evaluate<T> mode(*this);
    const Index n = z.rank() == 0 ? 0 : z.shape()[0];
    if (n <= sample_rows) return (*this)(z);
    Tensor<T> all;
    for (Index begin = 0; begin < n; begin += sample_rows) {
      const Index rows = std::min(sample_rows, n - begin);
      const Tensor<T> part = (*this)(slice(z, 0, begin, begin + rows));
      check(part.rank() >= 1 && part.shape()[0] == rows, kind(), ": gives ", part.shape(), " for ", rows,
            " rows of noise, expected [", rows, ", ...]");
      if (!all.defined()) all = Tensor<T>::empty(part.shape().with(0, n));
      check(part.shape().with(0, n) == all.shape(), kind(), ": gives ", part.shape(), " after samples of ",
            all.shape().without(0), ", expected one shape");
      std::copy_n(part.data(), part.size(), all.mutable_data() + begin * (all.size() / n));
    }
    return all;
  }
  static constexpr Index sample_rows = 256;
  /// n samples for noise drawn from `rng` in one piece.
  Tensor<T> sample(Rng& rng, Index n) { return sample(draw(rng, n)); }

  /// The table of layers.
  std::string summary() { return gan::summary(*this, {latent_}); }

 private:
  Index latent_;
  LatentDistribution distribution_;
};

}  // namespace gan
