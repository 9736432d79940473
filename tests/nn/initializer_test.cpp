// Initializers: fans of dense and convolution weights, moments, ranges.
#include "gan/nn/initializer.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include "gan/nn/module.hpp"
#include "support/catch.hpp"

using gan::Initializer;
using gan::Rng;
using gan::Shape;
using gan::init::fans;

namespace {

struct Moments {
  double mean = 0, variance = 0, largest = 0, kurtosis = 0;
};

template <class T>
Moments moments(const Initializer& initializer, const Shape& shape) {
  Rng rng(3);
  std::vector<T> values(static_cast<std::size_t>(shape.size()), T(-77));
  initializer(rng, shape, std::span<T>(values));
  Moments m;
  const double n = double(values.size());
  for (const T v : values) m.mean += double(v) / n, m.largest = std::max(m.largest, std::abs(double(v)));
  for (const T v : values) m.variance += std::pow(double(v) - m.mean, 2) / n;
  for (const T v : values) m.kurtosis += std::pow(double(v) - m.mean, 4) / (n * m.variance * m.variance);
  return m;
}

constexpr double of_uniform = 1.8, of_normal = 3;  // fourth moment over the variance's square

template <class T>
void check(const Initializer& initializer, const Shape& shape, double mean, double variance, double kurtosis) {
  const auto m = moments<T>(initializer, shape);
  const double n = double(shape.size());
  INFO("shape " << shape << ", mean " << m.mean << ", variance " << m.variance << ", kurtosis " << m.kurtosis);
  REQUIRE(std::abs(m.mean - mean) < 5 * std::sqrt(variance / n));
  REQUIRE(m.variance == Approx(variance).epsilon(0.04));
  REQUIRE(m.kurtosis == Approx(kurtosis).epsilon(0.06));
  if (kurtosis == of_uniform) {
    REQUIRE(m.largest - std::abs(mean) <= std::sqrt(3 * variance) * 1.000001);
    REQUIRE(m.largest - std::abs(mean) > std::sqrt(3 * variance) * 0.999);
  }
}

}  // namespace

TEST_CASE("fans count the connections of one unit", "[nn]") {
  REQUIRE(fans({30, 70}).in == 30);
  REQUIRE(fans({30, 70}).out == 70);
  REQUIRE(fans({5, 3, 8, 16}).in == 5 * 3 * 8);  // kernel height, kernel width, in, out
  REQUIRE(fans({5, 3, 8, 16}).out == 5 * 3 * 16);
  REQUIRE(fans({12}).in == 12);
  REQUIRE(fans({12}).out == 12);
  REQUIRE(fans({}).in == 1);
}

TEMPLATE_TEST_CASE("initializers have the variances of their papers", "[nn]", float, double) {
  namespace init = gan::init;
  const Shape dense{120, 280}, convolution{4, 4, 24, 96};
  check<TestType>(init::glorot_uniform(), dense, 0, 2.0 / 400, of_uniform);
  check<TestType>(init::glorot_normal(), dense, 0, 2.0 / 400, of_normal);
  check<TestType>(init::he_uniform(), dense, 0, 2.0 / 120, of_uniform);
  check<TestType>(init::he_normal(), dense, 0, 2.0 / 120, of_normal);
  check<TestType>(init::he_normal(0.5), dense, 0, 2.0 / (1.25 * 120), of_normal);
  check<TestType>(init::fan_in_uniform(), dense, 0, 1.0 / (3 * 120), of_uniform);
  check<TestType>(init::fan_in_uniform(2), convolution, 0, 4.0 / (3 * 16 * 24), of_uniform);
  check<TestType>(init::fan_out_uniform().with_fans({1, 48}), convolution, 0, 1.0 / (3 * 48), of_uniform);
  check<TestType>(init::he_uniform(0.5), dense, 0, 2.0 / (1.25 * 120), of_uniform);
  check<TestType>(init::glorot_uniform(), convolution, 0, 2.0 / (16 * (24 + 96)), of_uniform);
  check<TestType>(init::glorot_normal(), convolution, 0, 2.0 / (16 * (24 + 96)), of_normal);
  check<TestType>(init::he_normal(), convolution, 0, 2.0 / (16 * 24), of_normal);
  check<TestType>(init::he_uniform(), convolution, 0, 2.0 / (16 * 24), of_uniform);
  check<TestType>(init::dcgan_weight(), convolution, 0, 0.02 * 0.02, of_normal);
  check<TestType>(init::dcgan_scale(), {40000}, 1, 0.02 * 0.02, of_normal);
  check<TestType>(init::normal(-2, 0.5), dense, -2, 0.25, of_normal);
  check<TestType>(init::uniform(-1, 1), dense, 0, 1.0 / 3, of_uniform);
}

