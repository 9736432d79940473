// Penalties on the discriminator: what they have in common, how they combine, and R1 and R2.
#pragma once

#include <string>
#include <tuple>
#include <utility>

#include "gan/core/describe.hpp"
#include "gan/core/finite.hpp"
#include "gan/core/random.hpp"
#include "gan/ops/reduce.hpp"
#include "gan/tensor/named.hpp"

namespace gan {

// A penalty is a struct called as penalty(discriminator, real, fake, rng, step), which returns a scalar to add to the
// discriminator's loss, or an undefined tensor when there is nothing to add at this step. `discriminator` is anything
// that maps samples [n, ...] to scores [n, 1]; `real` and `fake` are samples without history; `step` counts the
// discriminator's steps from 0. It may also have after_step(parameters), called after each of these steps, describe()
// (core/describe.hpp), which resumed runs compare, bounds_slope() when it keeps the discriminator from being as steep
// as it likes, and of_gradients() when it punishes gradients sample by sample.
//
// Those on gradients take each sample's score to depend on that sample alone, which batch normalisation breaks: use
// layer normalisation or none. They throw, by name, when the score does not depend on the samples.

/// Adds nothing.
struct NoPenalty {
  static constexpr bool bounds_slope() { return false; }
  static constexpr bool of_gradients() { return false; }
  std::string describe() const { return "none"; }

  template <class T, class D>
  Tensor<T> operator()(D&&, const Tensor<T>&, const Tensor<T>&, Rng&, Index) const {
    return {};
  }
};

/// R1 (Mescheder et al., 2018): gamma / 2 mean(|dD/dx|^2) on real samples.
struct R1 {
  double gamma = 10;
  Index every = 1;  ///< the lazy variant (Karras et al., 2020): `every` times the penalty, at each `every`-th step only
  static constexpr bool bounds_slope() { return true; }
  static constexpr bool of_gradients() { return true; }
  std::string describe() const { return described("r1", {{"gamma", gamma}, {"every", static_cast<double>(every)}}); }

  template <class T, class D>
  Tensor<T> operator()(D&& discriminator, const Tensor<T>& real, const Tensor<T>& fake, Rng& rng, Index step) const;
};

/// R2 (Mescheder et al., 2018): the same on fakes.
struct R2 {
  double gamma = 10;
  Index every = 1;  ///< as in R1
  static constexpr bool bounds_slope() { return true; }
  static constexpr bool of_gradients() { return true; }
  std::string describe() const { return described("r2", {{"gamma", gamma}, {"every", static_cast<double>(every)}}); }

  template <class T, class D>
  Tensor<T> operator()(D&& discriminator, const Tensor<T>& real, const Tensor<T>& fake, Rng& rng, Index step) const;
};

/// The sum of penalties, e.g. combine(R1{}, R2{}).
template <class... P>
class Penalties {
 public:
  Penalties() = default;
  explicit Penalties(P... penalties) requires(sizeof...(P) > 0) : penalties_(std::move(penalties)...) {}

  template <class T, class D>
  Tensor<T> operator()(D&& discriminator, const Tensor<T>& real, const Tensor<T>& fake, Rng& rng, Index step) const;
  /// Passed on to those that have it.
  template <class T>
  void after_step(const NamedTensors<T>& discriminator_parameters) const;
  bool bounds_slope() const;
  bool of_gradients() const;
  std::string describe() const;

