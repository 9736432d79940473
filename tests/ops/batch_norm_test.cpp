// Batch normalization in float against double: large offsets, many rows, many channels. Its layer has the other tests.
#include "gan/ops/batch_norm.hpp"

#include "gan/tensor/random.hpp"
#include "support/matchers.hpp"

using gan::Index;
using gan::Shape;
using gan::Tensor;
using gan::test::difference;

namespace {

Tensor<double> widened(const Tensor<float>& x) {
  auto y = Tensor<double>::empty(x.shape());
  y.mutable_values() = x.values().cast<double>();
  return y;
}

}  // namespace

TEST_CASE("batch norm in float is as accurate as its input") {
  gan::Rng rng(111);
  struct {
    Index rows, channels;
    double offset;
  } const cases[] = {{5000, 3, 10000}, {200000, 1, 0.1}, {100, 1500, 5000}, {64, 6272, -3}, {2, 5, 1e6}, {1000, 17, 0}};
  for (const auto [rows, channels, offset] : cases) {
    CAPTURE(rows, channels, offset);
    auto x = gan::normal<float>(rng, {rows, channels}, offset, 3).set_requires_grad();
    const auto scale = gan::uniform<float>(rng, {channels}, 0.5, 2), shift = gan::normal<float>(rng, {channels});
    const auto w = gan::normal<float>(rng, x.shape());
    auto exact_x = widened(x).set_requires_grad();
    const auto found = batch_norm(x, scale, shift);
    const auto exact = batch_norm(exact_x, widened(scale), widened(shift));
    REQUIRE(difference(found.mean, exact.mean, 3e-6) == "");
    REQUIRE(difference(found.variance, exact.variance, 1e-5, 0.1) == "");
    // One unit in the last place of x moves y by its share of a deviation.
    const double unit = std::abs(offset) * 1.2e-7;
    REQUIRE(difference(found.y, exact.y, 2e-5 + 2 * unit) == "");
    const auto gradient = grad(found.y, x, {}, w);
    const auto exact_gradient = grad(exact.y, exact_x, {}, widened(w));
    if (rows > 2) REQUIRE(difference(gradient, exact_gradient, 1e-4 + 10 * unit) == "");
  }
}

TEST_CASE("the mean of many equal rows is the row") {
  for (const Index channels : {1, 4, 1000}) {
    CAPTURE(channels);
    auto x = Tensor<float>::full({400000 / channels, channels}, 0.1f);
    x.mutable_matrix().row(0).setConstant(0.3f);  // distances are from the first row
    const auto result = batch_norm(x, Tensor<float>::ones({channels}), Tensor<float>::zeros({channels}));
    const double n = static_cast<double>(x.shape()[0]), mean = 0.1f + (0.3f - 0.1f) / n;
    REQUIRE(difference(result.mean, Tensor<double>::full({channels}, mean), 1.2e-5, 0.1) == "");
  }
}
