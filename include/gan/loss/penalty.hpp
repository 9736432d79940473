// Penalties on the discriminator: what they have in common, and how they combine.
#pragma once

#include <string>
#include <tuple>
#include <utility>

#include "gan/core/describe.hpp"
#include "gan/core/random.hpp"
#include "gan/ops/arithmetic.hpp"
#include "gan/tensor/named_tensors.hpp"

namespace gan {

// A penalty is a struct called as penalty(rng, discriminator, real, fake, step), which returns a scalar to add to the
// discriminator's loss, or an undefined tensor when there is nothing to add at this step. `discriminator` is anything
// that maps samples [n, ...] to scores [n, 1]; `real` and `fake` are samples without history; `step` counts the
// discriminator's steps from 0. It may also have after_step(parameters), called after each of these steps, describe()
// (core/describe.hpp), which resumed runs compare, bounds_slope() when it keeps the discriminator from being as steep
// as it likes, and of_gradients() when it punishes gradients sample by sample.
//
// Those on gradients take each sample's score to depend on that sample alone, which batch normalization breaks: use
// layer normalization or none. They throw, by name, when the score does not depend on the samples.

/// Adds nothing.
struct NoPenalty {
  static constexpr bool bounds_slope() { return false; }
  static constexpr bool of_gradients() { return false; }
  std::string describe() const { return "none"; }

  template <class T, class D>
  Tensor<T> operator()(Rng&, D&&, const Tensor<T>&, const Tensor<T>&, Index) const {
    return {};
  }
};

/// The sum of penalties, e.g. combine(R1{}, R2{}).
template <class... P>
class Penalties {
 public:
  Penalties() = default;
  explicit Penalties(P... penalties) requires(sizeof...(P) > 0) : penalties_(std::move(penalties)...) {}

  template <class T, class D>
  Tensor<T> operator()(Rng& rng, D&& discriminator, const Tensor<T>& real, const Tensor<T>& fake, Index step) const;
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

namespace detail {

/// The texts of several penalties as one.
inline void join_description(std::string& all, const std::string& one) {
  if (one != "none") all += (all.empty() ? "" : " + ") + one;
}

}  // namespace detail

template <class... P>
template <class T, class D>
Tensor<T> Penalties<P...>::operator()(Rng& rng, D&& discriminator, const Tensor<T>& real, const Tensor<T>& fake,
                                      Index step) const {
  Tensor<T> total;
  const auto add_one = [&](const auto& penalty) {
    const Tensor<T> term = penalty(rng, discriminator, real, fake, step);
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
  return std::apply([](const auto&... penalty) { return (gan::bounds_slope(penalty) || ...); }, penalties_);
}

template <class... P>
bool Penalties<P...>::of_gradients() const {
  return std::apply([](const auto&... penalty) { return (gan::of_gradients(penalty) || ...); }, penalties_);
}

template <class... P>
std::string Penalties<P...>::describe() const {
  std::string all;
  std::apply([&](const auto&... penalty) { (detail::join_description(all, gan::describe(penalty)), ...); }, penalties_);
  return all.empty() ? "none" : all;
}

}  // namespace gan
