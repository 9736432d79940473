// The zero-centered penalties R1, on real samples, and R2, on fakes.
#pragma once

#include <string>
#include <string_view>

#include "gan/core/describe.hpp"
#include "gan/core/finite.hpp"
#include "gan/core/random.hpp"
#include "gan/loss/penalty.hpp"
#include "gan/loss/score_gradient.hpp"
#include "gan/ops/reduce.hpp"

namespace gan {

/// R1 (Mescheder et al., 2018): gamma / 2 mean(|dD/dx|^2) on real samples.
struct R1 {
  static constexpr std::string_view name = "r1";
  static constexpr bool of_gradients() { return true; }

  double gamma = 10;
  Index every = 1;  ///< the lazy variant (Karras et al., 2020): `every` times the penalty, at each `every`-th step only

  void check_options() const;
  std::string describe() const;
  template <class T, class D>
  Tensor<T> operator()(Rng& rng, D&& discriminator, const Tensor<T>& real, const Tensor<T>& fake, Index step) const;
};

/// R2 (Mescheder et al., 2018): the same on fakes.
struct R2 {
  static constexpr std::string_view name = "r2";
  static constexpr bool of_gradients() { return true; }

  double gamma = 10;
  Index every = 1;  ///< as in R1

  void check_options() const;
  std::string describe() const;
  template <class T, class D>
  Tensor<T> operator()(Rng& rng, D&& discriminator, const Tensor<T>& real, const Tensor<T>& fake, Index step) const;
};

namespace detail {

inline void check_zero_centered(std::string_view penalty, double gamma, Index every) {
  check(is_finite(gamma) && gamma >= 0 && every >= 1, penalty, ": gamma is ", gamma, " and every ", every,
        ", expected a finite gamma of 0 or more and every of 1 or more");
}

inline std::string describe_zero_centered(std::string_view penalty, double gamma, Index every) {
  return described(std::string(penalty), {{"gamma", gamma}, {"every", static_cast<double>(every)}});
}

template <class T, class D>
Tensor<T> zero_centered(std::string_view penalty, D& discriminator, const Tensor<T>& x, double gamma, Index every,
                        Index step) {
  if (step % every != 0) return {};
  const auto gradient = score_gradient(penalty, discriminator, x);
  return (0.5 * gamma * static_cast<double>(every)) * mean(squared_norms(gradient));
}

}  // namespace detail

inline void R1::check_options() const { detail::check_zero_centered(name, gamma, every); }
inline std::string R1::describe() const { return detail::describe_zero_centered(name, gamma, every); }
template <class T, class D>
Tensor<T> R1::operator()(Rng&, D&& discriminator, const Tensor<T>& real, const Tensor<T>&, Index step) const {
  check_options();
  return detail::zero_centered(name, discriminator, real, gamma, every, step);
}

inline void R2::check_options() const { detail::check_zero_centered(name, gamma, every); }
inline std::string R2::describe() const { return detail::describe_zero_centered(name, gamma, every); }
template <class T, class D>
Tensor<T> R2::operator()(Rng&, D&& discriminator, const Tensor<T>&, const Tensor<T>& fake, Index step) const {
  check_options();
  return detail::zero_centered(name, discriminator, fake, gamma, every, step);
}

}  // namespace gan