TEST_CASE("constants are constant, ranges are kept, user's callables work", "[nn]") {
  Rng rng(1);
  std::vector<float> values(100, 7.0f);
  const auto fill = [&](const Initializer& initializer) { initializer(rng, {100}, std::span<float>(values)); };
  fill(gan::init::zeros());
  REQUIRE(values == std::vector<float>(100, 0.0f));
  fill(gan::init::ones());
  REQUIRE(values == std::vector<float>(100, 1.0f));
  fill(gan::init::constant(-2.5));
  REQUIRE(values == std::vector<float>(100, -2.5f));
  fill(gan::init::uniform(3, 4));
  for (const float v : values) REQUIRE((v >= 3 && v < 4));
  fill([]<class T>(Rng&, const Shape& shape, std::span<T> out) {
    std::fill(out.begin(), out.end(), static_cast<T>(shape.size()));
  });
  REQUIRE(values == std::vector<float>(100, 100.0f));
  REQUIRE_THROWS_WITH(fill(gan::init::uniform(4, 3)), ContainsSubstring("[4, 3)"));
  REQUIRE_THROWS_WITH(fill(gan::init::normal(0, -1)), ContainsSubstring("-1"));
}

TEST_CASE("a parameter's values come from its root's generator", "[nn]") {
  class Root : public gan::Module<float> {
   public:
    using Module<float>::Module;
    gan::Parameter<float> weight{this, "weight", {8, 8}, gan::init::glorot_uniform()};
  };
  Rng a(5), b(5);
  Root first(a), second(b);
  REQUIRE((first.weight.values() == second.weight.values()).all());
  REQUIRE((first.weight.values() != 0).any());
}

TEST_CASE("initializers refuse numbers that are none when they are made", "[nn]") {
  namespace init = gan::init;
  const double nan = std::nan(""), infinity = std::numeric_limits<double>::infinity();
  REQUIRE_THROWS_WITH(init::constant(nan), ContainsSubstring("init::constant: value nan"));
  REQUIRE_THROWS_WITH(init::uniform(nan, 1), ContainsSubstring("init::uniform: range [nan, 1)"));
  REQUIRE_THROWS_WITH(init::uniform(0, infinity), ContainsSubstring("range [0, inf)"));
  REQUIRE_THROWS_WITH(init::normal(0, nan), ContainsSubstring("init::normal: mean 0, stddev nan"));
  REQUIRE_THROWS_WITH(init::normal(nan, 1), ContainsSubstring("mean nan"));
  REQUIRE_THROWS_WITH(init::he_normal(nan), ContainsSubstring("he_normal: slope nan"));
  REQUIRE_THROWS_WITH(init::fan_in_uniform(0), ContainsSubstring("fan_in_uniform: gain 0"));
  REQUIRE_THROWS_WITH(init::fan_out_uniform(infinity), ContainsSubstring("fan_out_uniform: gain inf"));
  REQUIRE_THROWS_WITH(init::he_uniform(infinity), ContainsSubstring("he_uniform: slope inf"));
}

TEST_CASE("a callable may take the fans in the place of the shape", "[nn]") {
  const Initializer own = []<class T>(Rng&, const gan::init::Fans& fans, std::span<T> out) {
    std::fill(out.begin(), out.end(), T(1000 * fans.in + fans.out));
  };
  Rng rng(1);
  std::vector<double> values(12);
  own(rng, {3, 4}, std::span<double>(values));
  REQUIRE(values[11] == 3004);
  own.with_fans({5, 6})(rng, {3, 4}, std::span<double>(values));
  REQUIRE(values[11] == 5006);
}
