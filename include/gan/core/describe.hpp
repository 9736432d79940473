// What was chosen, as text: for metadata that is compared when a run goes on.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "gan/core/number.hpp"

namespace gan {

/// A name and its numbers: "adam beta1=0.5 beta2=0.999".
inline std::string described(std::string_view name, std::initializer_list<std::pair<const char*, double>> numbers) {
  std::string text(name);
  for (const auto& [option, value] : numbers) text += " " + std::string(option) + "=" + number_text(value);
  return text;
}

/// What x says of itself by `std::string describe() const`, or "custom".
template <class X>
std::string describe(const X& x) {
  if constexpr (requires { std::string(x.describe()); })
    return x.describe();
  else
    return "custom";
}

}  // namespace gan
