// Any penalty or sum of penalties, chosen at run time, by name.
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

namespace gan {

/// Holds any number of penalties, and adds them up; times factor(step), if one is given, with the steps that the
/// discriminator has made.
template <std::floating_point T>
class AnyPenalty {
 public:
  using Discriminate = std::function<Tensor<T>(const Tensor<T>&)>;

  AnyPenalty() = default;
  /// Adds a penalty: one of the library's, another AnyPenalty, or a function of the same arguments.
  template <class P>
  AnyPenalty& add(P penalty) {
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
    for (const auto& penalty : penalties_) {
      const Tensor<T> value = penalty(rng, discriminator, real, fake, step);
      if (value.defined()) total = total.defined() ? total + value : value;
    }
    if (total.defined() && factor_) total = total * factor_(step);
    return total;
  }
  void after_step(const NamedTensors<T>& discriminator_parameters) const {
    for (const auto& f : after_step_) f(discriminator_parameters);
  }
  bool bounds_slope() const { return bounds_slope_; }
  bool of_gradients() const { return of_gradients_; }
  std::string describe() const {
    return description_.empty() ? "none" : factor_ ? "(" + description_ + ") by a schedule" : description_;
  }

 private:
  std::vector<std::function<Tensor<T>(Rng&, const Discriminate&, const Tensor<T>&, const Tensor<T>&, Index)>>
      penalties_;
  std::vector<std::function<void(const NamedTensors<T>&)>> after_step_;
  Schedule factor_;
  std::string description_;
  bool bounds_slope_ = false, of_gradients_ = false;
};

inline constexpr std::string_view penalty_names =
    "none, clip, gradient-penalty, one-sided-gradient-penalty, dragan, r1, r2, lazy-r1, lazy-r2, zero-centered";

/// Penalties "name" or "name:weight", joined with "+": "r1:0.5+r2:0.5". The weight is gamma for R1 and R2, and the
/// limit for clip, above 0; without it each has its default. Throws for a name not in penalty_names, a weight that is
/// no number, and one of none.
template <std::floating_point T>
AnyPenalty<T> penalty_named(std::string_view text) {
  AnyPenalty<T> all;
  for (std::size_t begin = 0, end = 0; end != std::string_view::npos; begin = end + 1) {
    end = text.find('+', begin);
    const std::string_view item = text.substr(begin, end == std::string_view::npos ? end : end - begin);
    const std::string_view name = item.substr(0, item.find(':'));
    const auto weight = [&](double otherwise) {
      if (name.size() == item.size()) return otherwise;
      const std::string_view number = item.substr(name.size() + 1);
      const auto value = to_number(number);
      check(value && *value >= 0, "penalty \"", item, "\": \"", number,
            "\" is not a weight, expected a number, 0 or more");
      return *value;
    };
    if (name == "clip") {
      const double limit = weight(0.01);
      check(limit > 0, "penalty \"", item, "\": a limit of ", limit, ", expected a number above 0");
      all.add(ClipWeights{limit});
    } else if (name == "gradient-penalty")
      all.add(GradientPenalty{.weight = weight(10)});
    else if (name == "one-sided-gradient-penalty")
      all.add(GradientPenalty{.weight = weight(10), .one_sided = true});
    else if (name == "dragan")
      all.add(Dragan{.weight = weight(10)});
    else if (name == "r1")
      all.add(R1{.gamma = weight(10)});
    else if (name == "r2")
      all.add(R2{.gamma = weight(10)});
    else if (name == "lazy-r1")
      all.add(R1{.gamma = weight(10), .every = 16});
    else if (name == "lazy-r2")
      all.add(R2{.gamma = weight(10), .every = 16});
    else if (name == "zero-centered")
      all.add(ZeroCentered{.weight = weight(10)});
    else if (name == "none")
      check(name.size() == item.size(), "penalty \"", item, "\": none has no weight");
    else
      fail("no penalty is named \"", name, "\", expected one of: ", penalty_names);
  }
  return all;
}

}  // namespace gan
