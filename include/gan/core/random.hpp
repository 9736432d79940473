// Counter-based random numbers: Philox4x32-10, filled in bulk and in parallel, with a state that can be saved.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <exception>
#include <limits>
#include <numbers>
#include <numeric>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "gan/core/finite.hpp"
#include "gan/core/parallel.hpp"
#include "gan/core/philox.hpp"

namespace gan {

/// All there is to an Rng: `seed` is Philox's key, `stream` and `position` are the halves of its counter.
struct RngState {
  std::uint64_t seed = 0, stream = 0, position = 0;
  bool operator==(const RngState&) const = default;
};

/// Generator of random numbers. Element i of a fill is a function of (state, i) alone: it depends neither on the number
/// of threads nor on the length of the fill, so a shorter fill from the same state is a prefix of a longer one. A fill
/// then moves `position` past the blocks it used, so two fills in a row differ from one of the joint length.
///
/// Bits, uniforms, Bernoulli masks, integers and permutations are the same for every compiler and machine (no
/// fast-math); normals are the same to the rounding of log and square root and of fused multiply-adds.
///
/// `T` is float or double. One object must not be used by two threads at once; fork() one for each.
class Rng {
 public:
  explicit Rng(std::uint64_t seed = 0, std::uint64_t stream = 0) : state_{seed, stream, 0} {}
  explicit Rng(const RngState& state) : state_(state) {}

  RngState state() const { return state_; }
  void set_state(const RngState& state) { state_ = state; }

  /// Generator with the same seed and a stream that is a hash of this one's state, which moves on by one block: its
  /// numbers are others than this one's and than those of other forks.
  Rng fork();

  /// Uniform in [low, high), `high` itself never, in steps of 2^-24 (float) or 2^-53 (double) of the range. Throws
  /// unless low < high and 2 (high - low) is finite.
  template <class T>
  void uniform(std::span<T> out, T low = 0, T high = 1);

  /// Normal, by the method of Box and Muller. Largest |x - mean| / stddev: 6.7 (float), 8.6 (double). Throws unless
  /// the mean is finite and the deviation finite and not negative.
  template <class T>
  void normal(std::span<T> out, T mean = 0, T stddev = 1);

  /// `value` with probability p (to 2^-33), else 0. Throws unless 0 <= p <= 1, and for a value that is NaN.
  template <class T>
  void bernoulli(std::span<T> out, double p, T value = 1);

  /// N(0, 1) conditioned on |x| <= limit, by inverting the distribution function: no rejection, so any limit > 0 takes
  /// the same time. Throws unless limit > 0; infinity is allowed.
  template <class T>
  void truncated_normal(std::span<T> out, std::type_identity_t<T> limit);

  /// Integers in [low, high); probabilities are equal to (high - low) 2^-64. Throws when the range is empty.
  void integers(std::span<Index> out, Index low, Index high);

  /// The numbers 0 ... n-1 in random order (Fisher and Yates). Throws for negative n, and without memory for 16 n
  /// bytes.
  std::vector<Index> permutation(Index n);

  /// Single draws: uniform in [0, 1), standard normal, integer in [low, high). Each is what a fill of length
  /// 1 gives, normals to rounding.
  double uniform();
  double normal();
  Index integer(Index low, Index high);

 private:
  template <int per_block, class T, class Make>
  void fill(std::span<T> out, Make make);
  std::array<std::uint32_t, 4> next_block();

  RngState state_;
};

namespace detail {

/// Signed conversions are vector instructions everywhere, unsigned ones are not.
template <class T>
T to_real(std::uint32_t word) {
  return static_cast<T>(static_cast<std::int32_t>(word));
}

/// Maps words to low + u (high - low) so that every product is exact: contraction to fused multiply-adds then changes
/// nothing, and the result is the same for every compiler.
template <class T>
class UniformRange {
 public:
  UniformRange(T low, T high) : low_(low), last_(std::nextafter(high, low)) {
    const T span = high - low;
    if constexpr (std::is_same_v<T, float>) {
      high_part_ = span;
    } else {  // 26 significant bits each
      high_part_ = std::bit_cast<double>((std::bit_cast<std::uint64_t>(span) + (1u << 26)) & ~std::uint64_t{0x7FFFFFF});
      low_part_ = span - high_part_;
    }
  }
  /// float: 24 bits of `a`.
  T operator()(std::uint32_t a) const {
    return std::min(static_cast<T>(double(low_) + to_real<double>(a >> 8) * 0x1p-24 * high_part_), last_);
  }
  /// double: 27 bits of `a` and 26 of `b`.
  T operator()(std::uint32_t a, std::uint32_t b) const {
    const double u = to_real<double>(a >> 5) * 0x1p-27, v = to_real<double>(b >> 6) * 0x1p-53;
    return std::min(low_ + (u * high_part_ + (u * low_part_ + (v * high_part_ + v * low_part_))), last_);
  }

