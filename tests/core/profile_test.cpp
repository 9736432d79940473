// The profile counts calls, self time and arithmetic of nested scopes.
#include "gan/core/profile.hpp"

#include <thread>

#include "support/catch.hpp"

using gan::Profile;

namespace {

void spend(int milliseconds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(milliseconds);
  while (std::chrono::steady_clock::now() < end) {
  }
}

Profile::Row row(const Profile& profile, const std::string& name) {
  for (const auto& r : profile.rows())
    if (r.name == name) return r;
  return {};
}

}  // namespace

TEST_CASE("nested scopes count their own time") {
  Profile profile;
  const auto start = std::chrono::steady_clock::now();
  {
    const Profile::Scope outer("outer", 10);
    spend(4);
    for (int i = 0; i < 2; ++i) {
      const Profile::Scope inner("inner", 5);
      spend(20);
      const Profile::Scope innermost("innermost");
      spend(10);
    }
    spend(4);
  }
  const double total = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  REQUIRE(profile.rows().size() == 3);
  const auto outer = row(profile, "outer"), inner = row(profile, "inner"), innermost = row(profile, "innermost");
  REQUIRE(outer.calls == 1);
  REQUIRE(inner.calls == 2);
  REQUIRE(innermost.calls == 2);
  REQUIRE(outer.flops == 10);
  REQUIRE(inner.flops == 10);
  REQUIRE(innermost.flops == 0);
  REQUIRE(outer.seconds >= 0.008);
  REQUIRE(inner.seconds >= 0.04);
  REQUIRE(innermost.seconds >= 0.02);
  // Self times never count a moment twice.
  REQUIRE(outer.seconds + inner.seconds + innermost.seconds <= total);
  REQUIRE(outer.seconds <= total - 0.06 + 1e-4);
}

TEST_CASE("rows come most expensive first") {
  Profile profile;
  {
    const Profile::Scope cheap("a cheap one");
    spend(1);
  }
  {
    const Profile::Scope dear("b dear one");
    spend(50);
  }
  const auto rows = profile.rows();
  REQUIRE(rows.size() == 2);
  REQUIRE(rows[0].seconds >= rows[1].seconds);
  REQUIRE(rows[0].seconds >= 0.05);
}

TEST_CASE("the same scope inside itself is counted once for each moment") {
  Profile profile;
  const auto start = std::chrono::steady_clock::now();
  {
    const Profile::Scope outer("same");
    spend(5);
    const Profile::Scope inner("same");
    spend(5);
  }
  const double total = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  REQUIRE(row(profile, "same").calls == 2);
  REQUIRE(row(profile, "same").seconds >= 0.01);
  REQUIRE(row(profile, "same").seconds <= total);
}

TEST_CASE("without a profile, and on other threads, nothing is counted") {
  { const Profile::Scope scope("before"); }
  Profile profile;
  std::thread([] { const Profile::Scope scope("elsewhere"); }).join();
  REQUIRE(profile.rows().empty());
}

TEST_CASE("a profile ends with its life") {
  {
    Profile profile;
    const Profile::Scope scope("inside");
  }
  { const Profile::Scope scope("after"); }
  Profile next;
  REQUIRE(next.rows().empty());
  REQUIRE_THROWS_WITH(Profile(), "profile: another Profile of this thread is alive");
  { const Profile::Scope scope("counted"); }
  REQUIRE(next.rows().size() == 1);
}
