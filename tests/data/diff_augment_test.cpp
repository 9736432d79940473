// Differentiable augmentation, one transformation at a time.
#include "gan/data/diff_augment.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>

#include "support/catch.hpp"
#include "support/gradcheck.hpp"

using namespace gan;
using gan::test::check_gradients;
using gan::test::random_tensor;
using gan::test::require_close;
using D = Tensor<double>;

namespace {

constexpr DiffAugmentOptions nothing{.brightness = 0, .saturation = 0, .contrast = 0, .translation = 0, .cutout = 0};

D apply(const DiffAugmentOptions& options, const D& x, std::uint64_t seed = 1) {
  Rng rng(seed);
  return DiffAugment(options)(rng, x);
}

}  // namespace

TEST_CASE("colors change by one number a sample", "[augment]") {
  Rng rng(1);
  const Index n = 200;
  const auto x = random_tensor(rng, {n, 2, 3, 3});
  const auto pixel = [](const D& t, Index i) { return t.at({i, 1, 2, 1}) - t.at({i, 0, 0, 2}); };

  auto options = nothing;
  REQUIRE(apply(options, x).is(x));
  options.brightness = 1;
  const auto shift = apply(options, x) - x;
  double low = 1, high = -1;
  for (Index i = 0; i < n; ++i) {
    REQUIRE(pixel(shift, i) == Approx(0).margin(1e-14));
    low = std::min(low, shift.at({i, 0, 0, 0}));
    high = std::max(high, shift.at({i, 0, 0, 0}));
  }
  REQUIRE((low >= -0.5 && low < -0.4 && high > 0.4 && high < 0.5));

  options = nothing;
  options.saturation = 1;
  const auto saturated = apply(options, x);
  require_close(mean(saturated, {3}), mean(x, {3}), 1e-14, "saturation keeps each pixel's mean");
  const auto ratio = (saturated - mean(saturated, {3}, true)) / (x - mean(x, {3}, true));
  for (Index i = 0; i < n; ++i) {
    REQUIRE(ratio.at({i, 1, 2, 1}) == Approx(ratio.at({i, 0, 1, 0})));
    REQUIRE((ratio.at({i, 0, 0, 0}) > -1e-12 && ratio.at({i, 0, 0, 0}) < 2 + 1e-12));
  }
  const auto gray = random_tensor(rng, {2, 3, 3, 1});
  REQUIRE(apply(options, gray).is(gray));

  options = nothing;
  options.contrast = 0.5;
  const auto contrast = apply(options, x);
  require_close(mean(contrast, {1, 2, 3}), mean(x, {1, 2, 3}), 1e-14, "contrast keeps each image's mean");
  for (Index i = 0; i < n; ++i) {
    const double factor = pixel(contrast, i) / pixel(x, i);
    REQUIRE((factor > 0.5 - 1e-9 && factor < 1.5 + 1e-9));
  }
}

TEST_CASE("translation shifts, cutout sets a rectangle to 0", "[augment]") {
  const Index n = 100, h = 8, w = 16;
  D x({n, h, w, 1});
  for (Index i = 0; i < x.size(); ++i) x.mutable_data()[i] = 1 + double(i % (h * w));
  auto options = nothing;
  options.translation = 0.125;
  const auto moved = apply(options, x);
  std::array<bool, 3> downs{};
  std::array<bool, 5> rights{};
  for (Index i = 0; i < n; ++i) {
    const Index at = static_cast<Index>(moved.at({i, 4, 8, 0})) - 1, down = 4 - at / w, right = 8 - at % w;
    REQUIRE((std::abs(down) <= 1 && std::abs(right) <= 2));
    downs[static_cast<std::size_t>(down + 1)] = rights[static_cast<std::size_t>(right + 2)] = true;
    for (Index r = 0; r < h; ++r)
      for (Index c = 0; c < w; ++c) {
        const bool inside = r - down >= 0 && r - down < h && c - right >= 0 && c - right < w;
        REQUIRE(moved.at({i, r, c, 0}) == (inside ? x.at({i, r - down, c - right, 0}) : 0));
      }
  }
  REQUIRE(std::count(downs.begin(), downs.end(), true) == 3);
  REQUIRE(std::count(rights.begin(), rights.end(), true) == 5);

  options = nothing;
  options.cutout = 0.5;
  const auto cut = apply(options, x);
  Index largest = 0;
  for (Index i = 0; i < n; ++i) {
    Index zeros = 0;
    for (Index k = 0; k < h * w; ++k) {
      const double v = cut.data()[i * h * w + k];
      REQUIRE((v == 0 || v == x.data()[i * h * w + k]));
      zeros += v == 0;
    }
    REQUIRE((zeros >= 2 * 4 && zeros <= 4 * 8));  // a quarter of it at least lies inside
    largest = std::max(largest, zeros);
  }
  REQUIRE(largest == 4 * 8);
}

