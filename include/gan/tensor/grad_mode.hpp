// The scopes that switch the recording of history on and off.
#pragma once

#include <utility>

namespace gan {

/// Whether operations of this thread record history.
bool grad_enabled();

/// While it lives, operations of this thread record history (`true`) or not (`false`).
class GradMode {
 public:
  explicit GradMode(bool enabled);
  ~GradMode();
  GradMode(const GradMode&) = delete;
  GradMode& operator=(const GradMode&) = delete;

 private:
  bool before_;
};

/// While it lives, operations of this thread record no history.
class NoGrad : public GradMode {
 public:
  NoGrad() : GradMode(false) {}
};

namespace detail {

inline bool& grad_flag() {
  thread_local bool enabled = true;
  return enabled;
}

}  // namespace detail

inline bool grad_enabled() { return detail::grad_flag(); }
inline GradMode::GradMode(bool enabled) : before_(std::exchange(detail::grad_flag(), enabled)) {}
inline GradMode::~GradMode() { detail::grad_flag() = before_; }

}  // namespace gan
