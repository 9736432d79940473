// NaN and infinity are found by their bits, at every place of an array.
#include "gan/core/finite.hpp"

#include <limits>
#include <vector>

#include "support/catch.hpp"

TEMPLATE_TEST_CASE("NaN, infinity and finite numbers are told apart", "", float, double) {
  using Limits = std::numeric_limits<TestType>;
  for (const TestType x :
       {TestType(0), TestType(-0.0), TestType(1), -Limits::max(), Limits::max(), Limits::min(), Limits::denorm_min()}) {
    CHECK(gan::is_finite(x));
    CHECK_FALSE(gan::is_nan(x));
  }
  for (const TestType x : {Limits::infinity(), -Limits::infinity()}) {
    CHECK_FALSE(gan::is_finite(x));
    CHECK_FALSE(gan::is_nan(x));
  }
  for (const TestType x : {Limits::quiet_NaN(), -Limits::quiet_NaN(), Limits::signaling_NaN()}) {
    CHECK_FALSE(gan::is_finite(x));
    CHECK(gan::is_nan(x));
  }
}

TEMPLATE_TEST_CASE("one value that is not finite is found wherever it is", "", float, double) {
  std::vector<TestType> values(100'003, std::numeric_limits<TestType>::max());
  CHECK(gan::all_finite<TestType>(values));
  CHECK(gan::all_finite<TestType>(std::span<const TestType>()));
  for (const std::size_t at : {0u, 1u, 4095u, 4096u, 32'767u, 32'768u, 50'001u, 100'001u, 100'002u})
    for (const TestType bad :
         {std::numeric_limits<TestType>::quiet_NaN(), -std::numeric_limits<TestType>::infinity()}) {
      values[at] = bad;
      CHECK_FALSE(gan::all_finite<TestType>(values));
      values[at] = 0;
    }
}
