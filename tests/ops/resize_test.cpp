// Upsampling and pixel shuffling: values, gradients, errors.
#include "gan/ops/resize.hpp"

#include <algorithm>
#include <limits>
#include <tuple>

#include "gan/ops/elementwise.hpp"
#include "support/catch.hpp"
#include "support/gradcheck.hpp"

using namespace gan;
using gan::test::random_tensor;
using gan::test::require_close;

TEST_CASE("nearest upsampling repeats pixels") {
  const Tensor<double> x({1, 2, 2, 1}, {1, 2, 3, 4});
  require_close(upsample_nearest(x, {2, 3}),
                Tensor<double>({1, 4, 6, 1}, {1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 3, 3, 3, 4, 4, 4}),
                0, "nearest");
}

TEST_CASE("bilinear upsampling interpolates between pixel centers") {
  const Tensor<double> x({1, 1, 3, 1}, {0, 4, 12});
  require_close(upsample_bilinear(x, {1, 2}), Tensor<double>({1, 1, 6, 1}, {0, 1, 3, 6, 10, 12}), 1e-15, "factor 2");
  const Tensor<double> square({1, 2, 2, 1}, {0, 4, 8, 12});
  const auto y = upsample_bilinear(square, 2);
  require_close(y, Tensor<double>({1, 4, 4, 1}, {0, 1, 3, 4, 2, 3, 5, 6, 6, 7, 9, 10, 8, 9, 11, 12}), 1e-15,
                "rows too");
  // An odd factor meets the pixels themselves; there a neighbor that is not finite must not matter.
  const Tensor<double> hole({1, 1, 2, 1}, {1, std::numeric_limits<double>::infinity()});
  const auto z = upsample_bilinear(hole, {1, 3});
  REQUIRE(z.at({0, 0, 0, 0}) == 1);
  REQUIRE(z.at({0, 0, 1, 0}) == 1);
  REQUIRE(std::isinf(z.at({0, 0, 2, 0})));
  // A linear ramp stays one between the outermost centers.
  Tensor<double> ramp({1, 9, 1, 1});
  for (Index i = 0; i < 9; ++i) ramp.mutable_data()[i] = static_cast<double>(i);
  const auto fine = upsample_bilinear(ramp, {4, 1});
  for (Index o = 2; o < 34; ++o) REQUIRE(fine.data()[o] == Approx((static_cast<double>(o) + 0.5) / 4 - 0.5));
}

TEST_CASE("pixel shuffle moves channels to pixels and back") {
  const Tensor<double> x({1, 1, 2, 8}, {0, 1, 2, 3, 4, 5, 6, 7, 10, 11, 12, 13, 14, 15, 16, 17});
  const auto y = pixel_shuffle(x, 2);
  require_close(y, Tensor<double>({1, 2, 4, 2}, {0, 1, 2, 3, 10, 11, 12, 13, 4, 5, 6, 7, 14, 15, 16, 17}), 0,
                "shuffle");
  require_close(pixel_unshuffle(y, 2), x, 0, "unshuffle");
}

