// Handwritten-looking digits with labels, drawn from pen strokes: data for tests and for machines without MNIST.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "gan/core/error.hpp"
#include "gan/core/parallel.hpp"
#include "gan/core/random.hpp"
#include "gan/data/dataset.hpp"

namespace gan {

/// Side of a digit's picture, in pixels, and the most digits of one set.
inline constexpr Index digit_side = 28;
inline constexpr Index max_digits = 10'000'000;

/// `pixels` holds [count, 28, 28] bytes, row-major, ink 255 on paper 0; `labels` the digits 0 ... 9.
struct DigitSet {
  std::vector<std::uint8_t> pixels;
  std::vector<int> labels;
  Index count = 0;
};

/// Draws `count` digits. Each is a set of smooth strokes in one of several styles of its class, with moved control
/// points, slant, rotation, stretch, a smooth distortion, a pen of varying width and pressure, and anti-aliased edges;
/// then as in MNIST (LeCun et al., 1998) scaled to a box of 20 x 20 pixels and centered by mass.
///
/// Picture and label i depend on (seed, i) alone, so a smaller set is a prefix of a larger one; pixels are equal on
/// other compilers to rounding. Every ten pictures from a multiple of ten on hold each digit once, in random order.
/// Drawn in parallel. Throws for a count outside [0, max_digits].
DigitSet draw_digits(Index count, std::uint64_t seed);

namespace detail {

struct PenPoint {
  float x, y;
};

/// A style: how often it is chosen, and its strokes as points that a smooth curve runs through, in hundredths of the
/// digit's height from the upper left corner. A repeated point is a corner, `pen_up` ends a stroke.
struct DigitStyle {
  int digit;
  float weight;
  std::span<const PenPoint> points;
};
inline constexpr PenPoint pen_up{-1, -1};

// clang-format off
inline constexpr PenPoint
    zero_round[] = {{46, 2}, {20, 6}, {4, 34}, {6, 68}, {23, 97}, {46, 95}, {64, 66}, {63, 30}, {48, 5}, {32, 3}},
    zero_narrow[] = {{36, 0}, {18, 14}, {8, 48}, {14, 84}, {30, 99}, {46, 86}, {54, 50}, {47, 15}, {34, 1}},
    one_plain[] = {{35, 0}, {34, 50}, {35, 100}},
    one_flag[] = {{22, 21}, {31, 13}, {38, 0}, {38, 0}, {38, 50}, {37, 100}},
    one_base[] = {{19, 20}, {36, 0}, {36, 0}, {36, 50}, {36, 97}, pen_up, {15, 98}, {36, 97}, {57, 98}},
    two_plain[] = {{5, 24}, {15, 7}, {37, 0}, {58, 11}, {60, 33}, {36, 66}, {3, 96}, {3, 96}, {34, 94}, {68, 96}},
    two_loop[] = {{6, 20}, {20, 4}, {44, 2}, {59, 20}, {50, 48}, {26, 80}, {8, 92}, {2, 82}, {14, 75}, {34, 86}, {54, 97}, {74, 90}},
    three_round[] = {{6, 13}, {24, 1}, {49, 5}, {56, 23}, {42, 41}, {24, 47}, {24, 47}, {50, 52}, {63, 72}, {50, 93}, {26, 100}, {3, 88}},
    three_flat[] = {{6, 4}, {34, 3}, {60, 2}, {60, 2}, {46, 22}, {30, 40}, {30, 40}, {54, 46}, {64, 68}, {52, 92}, {26, 100}, {3, 90}},
    four_open[] = {{14, 0}, {8, 28}, {4, 53}, {4, 53}, {32, 54}, {68, 50}, pen_up, {54, 4}, {52, 50}, {47, 100}},
    four_closed[] = {{47, 2}, {25, 32}, {0, 64}, {0, 64}, {35, 64}, {70, 61}, pen_up, {49, 0}, {48, 50}, {46, 100}},
    four_round[] = {{6, 4}, {1, 30}, {12, 50}, {37, 50}, {60, 38}, pen_up, {66, 0}, {60, 46}, {53, 100}},
    five_square[] = {{60, 2}, {38, 3}, {17, 3}, {17, 3}, {14, 22}, {11, 42}, {11, 42}, {34, 36}, {57, 50}, {60, 74}, {43, 96}, {20, 99}, {2, 88}},
    five_round[] = {{64, 0}, {40, 5}, {22, 10}, {22, 10}, {14, 26}, {18, 40}, {38, 48}, {53, 64}, {48, 85}, {28, 99}, {3, 94}},
    six_round[] = {{52, 2}, {28, 16}, {10, 42}, {4, 72}, {18, 96}, {42, 98}, {57, 80}, {50, 60}, {30, 54}, {8, 70}},
    six_straight[] = {{40, 0}, {21, 30}, {6, 66}, {14, 93}, {36, 100}, {54, 84}, {46, 66}, {27, 64}, {8, 79}},
    seven_plain[] = {{3, 9}, {30, 7}, {63, 3}, {63, 3}, {44, 46}, {30, 100}},
    seven_barred[] = {{3, 7}, {32, 5}, {62, 3}, {62, 3}, {42, 48}, {30, 100}, pen_up, {16, 52}, {38, 51}, {62, 47}},
    seven_serif[] = {{1, 22}, {5, 6}, {5, 6}, {34, 7}, {66, 2}, {66, 2}, {53, 28}, {41, 56}, {36, 100}},
    eight_curl[] = {{56, 14}, {32, 0}, {10, 14}, {16, 34}, {40, 51}, {58, 74}, {46, 96}, {20, 98}, {6, 80}, {20, 59}, {46, 40}, {60, 22}, {52, 8}},
    eight_circles[] = {{35, 1}, {15, 9}, {13, 31}, {32, 45}, {52, 32}, {52, 10}, {34, 0}, pen_up, {33, 45}, {8, 60}, {7, 86}, {30, 100}, {56, 86}, {55, 60}, {32, 46}},
    nine_straight[] = {{58, 16}, {42, 2}, {17, 6}, {5, 28}, {18, 47}, {42, 42}, {58, 18}, {58, 18}, {56, 55}, {50, 100}},
    nine_hook[] = {{58, 14}, {40, 0}, {15, 7}, {6, 28}, {20, 46}, {44, 40}, {59, 16}, {59, 16}, {60, 50}, {49, 84}, {27, 100}, {9, 91}};

inline constexpr DigitStyle digit_styles[] = {
    {0, 3, zero_round}, {0, 2, zero_narrow}, {1, 6, one_plain}, {1, 3, one_flag}, {1, 1, one_base}, {2, 3, two_plain},
    {2, 2, two_loop}, {3, 4, three_round}, {3, 1, three_flat}, {4, 3, four_open}, {4, 2, four_closed}, {4, 2, four_round},
    {5, 3, five_square}, {5, 2, five_round}, {6, 3, six_round}, {6, 2, six_straight}, {7, 4, seven_plain},
    {7, 2, seven_barred}, {7, 1, seven_serif}, {8, 3, eight_curl}, {8, 2, eight_circles}, {9, 3, nine_straight},
    {9, 2, nine_hook}};
// clang-format on

/// Normals and uniforms for one picture, made in bulk and handed out one by one.
class DigitDice {
 public:
  DigitDice(std::uint64_t seed, std::uint64_t stream) {
    Rng rng(seed, stream);
    rng.normal(std::span<float>(normal_));
    rng.uniform(std::span<float>(uniform_));
  }
  float normal() { return std::clamp(normal_[at_normal_++ % normal_.size()], -2.5f, 2.5f); }
  float uniform(float low, float high) { return low + (high - low) * uniform_[at_uniform_++ % uniform_.size()]; }

