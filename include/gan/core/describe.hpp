// What was chosen, as text: for metadata that is compared when a run goes on.
#pragma once

#include <charconv>
#include <initializer_list>
#include <string>
#include <utility>

namespace gan {

/// The shortest text that reads back as this very number, "0.0002", in every locale.
inline std::string number_text(double x) {
  char digits[40];
  const bool plain = x > -1e15 && x < 1e15 && (x == 0 || x > 1e-5 || x < -1e-5);
  const auto end = plain ? std::to_chars(digits, digits + sizeof digits, x, std::chars_format::fixed)
                         : std::to_chars(digits, digits + sizeof digits, x);
  return {digits, end.ptr};
}

/// A name and its numbers: "adam beta1=0.5 beta2=0.999".
inline std::string described(std::string name, std::initializer_list<std::pair<const char*, double>> numbers) {
  for (const auto& [option, value] : numbers) name += " " + std::string(option) + "=" + number_text(value);
  return name;
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
