// Which library makes matrix products and convolutions.
#pragma once

#include <atomic>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "gan/core/error.hpp"
#include "gan/ops/kernels/product_engine.hpp"

namespace gan {

/// The engines that this program has: "eigen" always, "onednn" where it links the target gan::onednn.
std::vector<std::string> engines();
/// The one in use: the environment's GAN_ENGINE, else the linked one, else "eigen". Throws when GAN_ENGINE names none
/// of engines().
std::string engine();
/// Uses another from now on, in all threads. Results change in their last digits. Throws unless it is one of engines().
void set_engine(std::string_view name);

namespace detail {

/// Null for Eigen.
inline const kernels::ProductEngine* engine_named(std::string_view name, const char* who) {
  const auto* const linked = kernels::linked_engine.load();
  if (name == "eigen") return nullptr;
  if (linked && name == linked->name) return linked;
  std::string known;
  for (const auto& each : engines()) known += (known.empty() ? "\"" : ", \"") + each + '"';
  fail(who, ": engine \"", std::string(name), "\", expected one of ", known,
       name == "onednn" ? " (link the target gan::onednn)" : "");
}

/// The engine in use, null for Eigen.
inline std::atomic<const kernels::ProductEngine*>& current_engine() {
  static std::atomic<const kernels::ProductEngine*> current = [] {
    const char* const wanted = std::getenv("GAN_ENGINE");
    return wanted && *wanted ? engine_named(wanted, "GAN_ENGINE") : kernels::linked_engine.load();
  }();
  return current;
}

}  // namespace detail

inline std::vector<std::string> engines() {
  std::vector<std::string> names{"eigen"};
  if (const auto* const linked = kernels::linked_engine.load()) names.push_back(linked->name);
  return names;
}

inline std::string engine() {
  const auto* const current = detail::current_engine().load();
  return current ? current->name : "eigen";
}

inline void set_engine(std::string_view name) { detail::current_engine() = detail::engine_named(name, "set_engine"); }

}  // namespace gan
