// gan::Error and the checks that throw it.
#pragma once

#include <initializer_list>
#include <locale>
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

/// A number that is not finite: a loss or a gradient, found before the network that it belongs to has changed, or a
/// parameter, found before it was saved.
class NotFinite : public Error {
 public:
  using Error::Error;
};

/// An Error that a layer met, whose message begins with the layer's kind and path.
class LayerError : public Error {
 public:
  using Error::Error;
};

namespace detail {

/// Something to stream into a message, without its type: a program has hundreds of different messages.
class Part {
 public:
  Part(const char* text)
      : value_(text), write_([](std::ostream& to, const void* x) { to << static_cast<const char*>(x); }) {}
  template <class T>
  Part(const T& x) : value_(&x), write_([](std::ostream& to, const void* y) { to << *static_cast<const T*>(y); }) {}

  friend std::ostream& operator<<(std::ostream& to, const Part& part) { return part.write_(to, part.value_), to; }

 private:
  const void* value_;
  void (*write_)(std::ostream&, const void*);
};

[[noreturn, gnu::cold]] inline void fail_with(std::initializer_list<Part> parts) {
  std::ostringstream message;
  message.imbue(std::locale::classic());  // 1234 and 0.5 wherever the program runs
  for (const Part& part : parts) message << part;
  throw Error(message.str());
}

}  // namespace detail

/// Throws gan::Error with all `parts` streamed one after the other.
template <class... Parts>
[[noreturn, gnu::cold, gnu::noinline]] void fail(const Parts&... parts) {
  detail::fail_with({detail::Part(parts)...});
}

/// Throws gan::Error with `parts` unless `ok`. The parts are formatted only on failure.
template <class... Parts>
void check(bool ok, const Parts&... parts) {
  if (!ok) [[unlikely]]
    fail(parts...);
}

}  // namespace gan
