// The least arithmetic of a training step, counted from recorded forward passes of the networks.
#pragma once

#include <algorithm>
#include <gan/gan.hpp>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace gan::bench {

/// Multiplications and additions of a network's products, for one sample.
struct NetworkCosts {
  double forward = 0;
  double inputs = 0;  ///< of the gradients to those layers' inputs that something trained, or the sample, lies behind
  double last = 0;    ///< of the last layer's forward pass
};

namespace detail {

/// Of one recorded operation; 0 unless it is a product of a batch and a weight. A convolution counts all taps, those on
/// padding too.
inline double cost(const gan::detail::Node<float>& y) {
  const std::string_view op = y.history->op;
  const auto& inputs = y.history->inputs;
  const auto size = [](Index n) { return static_cast<double>(n); };
  if (op == "linear") return 2 * size(inputs[0].node->shape.rows()) * size(inputs[1].node->shape.size());
  if (op == "conv2d" || op == "conv2d_input_gradient") {  // a transposed convolution is recorded as the latter
    const Shape& small = op == "conv2d" ? y.shape : inputs[0].node->shape;
    return 2 * size(small.rows()) * size(inputs[1].node->shape.size());
  }
  return 0;
}

}  // namespace detail

/// Of what was recorded to make `y` from a batch of n samples.
inline NetworkCosts count_costs(const Tensor<float>& y, Index n) {
  using Node = gan::detail::Node<float>;
  NetworkCosts costs;
  std::vector<Node*> stack{y.node_pointer().get()};
  std::unordered_set<Node*> seen{stack.begin(), stack.end()};
  std::uint64_t newest = 0;
  while (!stack.empty()) {
    const Node* const node = stack.back();
    stack.pop_back();
    if (!node->history) continue;
    for (const auto& edge : node->history->inputs)
      if (seen.insert(edge.node.get()).second) stack.push_back(edge.node.get());
    const double cost = detail::cost(*node) / static_cast<double>(n);
    if (cost == 0) continue;
    costs.forward += cost;
    if (node->history->inputs[0].needs) costs.inputs += cost;
    if (node->order > newest) {
      newest = node->order;
      costs.last = cost;
    }
  }
  return costs;
}

/// What a step does beyond the losses of one real and one generated batch, for the count.
struct StepKind {
  bool generator_needs_real = false;  ///< its loss compares scores
  int penalized = 0;                  ///< batches, real or generated, whose scores' gradients are punished
  int penalized_between = 0;          ///< the same for batches that the losses do not score, between those two
  Index every = 1;                    ///< steps from one penalty to the next
};

/// Of one alternating update, for one sample: no weight gradients of the frozen discriminator, no input gradient that
/// nothing needs, one forward pass of the generator, and of a penalized batch one forward pass for loss and penalty.
inline double least_arithmetic(const NetworkCosts& g, const NetworkCosts& d, const StepKind& kind) {
  const double generator_pass = g.forward + g.forward + g.inputs;
  const double discriminator_update = 2 * (d.forward + d.forward + d.inputs);
  const double through_discriminator = (kind.generator_needs_real ? 3 : 2) * d.forward;
  // The gradient to the samples; its own gradients to the weights, and to what each layer had been handed but the last
  // one, which was handed ones. With leaky ReLU none lead back to the forward pass.
  const double penalty = d.forward + d.forward + (d.forward - d.last);
  return generator_pass + discriminator_update + through_discriminator +
         (kind.penalized * penalty + kind.penalized_between * (d.forward + penalty)) / static_cast<double>(kind.every);
}

}  // namespace gan::bench