 private:
  std::tuple<P...> penalties_;
};

template <class... P>
Penalties<P...> combine(P... penalties) {
  return Penalties<P...>(std::move(penalties)...);
}

namespace detail {

/// One that says nothing has the benefit of the doubt.
template <class P>
bool bounds_slope(const P& penalty) {
  if constexpr (requires { bool(penalty.bounds_slope()); })
    return penalty.bounds_slope();
  else
    return true;
}
template <class P>
bool of_gradients(const P& penalty) {
  if constexpr (requires { bool(penalty.of_gradients()); })
    return penalty.of_gradients();
  else
    return false;
}

/// The texts of several penalties as one.
inline void join_description(std::string& all, const std::string& one) {
  if (one != "none") all += (all.empty() ? "" : " + ") + one;
}

/// The gradient of each sample's score with respect to that sample, differentiable: x [n, ...] -> [n, ...].
template <class T, class D>
Tensor<T> score_gradient(const char* penalty, D& discriminator, const Tensor<T>& x) {
  check(x.defined() && x.rank() >= 1 && x.size() > 0, penalty, ": no samples");
  // Not a leaf: a later backward through the penalty would leave a gradient in one. The anchor never gets any.
  const Tensor<T> anchor = Tensor<T>::scalar(0).set_requires_grad();
  const Tensor<T> samples = record("penalty_samples", x.detach(), {anchor}, [](Backward<T>&) {});
  const Tensor<T> score = discriminator(samples);
  check(score.defined() && score.rank() >= 1 && score.shape()[0] == x.shape()[0], penalty, ": score ",
        score.defined() ? score.shape() : Shape{}, " of samples ", x.shape(), ", expected [", x.shape()[0], ", 1]");
  Tensor<T> gradient;
  if (score.requires_grad()) {
    BackwardPass<T> pass(score, true, true);
    pass.set_targets({samples});
    pass.run(Tensor<T>::ones(score.shape()));
    gradient = pass.gradient(samples);
  }
  check(gradient.defined(), penalty, ": the score does not depend on the samples ", x.shape(),
        " (does the discriminator detach its input, or is recording off?)");
  return gradient;
}

/// The squared Euclidean norm of each sample: x [n, ...] -> [n].
template <class T>
Tensor<T> squared_norms(const Tensor<T>& x) {
  return sum(square(reshape(x, {x.shape()[0], -1})), {1});
}

/// Checks that samples may be mixed one by one.
template <class T>
void check_same_samples(const char* penalty, const Tensor<T>& real, const Tensor<T>& fake) {
  check(real.defined() && fake.defined(), penalty, ": needs real and fake samples");
  check(real.shape() == fake.shape(), penalty, ": real samples ", real.shape(), " and fakes ", fake.shape(),
        " differ in shape");
}

template <class T, class D>
Tensor<T> zero_centered(const char* penalty, D& discriminator, const Tensor<T>& x, double gamma, Index every,
                        Index step) {
  check(is_finite(gamma) && gamma >= 0 && every >= 1, penalty, ": gamma is ", gamma, " and every ", every,
        ", expected a finite gamma of 0 or more and every of 1 or more");
  if (step % every != 0) return {};
  const auto gradient = score_gradient(penalty, discriminator, x);
  return (0.5 * gamma * static_cast<double>(every)) * mean(squared_norms(gradient));
}

}  // namespace detail

template <class T, class D>
Tensor<T> R1::operator()(D&& discriminator, const Tensor<T>& real, const Tensor<T>&, Rng&, Index step) const {
  return detail::zero_centered("R1", discriminator, real, gamma, every, step);
}

template <class T, class D>
Tensor<T> R2::operator()(D&& discriminator, const Tensor<T>&, const Tensor<T>& fake, Rng&, Index step) const {
  return detail::zero_centered("R2", discriminator, fake, gamma, every, step);
}

template <class... P>
template <class T, class D>
Tensor<T> Penalties<P...>::operator()(D&& discriminator, const Tensor<T>& real, const Tensor<T>& fake, Rng& rng,
                                      Index step) const {
  Tensor<T> total;
  const auto add_one = [&](const auto& penalty) {
    const Tensor<T> term = penalty(discriminator, real, fake, rng, step);
    if (term.defined()) total = total.defined() ? total + term : term;
  };
  std::apply([&](const auto&... penalty) { (add_one(penalty), ...); }, penalties_);
  return total;
}

template <class... P>
template <class T>
void Penalties<P...>::after_step(const NamedTensors<T>& discriminator_parameters) const {
  const auto pass_on = [&](const auto& penalty) {
    if constexpr (requires { penalty.after_step(discriminator_parameters); })
      penalty.after_step(discriminator_parameters);
  };
  std::apply([&](const auto&... penalty) { (pass_on(penalty), ...); }, penalties_);
}

template <class... P>
bool Penalties<P...>::bounds_slope() const {
  return std::apply([](const auto&... penalty) { return (detail::bounds_slope(penalty) || ...); }, penalties_);
}

template <class... P>
bool Penalties<P...>::of_gradients() const {
  return std::apply([](const auto&... penalty) { return (detail::of_gradients(penalty) || ...); }, penalties_);
}

template <class... P>
std::string Penalties<P...>::describe() const {
  std::string all;
  std::apply([&](const auto&... penalty) { (detail::join_description(all, gan::describe(penalty)), ...); }, penalties_);
  return all.empty() ? "none" : all;
}

}  // namespace gan
