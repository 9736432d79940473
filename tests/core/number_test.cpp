// Numbers as text and from text, whatever the locale.
#include "gan/core/number.hpp"

#include <clocale>
#include <cstdio>
#include <limits>
#include <locale>
#include <sstream>
#include <string>

#include "gan/core/error.hpp"
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

TEST_CASE("numbers read as printf writes them in the C locale") {
  for (const double x : {0.0, -0.0, 1.0, 0.1, 1.0 / 3, -2.5e-7, 123456789.125, 6.02e23, 1e-300,
                         std::numeric_limits<double>::infinity()}) {
    char expected[512];
    std::snprintf(expected, sizeof expected, "%.9g", x);
    CHECK(gan::general_text(x, 9) == expected);
    std::snprintf(expected, sizeof expected, "%.3f", x);
    CHECK(gan::fixed_text(x, 3) == expected);
    CHECK(std::stod(gan::number_text(x)) == x);
  }
  CHECK(gan::number_text(7e-4) == "0.0007");
  CHECK(gan::fixed_text(-std::numeric_limits<double>::max(), 50).size() == 361);
}

TEST_CASE("numbers and messages do not depend on the locale") {
  const std::locale before = std::locale::global(std::locale(std::locale::classic(), new Comma));
  std::string message;
  try {
    gan::fail(12345, " and ", 0.5);
  } catch (const gan::Error& error) {
    message = error.what();
  }
  std::locale::global(before);
  CHECK(message == "12345 and 0.5");

  const char* found = nullptr;
  for (const char* name : {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "ru_RU.UTF-8", "pt_BR.UTF-8"})
    if (!found) found = std::setlocale(LC_ALL, name);
  if (!found) {
    WARN("no locale with a decimal comma is installed: printf's is not tried");
    return;
  }
  const std::string general = gan::general_text(0.5, 9), fixed = gan::fixed_text(1234.5, 2);
  std::setlocale(LC_ALL, "C");
  CHECK(general == "0.5");
  CHECK(fixed == "1234.50");
}
