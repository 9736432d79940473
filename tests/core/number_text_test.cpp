#include "gan/core/number_text.hpp"

#include <clocale>
#include <cstdio>
#include <limits>
#include <locale>
#include <string>

#include "gan/core/error.hpp"
#include "support/catch.hpp"

namespace {

/// 1.234,5 as German has it.
struct German : std::numpunct<char> {
  char do_decimal_point() const override { return ','; }
  char do_thousands_sep() const override { return '.'; }
  std::string do_grouping() const override { return "\3"; }
};

}  // namespace

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
  const std::locale before = std::locale::global(std::locale(std::locale::classic(), new German));
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
