// Warns once when a program was built in a way that makes training needlessly slow, or hides NaN.
#pragma once

#include <string>
#include <thread>

#include "gan/core/warn.hpp"

namespace gan {

/// What makes a build fast and its arithmetic that of IEEE 754, as far as this compiler and processor can tell; true
/// where they cannot.
struct BuildFacts {
  bool optimized = true;   ///< GCC and Clang, -O1 and above
  bool vectorized = true;  ///< x86-64: built for AVX2 or AVX-512, or the processor has neither
  bool threaded = true;    ///< built with OpenMP, or there is one core only
  bool ieee = true;        ///< GCC and Clang: NaN and infinity are kept (no -ffast-math, no -ffinite-math-only)
};

/// The facts of this program, on the processor it runs on.
inline BuildFacts build_facts() {
  BuildFacts facts;
#if defined(__GNUC__) && !defined(__OPTIMIZE__)
  facts.optimized = false;
#endif
#if defined(__GNUC__) && defined(__x86_64__) && !defined(__AVX2__) && !defined(__AVX512F__)
  __builtin_cpu_init();
  facts.vectorized = !__builtin_cpu_supports("avx2") && !__builtin_cpu_supports("avx512f");
#endif
#ifndef _OPENMP
  facts.threaded = std::thread::hardware_concurrency() == 1;
#endif
#if defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__
  facts.ieee = false;
#endif
  return facts;
}

/// What is slow or unsafe about such a build, and the cure, in one line; empty when nothing is.
inline std::string build_warning(const BuildFacts& facts = build_facts()) {
  std::string lacks, cures;
  const auto add = [&](bool fine, const char* lack, const char* cure) {
    if (fine) return;
    lacks += (lacks.empty() ? "" : ", ") + std::string(lack);
    cures += (cures.empty() ? "" : ", ") + std::string(cure);
  };
  add(facts.optimized, "without optimization", "-O3 (in CMake -DCMAKE_BUILD_TYPE=Release)");
  add(facts.vectorized, "without this processor's vector instructions",
      "-march=native (in CMake gan_enable_native(target))");
  add(facts.threaded, "without OpenMP", "-fopenmp (in CMake done by gan::gan where OpenMP is installed)");
  std::string warning;
  if (!lacks.empty()) warning = "built " + lacks + ": training is slower than it needs to be. Add " + cures + ".";
  if (!facts.ieee) {
    // The library's own checks look at bits and are not affected; what operations do with NaN is the compiler's choice.
    warning += std::string(warning.empty() ? "built" : " Built") +
               " with -ffast-math or -ffinite-math-only: operations may turn NaN and infinity into numbers, so that "
               "a training that failed is noticed late. Remove it, or add -fno-finite-math-only after it.";
  }
  return warning;
}

/// Warns with build_warning(), if there is one, the first time a process calls it. Every Trainer does. It is silent
/// when the macro GAN_NO_BUILD_WARNING is defined (-DGAN_NO_BUILD_WARNING, for all files of a program).
inline void warn_about_slow_build() {
#ifndef GAN_NO_BUILD_WARNING
  if (const std::string warning = build_warning(); !warning.empty()) warn_once(warning);
#endif
}

}  // namespace gan
