// Numbers as text and from text, whatever the locale: files and lines that programs read have a decimal point.
#pragma once

#include <charconv>
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

namespace detail {

template <class... Format>
std::string number_text(double value, Format... format) {
  char digits[512];  // the largest double has 309 digits before its point
  const auto end = std::to_chars(digits, digits + sizeof digits, value, format...).ptr;
  return {digits, end};
}

}  // namespace detail

/// That many digits that matter, as printf's %.<digits>g in the "C" locale.
inline std::string general_text(double value, int digits) {
  return detail::number_text(value, std::chars_format::general, digits);
}

/// The shortest text that reads back as this very number: "0.0002", "60000", "1e-08".
inline std::string number_text(double x) {
  const bool plain = x > -1e15 && x < 1e15 && (x == 0 || x > 1e-5 || x < -1e-5);
  return plain ? detail::number_text(x, std::chars_format::fixed) : detail::number_text(x);
}

/// That many digits behind the point, 0 to 50, as printf's %.<digits>f in the "C" locale.
inline std::string fixed_text(double value, int digits) {
  return detail::number_text(value, std::chars_format::fixed, digits);
}

}  // namespace gan
