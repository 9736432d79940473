// Which library makes matrix products and convolutions, and in which precision.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gan/core/error.hpp"
#include "gan/core/warn.hpp"
#include "gan/ops/kernels/product_engine.hpp"

namespace gan {

/// The engines that this program has: "eigen" always, "onednn" where it links the target gan::onednn.
std::vector<std::string> engines();
/// The one in use: the environment's GAN_ENGINE, else the linked one, else "eigen". Throws when GAN_ENGINE names none
/// of engines().
std::string engine();
/// Uses another from now on, in all threads. Results change in their last digits. Throws unless it is one of engines().
void set_engine(std::string_view name);

/// How products of float tensors multiply: `highest` in float throughout, `medium` with factors rounded to bfloat16,
/// added up in float. Tensors, optimizers, norms and losses stay float, and products of double tensors never change.
/// Where the engine gains nothing by rounding on this processor, medium is highest, and says so once.
enum class Precision { highest, medium };

/// The precision of products that this thread makes: that of its newest MatmulPrecision, else what was set; `highest`
/// unless set.
Precision matmul_precision();
/// Sets it for all threads.
void set_matmul_precision(Precision precision);

/// While it lives, products of this thread have that precision.
class MatmulPrecision {
 public:
  explicit MatmulPrecision(Precision precision);
  ~MatmulPrecision();
  MatmulPrecision(const MatmulPrecision&) = delete;
  MatmulPrecision& operator=(const MatmulPrecision&) = delete;

 private:
  int before_;
};

/// "highest" or "medium", and the way back, which throws for other names.
inline std::string to_string(Precision precision) { return precision == Precision::medium ? "medium" : "highest"; }
Precision precision_named(std::string_view name);

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

inline std::atomic<Precision>& precision_of_all() {
  static std::atomic<Precision> precision{Precision::highest};
  return precision;
}

/// That of the newest scope; -1 without one.
inline int& precision_of_thread() {
  thread_local int precision = -1;
  return precision;
}

/// Whether products are to be made of rounded factors now.
inline bool rounds_products() {
  if (matmul_precision() == Precision::highest) return false;
  const auto* const current = current_engine().load();
  if (current && current->rounds()) return true;
  warn_once("matmul precision \"medium\": engine \"" + engine() +
            "\" gains nothing by it on this processor, products stay \"highest\"");
  return false;
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

inline Precision matmul_precision() {
  const int own = detail::precision_of_thread();
  return own < 0 ? detail::precision_of_all().load(std::memory_order_relaxed) : static_cast<Precision>(own);
}

inline void set_matmul_precision(Precision precision) { detail::precision_of_all() = precision; }

inline MatmulPrecision::MatmulPrecision(Precision precision)
    : before_(std::exchange(detail::precision_of_thread(), static_cast<int>(precision))) {}
inline MatmulPrecision::~MatmulPrecision() { detail::precision_of_thread() = before_; }

inline Precision precision_named(std::string_view name) {
  if (name == "highest") return Precision::highest;
  if (name == "medium") return Precision::medium;
  fail("matmul precision \"", std::string(name), "\", expected \"highest\" or \"medium\"");
}

}  // namespace gan
