// print_graph: a tensor's history as text.
#pragma once

#include <algorithm>
#include <concepts>
#include <memory>
#include <ostream>
#include <unordered_map>
#include <vector>

#include "gan/tensor/tensor.hpp"

namespace gan {

/// The recorded operations that lead to `y`, oldest first, one line each: name, attributes, shapes. Throws for an
/// undefined tensor.
template <std::floating_point T>
void print_graph(std::ostream& out, const Tensor<T>& y);

template <std::floating_point T>
void print_graph(std::ostream& out, const Tensor<T>& y) {
  check(y.defined(), "print_graph: the tensor is undefined");
  std::vector<std::shared_ptr<detail::Node<T>>> stack{y.node_pointer()}, nodes;
  std::unordered_map<detail::Node<T>*, bool> seen{{y.node_pointer().get(), true}};
  while (!stack.empty()) {
    auto node = stack.back();
    stack.pop_back();
    if (node->history)
      for (const auto& edge : node->history->inputs)
        if (seen.emplace(edge.node.get(), true).second) stack.push_back(edge.node);
    nodes.push_back(std::move(node));
  }
  std::sort(nodes.begin(), nodes.end(), [](const auto& a, const auto& b) { return a->order < b->order; });
  for (const auto& node : nodes) {
    if (!node->history) continue;
    out << node->history->op;
    const auto& attributes = node->history->attributes;
    for (const auto& attribute : attributes ? attributes() : AttributeList()) {
      out << ' ' << attribute.name << '=';
      for (std::size_t i = 0; i < attribute.values.size(); ++i) out << (i ? "," : "") << attribute.values[i];
    }
    for (const auto& edge : node->history->inputs)
      out << ' ' << edge.node->shape << (edge.node->label.empty() ? "" : ":" + edge.node->label);
    out << " -> " << node->shape << '\n';
  }
}

}  // namespace gan
