// A table of a network's layers.
#pragma once

#include <algorithm>
#include <array>
#include <iomanip>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "gan/nn/layer.hpp"
#include "gan/nn/module_scopes.hpp"

namespace gan {

/// One line a layer in the order of the calls: path and kind, output shape, number of parameters; then a line for every
/// module with parameters that is not such a layer, as an embedding is not; then the totals. The network is run once on
/// zeros [1, ...item], in evaluation mode and without recording, and told the condition of one row, if there is one.
template <std::floating_point T>
std::string summary(Layer<T>& network, const Shape& item, const Condition<T>& condition = {}) {
  typename Layer<T>::Trace calls;
  {
    struct Restore {
      ~Restore() { Layer<T>::trace() = nullptr; }
    } restore;
    const NoGrad no_grad;
    const Evaluate<T> mode(network);
    Layer<T>::trace() = &calls;
    network(Tensor<T>::zeros(item.inserted(0, 1)), condition);
  }
  const auto text = [](const auto& value) {
    std::ostringstream out;
    out << value;
    return out.str();
  };
  const auto title = [](const Module<T>& module) {
    const std::string path = module.path();
    return (path.empty() ? "" : path + " ") + "(" + module.kind() + ")";
  };
  std::vector<std::array<std::string, 3>> rows{{"Layer (kind)", "Output shape", "Parameters"}};
  std::set<const Module<T>*> seen;
  for (const auto& [layer, output] : calls) {
    if (!layer->children().empty()) continue;  // its children have lines of their own
    const bool first = seen.insert(layer).second;
    std::string shape = "[n";
    for (Index axis = 1; axis < output.rank(); ++axis) shape += ", " + text(output[axis]);
    rows.push_back({title(*layer), shape + "]", first ? text(layer->parameter_count()) : "shared"});
  }
  std::vector<const Module<T>*> stack{&network};
  while (!stack.empty()) {
    const Module<T>& module = *stack.back();
    const auto& children = module.children();
    stack.pop_back();
    stack.insert(stack.end(), children.rbegin(), children.rend());
    Index own = module.parameter_count();
    for (const auto* child : children) own -= child->parameter_count();
    if (own > 0 && !seen.count(&module)) rows.push_back({title(module), "", text(own)});
  }
  std::array<std::size_t, 3> widths{};
  for (const auto& row : rows)
    for (std::size_t i = 0; i < 3; ++i) widths[i] = std::max(widths[i], row[i].size());
  Index trainable = 0, buffers = 0;
  for (const auto& parameter : network.parameters())
    if (parameter.tensor.requires_grad()) trainable += parameter.tensor.size();
  for (const auto& buffer : network.buffers()) buffers += buffer.tensor.size();
  std::ostringstream out;
  const std::string line(widths[0] + widths[1] + widths[2] + 4, '-');
  for (std::size_t i = 0; i < rows.size(); ++i) {
    out << std::left << std::setw(static_cast<int>(widths[0]) + 2) << rows[i][0]
        << std::setw(static_cast<int>(widths[1]) + 2) << rows[i][1] << std::right
        << std::setw(static_cast<int>(widths[2])) << rows[i][2] << '\n';
    if (i == 0) out << line << '\n';
  }
  out << line << "\nParameters: " << network.parameter_count() << " (" << trainable
      << " trainable), other state: " << buffers << '\n';
  return out.str();
}

}  // namespace gan
