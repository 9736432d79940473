// Finds a discriminator that mixes its batch and does not say so.
#pragma once

#include <algorithm>
#include <cmath>
#include <memory>
#include <type_traits>
#include <vector>

#include "gan/core/finite.hpp"
#include "gan/nn/layer.hpp"
#include "gan/nn/module_scopes.hpp"
#include "gan/ops/concatenate.hpp"
#include "gan/ops/condition.hpp"
#include "gan/train/kept_state.hpp"

namespace gan {

namespace detail {

/// Calls visit for the module and all below it.
template <class T, class Visit>
void visit_tree(Module<T>& module, const Visit& visit) {
  visit(module);
  for (auto* child : module.children()) visit_tree(*child, visit);
}

/// Rows [begin, begin + n) of `joint` against `alone`: whether they differ by more than rounding. Numbers that are not
/// finite say nothing.
template <class T>
bool differs(const Tensor<T>& joint, Index begin, const Tensor<T>& alone) {
  constexpr bool single = std::is_same_v<T, float>;
  double scale = 0, largest = 0;
  for (Index i = 0; i < joint.size(); ++i) scale = std::max(scale, std::abs(static_cast<double>(joint.data()[i])));
  const T* const part = joint.data() + begin * (joint.size() / joint.shape()[0]);
  for (Index i = 0; i < alone.size(); ++i)
    largest = std::max(largest, std::abs(static_cast<double>(part[i]) - static_cast<double>(alone.data()[i])));
  return is_finite(scale) && is_finite(largest) && largest > (single ? 3e-3 : 1e-8) * scale + (single ? 1e-5 : 1e-12);
}

}  // namespace detail

/// Throws when the scores of real samples [n, ...] and fakes [n, ...] of that condition in one pass are others than in
/// two, although mixes_batch() is false. Tried without dropout, and in evaluation mode when the network draws random
/// numbers all the same; one that draws then, too, is not judged. Nothing of the network is changed.
template <std::floating_point T>
void check_joint_pass(Layer<T>& discriminator, const Tensor<T>& real, const Tensor<T>& fake,
                      const Condition<T>& condition) {
  const NoGrad no_grad;
  Trial<T> trial(discriminator);
  std::vector<std::unique_ptr<Evaluate<T>>> modes;  // undone from the last to the first
  const auto drawn = [&] {
    Tensor<T> scores[3];
    bool drew = false;
    for (int i = 0; i < 3 && !drew; ++i) {
      scores[i] = discriminator(i == 0   ? concatenate<T>({real, fake}, 0)
                                : i == 1 ? real
                                         : fake,
                                i == 0 && !condition.empty() ? concatenate(condition, condition) : condition);
      drew = trial.has_drawn();
      trial.put_back();
    }
    if (drew) return true;
    const Tensor<T>& joint = scores[0];
    const Index n = real.shape()[0], m = fake.shape()[0];
    const auto rows = [](const Tensor<T>& x, Index count) { return x.rank() >= 1 && x.shape()[0] == count; };
    if (!rows(joint, n + m) || !rows(scores[1], n) || !rows(scores[2], m)) return false;  // for others to judge
    check(!detail::differs(joint, 0, scores[1]) && !detail::differs(joint, n, scores[2]), "trainer: the scores of ",
          discriminator.kind(), " depend on the other samples of its batch, and it would see ", n, " real samples and ",
          m,
          " generated ones together: override `bool mixes_batch() const` to return true, or "
          "set joint_pass = false");
    return false;
  };
  detail::visit_tree<T>(discriminator, [&](Module<T>& module) {
    if (module.kind() == "Dropout") modes.push_back(std::make_unique<Evaluate<T>>(module));
  });
  if (drawn()) {
    modes.push_back(std::make_unique<Evaluate<T>>(discriminator));
    drawn();
  }
  while (!modes.empty()) modes.pop_back();
}

}  // namespace gan