 private:
  T low_, last_;
  double high_part_ = 0, low_part_ = 0;
};

/// sin(a) and cos(a) by Taylor's series, exact to rounding for |a| <= pi / 4; plain arithmetic, hence vector code.
template <class T, std::size_t... k>
std::pair<T, T> sine_cosine(T a, std::index_sequence<k...>) {
  constexpr auto terms = sizeof...(k);
  const T square = -a * a;
  T sine = 1, cosine = 1;
  ((sine = 1 + square * T(1.0 / double((2 * (terms - k)) * (2 * (terms - k) + 1))) * sine,
    cosine = 1 + square * T(1.0 / double((2 * (terms - k)) * (2 * (terms - k) - 1))) * cosine),
   ...);
  return {a * sine, cosine};
}

/// u in (0, 1] with 31 bits (float) or 53 (double), as small as 2^-32 or 2^-53: decides how far out normals reach.
template <class T>
T open_uniform(std::uint32_t a, std::uint32_t b) {
  if constexpr (std::is_same_v<T, float>)
    return to_real<T>(a >> 1) * T(0x1p-31) + T(0x1p-32);
  else
    return to_real<T>(a >> 5) * T(0x1p-27) + (to_real<T>(b >> 6) + T(1)) * T(0x1p-53);
}

/// A point of the circle: two bits choose the quarter, the others an angle within 45 degrees of its middle.
template <class T>
std::pair<T, T> on_circle(T radius, std::uint32_t a, std::uint32_t b) {
  constexpr bool single = std::is_same_v<T, float>;
  T turn = to_real<T>(a << 2) * T(0x1p-31);
  if constexpr (!single) turn += to_real<T>(b >> 1) * T(0x1p-60);
  const auto [sine, cosine] =
      sine_cosine(turn * (std::numbers::pi_v<T> / 4), std::make_index_sequence < single ? 4 : 8 > ());
  const T signed_radius = a & 0x40000000u ? -radius : radius;
  const bool swap = a >> 31;
  return {signed_radius * (swap ? sine : cosine), signed_radius * (swap ? cosine : sine)};
}

/// Box and Muller's transform of a chunk into 128 floats or 64 doubles.
template <class T>
void normal_chunk(const PhiloxChunk& chunk, T mean, T stddev, T* out) {
  constexpr int lanes = philox_lanes, pairs = std::is_same_v<T, float> ? 2 : 1;
  const auto& word = chunk.word;
  Eigen::Array<T, pairs * lanes, 1> radius;
  for (int p = 0; p < pairs; ++p)
    for (int i = 0; i < lanes; ++i) radius[p * lanes + i] = open_uniform<T>(word[2 * p][i], word[1][i]);
  radius = (T(-2) * radius.log()).max(T(0)).sqrt() * stddev;
  for (int p = 0; p < pairs; ++p)
    for (int i = 0; i < lanes; ++i) {
      const auto [x, y] = on_circle(radius[p * lanes + i], word[pairs == 2 ? 2 * p + 1 : 2][i], word[3][i]);
      out[2 * p * lanes + i] = mean + x;
      out[(2 * p + 1) * lanes + i] = mean + y;
    }
}

/// The x >= 0 with P(N(0, 1) > x) = tail, for 0 < tail <= 1/2: Acklam's rational approximation (relative error 1e-9)
/// and one step of Halley's method.
inline double normal_quantile(double tail) {
  double x = 0;
  if (tail < 0.02425) {
    const double q = std::sqrt(-2 * std::log(tail));
    x = -(((((-7.784894002430293e-03 * q - 3.223964580411365e-01) * q - 2.400758277161838e+00) * q -
            2.549732539343734e+00) *
               q +
           4.374664141464968e+00) *
              q +
          2.938163982698783e+00) /
        ((((7.784695709041462e-03 * q + 3.224671290700398e-01) * q + 2.445134137142996e+00) * q +
          3.754408661907416e+00) *
             q +
         1);
  } else {
    const double q = 0.5 - tail, r = q * q;
    x = (((((-3.969683028665376e+01 * r + 2.209460984245205e+02) * r - 2.759285104469687e+02) * r +
           1.383577518672690e+02) *
              r -
          3.066479806614716e+01) *
             r +
         2.506628277459239e+00) *
        q /
        (((((-5.447609879822406e+01 * r + 1.615858368580409e+02) * r - 1.556989798598866e+02) * r +
           6.680131188771972e+01) *
              r -
          1.328068155288572e+01) *
             r +
         1);
  }
  const double error = tail - 0.5 * std::erfc(x / std::numbers::sqrt2);
  const double step = error * std::sqrt(2 * std::numbers::pi) * std::exp(x * x / 2);
  return x - step / (1 + x * step / 2);
}

}  // namespace detail

template <int per_block, class T, class Make>
void Rng::fill(std::span<T> out, Make make) {
  constexpr Index lanes = detail::philox_lanes, length = per_block * lanes;
  const Index n = static_cast<Index>(out.size());
  const RngState state = state_;
  parallel_for((n + length - 1) / length, 4096 / length, [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      const auto chunk =
          detail::philox_chunk(state.seed, state.stream, state.position + static_cast<std::uint64_t>(i * lanes));
      T* at = out.data() + i * length;
      const Index rest = n - i * length;
      if (rest >= length) {
        make(chunk, at);
      } else {
        T whole[length];
        make(chunk, whole);
        std::copy_n(whole, rest, at);
      }
    }
  });
  // Lanes come first within a chunk: a rest shorter than the lanes used one block an element.
  state_.position += static_cast<std::uint64_t>(n / length * lanes + std::min(n % length, lanes));
}

