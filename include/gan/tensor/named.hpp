// Tensors with names: how parameters, optimizer moments and files are passed around.
#pragma once

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

/// Copies the values of `from` into the tensors of `to` by name. Throws, changing nothing, unless both hold the same
/// names with the same shapes; the message begins with `what` and names the first tensor that is missing, differs, or
/// is not known.
template <class T>
void copy_values(const char* what, const NamedTensors<T>& from, const NamedTensors<T>& to) {
  std::unordered_map<std::string, const Tensor<T>*> sources;
  for (const auto& [name, tensor] : from)
    check(sources.emplace(name, &tensor).second, what, ": \"", name, "\" is given twice");
  for (const auto& [name, tensor] : to) {
    const auto source = sources.find(name);
    check(source != sources.end(), what, ": \"", name, "\" ", tensor.shape(), " is missing");
    check(source->second->shape() == tensor.shape(), what, ": \"", name, "\" has shape ", source->second->shape(),
          ", expected ", tensor.shape());
  }
  if (from.size() != to.size()) {
    auto unknown = sources;
    for (const auto& entry : to) unknown.erase(entry.name);
    fail(what, ": \"", unknown.begin()->first, "\" ", unknown.begin()->second->shape(), " is not known");
  }
  // A source may be the memory of a target of another name, and is copied before that is written.
  std::unordered_set<const T*> written;
  for (const auto& entry : to) written.insert(entry.tensor.data());
  std::vector<Tensor<T>> values;
  for (const auto& [name, tensor] : to) {
    const Tensor<T>& source = *sources.at(name);
    const bool moves = source.data() != tensor.data() && written.contains(source.data());
    values.push_back(moves ? source.clone() : source);
  }
  for (std::size_t i = 0; i < to.size(); ++i) {
    Tensor<T> target = to[i].tensor;
    std::copy_n(values[i].data(), values[i].size(), target.mutable_data());
  }
}

}  // namespace gan
