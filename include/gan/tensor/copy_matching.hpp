// copy_matching: what fits of one network's values, taken over into another.
#pragma once

#include <algorithm>
#include <string>
#include <unordered_map>
#include <vector>

#include "gan/tensor/named_tensors.hpp"

namespace gan {

/// What copy_matching copied, and what it left out on either side.
struct Matching {
  std::vector<std::string> copied{};
  std::vector<std::string> unfilled{};  ///< names of `to` that `from` has not, or has with another shape
  std::vector<std::string> unused{};    ///< names of `from` that `to` has not, or has with another shape
};

/// Copies the values of `from` into those tensors of `to` that agree in name and shape, and leaves the others as they
/// are: for fine-tuning from a network whose last layers differ, and for progressive growing. copy_values in
/// tensor/named_tensors.hpp is the strict form. A prefix says where in `from` the names of `to` are to be found, e.g.
/// "average." in a checkpoint. Throws, changing nothing, when a name is given twice.
template <class T>
Matching copy_matching(const NamedTensors<T>& from, const NamedTensors<T>& to, const std::string& prefix = "") {
  std::unordered_map<std::string, const Tensor<T>*> sources, targets;
  for (const auto& [name, tensor] : from)
    check(sources.emplace(name, &tensor).second, "copy_matching: \"", name, "\" is given twice");
  for (const auto& [name, tensor] : to)
    check(targets.emplace(prefix + name, &tensor).second, "copy_matching: \"", name, "\" is asked for twice");
  Matching matching;
  for (const auto& [name, tensor] : to) {
    const auto source = sources.find(prefix + name);
    if (source == sources.end() || source->second->shape() != tensor.shape()) {
      matching.unfilled.push_back(name);
      continue;
    }
    Tensor<T> target = tensor;
    if (source->second->data() != target.data())
      std::copy_n(source->second->data(), target.size(), target.mutable_data());
    matching.copied.push_back(name);
  }
  for (const auto& [name, tensor] : from)
    if (const auto target = targets.find(name); target == targets.end() || target->second->shape() != tensor.shape())
      matching.unused.push_back(name);
  return matching;
}

}  // namespace gan