TEST_CASE("upsampling of several images and channels, in several parts") {
  Rng rng(5);
  const int before = threads();
  struct {
    Index n, h, w, c, rows, columns;
  } const sizes[] = {{2, 3, 4, 3, 2, 3}, {3, 2, 1, 5, 1, 4}, {7, 20, 30, 3, 2, 2}};
  for (const auto [n, h, w, c, rows, columns] : sizes) {
    auto x = random_tensor(rng, {n, h, w, c}).set_requires_grad();
    Tensor<double> nearest({n, h * rows, w * columns, c}), bilinear(nearest.shape());
    const auto between = [](Index o, Index factor, Index length) {
      const double at = std::clamp((double(o) + 0.5) / double(factor) - 0.5, 0.0, double(length - 1));
      const Index low = static_cast<Index>(at);
      return std::tuple{low, std::min(low + 1, length - 1), at - double(low)};
    };
    for (Index i = 0; i < nearest.size(); ++i) {
      const auto at = test::unravel(nearest.shape(), i);
      nearest.mutable_data()[i] = x.at({at[0], at[1] / rows, at[2] / columns, at[3]});
      const auto [top, bottom, down] = between(at[1], rows, h);
      const auto [left, right, along] = between(at[2], columns, w);
      bilinear.mutable_data()[i] =
          (1 - down) * ((1 - along) * x.at({at[0], top, left, at[3]}) + along * x.at({at[0], top, right, at[3]})) +
          down * ((1 - along) * x.at({at[0], bottom, left, at[3]}) + along * x.at({at[0], bottom, right, at[3]}));
    }
    const auto weights = random_tensor(rng, nearest.shape());
    std::vector<Tensor<double>> first;
    for (const int count : {1, 2, 3}) {
      CAPTURE(x.shape(), count);
      set_threads(count);
      const auto a = upsample_nearest(x, {rows, columns}), b = upsample_bilinear(x, {rows, columns});
      require_close(a, nearest, 0, "nearest");
      require_close(b, bilinear, 1e-14, "bilinear");
      const std::vector<Tensor<double>> results{a, b, grad(a, x, {}, weights), grad(b, x, {}, weights)};
      if (first.empty()) first = results;
      for (std::size_t i = 0; i < results.size(); ++i) REQUIRE(test::bit_difference(results[i], first[i]) == "");
    }
    set_threads(before);
    const auto dot = [](const Tensor<double>& a, const Tensor<double>& b) { return (a.values() * b.values()).sum(); };
    REQUIRE(dot(nearest, weights) == Approx(dot(x, first[2])));
    REQUIRE(dot(bilinear, weights) == Approx(dot(x, first[3])));
  }
}

TEST_CASE("resize gradients in first and second order") {
  Rng rng(3);
  const auto check = [&](const Shape& shape, const auto& f) {
    test::check_gradients([&](const test::Inputs& in) { return f(in[0]); }, {random_tensor(rng, shape)});
    test::check_gradients([&](const test::Inputs& in) { return tanh(f(tanh(in[0]))); }, {random_tensor(rng, shape)});
  };
  check({2, 2, 3, 2}, [](const auto& x) { return upsample_nearest(x, {2, 3}); });
  check({2, 2, 3, 2}, [](const auto& x) { return upsample_bilinear(x, {2, 3}); });
  check({2, 1, 3, 2}, [](const auto& x) { return upsample_bilinear(x, {4, 1}); });
  check({2, 1, 2, 8}, [](const auto& x) { return pixel_shuffle(x, 2); });
  check({2, 3, 6, 1}, [](const auto& x) { return pixel_unshuffle(x, 3); });
}

TEST_CASE("resize names the numbers of a mistake") {
  const Tensor<float> x({2, 5, 6, 4});
  REQUIRE_THROWS_WITH(upsample_nearest(Tensor<float>({2, 5}), 2), ContainsSubstring("x [2, 5], expected"));
  REQUIRE_THROWS_WITH(upsample_bilinear(x, {2, 0}), ContainsSubstring("factor {2, 0}"));
  constexpr Index huge = Index{1} << 50;
  REQUIRE_THROWS_AS(upsample_nearest(Tensor<float>({0, huge, 1, 1}), 1 << 14), Error);
  REQUIRE_THROWS_AS(upsample_bilinear(Tensor<float>({0, huge, 1, 1}), 1 << 14), Error);
  REQUIRE_THROWS_WITH(pixel_shuffle(x, 3), ContainsSubstring("4 channels") && ContainsSubstring("3 x 3"));
  REQUIRE_THROWS_WITH(pixel_unshuffle(x, 2), ContainsSubstring("[2, 5, 6, 4]") && ContainsSubstring("multiples of 2"));
}
