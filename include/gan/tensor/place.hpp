// Where in a network an operation is called.
#pragma once

#include <memory>
#include <string>
#include <utility>

namespace gan {

/// Path of a layer; null outside of one.
using Place = std::shared_ptr<const std::string>;

/// While it lives, what this thread records carries that place, which must outlive it.
class PlaceScope {
 public:
  explicit PlaceScope(const Place& place) : before_(std::exchange(current(), &place)) {}
  ~PlaceScope() { current() = before_; }
  PlaceScope(const PlaceScope&) = delete;
  PlaceScope& operator=(const PlaceScope&) = delete;

  /// That of the newest scope of this thread; null without one.
  static const Place*& current() {
    thread_local const Place* place = nullptr;
    return place;
  }

 private:
  const Place* before_;
};

}  // namespace gan
