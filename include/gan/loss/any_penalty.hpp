// Any penalty or sum of penalties, chosen at run time: for trainers, and by name.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gan/core/number.hpp"
#include "gan/core/schedule.hpp"
#include "gan/loss/clip_weights.hpp"
#include "gan/loss/gradient_penalty.hpp"
#include "gan/loss/penalty.hpp"
#include "gan/loss/r1_r2.hpp"
#include "gan/loss/type_list.hpp"

namespace gan {

/// The penalties that have a name. Whatever lists them reads this.
using Penalties = TypeList<NoPenalty, ClipWeights, GradientPenalty, Dragan, R1, R2, ZeroCentered>;

/// Holds any number of penalties, and adds them up; times factor(step), if one is given, with the steps that the
/// discriminator has made. A penalty or a sum of them becomes one by itself, as in `TrainerOptions{.penalty = R1{}}`;
/// that throws for options out of range. `{}` is none.
template <std::floating_point T>
class AnyPenalty {
 public:
  using Discriminate = gan::Discriminate<T>;

  AnyPenalty() {}  // written out: a defaulted one in a member initializer is an internal error of GCC 12
  template <DiscriminatorPenalty<T> P>
  AnyPenalty(P penalty) {
    add(std::move(penalty));
  }

  /// Adds a penalty: one of the library's, another AnyPenalty, or a function of the same arguments.
  template <DiscriminatorPenalty<T> P>
  AnyPenalty& add(P penalty) {
    detail::check_options_of(penalty);
    penalties_.push_back([penalty](Rng& rng, const Discriminate& d, const Tensor<T>& real, const Tensor<T>& fake,
                                   Index step) -> Tensor<T> { return penalty(rng, d, real, fake, step); });
    if constexpr (requires(const NamedTensors<T>& parameters) { penalty.after_step(parameters); })
      after_step_.push_back([penalty](const NamedTensors<T>& parameters) { penalty.after_step(parameters); });
    bounds_slope_ = bounds_slope_ || gan::bounds_slope(penalty);
    of_gradients_ = of_gradients_ || gan::of_gradients(penalty);
    detail::join_description(description_, gan::describe(penalty));
    return *this;
  }
  AnyPenalty& scale_by(Schedule factor) {
    factor_ = std::move(factor);
    return *this;
  }

  Tensor<T> operator()(Rng& rng, const Discriminate& discriminator, const Tensor<T>& real, const Tensor<T>& fake,
                       Index step) const {
    Tensor<T> total;
    for (const auto& penalty : penalties_)
      total = detail::sum_of_defined(total, penalty(rng, discriminator, real, fake, step));
    if (total.defined() && factor_) total = total * factor_(step);
    return total;
  }
  void after_step(const NamedTensors<T>& discriminator_parameters) const {
    for (const auto& f : after_step_) f(discriminator_parameters);
  }
  bool bounds_slope() const { return bounds_slope_; }
  bool of_gradients() const { return of_gradients_; }
  std::string describe() const {
    if (description_.empty()) return std::string(NoPenalty::name);
    return factor_ ? "(" + description_ + ") by a schedule" : description_;
  }

 private:
  std::vector<std::function<Tensor<T>(Rng&, const Discriminate&, const Tensor<T>&, const Tensor<T>&, Index)>>
      penalties_;
  std::vector<std::function<void(const NamedTensors<T>&)>> after_step_;
  Schedule factor_;
  std::string description_;
  bool bounds_slope_ = false, of_gradients_ = false;
};

namespace detail {

// Names of variants: that of the penalty with one of these before it.
inline constexpr std::string_view one_sided = "one-sided-", lazy = "lazy-";

inline constexpr NameList listed_penalties = [] {
  NameList names;
  Penalties::for_each([&]<class P>() {
    names.add("", P::name);
    if constexpr (requires(P p) { p.one_sided; }) names.add(one_sided, P::name);
    if constexpr (requires(P p) { p.every; }) names.add(lazy, P::name);
  });
  return names;
}();

/// Whether `name` is that of the penalty or of a variant of it, which it then becomes.
template <class P>
bool become_variant(P& penalty, std::string_view name) {
  if (name == P::name) return true;
  const auto is = [&](std::string_view prefix) {
    return name.starts_with(prefix) && name.substr(prefix.size()) == P::name;
  };
  if constexpr (requires { penalty.one_sided; }) {
    if (is(one_sided)) return penalty.one_sided = true;
  }
  if constexpr (requires { penalty.every; }) {
    if (is(lazy)) return penalty.every = 16, true;
  }
  return false;
}

/// Adds the penalty that "name" or "name:weight" asks for.
template <class T>
void add_penalty_named(AnyPenalty<T>& all, std::string_view item);

}  // namespace detail

/// "none, clip, ...".
inline constexpr std::string_view penalty_names = detail::listed_penalties.view();

/// Penalties "name" or "name:weight", joined with "+": "r1:0.5+r2:0.5". The weight is gamma for R1 and R2, and the
/// limit for clip, above 0; without it each has its default. "lazy-r1" is R1 at each 16th step. Throws for a name not
/// in penalty_names, a weight that is no number, and one of none.
template <std::floating_point T>
AnyPenalty<T> penalty_named(std::string_view text) {
  AnyPenalty<T> all;
  for (std::size_t begin = 0, end = 0; end != std::string_view::npos; begin = end + 1) {
    end = text.find('+', begin);
    detail::add_penalty_named(all, text.substr(begin, end == std::string_view::npos ? end : end - begin));
  }
  return all;
}

template <class T>
void detail::add_penalty_named(AnyPenalty<T>& all, std::string_view item) {
  const std::string_view name = item.substr(0, item.find(':'));
  bool found = false;
  Penalties::for_each([&]<class P>() {
    P penalty{};
    if (!become_variant(penalty, name)) return;
    found = true;
    if (name.size() < item.size()) {
      if constexpr (requires { P{1.0}; }) {
        const std::string_view number = item.substr(name.size() + 1);
        const auto weight = to_number(number);
        check(weight && *weight >= 0, "penalty \"", item, "\": \"", number,
              "\" is not a weight, expected a number, 0 or more");
        penalty = P{*weight};
        become_variant(penalty, name);
      } else {
        fail("penalty \"", item, "\": ", name, " has no weight");
      }
    }
    all.add(penalty);
  });
  check(found, "no penalty is named \"", name, "\", expected one of: ", penalty_names);
}

}  // namespace gan
