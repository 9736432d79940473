// gan::Error is thrown with its parts joined, and only on failure.
#include "gan/core/error.hpp"

#include "support/catch.hpp"

TEST_CASE("fail joins its parts") {
  REQUIRE_THROWS_WITH(gan::fail("x ", 3, ": ", 1.5, ' ', std::string("end")), "x 3: 1.5 end");
  REQUIRE_THROWS_AS(gan::fail("x"), gan::Error);
  REQUIRE_THROWS_AS(gan::fail("x"), std::runtime_error);
}

namespace {
struct Counted {
  int* count;
  friend std::ostream& operator<<(std::ostream& out, const Counted& c) {
    ++*c.count;
    return out << "counted";
  }
};
}  // namespace

TEST_CASE("check formats its parts on failure only") {
  int count = 0;
  gan::check(true, "a ", Counted{&count});
  REQUIRE(count == 0);
  REQUIRE_THROWS_WITH(gan::check(false, "a ", Counted{&count}), "a counted");
  REQUIRE(count == 1);
}
