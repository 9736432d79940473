// Comparing tensors so that a failure says where they differ, what was found there and what was expected.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <sstream>
#include <string>

#include "gan/core/finite.hpp"
#include "gan/tensor/tensor.hpp"
#include "support/catch.hpp"
#include "support/reference.hpp"

namespace gan::test {

namespace detail {

/// What differs, for `equal(i)` and `error(i)` of flat index i; "" when nothing does.
template <class T, class U, class Equal, class Error>
std::string describe(const Tensor<T>& found, const Tensor<U>& expected, Equal equal, Error error) {
  std::ostringstream text;
  text.precision(17);
  if (found.shape() != expected.shape()) {
    text << "shape " << found.shape() << ", expected " << expected.shape();
    return text.str();
  }
  Index first = -1, worst = -1, count = 0;
  for (Index i = 0; i < found.size(); ++i) {
    if (equal(i)) continue;
    if (count++ == 0) first = worst = i;
    if (!(error(i) <= error(worst))) worst = i;
  }
  const auto tell = [&](const char* what, Index i) {
    text << what << " at [";
    const auto index = unravel(found.shape(), i);
    for (std::size_t axis = 0; axis < index.size(); ++axis) text << (axis ? ", " : "") << index[axis];
    text << "]: found " << found.data()[i] << ", expected " << expected.data()[i];
  };
  if (count == 0) return {};
  tell("first", first);
  if (worst != first) tell("; worst", worst);
  text << "; " << count << " of " << found.size() << " elements";
  return text.str();
}

}  // namespace detail

/// "" when the shapes are equal and every |found - expected| <= tolerance * max(floor, |expected|), where a NaN equals
/// a NaN only; else the first and the worst difference. To be used as REQUIRE(difference(...) == "").
template <class T, class U>
std::string difference(const Tensor<T>& found, const Tensor<U>& expected, double tolerance = 0, double floor = 1) {
  const auto error = [&](Index i) {
    const double a = static_cast<double>(found.data()[i]), b = static_cast<double>(expected.data()[i]);
    if (a == b || (is_nan(a) && is_nan(b))) return 0.0;
    return std::abs(a - b) / std::max(floor, std::abs(b));
  };
  return detail::describe(
      found, expected, [&](Index i) { return error(i) <= tolerance; }, error);
}

/// The same for bits: -0 is not 0.
template <class T>
std::string bit_difference(const Tensor<T>& found, const Tensor<T>& expected) {
  const auto equal = [&](Index i) { return std::memcmp(found.data() + i, expected.data() + i, sizeof(T)) == 0; };
  return detail::describe(found, expected, equal, [](Index) { return 0; });
}

template <class T, class U>
void require_close(const Tensor<T>& found, const Tensor<U>& expected, double tolerance, const std::string& what) {
  INFO(what);
  REQUIRE(difference(found, expected, tolerance) == "");
}

}  // namespace gan::test