inline std::array<std::uint32_t, 4> Rng::next_block() {
  const std::uint64_t at = state_.position++;
  return philox4x32_10(
      {detail::low_word(at), detail::high_word(at), detail::low_word(state_.stream), detail::high_word(state_.stream)},
      {detail::low_word(state_.seed), detail::high_word(state_.seed)});
}

inline Rng Rng::fork() {
  const auto word = next_block();
  return Rng(state_.seed, detail::join(word[0], word[1]));
}

template <class T>
void Rng::uniform(std::span<T> out, T low, T high) {
  check(is_finite(low) && is_finite(high) && low < high && is_finite(2 * (high - low)), "uniform: range [", low, ", ",
        high, "), expected low < high and finite numbers");
  const detail::UniformRange<T> range(low, high);
  constexpr bool single = std::is_same_v<T, float>;
  fill<single ? 4 : 2>(out, [range](const detail::PhiloxChunk& chunk, T* to) {
    for (int part = 0; part < (single ? 4 : 2); ++part)
      for (int i = 0; i < detail::philox_lanes; ++i)
        if constexpr (single)
          to[part * detail::philox_lanes + i] = range(chunk.word[part][i]);
        else
          to[part * detail::philox_lanes + i] = range(chunk.word[2 * part][i], chunk.word[2 * part + 1][i]);
  });
}

template <class T>
void Rng::normal(std::span<T> out, T mean, T stddev) {
  check(is_finite(mean) && is_finite(stddev) && stddev >= 0, "normal: mean ", mean, ", stddev ", stddev,
        ", expected finite numbers and a stddev of at least 0");
  fill<std::is_same_v<T, float> ? 4 : 2>(
      out, [mean, stddev](const detail::PhiloxChunk& chunk, T* to) { detail::normal_chunk(chunk, mean, stddev, to); });
}

