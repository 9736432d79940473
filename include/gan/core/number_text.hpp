// Numbers as text that does not depend on the locale: files and lines that programs read have a decimal point.
#pragma once

#include <algorithm>
#include <charconv>
#include <string>

namespace gan {

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

/// As many of them as it takes to read the same number again: 0.0007, 1e-300.
inline std::string number_text(double value) {
  const std::string shortest = detail::number_text(value, std::chars_format::scientific);
  const auto digits = std::count_if(shortest.begin(), std::find(shortest.begin(), shortest.end(), 'e'),
                                    [](char c) { return '0' <= c && c <= '9'; });
  return general_text(value, std::max(1, static_cast<int>(digits)));
}

/// That many digits behind the point, 0 to 50, as printf's %.<digits>f in the "C" locale.
inline std::string fixed_text(double value, int digits) {
  return detail::number_text(value, std::chars_format::fixed, digits);
}

}  // namespace gan
