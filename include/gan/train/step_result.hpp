// StepResult: the numbers of one step, by name.
#pragma once

#include <algorithm>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "gan/core/shape.hpp"

namespace gan {

/// What a step has to tell: losses, terms, scores, norms of gradients ... in the order they were first noted. A name
/// that is noted more than once in a step, as by several updates of one network, has the mean.
class StepResult {
 public:
  Index step = 0;  ///< number of the step, from 1

  /// The number of that name; NaN when this step has none.
  double operator[](std::string_view name) const {
    const auto found = find(name);
    return found == values_.end() || found->count == 0 ? std::numeric_limits<double>::quiet_NaN()
                                                       : found->sum / static_cast<double>(found->count);
  }
  /// Whether this step has a number of that name.
  bool has(std::string_view name) const {
    const auto found = find(name);
    return found != values_.end() && found->count > 0;
  }
  /// All names that this step or an earlier one of the process has noted.
  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const Value& v : values_) all.push_back(v.name);
    return all;
  }

  void note(std::string_view name, double value) {
    Value& v = value_of(name);
    v.sum += value;
    ++v.count;
  }
  /// The name without a number, to have its place.
  void note(std::string_view name) { value_of(name); }
  /// Forgets all numbers; the names stay.
  void begin(Index number) {
    step = number;
    for (Value& v : values_) v.sum = 0, v.count = 0;
  }

 private:
  struct Value {
    std::string name;
    double sum = 0;
    Index count = 0;
  };

  std::vector<Value>::const_iterator find(std::string_view name) const {
    return std::find_if(values_.begin(), values_.end(), [name](const Value& v) { return v.name == name; });
  }
  Value& value_of(std::string_view name) {
    const auto found = find(name);
    if (found != values_.end()) return values_[static_cast<std::size_t>(found - values_.begin())];
    return values_.emplace_back(Value{std::string(name)});
  }

  std::vector<Value> values_;
};

}  // namespace gan
