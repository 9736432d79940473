// Reverse-mode automatic differentiation: backward and grad, over what operations have recorded.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "gan/core/profile.hpp"
#include "gan/tensor/record.hpp"
#include "gan/tensor/tensor.hpp"

namespace gan {

struct BackwardOptions {
  bool retain_graph = false;  ///< keep the history for another pass over it
};

/// Adds the gradients of the scalar `loss` to the leaves that require one, and returns those leaves. Releases the
/// history on the way. Throws when `loss` has more than one element or no history.
template <std::floating_point T>
std::vector<Tensor<T>> backward(const Tensor<T>& loss, BackwardOptions options = {});

struct GradOptions {
  bool create_graph = false;  ///< record the backward pass too, so that the gradients can be differentiated
  bool retain_graph = false;  ///< implied by create_graph
};

/// Gradients of `y` with respect to each of `xs`, shaped like them; the leaves are left alone. `y` of any shape is
/// taken as the sum of its elements, or as the sum of y * weights. Each gradient has memory of its own. An `x` that
/// requires a gradient and that `y` was not computed from gets zeros; one that did not require a gradient when `y` was
/// computed is an error.
template <std::floating_point T>
std::vector<Tensor<T>> grad(const Tensor<T>& y, const std::vector<Tensor<T>>& xs, GradOptions options = {},
                            const Tensor<T>& weights = {});

/// The same for one x.
template <std::floating_point T>
Tensor<T> grad(const Tensor<T>& y, const Tensor<T>& x, GradOptions options = {}, const Tensor<T>& weights = {}) {
  return grad(y, std::vector<Tensor<T>>{x}, options, weights).front();
}

namespace detail {

// The only arithmetic autograd does itself: a + b of one shape.
template <std::floating_point T>
Tensor<T> add_gradients(Tensor<T> a, const Tensor<T>& b, bool in_place) {
  const Profile::Scope scope("add_gradients");
  Tensor<T> y = in_place ? a : Tensor<T>::empty(a.shape());
  const T *p = a.data(), *q = b.data();
  T* to = y.mutable_data();
  elementwise_for(a.size(), [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) to[i] = p[i] + q[i];
  });
  if (in_place) return y;
  return record(
      "add", y, {a, b},
      [](Backward<T>& d) {
        d.give(0, d.grad());
        d.give(1, d.grad());
      },
      {}, Reads::nothing());
}

/// Whether gradient i of `grad` has memory that its caller would change together with something else. With a graph only
/// what the caller holds counts: the graph has its own check of versions.
template <std::floating_point T>
bool is_shared(const std::vector<Tensor<T>>& gradients, std::size_t i, const std::vector<Tensor<T>>& xs,
               const Tensor<T>& weights, bool create_graph) {
  if (!create_graph) return !gradients[i].unique();
  const auto same = [&](const Tensor<T>& x) { return x.defined() && x.data() == gradients[i].data(); };
  return same(weights) || std::any_of(gradients.begin(), gradients.begin() + static_cast<std::ptrdiff_t>(i), same) ||
         std::any_of(xs.begin(), xs.end(), same);
}

}  // namespace detail

/// One walk over the history of a tensor, newest operation first. `backward` and `grad` are thin wrappers of it.
template <std::floating_point T>
class BackwardPass {
 public:
  BackwardPass(const Tensor<T>& root, bool create_graph, bool retain_graph);

  /// Restricts the pass to what leads to these tensors, leaves or not.
  void set_targets(const std::vector<Tensor<T>>& targets);
  /// Throws, before anything is computed, when an operation that leads to a target was released by an earlier pass.
  void run(const Tensor<T>& seed);
  /// Whether the root was computed from x, and x required a gradient then.
  bool reaches(const Tensor<T>& x) const { return states_.contains(x.node_pointer().get()); }
  /// Whether an operation of this pass used x while it required no gradient.
  bool uses_frozen(const Tensor<T>& x) const;
  /// The gradient that arrived at a target or leaf, to be copied or moved out; undefined when none did.
  Tensor<T>& gradient(const Tensor<T>& x) { return states_[x.node_pointer().get()].grad; }
  /// Leaves in the order they were found.
  const std::vector<std::shared_ptr<detail::Node<T>>>& leaves() const { return leaves_; }

