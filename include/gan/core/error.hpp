// gan::Error and the checks that throw it.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

namespace gan {

/// Every mistake of a user (shapes, options, files) throws this, in every build type. The message names the
/// object and holds the numbers.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Throws gan::Error with all `parts` streamed one after the other.
template <class... Parts>
[[noreturn, gnu::cold, gnu::noinline]] void fail(const Parts&... parts) {
  std::ostringstream message;
  (message << ... << parts);
  throw Error(message.str());
}

/// Throws gan::Error with `parts` unless `ok`. The parts are formatted only on failure.
template <class... Parts>
void check(bool ok, const Parts&... parts) {
  if (!ok) [[unlikely]]
    fail(parts...);
}

}  // namespace gan
