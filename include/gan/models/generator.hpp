// Generator: base class of networks that turn noise into samples.
#pragma once

#include <algorithm>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gan/core/finite.hpp"
#include "gan/models/latent.hpp"
#include "gan/nn/layer.hpp"
#include "gan/nn/module_scopes.hpp"
#include "gan/nn/summary.hpp"
#include "gan/ops/condition.hpp"
#include "gan/ops/slice.hpp"

namespace gan {

struct GeneratorOptions {
  Index latent = 100;                                  ///< length of the noise vector
  LatentDistribution distribution = latent::normal();  ///< what it is drawn from
  Index classes = 0;  ///< of the labels that forward asks for by condition(); 0: it asks for none
};

/// Derive from it and write `forward`: z [n, latent] -> samples [n, ...]. What kind of sample is wanted it learns from
/// condition(). A forward that draws random numbers in evaluation mode, too, takes them from rng(), and every sample
/// moves that on: who wants the same samples again, or a training that does not notice, puts its state back.
///
/// One that declares its classes keeps how often each occurs in the data, saved with it, and draws labels so where it
/// is given none.
template <std::floating_point T>
class Generator : public Layer<T> {
 public:
  using Scalar = T;

  /// Throws for a latent length below 1, and for classes below 0.
  Generator(Rng& rng, GeneratorOptions options)
      : Layer<T>(rng),
        latent_(options.latent),
        classes_(options.classes),
        distribution_(std::move(options.distribution)) {
    add_frequencies();
  }
  /// The same as a part of a game or another module.
  Generator(Module<T>* parent, std::string name, GeneratorOptions options)
      : Layer<T>(parent, std::move(name)),
        latent_(options.latent),
        classes_(options.classes),
        distribution_(std::move(options.distribution)) {
    add_frequencies();
  }

  Index latent() const { return latent_; }
  const LatentDistribution& distribution() const { return distribution_; }
  /// Number of classes it declares; 0: none.
  Index classes() const { return classes_; }
  std::string kind() const override { return "Generator"; }

  /// Noise for n samples: z [n, latent].
  Tensor<T> draw(Rng& rng, Index n) const { return distribution_.template draw<T>(rng, n, latent_); }

  /// Labels of n samples, drawn as the classes are frequent; empty without classes.
  Condition<T> draw_condition(Rng& rng, Index n) const;
  /// How often each class occurs, adding up to 1; at first all alike.
  std::vector<double> class_frequencies() const;
  /// Throws unless there is one for each class, none negative, and not all 0.
  void set_class_frequencies(const std::vector<double>& frequencies);

  /// Samples for noise z [n, latent] and a condition of n rows, in evaluation mode and without history. They are made
  /// `sample_rows` at a time, so that memory is needed for the activations of that many only. Without a condition, one
  /// that declares its classes throws.
  Tensor<T> sample(const Tensor<T>& z, const Condition<T>& condition = {});
  static constexpr Index sample_rows = 256;
  /// n samples for noise drawn from `rng` in one piece; without a condition the labels are drawn after it.
  Tensor<T> sample(Rng& rng, Index n) {
    const Tensor<T> z = draw(rng, n);
    return sample(z, draw_condition(rng, n));
  }
  Tensor<T> sample(Rng& rng, Index n, const Condition<T>& condition) { return sample(draw(rng, n), condition); }
  /// n samples of one class. Throws outside [0, classes()).
  Tensor<T> sample(Rng& rng, Index n, Index label) {
    const std::vector<Index> labels(static_cast<std::size_t>(n), label);
    return sample(rng, n, Condition<T>{.labels = labels, .classes = classes_});
  }

  /// The table of layers.
  std::string summary() {
    Condition<T> condition{.classes = classes_};
    if (classes_ > 0) condition.labels = {0};
    return gan::summary(*this, {latent_}, condition);
  }

 private:
  void add_frequencies();

  Index latent_, classes_;
  LatentDistribution distribution_;
  std::optional<Buffer<T>> frequencies_;
};

template <std::floating_point T>
void Generator<T>::add_frequencies() {
  check(latent_ >= 1 && classes_ >= 0, "generator: latent length ", latent_, ", ", classes_,
        " classes, expected a length of 1 or more and 0 or more classes");
  if (classes_ > 0)
    frequencies_.emplace(this, "class_frequencies", Shape{classes_},
                         init::constant(1.0 / static_cast<double>(classes_)));
}

template <std::floating_point T>
std::vector<double> Generator<T>::class_frequencies() const {
  if (!frequencies_) return {};
  return {frequencies_->data(), frequencies_->data() + classes_};
}

template <std::floating_point T>
void Generator<T>::set_class_frequencies(const std::vector<double>& frequencies) {
  double sum = 0;
  bool usable = true;
  for (const double f : frequencies) {
    usable = usable && is_finite(f) && f >= 0;
    sum += f;
  }
  check(std::ssize(frequencies) == classes_ && usable && sum > 0, "generator: ", frequencies.size(),
        " class frequencies for ", classes_, " classes, expected one each, 0 or more, and not all 0");
  for (Index i = 0; i < classes_; ++i)
    frequencies_->mutable_data()[i] = static_cast<T>(frequencies[static_cast<std::size_t>(i)] / sum);
}

template <std::floating_point T>
Condition<T> Generator<T>::draw_condition(Rng& rng, Index n) const {
  Condition<T> condition;
  if (classes_ == 0) return condition;
  condition.classes = classes_;
  const auto frequencies = class_frequencies();
  for (Index i = 0; i < n; ++i) {
    double rest = rng.uniform();
    Index label = 0;
    while (label + 1 < classes_ && rest >= frequencies[static_cast<std::size_t>(label)])
      rest -= frequencies[static_cast<std::size_t>(label++)];
    while (label > 0 && frequencies[static_cast<std::size_t>(label)] == 0) --label;  // reached by rounding
    condition.labels.push_back(label);
  }
  return condition;
}

template <std::floating_point T>
Tensor<T> Generator<T>::sample(const Tensor<T>& z, const Condition<T>& condition) {
  const NoGrad no_grad;
  const Evaluate<T> mode(*this);
  const Index n = z.rank() == 0 ? 0 : z.shape()[0];
  condition.check_rows(kind(), n);
  if (n <= sample_rows) return (*this)(z, condition);
  Tensor<T> all;
  for (Index begin = 0; begin < n; begin += sample_rows) {
    const Index rows = std::min(sample_rows, n - begin);
    std::vector<Index> own(static_cast<std::size_t>(rows));
    std::iota(own.begin(), own.end(), begin);
    const Tensor<T> part =
        (*this)(slice(z, 0, begin, begin + rows), condition.empty() ? condition : gather(condition, own));
    check(part.rank() >= 1 && part.shape()[0] == rows, kind(), ": gives ", part.shape(), " for ", rows,
          " rows of noise, expected [", rows, ", ...]");
    if (!all.defined()) all = Tensor<T>::empty(part.shape().with(0, n));
    check(part.shape().with(0, n) == all.shape(), kind(), ": gives ", part.shape(), " after samples of ",
          all.shape().without(0), ", expected one shape");
    std::copy_n(part.data(), part.size(), all.mutable_data() + begin * (all.size() / n));
  }
  return all;
}

}  // namespace gan