 private:
  using NodePointer = std::shared_ptr<detail::Node<T>>;
  struct State {
    Tensor<T> grad;
    bool runs = true;     // some input is or leads to a target
    bool target = false;  // its gradient is kept
    bool leads() const { return runs || target; }
  };

  void accumulate(State& state, Tensor<T> gradient);
  static bool may_lead(const detail::Node<T>& released, const std::vector<Tensor<T>>& targets);
  std::shared_ptr<const detail::Reached<T>> reached() const;

  bool create_graph_, retain_graph_;
  NodePointer root_;
  std::vector<NodePointer> nodes_;  // with history, newest first
  std::vector<NodePointer> leaves_;
  std::unordered_map<detail::Node<T>*, State> states_;
};

template <std::floating_point T>
BackwardPass<T>::BackwardPass(const Tensor<T>& root, bool create_graph, bool retain_graph)
    : create_graph_(create_graph), retain_graph_(retain_graph || create_graph), root_(root.node_pointer()) {
  std::vector<NodePointer> stack{root_};
  states_.emplace(root_.get(), State{});
  while (!stack.empty()) {
    NodePointer node = std::move(stack.back());
    stack.pop_back();
    if (!node->history) {
      leaves_.push_back(std::move(node));
      continue;
    }
    for (const auto& edge : node->history->inputs)
      if (edge.needs && states_.emplace(edge.node.get(), State{}).second) stack.push_back(edge.node);
    nodes_.push_back(std::move(node));
  }
  std::sort(nodes_.begin(), nodes_.end(), [](const auto& a, const auto& b) { return a->order > b->order; });
}

template <std::floating_point T>
void BackwardPass<T>::set_targets(const std::vector<Tensor<T>>& targets) {
  for (auto& [node, state] : states_) state.runs = false;
  for (const auto& x : targets)
    if (const auto found = states_.find(x.node_pointer().get()); found != states_.end()) found->second.target = true;
  for (auto node = nodes_.rbegin(); node != nodes_.rend(); ++node) {
    bool& runs = states_.at(node->get()).runs;
    if ((*node)->history->released) runs = may_lead(**node, targets);
    for (const auto& edge : (*node)->history->inputs)
      if (edge.needs && states_.at(edge.node.get()).leads()) runs = true;
  }
}

// What a released operation was computed from is gone, but the pass that released it left a list of all it found.
template <std::floating_point T>
bool BackwardPass<T>::may_lead(const detail::Node<T>& released, const std::vector<Tensor<T>>& targets) {
  const auto& leaves = released.history->reached->leaves;
  const auto& results = released.history->reached->results;
  return std::any_of(targets.begin(), targets.end(), [&](const Tensor<T>& x) {
    const NodePointer& target = x.node_pointer();
    if (target->history)
      return target->order < released.order &&
             std::find(results.begin(), results.end(), target->order) != results.end();
    return std::any_of(leaves.begin(), leaves.end(),
                       [&](const auto& leaf) { return !leaf.owner_before(target) && !target.owner_before(leaf); });
  });
}

template <std::floating_point T>
std::shared_ptr<const detail::Reached<T>> BackwardPass<T>::reached() const {
  auto all = std::make_shared<detail::Reached<T>>();
  all->leaves.assign(leaves_.begin(), leaves_.end());
  for (const auto& node : nodes_) {
    all->results.push_back(node->order);
    if (!node->history->released) continue;
    const auto& [leaves, results] = *node->history->reached;
    all->leaves.insert(all->leaves.end(), leaves.begin(), leaves.end());
    all->results.insert(all->results.end(), results.begin(), results.end());
  }
  return all;
}

template <std::floating_point T>
bool BackwardPass<T>::uses_frozen(const Tensor<T>& x) const {
  return std::any_of(nodes_.begin(), nodes_.end(), [&](const auto& node) {
    const auto& inputs = node->history->inputs;
    return std::any_of(inputs.begin(), inputs.end(),
                       [&](const auto& edge) { return !edge.needs && edge.node == x.node_pointer(); });
  });
}

template <std::floating_point T>
void BackwardPass<T>::accumulate(State& state, Tensor<T> gradient) {
  if (!state.grad.defined()) {
    state.grad = std::move(gradient);
  } else {
    const bool in_place = !create_graph_ && state.grad.unique();
    state.grad = detail::add_gradients(std::move(state.grad), gradient, in_place);
  }
}

