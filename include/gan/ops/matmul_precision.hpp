// In which precision products multiply.
#pragma once

#include <atomic>
#include <string>
#include <string_view>
#include <utility>

#include "gan/core/error.hpp"
#include "gan/core/warn.hpp"
#include "gan/ops/engine.hpp"

namespace gan {

/// How products of float tensors multiply: `highest` in float throughout, `medium` with factors rounded to bfloat16,
/// added up in float. Tensors, optimizers, norms and losses stay float, and products of double tensors never change.
/// Where the engine gains nothing by rounding on this processor, medium is highest, and says so once.
enum class Precision { highest, medium };

/// The precision of products that this thread makes: that of its newest MatmulPrecision, else what was set; `highest`
/// unless set.
Precision matmul_precision();
/// Sets it for all threads.
void set_matmul_precision(Precision precision);
/// Whether `medium` is faster than `highest` with this engine on this processor.
inline bool medium_is_faster() {
  const auto* const current = detail::current_engine().load();
  return current && current->rounds();
}

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
  if (medium_is_faster()) return true;
  warn_once("matmul precision \"medium\": engine \"" + engine() +
            "\" gains nothing by it on this processor, products stay \"highest\"");
  return false;
}

}  // namespace detail

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
