// What objectives and penalties may say of themselves, and need not.
#pragma once

#include <type_traits>

namespace gan::detail {

/// ask(x), or `otherwise` for an x of a type that ask() does not take, since it has no such member.
template <class X, class Ask>
constexpr bool ask_or(const X& x, bool otherwise, Ask ask) {
  if constexpr (std::is_invocable_v<Ask, const X&>)
    return ask(x);
  else
    return otherwise;
}

/// Throws for options out of range, where x can tell.
template <class X>
void check_options_of(const X& x) {
  if constexpr (requires { x.check_options(); }) x.check_options();
}

}  // namespace gan::detail