template <class T>
void Rng::bernoulli(std::span<T> out, double p, T value) {
  check(is_finite(p) && p >= 0 && p <= 1, "bernoulli: probability ", p, ", expected one in [0, 1]");
  check(!is_nan(value), "bernoulli: the value is ", value);
  const auto count = static_cast<std::uint64_t>(std::round(p * 0x1p32));  // of the words that mean `value`
  const std::uint32_t last = detail::low_word(count - 1);
  const T hit = count == 0 ? T(0) : value;
  fill<4>(out, [last, hit](const detail::PhiloxChunk& chunk, T* to) {
    const T on = hit;  // a copy that `to` cannot alias
    for (int part = 0; part < 4; ++part)
      for (int i = 0; i < detail::philox_lanes; ++i)
        to[part * detail::philox_lanes + i] = chunk.word[part][i] <= last ? on : T(0);
  });
}

template <class T>
void Rng::truncated_normal(std::span<T> out, std::type_identity_t<T> limit) {
  check(!is_nan(limit) && limit > 0, "truncated_normal: limit ", limit, ", expected a positive one");
  const double smallest = 0.5 * std::erfc(double(limit) / std::numbers::sqrt2), range = 0.5 - smallest;
  fill<2>(out, [=](const detail::PhiloxChunk& chunk, T* to) {
    for (int part = 0; part < 2; ++part)
      for (int i = 0; i < detail::philox_lanes; ++i) {
        const std::uint32_t a = chunk.word[2 * part][i], b = chunk.word[2 * part + 1][i];  // one bit is the sign
        const double u =
            (detail::to_real<double>(a >> 5) + (detail::to_real<double>(b >> 6) + 0.5) * 0x1p-26) * 0x1p-27;
        // Within 1e-4 of 0 the density is flat to 5e-9, and the differences of tails would lose digits.
        const double x = limit < T(1e-4) ? double(limit) * u : detail::normal_quantile(smallest + u * range);
        const T magnitude = std::min(static_cast<T>(x), limit);
        to[part * detail::philox_lanes + i] = b & 1 ? -magnitude : magnitude;
      }
  });
}

inline void Rng::integers(std::span<Index> out, Index low, Index high) {
  check(low < high, "integers: range [", low, ", ", high, ") is empty");
  const std::uint64_t first = static_cast<std::uint64_t>(low), range = static_cast<std::uint64_t>(high) - first;
  fill<2>(out, [first, range](const detail::PhiloxChunk& chunk, Index* to) {
    for (int part = 0; part < 2; ++part)
      for (int i = 0; i < detail::philox_lanes; ++i)
        to[part * detail::philox_lanes + i] = static_cast<Index>(
            first + multiply_high(detail::join(chunk.word[2 * part][i], chunk.word[2 * part + 1][i]), range));
  });
}

inline std::vector<Index> Rng::permutation(Index n) {
  check(n >= 0, "permutation: ", n, " numbers, expected at least 0");
  std::vector<Index> order, bits;
  try {
    order.resize(static_cast<std::size_t>(n));
    bits.resize(order.size());
  } catch (const std::exception&) {
    fail("permutation: no memory for ", n, " numbers");
  }
  std::iota(order.begin(), order.end(), Index{0});
  integers(bits, std::numeric_limits<Index>::min(), std::numeric_limits<Index>::max());
  for (std::size_t i = order.size(); i > 1; --i)
    std::swap(order[i - 1], order[multiply_high(static_cast<std::uint64_t>(bits[i - 1]), i)]);
  return order;
}

inline double Rng::uniform() {
  const auto word = next_block();
  return detail::UniformRange<double>(0, 1)(word[0], word[1]);
}

inline double Rng::normal() {
  const auto word = next_block();
  const double radius = std::sqrt(-2 * std::log(detail::open_uniform<double>(word[0], word[1])));
  return detail::on_circle(radius, word[2], word[3]).first;
}

inline Index Rng::integer(Index low, Index high) {
  check(low < high, "integer: range [", low, ", ", high, ") is empty");
  const std::uint64_t first = static_cast<std::uint64_t>(low), range = static_cast<std::uint64_t>(high) - first;
  const auto word = next_block();
  return static_cast<Index>(first + multiply_high(detail::join(word[0], word[1]), range));
}

}  // namespace gan