template <std::floating_point T>
void BackwardPass<T>::run(const Tensor<T>& seed) {
  for (const auto& node : nodes_)
    check(!node->history->released || !states_.at(node.get()).runs, "backward: the history of \"", node->history->op,
          "\" was released by an earlier pass; pass {.retain_graph = true} to that one");
  const GradMode mode(create_graph_);
  const auto found = retain_graph_ ? nullptr : reached();
  accumulate(states_.at(root_.get()), seed);
  std::vector<char> wants;
  for (auto& node : nodes_) {
    auto& state = states_.at(node.get());
    if (state.grad.defined() && state.runs) {
      const auto& history = *node->history;
      wants.clear();
      for (const auto& edge : history.inputs) wants.push_back(edge.needs && states_.at(edge.node.get()).leads());
      Backward<T> context;
      context.node_ = node;
      context.wants_ = &wants;
      context.grad_ = state.target ? state.grad : std::exchange(state.grad, {});
      context.gradients_.resize(history.inputs.size());
      history.vjp(context);
      context.grad_ = {};  // frees it for accumulation in place
      for (std::size_t i = 0; i < wants.size(); ++i)
        if (context.gradients_[i].defined())
          accumulate(states_.at(history.inputs[i].node.get()), std::move(context.gradients_[i]));
    }
    if (!retain_graph_) {
      if (!node->history->released) node->history->reached = found;
      node->release_history();
      node.reset();  // the activations go as soon as nothing needs them
    }
  }
}

template <std::floating_point T>
std::vector<Tensor<T>> backward(const Tensor<T>& loss, BackwardOptions options) {
  check(loss.size() == 1, "backward: loss has shape ", loss.shape(), ", expected one element");
  check(loss.requires_grad(), "backward: loss does not depend on anything that requires a gradient");
  BackwardPass<T> pass(loss, false, options.retain_graph);
  pass.run(Tensor<T>::ones(loss.shape()));
  std::vector<Tensor<T>> reached;
  for (const auto& node : pass.leaves()) {
    Tensor<T> leaf(node);
    Tensor<T> gradient = std::move(pass.gradient(leaf));
    if (!gradient.defined()) continue;
    if (Tensor<T> earlier = leaf.grad(); earlier.defined()) {
      node->grad.reset();
      const bool in_place = earlier.unique();  // asked before a copy for the call is made
      leaf.set_grad(detail::add_gradients(std::move(earlier), gradient, in_place));
    } else {
      leaf.set_grad(gradient.unique() ? gradient : gradient.clone());  // optimizers change gradients in place
    }
    reached.push_back(std::move(leaf));
  }
  return reached;
}

template <std::floating_point T>
std::vector<Tensor<T>> grad(const Tensor<T>& y, const std::vector<Tensor<T>>& xs, GradOptions options,
                            const Tensor<T>& weights) {
  check(y.requires_grad(), "grad: y does not depend on anything that requires a gradient");
  check(!weights.defined() || weights.shape() == y.shape(), "grad: weights ",
        weights.defined() ? weights.shape() : Shape{}, " do not match y ", y.shape());
  for (std::size_t i = 0; i < xs.size(); ++i) check(xs[i].defined(), "grad: x ", i, " is undefined");
  std::vector<Tensor<T>> gradients;
  {
    BackwardPass<T> pass(y, options.create_graph, options.retain_graph);
    pass.set_targets(xs);
    for (std::size_t i = 0; i < xs.size(); ++i)
      check(pass.reaches(xs[i]) || (xs[i].requires_grad() && !pass.uses_frozen(xs[i])), "grad: x ", i, ' ',
            xs[i].shape(), xs[i].label().empty() ? "" : " \"" + xs[i].label() + '"',
            " did not require a gradient when y was computed; call set_requires_grad() before");
    pass.run(weights.defined() ? weights : Tensor<T>::ones(y.shape()));
    for (const auto& x : xs) gradients.push_back(pass.gradient(x));
  }
  const GradMode mode(options.create_graph);
  for (std::size_t i = 0; i < xs.size(); ++i) {
    if (!gradients[i].defined())
      gradients[i] = Tensor<T>::zeros(xs[i].shape());
    else if (detail::is_shared(gradients, i, xs, weights, options.create_graph))
      gradients[i] = record(
          "copy", gradients[i].clone(), {gradients[i]}, [](Backward<T>& d) { d.give(0, d.grad()); }, {},
          Reads::nothing());
  }
  return gradients;
}

}  // namespace gan
