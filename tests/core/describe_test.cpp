#include "gan/core/describe.hpp"

#include <limits>
#include <sstream>

#include "support/catch.hpp"

TEST_CASE("numbers read back as they were") {
  CHECK(gan::number_text(0.0002) == "0.0002");
  CHECK(gan::number_text(0) == "0");
  CHECK(gan::number_text(-16) == "-16");
  CHECK(gan::number_text(1e-8) == "1e-08");
  CHECK(gan::number_text(std::numeric_limits<double>::infinity()) == "inf");
  for (const double x : {0.1 + 0.2, 1.0 / 3, 2e-5 / 7, 123456789.123456789, 1e300 / 3, 5e-320}) {
    std::istringstream text(gan::number_text(x));
    text.imbue(std::locale::classic());
    double back = 0;
    text >> back;
    CHECK(back == x);
  }
}

TEST_CASE("what says nothing of itself is custom") {
  struct Speaks {
    std::string describe() const { return gan::described("clip", {{"limit", 0.01}, {"on", 1}}); }
  };
  CHECK(gan::describe(Speaks{}) == "clip limit=0.01 on=1");
  CHECK(gan::describe(3) == "custom");
}