 private:
  std::array<float, 128> normal_;
  std::array<float, 32> uniform_;
  std::size_t at_normal_ = 0, at_uniform_ = 0;
};

/// A point of the pen's path: position, radius of the pen, and whether ink leads to it from the point before.
struct InkPoint {
  float x, y, radius;
  bool down;
};

/// The path through a style's points, each moved a little: Catmull and Rom's splines, in units of the height.
inline std::vector<InkPoint> digit_path(const DigitStyle& style, DigitDice& dice) {
  constexpr int pieces = 6;
  constexpr float wobble = 0.022f;
  std::vector<PenPoint> knots;
  std::vector<InkPoint> path;
  const auto end_stroke = [&] {
    const auto knot = [&](std::ptrdiff_t i) {
      return knots[static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(i, 0, std::ssize(knots) - 1))];
    };
    for (std::ptrdiff_t i = 0; i + 1 < std::ssize(knots); ++i) {
      const PenPoint a = knot(i - 1), b = knot(i), c = knot(i + 1), d = knot(i + 2);
      if (b.x == c.x && b.y == c.y) continue;
      for (int piece = i == 0 ? 0 : 1; piece <= pieces; ++piece) {
        const float t = float(piece) / pieces;
        const auto spline = [t](float p, float q, float r, float s) {
          return q + 0.5f * t * (r - p + t * (2 * p - 5 * q + 4 * r - s + t * (3 * (q - r) + s - p)));
        };
        path.push_back({spline(a.x, b.x, c.x, d.x), spline(a.y, b.y, c.y, d.y), 1, i + piece > 0});
      }
    }
    knots.clear();
  };
  PenPoint last = pen_up;
  for (const PenPoint point : style.points) {
    if (point.x == pen_up.x) {
      end_stroke();
    } else if (point.x == last.x && point.y == last.y) {
      knots.push_back(knots.back());
    } else {
      const float dx = wobble * dice.normal(), dy = wobble * dice.normal();
      knots.push_back({point.x / 100 + dx, point.y / 100 + dy});
    }
    last = point;
  }
  end_stroke();
  return path;
}

/// Slant, rotation, stretch and a smooth displacement, in place; sets the radii relative to the pen's width.
inline void distort_digit(std::vector<InkPoint>& path, int digit, DigitDice& dice) {
  const float slant = 0.14f + 0.18f * dice.normal(), angle = 0.07f * dice.normal();
  // A 1 is all height; a thick pen would close other digits that are too narrow.
  const float stretch =
      digit == 1 ? std::exp(0.3f * dice.normal()) : 1.12f * std::exp(0.14f * std::max(dice.normal(), -1.5f));
  const float cosine = std::cos(angle), sine = std::sin(angle);
  struct Wave {
    float across, down, phase, dx, dy;
  };
  std::array<Wave, 3> waves;
  for (Wave& wave : waves) {
    wave.across = dice.uniform(-6, 6), wave.down = dice.uniform(-6, 6), wave.phase = dice.uniform(0, 6.2831853f);
    wave.dx = 0.024f * dice.normal(), wave.dy = 0.024f * dice.normal();
  }
  const float pressure = 0.13f * dice.normal(), rhythm = dice.uniform(1, 5), phase = dice.uniform(0, 6.2831853f);
  for (InkPoint& point : path) {
    float x = (point.x - 0.33f) * stretch, y = point.y - 0.5f;
    point.radius = 1 + pressure * std::sin(rhythm * (x + 2 * y) + phase);
    x -= slant * y;
    const float turned = cosine * x - sine * y;
    y = sine * x + cosine * y;
    point.x = turned, point.y = y;
    for (const Wave& wave : waves) {
      const float height = std::sin(wave.across * turned + wave.down * y + wave.phase);
      point.x += wave.dx * height, point.y += wave.dy * height;
    }
  }
}

/// Scales the path to a box of about 20 x 20 pixels, ink included, and moves its center of mass to the middle.
inline void place_digit(std::vector<InkPoint>& path, DigitDice& dice) {
  constexpr float middle = float(digit_side) / 2, margin = 1.5f;
  const float pen = std::clamp(1.28f * std::exp(0.24f * dice.normal()), 0.75f, 2.4f);
  const auto [left, right] =
      std::minmax_element(path.begin(), path.end(), [](const auto& p, const auto& q) { return p.x < q.x; });
  const auto [top, bottom] =
      std::minmax_element(path.begin(), path.end(), [](const auto& p, const auto& q) { return p.y < q.y; });
  const float x0 = left->x, x1 = right->x, y0 = top->y, y1 = bottom->y;
  const float scale = (dice.uniform(18.8f, 20) - 2 * pen) / std::max(x1 - x0, y1 - y0);
  float mass = 0, mass_x = 0, mass_y = 0;
  for (std::size_t i = 1; i < path.size(); ++i) {
    const InkPoint &p = path[i - 1], &q = path[i];
    if (!q.down) continue;
    const float ink = std::hypot(q.x - p.x, q.y - p.y) * (p.radius + q.radius);
    mass += ink, mass_x += ink * (p.x + q.x) / 2, mass_y += ink * (p.y + q.y) / 2;
  }
  const auto shift = [&](float center, float low, float high) {
    const float edge = margin + pen - middle;
    return std::clamp(-center * scale, edge - low * scale, -edge - high * scale) + middle;
  };
  const float dx = shift(mass_x / mass, x0, x1), dy = shift(mass_y / mass, y0, y1);
  for (InkPoint& point : path) point = {point.x * scale + dx, point.y * scale + dy, point.radius * pen, point.down};
}

/// Ink of each pixel: how far its center lies within the nearest piece of the path, over a soft edge.
inline void ink_digit(const std::vector<InkPoint>& path, float strength, std::uint8_t* pixels) {
  constexpr float soft = 1.15f;
  std::array<float, digit_side * digit_side> ink{};
  for (std::size_t i = 1; i < path.size(); ++i) {
    const InkPoint &p = path[i - 1], &q = path[i];
    if (!q.down) continue;
    const float dx = q.x - p.x, dy = q.y - p.y, square = std::max(dx * dx + dy * dy, 1e-12f);
    const float reach = std::max(p.radius, q.radius) + soft / 2;
    const auto first = [&](float a, float b) { return std::max<Index>(0, Index(std::floor(std::min(a, b) - reach))); };
    const auto last = [&](float a, float b) {
      return std::min<Index>(digit_side, Index(std::ceil(std::max(a, b) + reach)));
    };
    for (Index row = first(p.y, q.y); row < last(p.y, q.y); ++row)
      for (Index column = first(p.x, q.x); column < last(p.x, q.x); ++column) {
        const float x = float(column) + 0.5f - p.x, y = float(row) + 0.5f - p.y;
        const float t = std::clamp((x * dx + y * dy) / square, 0.0f, 1.0f);
        const float ex = x - t * dx, ey = y - t * dy;
        const float depth = p.radius + t * (q.radius - p.radius) - std::sqrt(ex * ex + ey * ey);
        float& pixel = ink[static_cast<std::size_t>(row * digit_side + column)];
        pixel = std::max(pixel, depth / soft + 0.5f);
      }
  }
  for (std::size_t i = 0; i < ink.size(); ++i)
    pixels[i] = static_cast<std::uint8_t>(std::lround(255 * strength * std::min(ink[i], 1.0f)));
}

inline void draw_digit(int digit, std::uint64_t seed, Index i, std::uint8_t* pixels) {
  DigitDice dice(seed, static_cast<std::uint64_t>(i));
  float total = 0;
  for (const DigitStyle& style : digit_styles) total += style.digit == digit ? style.weight : 0;
  float choice = dice.uniform(0, total);
  const DigitStyle* chosen = nullptr;
  for (const DigitStyle& style : digit_styles) {
    if (style.digit != digit || (chosen && choice < 0)) continue;
    chosen = &style;
    choice -= style.weight;
  }
  auto path = digit_path(*chosen, dice);
  distort_digit(path, digit, dice);
  place_digit(path, dice);
  ink_digit(path, dice.uniform(0.97f, 1), pixels);
}

}  // namespace detail

