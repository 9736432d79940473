// A list of types that have names: what can be chosen by name is written down in one place.
#pragma once

#include <array>
#include <cstddef>
#include <stdexcept>
#include <string_view>

namespace gan {

/// Types in an order. `for_each` calls f.template operator()<X>() with each, which a lambda `[]<class X>() {...}`
/// takes.
template <class... X>
struct TypeList {
  static constexpr std::size_t size = sizeof...(X);

  template <class F>
  static constexpr void for_each(F&& f) {
    (f.template operator()<X>(), ...);
  }
};

namespace detail {

/// Names joined with ", ", made while compiling: one that is too long does not compile.
class NameList {
 public:
  constexpr void add(std::string_view prefix, std::string_view name) {
    if (size_ > 0) append(", ");
    append(prefix);
    append(name);
  }
  constexpr std::string_view view() const { return {text_.data(), size_}; }

 private:
  constexpr void append(std::string_view part) {
    if (size_ + part.size() > text_.size()) throw std::length_error("NameList");
    for (const char c : part) text_[size_++] = c;
  }

  std::array<char, 512> text_{};
  std::size_t size_ = 0;
};

}  // namespace detail
}  // namespace gan