TEST_CASE("augmentation is differentiable, and the same draw is the same view", "[augment]") {
  Rng rng(2);
  const auto x = random_tensor(rng, {3, 4, 4, 2}), y = random_tensor(rng, {3, 4, 4, 2});
  check_gradients([](const auto& in) { return square(apply({}, in[0])); }, {x});
  // All transformations are affine in x: the same draw on both sides of a sum.
  const auto origin = apply({}, D::zeros(x.shape()));
  require_close(apply({}, x + y) - origin, (apply({}, x) - origin) + (apply({}, y) - origin), 1e-14, "affine");
  REQUIRE(max(abs(apply({}, x, 1) - apply({}, x, 2))).item() > 0.1);
  const std::function<Tensor<float>(Rng&, const Tensor<float>&)> view = DiffAugment();
  REQUIRE(view(rng, Tensor<float>({2, 4, 4, 1})).shape() == Shape{2, 4, 4, 1});
}

TEST_CASE("each transformation is applied with its probability", "[augment]") {
  Rng rng(3);
  const auto x = random_tensor(rng, {400, 4, 4, 2});
  require_close(apply({.probability = 0}, x), x, 0, "never");
  for (int which = 0; which < 5; ++which) {
    auto options = nothing;
    *std::array{&options.brightness, &options.saturation, &options.contrast, &options.translation,
                &options.cutout}[static_cast<std::size_t>(which)] = 1;
    options.probability = 0.25;
    const auto changed = max(abs(apply(options, x) - x), {1, 2, 3});
    Index count = 0;
    for (Index i = 0; i < 400; ++i) count += changed.at({i}) > 0;
    INFO(which << ": " << count);
    REQUIRE((count > 65 && count < 135));
  }
  Rng one(9), other(9);
  DiffAugment augment({.probability = 0.5});
  augment(one, x);
  augment.set_probability(0);
  augment(other, x);
  REQUIRE(one.state() == other.state());
}

TEST_CASE("augmentation refuses options out of range and what is no image", "[augment]") {
  Rng rng(4);
  REQUIRE_THROWS_WITH(DiffAugment({.brightness = -1}), ContainsSubstring("diff augment: brightness -1"));
  REQUIRE_THROWS_WITH(DiffAugment({.cutout = 1.5}), ContainsSubstring("cutout 1.5, expected a number in [0, 1]"));
  REQUIRE_THROWS_WITH(DiffAugment({.probability = std::numeric_limits<double>::quiet_NaN()}),
                      ContainsSubstring("probability"));
  REQUIRE_THROWS_WITH(DiffAugment().set_probability(2), ContainsSubstring("probability 2"));
  REQUIRE_THROWS_WITH(DiffAugment()(rng, D({2, 16})), ContainsSubstring("x [2, 16], expected images"));
  REQUIRE_THROWS_WITH(DiffAugment()(rng, D({2, 0, 4, 1})), ContainsSubstring("x [2, 0, 4, 1]"));
}
