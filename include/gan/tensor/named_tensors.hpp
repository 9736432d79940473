// Tensors with names: how parameters, optimizer moments and files are passed around.
#pragma once

#include <algorithm>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "gan/tensor/tensor.hpp"

namespace gan {

/// A handle with the name it has in error messages and files, e.g. "hidden.weight".
template <class T>
struct NamedTensor {
  std::string name;
  Tensor<T> tensor;
};

template <class T>
using NamedTensors = std::vector<NamedTensor<T>>;

/// Handles of the tensors of `from` by name. Throws unless `from` and `to` hold the same names with the same shapes;
/// the message begins with `what` and names the first tensor that is missing, differs, or is not known.
template <class T>
std::unordered_map<std::string, Tensor<T>> check_values(const char* what, const NamedTensors<T>& from,
                                                        const NamedTensors<T>& to) {
  std::unordered_map<std::string, Tensor<T>> sources;
  for (const auto& [name, tensor] : from) {
    check(tensor.defined(), what, ": \"", name, "\" is undefined");
    check(sources.emplace(name, tensor).second, what, ": \"", name, "\" is given twice");
  }
  for (const auto& [name, tensor] : to) {
    const auto source = sources.find(name);
    check(source != sources.end(), what, ": \"", name, "\" ", tensor.shape(), " is missing");
    check(source->second.shape() == tensor.shape(), what, ": \"", name, "\" has shape ", source->second.shape(),
          ", expected ", tensor.shape());
  }
  if (from.size() != to.size()) {
    auto unknown = sources;
    for (const auto& entry : to) unknown.erase(entry.name);
    fail(what, ": \"", unknown.begin()->first, "\" ", unknown.begin()->second.shape(), " is not known");
  }
  return sources;
}

/// Copies the values of `from` into the tensors of `to` by name, as they were before: a source may be a target under
/// another name. Throws as check_values does, changing nothing.
template <class T>
void copy_values(const char* what, const NamedTensors<T>& from, const NamedTensors<T>& to) {
  auto sources = check_values(what, from, to);
  std::unordered_set<const T*> targets;
  for (const auto& entry : to) targets.insert(entry.tensor.data());
  for (const auto& [name, tensor] : to) {
    auto& source = sources.at(name);
    if (source.data() != tensor.data() && targets.count(source.data()) > 0) source = source.clone();
  }
  for (const auto& [name, tensor] : to) {
    Tensor<T> target = tensor;
    const Tensor<T>& source = sources.at(name);
    if (source.data() != target.data()) std::copy_n(source.data(), source.size(), target.mutable_data());
  }
}

}  // namespace gan
