// Warnings about what trains without an error and can hardly be meant.
#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>

#include "gan/core/warn.hpp"
#include "gan/loss/any_objective.hpp"
#include "gan/loss/any_penalty.hpp"
#include "gan/nn/module.hpp"

namespace gan {

namespace detail {

/// Name of the recorded operation that gave x its values: those that only move them are passed over.
template <class T>
std::string_view last_operation(const Tensor<T>& x) {
  constexpr std::string_view moves[] = {"reshape", "slice", "concatenate", "permute", "gather"};
  const Node<T>* node = x.node_pointer().get();
  while (node->history && !node->history->inputs.empty() &&
         std::find(std::begin(moves), std::end(moves), node->history->op) != std::end(moves))
    node = node->history->inputs[0].node.get();
  return node->history ? std::string_view(node->history->op) : std::string_view();
}

/// Whether the module or one below it is of that kind.
template <class T>
bool has_kind(const Module<T>& module, std::string_view kind) {
  return module.kind() == kind || std::any_of(module.children().begin(), module.children().end(),
                                              [kind](const auto* child) { return has_kind(*child, kind); });
}

/// Layers with spectral norm keep a buffer "u".
template <class T>
bool has_spectral_norm(const Module<T>& module) {
  const auto buffers = module.buffers();
  return std::any_of(buffers.begin(), buffers.end(),
                     [](const auto& buffer) { return buffer.name == "u" || buffer.name.ends_with(".u"); });
}

}  // namespace detail

/// Warns of a Wasserstein critic that may be as steep as it likes, and of gradient penalties on a discriminator with
/// batch norm.
template <class T>
void warn_about_game(const AnyObjective<T>& objective, const AnyPenalty<T>& penalty, const Module<T>& discriminator) {
  if (objective.needs_bounded_slope && !penalty.bounds_slope() && !detail::has_spectral_norm(discriminator))
    warn_once("trainer: nothing bounds the slope of the discriminator, which the objective \"" + objective.describe() +
              "\" needs: add GradientPenalty, ClipWeights or spectral_norm");
  if (penalty.of_gradients() && detail::has_kind(discriminator, "BatchNorm"))
    warn_once("trainer: the penalty \"" + penalty.describe() +
              "\" takes each score to depend on one sample, but the discriminator has batch norm: use LayerNorm, "
              "GroupNorm or none");
}

/// Warns of probabilities where the objective takes logits. `scores` are as the discriminator recorded them.
template <class T>
void warn_about_scores(const AnyObjective<T>& objective, const Tensor<T>& scores) {
  if (objective.takes_logits && detail::last_operation(scores) == "sigmoid")
    warn_once("trainer: the discriminator ends in a sigmoid, but the objective \"" + objective.describe() +
              "\" takes logits: leave the sigmoid out");
}

/// Warns of real samples out of the range of what ends the generator, tanh or sigmoid. `samples` are as the generator
/// recorded them.
template <class T>
void warn_about_range(const Tensor<T>& real, const Tensor<T>& samples) {
  const auto last = detail::last_operation(samples);
  if (last != "tanh" && last != "sigmoid") return;
  const auto values = real.values();
  const double low = static_cast<double>(values.minCoeff()), high = static_cast<double>(values.maxCoeff());
  const double size = std::sqrt(static_cast<double>(values.square().mean()));
  const bool bytes = size > 1.25;  // a few values just outside do no harm, nor does data of deviation 1
  const bool positive = low >= 0 && low < 0.1 && high > 0.5;
  if (!bytes && (last == "tanh" ? !positive : low >= -0.25)) return;
  const auto text = [](double x) { return number_text(std::round(x * 1000) / 1000); };
  warn_once("trainer: the first real samples are in [" + text(low) + ", " + text(high) +
            "], but the generator ends in " +
            (last == "tanh" ? "tanh, which gives [-1, 1]: scale the data (PixelRange::minus_one_to_one) or end it in "
                              "sigmoid or nothing"
                            : "sigmoid, which gives [0, 1]: scale the data (PixelRange::zero_to_one) or end it in tanh "
                              "or nothing"));
}

}  // namespace gan
