// Functions called between a backward pass and the step of the optimizer.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gan/tensor/named_tensors.hpp"

namespace gan {

/// What a gradient hook is given: all gradients of one player are complete and its optimizer has not stepped.
template <class T>
struct GradientEvent {
  const std::string& player;  ///< its name: "generator", "discriminator" ...
  Index step;
  const NamedTensors<T>& parameters;  ///< with their gradients, which may be changed in place
};
template <class T>
using GradientHook = std::function<void(const GradientEvent<T>&)>;

/// Names a hook, to remove it. It may outlive what the hook was added to.
class HookHandle {
 public:
  HookHandle() = default;
  explicit HookHandle(std::weak_ptr<bool> active) : active_(std::move(active)) {}

  /// The hook is not called again, from within itself too. Nothing happens the second time.
  void remove() {
    if (const auto active = active_.lock()) *active = false;
  }
  bool active() const {
    const auto active = active_.lock();
    return active && *active;
  }

 private:
  std::weak_ptr<bool> active_;
};

/// Hooks in the order they were added. One that is called may add others, which the next call includes.
template <class T>
class GradientHooks {
 public:
  HookHandle add(GradientHook<T> hook) {
    entries_.push_back({std::make_shared<bool>(true), std::make_shared<GradientHook<T>>(std::move(hook))});
    return HookHandle(entries_.back().active);
  }
  void call(const GradientEvent<T>& event) {
    std::erase_if(entries_, [](const Entry& entry) { return !*entry.active; });
    const std::size_t count = entries_.size();
    for (std::size_t i = 0; i < count; ++i)
      if (const Entry entry = entries_[i]; *entry.active) (*entry.hook)(event);
  }
  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::shared_ptr<bool> active;
    std::shared_ptr<GradientHook<T>> hook;
  };
  std::vector<Entry> entries_;
};

}  // namespace gan
