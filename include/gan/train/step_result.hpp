// StepResult: the numbers of one step, by name.
#pragma once

#include <algorithm>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gan/core/shape.hpp"

namespace gan {

/// What a step has to tell: losses, terms, scores, norms of gradients ... in the order they were first noted. A name
/// that is noted more than once in a step, as by several updates of one network, has the mean.
class StepResult {
 public:
  explicit StepResult(Index number = 0) : step(number) {}

  Index step;  ///< number of the step, from 1

  void note(std::string_view name, double value) {
    auto found = std::find_if(values_.begin(), values_.end(), [&](const Value& v) { return v.name == name; });
    if (found == values_.end()) found = values_.insert(found, Value{std::string(name)});
    found->sum += value;
    ++found->count;
  }

  /// The number of that name; NaN when this step has none.
  double operator[](std::string_view name) const {
    for (const Value& v : values_)
      if (v.name == name) return v.sum / static_cast<double>(v.count);
    return std::numeric_limits<double>::quiet_NaN();
  }
  bool has(std::string_view name) const {
    return std::any_of(values_.begin(), values_.end(), [&](const Value& v) { return v.name == name; });
  }
  /// All names, in order.
  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const Value& v : values_) all.push_back(v.name);
    return all;
  }

 private:
  struct Value {
    std::string name;
    double sum = 0;
    Index count = 0;
  };
  std::vector<Value> values_;
};

}  // namespace gan
