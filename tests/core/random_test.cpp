// Philox's published vectors; exactness, moments and independence of the fills made from it.
#include "gan/core/random.hpp"

#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/threads.hpp"

using gan::Index;
using gan::Rng;

namespace {

using Block = std::array<std::uint32_t, 4>;

template <class T>
std::vector<T> filled(std::size_t n, const std::function<void(std::span<T>)>& fill) {
  std::vector<T> values(n);
  fill(std::span<T>(values));
  return values;
}

/// Mean, variance, skewness, excess kurtosis.
struct Moments {
  double mean = 0, variance = 0, skew = 0, kurtosis = 0;
};

template <class T>
Moments moments(const std::vector<T>& values) {
  Moments m;
  const double n = static_cast<double>(values.size());
  for (const T x : values) m.mean += double(x) / n;
  double third = 0, fourth = 0;
  for (const T x : values) {
    const double d = double(x) - m.mean;
    m.variance += d * d / n, third += d * d * d / n, fourth += d * d * d * d / n;
  }
  m.skew = third / std::pow(m.variance, 1.5);
  m.kurtosis = fourth / (m.variance * m.variance) - 3;
  return m;
}

double upper_tail(double x) { return 0.5 * std::erfc(x / std::sqrt(2.0)); }

constexpr std::size_t many = 1000000;
constexpr double sigmas = 4.5;  // bound of every statistic, in its standard deviations

}  // namespace

