// Penalties between or around the samples: WGAN-GP, DRAGAN, and the zero-centered one.
#pragma once

#include <cmath>
#include <string>
#include <string_view>

#include "gan/core/finite.hpp"
#include "gan/loss/penalty.hpp"
#include "gan/loss/score_gradient.hpp"
#include "gan/ops/reduce.hpp"
#include "gan/tensor/random.hpp"

namespace gan {

/// WGAN-GP (Gulrajani et al., 2017): weight mean((|dD/dx| - target)^2) at x = u real + (1 - u) fake, with one u,
/// uniform on [0, 1), a sample, and the norm over all axes but the first. With target 0 it is weight mean(|dD/dx|^2),
/// without a root. Throws unless real and fake have one shape.
struct GradientPenalty {
  static constexpr std::string_view name = "gradient-penalty";
  static constexpr bool of_gradients() { return true; }

  double weight = 10;
  double target = 1;
  bool one_sided = false;  ///< only slopes above the target count (Petzka et al., 2018)
  double epsilon = 1e-12;  ///< inside the root of the norm, whose gradient is infinite at 0 without it

  void check_options() const;
  std::string describe() const {
    return described(std::string(name),
                     {{"weight", weight}, {"target", target}, {"one_sided", one_sided}, {"epsilon", epsilon}});
  }

  template <class T, class D>
  Tensor<T> operator()(Rng& rng, D&& discriminator, const Tensor<T>& real, const Tensor<T>& fake, Index step) const;
};

/// DRAGAN (Kodali et al., 2017): weight mean((|dD/dx| - target)^2) around the real samples, at x = real + N(0, s^2),
/// where s is `noise` times the standard deviation of all elements of the batch.
struct Dragan {
  static constexpr std::string_view name = "dragan";
  static constexpr bool of_gradients() { return true; }

  double weight = 10;
  double target = 1;
  double noise = 0.5;
  double epsilon = 1e-12;  ///< as in GradientPenalty

  void check_options() const;
  std::string describe() const {
    return described(std::string(name),
                     {{"weight", weight}, {"target", target}, {"noise", noise}, {"epsilon", epsilon}});
  }

  template <class T, class D>
  Tensor<T> operator()(Rng& rng, D&& discriminator, const Tensor<T>& real, const Tensor<T>& fake, Index step) const;
};

/// The zero-centered penalty of Thanh-Tung et al., 2019: weight mean(|dD/dx|^2) on interpolates of real samples and
/// fakes, drawn as in GradientPenalty. Throws unless they have one shape.
struct ZeroCentered {
  static constexpr std::string_view name = "zero-centered";
  static constexpr bool of_gradients() { return true; }

  double weight = 10;

  void check_options() const;
  std::string describe() const { return described(std::string(name), {{"weight", weight}}); }

  template <class T, class D>
  Tensor<T> operator()(Rng& rng, D&& discriminator, const Tensor<T>& real, const Tensor<T>& fake, Index step) const;
};

namespace detail {

/// u real + (1 - u) fake, one u a sample, without history.
template <class T>
Tensor<T> interpolates(Rng& rng, std::string_view penalty, const Tensor<T>& real, const Tensor<T>& fake) {
  check_same_samples(penalty, real, fake);
  check(real.rank() >= 1, penalty, ": samples ", real.shape(), " have no batch axis");
  const NoGrad no_grad;
  Shape one_a_sample = real.shape();
  for (Index axis = 1; axis < real.rank(); ++axis) one_a_sample = one_a_sample.with(axis, 1);
  return fake + uniform<T>(rng, one_a_sample) * (real - fake);
}

inline void check_slope_penalty(std::string_view penalty, double weight, double target, double epsilon) {
  const auto usable = [](double option) { return is_finite(option) && option >= 0; };
  check(usable(weight) && usable(target) && usable(epsilon), penalty, ": weight is ", weight, ", target ", target,
        " and epsilon ", epsilon, ", expected finite numbers of 0 or more");
}

/// weight mean((|dD/dx| - target)^2).
template <class T, class D>
Tensor<T> slope_penalty(std::string_view penalty, D& discriminator, const Tensor<T>& x, double weight, double target,
                        bool one_sided, double epsilon) {
  const auto squares = squared_norms(score_gradient(penalty, discriminator, x));
  if (target == 0) return weight * mean(squares);
  const auto excess = sqrt(squares + epsilon) - target;
  return weight * mean(square(one_sided ? relu(excess) : excess));
}

}  // namespace detail

inline void GradientPenalty::check_options() const { detail::check_slope_penalty(name, weight, target, epsilon); }

template <class T, class D>
Tensor<T> GradientPenalty::operator()(Rng& rng, D&& discriminator, const Tensor<T>& real, const Tensor<T>& fake,
                                      Index) const {
  check_options();
  const auto x = detail::interpolates(rng, name, real, fake);
  return detail::slope_penalty(name, discriminator, x, weight, target, one_sided, epsilon);
}

inline void Dragan::check_options() const {
  detail::check_slope_penalty(name, weight, target, epsilon);
  check(is_finite(noise) && noise >= 0, name, ": noise is ", noise, ", expected a finite number of 0 or more");
}

template <class T, class D>
Tensor<T> Dragan::operator()(Rng& rng, D&& discriminator, const Tensor<T>& real, const Tensor<T>&, Index) const {
  check_options();
  check(real.defined() && real.size() > 0, name, ": no samples");
  Tensor<T> x;
  {
    const NoGrad no_grad;
    const double stddev = std::sqrt(static_cast<double>(variance(real).item()));
    x = real + normal<T>(rng, real.shape(), 0, noise * stddev);
  }
  return detail::slope_penalty(name, discriminator, x, weight, target, false, epsilon);
}

inline void ZeroCentered::check_options() const { detail::check_slope_penalty(name, weight, 0, 0); }

template <class T, class D>
Tensor<T> ZeroCentered::operator()(Rng& rng, D&& discriminator, const Tensor<T>& real, const Tensor<T>& fake,
                                   Index) const {
  check_options();
  const auto x = detail::interpolates(rng, name, real, fake);
  return detail::slope_penalty(name, discriminator, x, weight, 0, false, 0);
}

}  // namespace gan
