// A warning is told once, to whoever listens.
#include "gan/core/warn.hpp"

#include "support/catch.hpp"
#include "support/warnings.hpp"

TEST_CASE("the same warning is told once, another one too") {
  const gan::test::CollectWarnings warnings;
  gan::warn_once("a");
  gan::warn_once("a");
  gan::warn_once("b");
  CHECK(warnings.texts() == std::vector<std::string>{"a", "b"});
  CHECK(warnings.count("b") == 1);
}

TEST_CASE("a new sink has been told nothing") {
  const gan::test::CollectWarnings first;
  gan::warn_once("a");
  {
    const gan::test::CollectWarnings second;
    gan::warn_once("a");
    CHECK(second.count("a") == 1);
  }
  gan::warn_once("a");
  CHECK(first.count("a") == 2);
}
