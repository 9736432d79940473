// Collects the library's warnings while it lives.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "gan/core/warn.hpp"

namespace gan::test {

class CollectWarnings {
 public:
  CollectWarnings() : before_(set_warning_sink([this](const std::string& text) { texts_.push_back(text); })) {}
  ~CollectWarnings() { set_warning_sink(before_); }
  CollectWarnings(const CollectWarnings&) = delete;
  CollectWarnings& operator=(const CollectWarnings&) = delete;

  const std::vector<std::string>& texts() const { return texts_; }
  /// Number of warnings that hold this text.
  std::ptrdiff_t count(const std::string& part) const {
    return std::count_if(texts_.begin(), texts_.end(),
                         [&](const std::string& text) { return text.find(part) != std::string::npos; });
  }

 private:
  std::vector<std::string> texts_;
  WarningSink before_;
};

}  // namespace gan::test
