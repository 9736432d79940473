// Penalties on the discriminator: what they have in common, and how they combine.
#pragma once

#include <concepts>
#include <functional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "gan/core/describe.hpp"
#include "gan/core/random.hpp"
#include "gan/loss/reduction.hpp"
#include "gan/loss/traits.hpp"
#include "gan/tensor/named_tensors.hpp"

namespace gan {

/// Scores [n, 1] of samples [n, ...].
template <class T>
using Discriminate = std::function<Tensor<T>(const Tensor<T>&)>;

/// A penalty is a struct called as penalty(rng, discriminator, real, fake, step), which returns a scalar to add to the
/// discriminator's loss, or an undefined tensor when there is nothing to add at this step. `discriminator` is anything
/// that maps samples [n, ...] to scores [n, 1]; `real` and `fake` are samples without history; `step` counts the
/// discriminator's steps from 0.
///
/// It may also have after_step(parameters), called after each of these steps, describe() (core/describe.hpp), which
/// resumed runs compare, check_options(), which throws when a number makes no sense, bounds_slope(), false when it lets
/// the discriminator be as steep as it likes, and of_gradients(), true when it punishes gradients sample by sample. One
/// that programs may choose by name has `name`, and an entry in Penalties (loss/any_penalty.hpp); its first member is
/// its weight.
///
/// Those on gradients take each sample's score to depend on that sample alone, which batch normalization breaks: use
/// layer normalization or none. They throw, by name, when the score does not depend on the samples.
template <class P, class T>
concept DiscriminatorPenalty = requires(const P& penalty, Rng& rng, const Discriminate<T>& discriminator,
                                        const Tensor<T>& samples, Index step) {
  { penalty(rng, discriminator, samples, samples, step) } -> std::convertible_to<Tensor<T>>;
};

/// Adds nothing.
struct NoPenalty {
  static constexpr std::string_view name = "none";
  static constexpr bool bounds_slope() { return false; }
  std::string describe() const { return std::string(name); }

  template <class T, class D>
  Tensor<T> operator()(Rng&, D&&, const Tensor<T>&, const Tensor<T>&, Index) const {
    return {};
  }
};

/// The sum of penalties, which combine() makes.
template <class... P>
class PenaltySum {
 public:
  PenaltySum() = default;
  explicit PenaltySum(P... penalties) requires(sizeof...(P) > 0) : penalties_(std::move(penalties)...) {}

  template <class T, class D>
  Tensor<T> operator()(Rng& rng, D&& discriminator, const Tensor<T>& real, const Tensor<T>& fake, Index step) const;
  /// Passed on to those that have it.
  template <class T>
  void after_step(const NamedTensors<T>& discriminator_parameters) const;
  void check_options() const;
  bool bounds_slope() const;
  bool of_gradients() const;
  std::string describe() const;

 private:
  std::tuple<P...> penalties_;
};

/// The sum of penalties, e.g. combine(R1{}, R2{}).
template <class... P>
PenaltySum<P...> combine(P... penalties) {
  return PenaltySum<P...>(std::move(penalties)...);
}

/// What a penalty says of itself. One that says nothing bounds the slope, to have the benefit of the doubt, and is not
/// of gradients.
template <class P>
bool bounds_slope(const P& penalty) {
  return detail::ask_or(penalty, true,
                        [](const auto& p) -> decltype(bool(p.bounds_slope())) { return p.bounds_slope(); });
}
template <class P>
bool of_gradients(const P& penalty) {
  return detail::ask_or(penalty, false,
                        [](const auto& p) -> decltype(bool(p.of_gradients())) { return p.of_gradients(); });
}

namespace detail {

/// The texts of several penalties as one.
inline void join_description(std::string& all, const std::string& one) {
  if (one != NoPenalty::name) all += (all.empty() ? "" : " + ") + one;
}

}  // namespace detail

template <class... P>
template <class T, class D>
Tensor<T> PenaltySum<P...>::operator()(Rng& rng, D&& discriminator, const Tensor<T>& real, const Tensor<T>& fake,
                                       Index step) const {
  Tensor<T> total;
  const auto add_one = [&](const auto& penalty) {
    total = detail::sum_of_defined<T>(total, penalty(rng, discriminator, real, fake, step));
  };
  std::apply([&](const auto&... penalty) { (add_one(penalty), ...); }, penalties_);
  return total;
}

template <class... P>
template <class T>
void PenaltySum<P...>::after_step(const NamedTensors<T>& discriminator_parameters) const {
  const auto pass_on = [&](const auto& penalty) {
    if constexpr (requires { penalty.after_step(discriminator_parameters); })
      penalty.after_step(discriminator_parameters);
  };
  std::apply([&](const auto&... penalty) { (pass_on(penalty), ...); }, penalties_);
}

template <class... P>
void PenaltySum<P...>::check_options() const {
  std::apply([](const auto&... penalty) { (detail::check_options_of(penalty), ...); }, penalties_);
}

template <class... P>
bool PenaltySum<P...>::bounds_slope() const {
  return std::apply([](const auto&... penalty) { return (gan::bounds_slope(penalty) || ...); }, penalties_);
}

template <class... P>
bool PenaltySum<P...>::of_gradients() const {
  return std::apply([](const auto&... penalty) { return (gan::of_gradients(penalty) || ...); }, penalties_);
}

template <class... P>
std::string PenaltySum<P...>::describe() const {
  std::string all;
  std::apply([&](const auto&... penalty) { (detail::join_description(all, gan::describe(penalty)), ...); }, penalties_);
  return all.empty() ? std::string(NoPenalty::name) : all;
}

}  // namespace gan
