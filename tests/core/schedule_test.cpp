// Schedules against their formulas.
#include "gan/core/schedule.hpp"

#include <cmath>
#include <functional>

#include "support/catch.hpp"

using namespace gan;

TEST_CASE("Schedules follow their formulas", "[schedule]") {
  REQUIRE(schedule::constant()(12345) == 1);

  const auto step = schedule::step(10, 0.5);
  REQUIRE(step(0) == 1);
  REQUIRE(step(9) == 1);
  REQUIRE(step(10) == 0.5);
  REQUIRE(step(35) == 0.125);

  const auto exponential = schedule::exponential(0.99);
  REQUIRE(exponential(0) == 1);
  REQUIRE(exponential(100) == Approx(std::exp(100 * std::log(0.99))));

  const auto cosine = schedule::cosine(100, 0.2);
  REQUIRE(cosine(0) == 1);
  REQUIRE(cosine(25) == Approx(0.2 + 0.8 * (0.5 + std::sqrt(0.125))));
  REQUIRE(cosine(50) == Approx(0.6));
  REQUIRE(cosine(100) == Approx(0.2));
  REQUIRE(cosine(1000) == Approx(0.2));

  const auto linear = schedule::linear(100);
  REQUIRE(linear(0) == 1);
  REQUIRE(linear(25) == Approx(0.75));
  REQUIRE(linear(100) == 0);
  REQUIRE(linear(101) == 0);
}

TEST_CASE("A warm-up rises to 1 and hands over", "[schedule]") {
  const auto warmup = schedule::linear_warmup(4, schedule::step(10, 0.5));
  REQUIRE(warmup(0) == 0.25);
  REQUIRE(warmup(3) == 1);
  REQUIRE(warmup(4) == 1);
  REQUIRE(warmup(13) == 1);
  REQUIRE(warmup(14) == 0.5);
  REQUIRE(schedule::linear_warmup(1)(0) == 1);
}

TEST_CASE("Schedules refuse impossible periods and factors", "[schedule]") {
  REQUIRE_THROWS_WITH(schedule::step(0, 0.5), ContainsSubstring("schedule step: 0 steps"));
  REQUIRE_THROWS_WITH(schedule::step(1, -0.5), ContainsSubstring("factor -0.5"));
  REQUIRE_THROWS_WITH(schedule::exponential(std::nan("")), ContainsSubstring("schedule exponential: factor nan"));
  REQUIRE_THROWS_WITH(schedule::step(1, std::nan("")), ContainsSubstring("factor nan"));
  REQUIRE_THROWS_WITH(schedule::cosine(10, std::nan("")), ContainsSubstring("factor nan"));
  REQUIRE_THROWS_WITH(schedule::linear(10, HUGE_VAL), ContainsSubstring("factor inf"));
  REQUIRE_THROWS_WITH(schedule::cosine(-1), ContainsSubstring("schedule cosine: -1 steps"));
  REQUIRE_THROWS_WITH(schedule::linear(0), ContainsSubstring("schedule linear: 0 steps"));
  REQUIRE_THROWS_WITH(schedule::linear(1, -1), ContainsSubstring("factor -1"));
  REQUIRE_THROWS_WITH(schedule::linear_warmup(0), ContainsSubstring("schedule linear_warmup: 0 steps"));
  REQUIRE_THROWS_WITH(schedule::linear_warmup(1, Schedule{}), ContainsSubstring("no schedule to go on with"));
}

TEST_CASE("Schedules of the whole run go by its length", "[schedule]") {
  const auto cosine = schedule::cosine(schedule::whole_run, 0.2), linear = schedule::linear(schedule::whole_run);
  REQUIRE(cosine.whole_run());
  for (const Index total : {1, 7, 400})
    for (const Index step : {0, 1, 3, 7, 19, 20, 21, 399, 400, 500}) {
      const Index still = total == 400 ? 20 : total == 7 ? 5 : 0, since = std::max<Index>(0, step - still);
      REQUIRE(cosine(step, total) == schedule::cosine(total - still, 0.2)(since));
      REQUIRE(linear(step, total) == schedule::linear(total - still)(since));
    }
  const auto warmup = schedule::linear_warmup(10, schedule::linear(schedule::whole_run));
  REQUIRE(warmup.whole_run());
  REQUIRE(warmup(4, 110) == 0.5);
  REQUIRE(warmup(9, 110) == 1);
  REQUIRE(warmup(15, 110) == 1);    // 100 steps behind it, of which 5 stand still
  REQUIRE(warmup(34, 110) == 0.8);  // 19 of 95
  REQUIRE(warmup(110, 110) == 0);
  REQUIRE(warmup(3, 5) == 0.4);
  REQUIRE_THROWS_WITH(cosine(3), ContainsSubstring("goes by the whole run"));
  REQUIRE_FALSE(schedule::cosine(100).whole_run());
  REQUIRE_FALSE(schedule::linear_warmup(4).whole_run());
}

TEST_CASE("A schedule is made of functions, and may be none", "[schedule]") {
  REQUIRE_FALSE(Schedule());
  REQUIRE_FALSE(Schedule(nullptr));
  REQUIRE_FALSE(Schedule(std::function<double(Index)>()));
  const Schedule twice = [](Index step) { return 2.0 * static_cast<double>(step); };
  Schedule copy = twice;
  REQUIRE(copy(21) == 42);
  copy = Schedule::of_whole_run([](Index step, Index planned) { return static_cast<double>(planned - step); });
  REQUIRE(copy(1, 5) == 1);  // all but one stand still
  REQUIRE(copy(5, 5) == 0);
  REQUIRE(copy(3, 100) == 95);
  REQUIRE(copy(5, 100) == 95);
  REQUIRE(copy(6, 100) == 94);
  copy = Schedule::of_whole_run([](Index step, Index planned) { return static_cast<double>(planned - step); }, false);
  REQUIRE(copy(1, 100) == 99);
}
