// Numbers from text, whatever the locale.
#include "gan/core/number.hpp"

#include <clocale>
#include <locale>

#include "support/catch.hpp"

using gan::to_number;

namespace {

/// A decimal comma and grouped digits, in C and in C++.
struct Comma : std::numpunct<char> {
  char do_decimal_point() const override { return ','; }
  char do_thousands_sep() const override { return '.'; }
  std::string do_grouping() const override { return "\3"; }
};

void require_numbers() {
  REQUIRE(to_number("0.5") == 0.5);
  REQUIRE(to_number("-1e-3") == -1e-3);
  REQUIRE(to_number("1234.25") == 1234.25);
  REQUIRE(to_number(".5") == 0.5);
  REQUIRE(to_number("7") == 7);
  REQUIRE(to_number("1E+2") == 100);
  for (const char* text : {"", " 1", "1 ", "+1", "0,5", "1.000.000", "1x", "x", "-", ".", "e5", "1e", "1-1", "nan",
                           "inf", "0x10", "1e999", "--1"}) {
    INFO('"' << text << '"');
    REQUIRE_FALSE(to_number(text));
  }
}

}  // namespace

TEST_CASE("numbers are read whole or not at all, in every locale") {
  require_numbers();
  struct Restore {
    std::locale before = std::locale();
    ~Restore() {
      std::locale::global(before);
      std::setlocale(LC_ALL, "C");
    }
  } restore;
  std::locale::global(std::locale(std::locale::classic(), new Comma));
  require_numbers();
  for (const char* name : {"de_DE.UTF-8", "fr_FR.UTF-8"}) {  // where they are installed
    std::setlocale(LC_ALL, name);
    require_numbers();
  }
}
