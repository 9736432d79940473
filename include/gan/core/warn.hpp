// Warnings: what may be meant but usually is not, told in one line, once.
#pragma once

#include <cstdio>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <utility>

namespace gan {

/// Takes the place of printing a warning to stderr.
using WarningSink = std::function<void(const std::string& warning)>;

namespace detail {

struct Warnings {
  std::mutex mutex;
  std::set<std::string> told;
  WarningSink sink;

  static Warnings& instance() {
    static auto* warnings = new Warnings;  // never destroyed: objects of static lifetime may warn
    return *warnings;
  }
};

}  // namespace detail

/// Prints "gan: warning: <text>" to stderr, or gives the text to the sink, unless this process was told the same text
/// before. Thread-safe; never throws for a stream that cannot be written.
inline void warn_once(const std::string& text) {
  auto& warnings = detail::Warnings::instance();
  WarningSink sink;
  {
    const std::scoped_lock lock(warnings.mutex);
    constexpr std::size_t most = 1000;  // texts with numbers in them must not fill the memory of a long run
    if (warnings.told.size() >= most || !warnings.told.insert(text).second) return;
    sink = warnings.sink;
  }
  if (sink) return sink(text);
  std::fprintf(stderr, "gan: warning: %s\n", text.c_str());
}

/// Where warnings go from now on, and a memory of told warnings that is empty; an empty function means stderr. Returns
/// the sink before.
inline WarningSink set_warning_sink(WarningSink sink) {
  auto& warnings = detail::Warnings::instance();
  const std::scoped_lock lock(warnings.mutex);
  warnings.told.clear();
  return std::exchange(warnings.sink, std::move(sink));
}

}  // namespace gan