inline DigitSet draw_digits(Index count, std::uint64_t seed) {
  check(count >= 0 && count <= max_digits, "draw_digits: count ", count, ", expected one in [0, ", max_digits, "]");
  constexpr Index classes = 10, area = digit_side * digit_side;
  constexpr std::uint64_t order_streams = std::uint64_t{1} << 63;  // apart from the pictures' streams
  DigitSet set;
  set.count = count;
  set.pixels.resize(static_cast<std::size_t>(count * area));
  set.labels.resize(static_cast<std::size_t>(count));
  parallel_for((count + classes - 1) / classes, 4, [&](Index begin, Index end) {
    for (Index ten = begin; ten < end; ++ten) {
      const auto order = Rng(seed, order_streams + static_cast<std::uint64_t>(ten)).permutation(classes);
      for (Index i = ten * classes; i < std::min(count, (ten + 1) * classes); ++i) {
        const int digit = static_cast<int>(order[static_cast<std::size_t>(i % classes)]);
        set.labels[static_cast<std::size_t>(i)] = digit;
        detail::draw_digit(digit, seed, i, set.pixels.data() + i * area);
      }
    }
  });
  return set;
}

/// `count` digits [28, 28, 1] with labels 0 ... 9, drawn from the seed; throws unless 1 <= count <= max_digits.
template <class T>
Dataset<T> digits_dataset(Index count, std::uint64_t seed, PixelRange range = PixelRange::minus_one_to_one) {
  auto digits = draw_digits(count, seed);
  return Dataset<T>::from_bytes({digit_side, digit_side, 1}, std::move(digits.pixels),
                                std::vector<Index>(digits.labels.begin(), digits.labels.end()), range, {.count = 10});
}

}  // namespace gan
