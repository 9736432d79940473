// Numbers from text.
#pragma once

#include <locale>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>

namespace gan {

/// The decimal number that the whole text is, "0.5" or "-1e-3", whatever the locale; none for other texts, without
/// digits, with spaces, "nan", "inf", and for numbers outside the range of a double.
inline std::optional<double> to_number(std::string_view text) {
  // std::from_chars for double is missing in libc++ before 20, and strtod reads by the locale.
  if (text.empty() || text.front() == '+' || text.find_first_not_of("0123456789+-.eE") != std::string_view::npos)
    return {};
  std::istringstream in{std::string(text)};
  in.imbue(std::locale::classic());
  double number = 0;
  if (!(in >> number) || in.peek() != std::istringstream::traits_type::eof()) return {};
  return number;
}

}  // namespace gan
