#include "gan/core/describe.hpp"

#include "support/catch.hpp"

TEST_CASE("what says nothing of itself is custom") {
  struct Speaks {
    std::string describe() const { return gan::described("clip", {{"limit", 0.01}, {"on", 1}}); }
  };
  CHECK(gan::describe(Speaks{}) == "clip limit=0.01 on=1");
  CHECK(gan::describe(3) == "custom");
}