TEST_CASE("Philox4x32-10 gives the published known answers", "[random]") {
  constexpr std::uint32_t ones = 0xffffffffu;
  STATIC_REQUIRE(gan::philox4x32_10({0, 0, 0, 0}, {0, 0}) == Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  REQUIRE(gan::philox4x32_10({ones, ones, ones, ones}, {ones, ones}) ==
          Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  REQUIRE(gan::philox4x32_10({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
          Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("Chunks of blocks are the blocks, across the carry of the position", "[random]") {
  const std::uint64_t seed = 0x299f31d0a4093822, stream = 0x0370734413198a2e, position = 0xfffffff0;
  const auto chunk = gan::detail::philox_chunk(seed, stream, position);
  for (std::uint32_t i = 0; i < gan::detail::philox_lanes; ++i) {
    const std::uint64_t at = position + i;
    const Block block = gan::philox4x32_10({std::uint32_t(at), std::uint32_t(at >> 32), 0x13198a2e, 0x03707344},
                                           {0xa4093822, 0x299f31d0});
    for (std::size_t w = 0; w < 4; ++w) REQUIRE(chunk.word[w][i] == block[w]);
  }
}

TEST_CASE("Fills are the words of the blocks: the same numbers for every compiler", "[random]") {
  Rng rng(7, 3);
  const auto word = [](std::uint32_t block, std::size_t w) { return gan::philox4x32_10({block, 0, 3, 0}, {7, 0})[w]; };
  std::vector<float> singles(200);
  rng.uniform(std::span(singles), -1.0f, 1.0f);
  const auto element = [&](std::uint32_t i) {  // lanes first, then words, then chunks
    return word(i / 128 * 32 + i % 32, i % 128 / 32);
  };
  for (std::uint32_t i = 0; i < 200; ++i) REQUIRE(singles[i] == float(element(i) >> 8) * 0x1p-23f - 1.0f);
  Rng again(7, 3);
  REQUIRE(again.uniform() == double(word(0, 0) >> 5) * 0x1p-27 + double(word(0, 1) >> 6) * 0x1p-53);
  REQUIRE(Rng(7, 3).integer(0, 1000000) == Index((word(0, 0) * 1000000ull + (word(0, 1) * 1000000ull >> 32)) >> 32));
}

TEST_CASE("Uniform numbers have the right moments and never reach the upper end", "[random]") {
  Rng rng(1);
  const auto examine = [&]<class T>(T low, T high) {
    const auto x = filled<T>(many, [&](auto out) { rng.uniform(out, low, high); });
    const double span = double(high) - double(low), n = double(many);
    const Moments m = moments(x);
    REQUIRE(std::abs(m.mean - (double(low) + double(high)) / 2) < sigmas * span / std::sqrt(12 * n));
    REQUIRE(std::abs(m.variance / (span * span / 12) - 1) < sigmas * std::sqrt(0.8 / n));
    REQUIRE(std::abs(m.skew) < sigmas * std::sqrt(6 / n));
    REQUIRE(std::abs(m.kurtosis + 1.2) < sigmas * std::sqrt(24 / n));
    const auto [least, most] = std::minmax_element(x.begin(), x.end());
    REQUIRE(*least >= low);
    REQUIRE(*most < high);
    REQUIRE(double(*least - low) < 2e-5 * span);
    REQUIRE(double(high - *most) < 2e-5 * span);
  };
  examine(0.0f, 1.0f);
  examine(-3.0f, 0.7f);
  examine(0.0, 1.0);
  examine(-0.1, 12.3);

  // A range of two steps: rounding would give the upper end half of the time.
  const float one = 1, after = std::nextafter(one, 2.0f);
  for (const float x : filled<float>(1000, [&](auto out) { rng.uniform(out, one, after); })) REQUIRE(x == one);
  const double huge = 1e300, next = std::nextafter(huge, 2e300);
  for (const double x : filled<double>(1000, [&](auto out) { rng.uniform(out, huge, next); })) REQUIRE(x == huge);
}

TEST_CASE("The last word maps below the upper end and the first to the lower end", "[random]") {
  constexpr std::uint32_t ones = 0xffffffffu;
  REQUIRE(gan::detail::UniformRange<float>(0, 1)(0) == 0.0f);
  REQUIRE(gan::detail::UniformRange<float>(0, 1)(ones) == 1 - 0x1p-24f);
  REQUIRE(gan::detail::UniformRange<double>(0, 1)(0, 0) == 0.0);
  REQUIRE(gan::detail::UniformRange<double>(0, 1)(ones, ones) == 1 - 0x1p-53);
  REQUIRE(gan::detail::UniformRange<float>(-1e6f, 3)(ones) < 3.0f);
  REQUIRE(gan::detail::UniformRange<double>(-1e6, 3)(ones, ones) < 3.0);
}

TEST_CASE("Uniform numbers of any range are low + u (high - low), whatever the compiler contracts", "[random]") {
  int contracted = 0;
  // Every product is exact, and `volatile` keeps each sum rounded by itself, as in the definition.
  for (const auto& [low, high] : {std::pair{-0.1, 12.3}, {1e-3, 1.7}, {-1e6, 3.0}, {0.1, 0.3}}) {
    const double span = high - low;
    std::uint64_t bits = 0;
    std::memcpy(&bits, &span, sizeof span);
    bits = (bits + (1u << 26)) & ~std::uint64_t{0x7FFFFFF};
    double head = 0;
    std::memcpy(&head, &bits, sizeof head);
    const double rest = span - head;
    std::vector<double> numbers(1000);
    gan::Rng rng(77);
    rng.uniform(std::span<double>(numbers), low, high);
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      const std::size_t chunk = i / 64, part = i % 64 / 32, lane = i % 32;
      const auto position = static_cast<std::uint32_t>(chunk * 32 + lane);
      const auto word = gan::philox4x32_10({position, 0, 0, 0}, {77, 0});
      const std::uint64_t a = word[2 * part] >> 5, b = word[2 * part + 1] >> 6;
      const double u = static_cast<double>(a) * 0x1p-27, v = static_cast<double>(b) * 0x1p-53;
      volatile double product[] = {u * head, u * rest, v * head, v * rest};
      volatile double sum = product[2] + product[3];
      sum = product[1] + sum;
      sum = product[0] + sum;
      sum = low + sum;
      CAPTURE(low, high, i);
      REQUIRE(numbers[i] == sum);
      const long double exact = low + (static_cast<long double>(a << 26 | b) * 0x1p-53L) * span;
      REQUIRE(std::abs(static_cast<long double>(numbers[i]) - exact) <= 0x1p-52L * std::max(std::abs(low), high));
      contracted += numbers[i] != std::fma(u + v, span, low);
    }
  }
  REQUIRE(contracted > 10);  // the simpler formula depends on it
}

TEST_CASE("Normal numbers have the right moments and tails", "[random]") {
  Rng rng(2);
  const auto examine = [&]<class T>(T mean, T stddev) {
    const auto x = filled<T>(many, [&](auto out) { rng.normal(out, mean, stddev); });
    const double n = double(many), d = double(stddev);
    const Moments m = moments(x);
    REQUIRE(std::abs(m.mean - double(mean)) < sigmas * d / std::sqrt(n));
    REQUIRE(std::abs(m.variance / (d * d) - 1) < sigmas * std::sqrt(2 / n));
    REQUIRE(std::abs(m.skew) < sigmas * std::sqrt(6 / n));
    REQUIRE(std::abs(m.kurtosis) < sigmas * std::sqrt(24 / n));
    for (const double limit : {-3.0, -1.5, -0.5, 0.0, 0.3, 1.0, 2.0, 3.5}) {
      const double expected = upper_tail(limit);
      const double found =
          double(std::count_if(x.begin(), x.end(), [&](T v) { return (double(v) - double(mean)) / d > limit; })) / n;
      REQUIRE(std::abs(found - expected) < sigmas * std::sqrt(expected * (1 - expected) / n));
    }
    double neighbors = 0, partners = 0;  // Box and Muller's pairs are 32 elements apart
    for (std::size_t i = 32; i < x.size(); ++i) {
      neighbors += (double(x[i]) - double(mean)) * (double(x[i - 1]) - double(mean)) / (d * d * n);
      partners += (double(x[i]) - double(mean)) * (double(x[i - 32]) - double(mean)) / (d * d * n);
    }
    REQUIRE(std::abs(neighbors) < sigmas / std::sqrt(n));
    REQUIRE(std::abs(partners) < sigmas / std::sqrt(n));
  };
  examine(0.0f, 1.0f);
  examine(0.0, 1.0);
  examine(2.0f, 0.5f);
  examine(-1.0, 3.0);
  for (const float x : filled<float>(100, [&](auto out) { rng.normal(out, 4.0f, 0.0f); })) REQUIRE(x == 4.0f);
}

TEST_CASE("Box and Muller's parts are exact", "[random]") {
  for (std::uint32_t a = 0; a < 0xf0000000u; a += 0x0fedcba9u) {
    const auto [x, y] = gan::detail::on_circle(2.0, a, 0x12345678u);
    REQUIRE(std::hypot(x, y) == Approx(2.0).epsilon(1e-15));
    const auto [u, v] = gan::detail::on_circle(2.0f, a, 0u);
    REQUIRE(double(u) == Approx(x).margin(4e-7));
    REQUIRE(double(v) == Approx(y).margin(4e-7));
  }
  REQUIRE(gan::detail::open_uniform<float>(0, 0) > 0.0f);
  REQUIRE(gan::detail::open_uniform<double>(0, 0) > 0.0);
  REQUIRE(gan::detail::open_uniform<float>(~0u, ~0u) == 1.0f);
  REQUIRE(gan::detail::open_uniform<double>(~0u, ~0u) == 1.0);
  for (const double tail : {1e-300, 1e-30, 1e-9, 0.001, 0.02424, 0.02426, 0.2, 0.4999, 0.5})
    REQUIRE(upper_tail(gan::detail::normal_quantile(tail)) == Approx(tail).epsilon(1e-11));
}

TEST_CASE("Bernoulli masks hold the value with the probability", "[random]") {
  Rng rng(3);
  for (const double p : {0.001, 0.2, 0.5, 0.9}) {
    const auto mask = filled<float>(many, [&](auto out) { rng.bernoulli(out, p, 2.5f); });
    const auto hits = double(std::count(mask.begin(), mask.end(), 2.5f));
    REQUIRE(hits + double(std::count(mask.begin(), mask.end(), 0.0f)) == double(many));
    REQUIRE(std::abs(hits / double(many) - p) < sigmas * std::sqrt(p * (1 - p) / double(many)));
  }
  for (const double x : filled<double>(5000, [&](auto out) { rng.bernoulli(out, 1.0); })) REQUIRE(x == 1.0);
  for (const double x : filled<double>(5000, [&](auto out) { rng.bernoulli(out, 0.0); })) REQUIRE(x == 0.0);
}

TEST_CASE("Truncated normals keep their limit and their distribution", "[random]") {
  Rng rng(4);
  const std::size_t n = 200000;
  for (const double limit : {1e-30, 1e-5, 0.01, 0.7, 2.0, 5.0}) {
    const auto x = filled<double>(n, [&](auto out) { rng.truncated_normal(out, limit); });
    const Moments m = moments(x);
    const double mass = 1 - 2 * upper_tail(limit),
                 density = std::exp(-limit * limit / 2) / std::sqrt(2 * std::acos(-1.0));
    const double variance = limit < 0.02 ? limit * limit / 3 : 1 - 2 * limit * density / mass;
    REQUIRE(std::abs(m.mean) < sigmas * std::sqrt(variance / double(n)));
    REQUIRE(m.variance == Approx(variance).epsilon(0.015));
    for (const double v : x) REQUIRE(std::abs(v) <= limit);
    const double inner = limit < 0.02 ? 0.5 : (1 - 2 * upper_tail(limit / 2)) / mass;
    const double found = double(std::count_if(x.begin(), x.end(), [&](double v) { return std::abs(v) < limit / 2; }));
    REQUIRE(std::abs(found / double(n) - inner) < sigmas * std::sqrt(inner * (1 - inner) / double(n)));
  }
  const auto wide =
      filled<float>(n, [&](auto out) { rng.truncated_normal(out, std::numeric_limits<float>::infinity()); });
  REQUIRE(moments(wide).variance == Approx(1).epsilon(0.02));
  for (const float v : wide) REQUIRE(std::isfinite(v));
}

TEST_CASE("Integers cover their range evenly", "[random]") {
  Rng rng(5);
  std::vector<Index> draws(700000), counts(7);
  rng.integers(draws, -3, 4);
  for (const Index x : draws) ++counts.at(static_cast<std::size_t>(x + 3));
  double chi_square = 0;
  for (const Index c : counts) chi_square += double((c - 100000) * (c - 100000)) / 100000;
  REQUIRE(chi_square < 27.9);  // 6 degrees of freedom, one in 10,000
  constexpr Index least = std::numeric_limits<Index>::min(), most = std::numeric_limits<Index>::max();
  rng.integers(draws, least, most);
  REQUIRE(*std::min_element(draws.begin(), draws.end()) < least / 1000 * 999);
  REQUIRE(*std::max_element(draws.begin(), draws.end()) > most / 1000 * 999);
  rng.integers(draws, 9, 10);
  REQUIRE(std::count(draws.begin(), draws.end(), 9) == Index(draws.size()));
}

TEST_CASE("The high half of a product is exact", "[random]") {
  REQUIRE(gan::multiply_high(~0ull, ~0ull) == ~0ull - 1);
  REQUIRE(gan::multiply_high(0x123456789abcdef0ull, 0xfedcba9876543210ull) == 0x121fa00ad77d7422ull);
  REQUIRE(gan::multiply_high(0x00000000ffffffffull, 0xffffffff00000001ull) == 0xfffffffeull);
}

TEST_CASE("Permutations are permutations, all equally likely", "[random]") {
  Rng rng(6);
  for (const Index n : {0, 1, 2, 1000}) {
    auto order = rng.permutation(n);
    REQUIRE(Index(order.size()) == n);
    std::sort(order.begin(), order.end());
    for (Index i = 0; i < n; ++i) REQUIRE(order[static_cast<std::size_t>(i)] == i);
  }
  std::vector<Index> counts(256);
  const Index trials = 240000;
  for (Index t = 0; t < trials; ++t) {
    const auto p = rng.permutation(4);
    ++counts[static_cast<std::size_t>(p[0] + 4 * p[1] + 16 * p[2] + 64 * p[3])];
  }
  double chi_square = 0;
  int kinds = 0;
  for (const Index c : counts)
    if (c > 0) chi_square += double((c - 10000) * (c - 10000)) / 10000, ++kinds;
  REQUIRE(kinds == 24);
  REQUIRE(chi_square < 58.7);  // 23 degrees of freedom, about one in 17,000
}

TEST_CASE("Fills do not depend on the number of threads", "[random]") {
  const gan::test::ThreadCount restore;
  const std::size_t n = 100003;
  std::vector<std::vector<double>> results;
  for (const int threads : {1, 2, 3}) {
    gan::set_threads(threads);
    Rng rng(11, 4);
    std::vector<double> all;
    const auto append = [&](const auto& part) { all.insert(all.end(), part.begin(), part.end()); };
    append(filled<float>(n, [&](auto out) { rng.uniform(out); }));
    append(filled<double>(n, [&](auto out) { rng.normal(out); }));
    append(filled<float>(n, [&](auto out) { rng.normal(out); }));
    append(filled<float>(n, [&](auto out) { rng.bernoulli(out, 0.3); }));
    append(filled<Index>(n, [&](auto out) { rng.integers(out, 0, 1000); }));
    append(filled<float>(n, [&](auto out) { rng.truncated_normal(out, 2); }));
    append(rng.permutation(Index(n)));
    append(std::vector<double>{double(rng.state().position)});
    results.push_back(all);
  }
  REQUIRE(results[0] == results[1]);
  REQUIRE(results[0] == results[2]);
}

TEST_CASE("A shorter fill is a prefix; fills in a row never share blocks", "[random]") {
  for (const std::size_t n :
       {std::size_t{1}, std::size_t{31}, std::size_t{32}, std::size_t{33}, std::size_t{128}, std::size_t{1000}}) {
    Rng a(8), b(8);
    const auto shorter = filled<float>(n, [&](auto out) { a.normal(out); });
    const auto longer = filled<float>(5000, [&](auto out) { b.normal(out); });
    REQUIRE(std::equal(shorter.begin(), shorter.end(), longer.begin()));
    REQUIRE(a.state().position == n / 128 * 32 + std::min<std::size_t>(n % 128, 32));
    REQUIRE(a.normal() != Approx(double(shorter[0])));
  }
  Rng whole(8), split(8);  // 256 is a whole number of chunks: split there, two fills are one
  const auto both = filled<float>(512, [&](auto out) { whole.uniform(out); });
  const auto first = filled<float>(256, [&](auto out) { split.uniform(out); });
  const auto second = filled<float>(256, [&](auto out) { split.uniform(out); });
  REQUIRE(std::equal(first.begin(), first.end(), both.begin()));
  REQUIRE(std::equal(second.begin(), second.end(), both.begin() + 256));
  REQUIRE(split.state() == whole.state());
  Rng empty(8);
  filled<float>(0, [&](auto out) { empty.uniform(out); });
  REQUIRE(empty.state() == Rng(8).state());
}

TEST_CASE("Single draws are fills of length 1", "[random]") {
  Rng a(9), b(9);
  REQUIRE(a.uniform() == filled<double>(1, [&](auto out) { b.uniform(out); })[0]);
  REQUIRE(a.normal() == Approx(filled<double>(1, [&](auto out) { b.normal(out); })[0]).epsilon(1e-14));
  REQUIRE(a.integer(-50, 1000) == filled<Index>(1, [&](auto out) { b.integers(out, -50, 1000); })[0]);
  REQUIRE(a.state() == b.state());
}

TEST_CASE("State can be saved, restored, and starts a generator", "[random]") {
  Rng rng(12, 34);
  filled<float>(77, [&](auto out) { rng.normal(out); });
  const gan::RngState saved = rng.state();
  REQUIRE(saved == gan::RngState{12, 34, 32});
  const auto next = filled<float>(500, [&](auto out) { rng.normal(out); });
  Rng other(saved);
  REQUIRE(filled<float>(500, [&](auto out) { other.normal(out); }) == next);
  rng.set_state(saved);
  REQUIRE(filled<float>(500, [&](auto out) { rng.normal(out); }) == next);
}

TEST_CASE("Forks, seeds and streams are uncorrelated and reproducible", "[random]") {
  const std::size_t n = 100000;
  Rng parent(21);
  std::vector<Rng> all{Rng(21), Rng(22), Rng(21, 1)};
  for (int i = 0; i < 4; ++i) all.push_back(parent.fork());
  REQUIRE(parent.state().position == 4);
  REQUIRE(all[4].state() ==
          [] {
            Rng again(21);
            again.fork();
            return again.fork();
          }()
              .state());
  all.push_back(parent);
  all.push_back(all[3].fork());
  std::vector<std::vector<double>> values;
  for (Rng& rng : all) values.push_back(filled<double>(n, [&](auto out) { rng.normal(out); }));
  for (std::size_t i = 0; i < values.size(); ++i)
    for (std::size_t j = 0; j < i; ++j) {
      double correlation = 0;
      for (std::size_t k = 0; k < n; ++k) correlation += values[i][k] * values[j][k] / double(n);
      INFO(i << " and " << j);
      REQUIRE(std::abs(correlation) < sigmas / std::sqrt(double(n)));
    }
  std::set<std::uint64_t> streams;
  for (int i = 0; i < 1000; ++i) streams.insert(parent.fork().state().stream);
  REQUIRE(streams.size() == 1000);
}

TEST_CASE("Wrong arguments of random numbers throw and say what was found", "[random]") {
  Rng rng;
  std::vector<float> out(4);
  std::vector<Index> whole(4);
  const std::span<float> to(out);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  REQUIRE_THROWS_WITH(rng.uniform(to, 2.0f, 1.0f), ContainsSubstring("[2, 1)"));
  REQUIRE_THROWS_AS(rng.uniform(to, 1.0f, 1.0f), gan::Error);
  REQUIRE_THROWS_AS(rng.uniform(to, nan, 1.0f), gan::Error);
  REQUIRE_THROWS_AS(rng.uniform(to, -3e38f, 3e38f), gan::Error);
  REQUIRE_THROWS_WITH(rng.normal(to, 0.0f, -1.0f), ContainsSubstring("stddev -1"));
  REQUIRE_THROWS_AS(rng.normal(to, nan, 1.0f), gan::Error);
  REQUIRE_THROWS_WITH(rng.bernoulli(to, 1.5), ContainsSubstring("1.5"));
  REQUIRE_THROWS_AS(rng.bernoulli(to, std::nan("")), gan::Error);
  REQUIRE_THROWS_WITH(rng.truncated_normal(to, 0.0f), ContainsSubstring("limit 0"));
  REQUIRE_THROWS_AS(rng.truncated_normal(to, nan), gan::Error);
  REQUIRE_THROWS_WITH(rng.integers(whole, 5, 5), ContainsSubstring("[5, 5)"));
  REQUIRE_THROWS_WITH(rng.integer(6, 5), ContainsSubstring("[6, 5)"));
  REQUIRE_THROWS_AS(rng.bernoulli(to, 0.5, nan), gan::Error);
  REQUIRE_THROWS_WITH(rng.permutation(-1), ContainsSubstring("-1"));
  for (const int exponent : {50, 60, 62})
    REQUIRE_THROWS_WITH(rng.permutation(Index{1} << exponent), ContainsSubstring("permutation: no memory for "));
  REQUIRE(rng.state() == Rng().state());
}
