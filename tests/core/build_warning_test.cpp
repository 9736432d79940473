// A slow or unsafe build is told of once, with the cure for what it lacks and for nothing else.
#include "gan/core/build_warning.hpp"

#include "support/catch.hpp"
#include "support/warnings.hpp"

using gan::build_warning;

TEST_CASE("a fast build has no warning") { CHECK(build_warning({}).empty()); }

TEST_CASE("the warning names what is lacking and its cure") {
  const std::string slow = build_warning({.optimized = false});
  CHECK_THAT(slow, ContainsSubstring("without optimization") && ContainsSubstring("-O3"));
  CHECK(slow.find("OpenMP") == std::string::npos);
  CHECK(slow.find("vector") == std::string::npos);

  const std::string scalar = build_warning({.vectorized = false});
  CHECK_THAT(scalar, ContainsSubstring("vector instructions") && ContainsSubstring("gan_enable_native(target)"));
  CHECK(scalar.find("-O3") == std::string::npos);
  CHECK(scalar.find("OpenMP") == std::string::npos);

  const std::string single = build_warning({.threaded = false});
  CHECK_THAT(single, ContainsSubstring("without OpenMP") && ContainsSubstring("-fopenmp"));
  CHECK(single.find("-O3") == std::string::npos);
  CHECK(single.find("vector") == std::string::npos);

  const std::string finite = build_warning({.ieee = false});
  CHECK_THAT(finite, ContainsSubstring("-ffast-math") && ContainsSubstring("-fno-finite-math-only"));
  CHECK_THAT(finite, ContainsSubstring("NaN"));
  CHECK(finite.find("slower") == std::string::npos);
  CHECK(finite.find("-O3") == std::string::npos);

  const std::string all = build_warning({.optimized = false, .vectorized = false, .threaded = false, .ieee = false});
  for (const char* part : {"without optimization", "vector instructions", "without OpenMP", "-O3", "gan_enable_native",
                           "-fopenmp", "Built with -ffast-math", "-fno-finite-math-only"})
    CHECK_THAT(all, ContainsSubstring(part));
  CHECK(all.find('\n') == std::string::npos);
}

TEST_CASE("the facts are those of the compiler's macros") {
  const gan::BuildFacts facts = gan::build_facts();
#if !defined(__GNUC__) || defined(__OPTIMIZE__)
  CHECK(facts.optimized);
#else
  CHECK(!facts.optimized);
#endif
#if !defined(__x86_64__) || defined(__AVX2__) || defined(__AVX512F__)
  CHECK(facts.vectorized);
#endif
#ifdef _OPENMP
  CHECK(facts.threaded);
#endif
#if defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__
  CHECK(!facts.ieee);
#else
  CHECK(facts.ieee);
#endif
}

TEST_CASE("a process warns about its own build once") {
  const gan::test::CollectWarnings warnings;
  const std::string warning = build_warning();
  gan::warn_about_slow_build();
  gan::warn_about_slow_build();
#ifdef GAN_NO_BUILD_WARNING
  CHECK(warnings.texts().empty());
#else
  CHECK(warnings.texts() == (warning.empty() ? std::vector<std::string>{} : std::vector<std::string>{warning}));
#endif
}
