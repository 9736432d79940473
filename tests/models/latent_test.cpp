// Latent distributions: moments, ranges, reproducibility; paths between latents against closed forms.
#include "gan/models/latent.hpp"

#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "gan/models/generator.hpp"
#include "gan/models/mlp.hpp"
#include "support/catch.hpp"

using gan::Index;
using gan::LatentDistribution;
using gan::Rng;
using gan::Tensor;

namespace {

struct Moments {
  double mean = 0, square = 0, fourth = 0, largest = 0;
};

template <class T>
Moments moments(const Tensor<T>& z) {
  Moments m;
  for (Index i = 0; i < z.size(); ++i) {
    const double v = double(z.data()[i]), n = double(z.size());
    m.mean += v / n, m.square += v * v / n, m.fourth += v * v * v * v / n;
    m.largest = std::max(m.largest, std::abs(v));
  }
  return m;
}

template <class T>
Moments draw(const LatentDistribution& distribution, Index n = 2000, Index length = 50) {
  Rng rng(11);
  const auto z = distribution.draw<T>(rng, n, length);
  REQUIRE(z.shape() == gan::Shape{n, length});
  return moments(z);
}

template <class T>
bool identical(const Tensor<T>& a, const Tensor<T>& b) {
  return a.shape() == b.shape() && (a.values() == b.values()).all();
}

double norm(const Tensor<double>& x) { return std::sqrt(x.values().square().sum()); }

}  // namespace

TEMPLATE_TEST_CASE("latent distributions have their moments", "[models]", float, double) {
  // 100,000 draws: four standard errors of the mean are 0.013.
  const auto normal = draw<TestType>(gan::latent::normal());
  REQUIRE(std::abs(normal.mean) < 0.013);
  REQUIRE(normal.square == Approx(1).margin(0.02));
  REQUIRE(normal.fourth == Approx(3).margin(0.15));

  const auto uniform = draw<TestType>(gan::latent::uniform());
  REQUIRE(std::abs(uniform.mean) < 0.008);
  REQUIRE(uniform.square == Approx(1.0 / 3).margin(0.005));
  REQUIRE(uniform.largest <= 1);
  REQUIRE(uniform.largest > 0.999);

  const auto truncated = draw<TestType>(gan::latent::truncated_normal(0.5));
  // Variance of N(0, 1) cut at c: 1 - 2 c phi(c) / (2 Phi(c) - 1).
  const double density = std::exp(-0.125) / std::sqrt(2 * std::numbers::pi);
  REQUIRE(truncated.square == Approx(1 - density / std::erf(0.5 / std::numbers::sqrt2)).margin(0.001));
  REQUIRE(truncated.largest <= 0.5);
  REQUIRE(truncated.largest > 0.499);
}

TEMPLATE_TEST_CASE("the sphere's points have length sqrt(length), in all directions alike", "[models]", float, double) {
  Rng rng(5);
  const Index n = 4000, length = 3;
  const auto z = gan::latent::sphere().draw<TestType>(rng, n, length);
  double worst = 0;
  for (Index i = 0; i < n; ++i) worst = std::max(worst, std::abs(double(z.matrix().row(i).squaredNorm()) - 3));
  REQUIRE(worst < (std::is_same_v<TestType, float> ? 1e-5 : 1e-13));
  // In three dimensions each coordinate is uniform on [-sqrt(3), sqrt(3)] (Archimedes).
  const auto m = moments(z);
  REQUIRE(std::abs(m.mean) < 0.04);
  REQUIRE(m.square == Approx(1));
  REQUIRE(m.fourth == Approx(9.0 / 5).margin(0.06));
  // One dimension has two points.
  const auto signs = gan::latent::sphere().draw<TestType>(rng, 100, 1);
  REQUIRE((signs.values().abs() - 1).abs().maxCoeff() < 1e-6);
  REQUIRE(std::abs(double(signs.values().sum())) < 50);
}

TEST_CASE("a row of zeros still lands on the sphere", "[models]") {
  std::vector<float> row(4, 0.0f);
  gan::detail::project_to_sphere<float>(row);
  REQUIRE(row == std::vector<float>{2, 0, 0, 0});
}

TEST_CASE("latents repeat with the seed and not with another", "[models]") {
  for (const auto& distribution :
       {gan::latent::normal(), gan::latent::uniform(), gan::latent::sphere(), gan::latent::truncated_normal(2)}) {
    Rng a(3), b(3), c(4);
    const auto first = distribution.draw<float>(a, 5, 7), again = distribution.draw<float>(b, 5, 7);
    REQUIRE(identical(first, again));
    REQUIRE_FALSE(identical(first, distribution.draw<float>(c, 5, 7)));
    REQUIRE_FALSE(identical(first, distribution.draw<float>(a, 5, 7)));  // the next draw is another
    REQUIRE(a.state() != b.state());
  }
}

TEST_CASE("a distribution can be written by the user", "[models]") {
  const LatentDistribution twos = []<class T>(Rng&, Index length, std::span<T> rows) {
    REQUIRE(static_cast<Index>(rows.size()) == 3 * length);
    std::fill(rows.begin(), rows.end(), T(2));
  };
  Rng rng(0);
  REQUIRE((twos.draw<float>(rng, 3, 4).values() == 2).all());
  REQUIRE((twos.draw<double>(rng, 3, 4).values() == 2).all());
}

TEST_CASE("latent mistakes name the numbers", "[models]") {
  Rng rng(0);
  const auto normal = gan::latent::normal();
  REQUIRE_THROWS_WITH(normal.draw<float>(rng, -1, 4), ContainsSubstring("-1 vectors of length 4"));
  REQUIRE_THROWS_WITH(normal.draw<float>(rng, 2, 0), ContainsSubstring("2 vectors of length 0"));
  REQUIRE_THROWS_WITH(gan::latent::truncated_normal(0), ContainsSubstring("limit 0"));
  REQUIRE_THROWS_AS(gan::latent::truncated_normal(std::numeric_limits<double>::quiet_NaN()), gan::Error);
  REQUIRE(normal.draw<float>(rng, 0, 4).size() == 0);
  REQUIRE(gan::latent::sphere().draw<float>(rng, 0, 4).size() == 0);

  const Tensor<float> a({2}), b({3});
  REQUIRE_THROWS_WITH(gan::lerp(a, b, 0.5), ContainsSubstring("lerp") && ContainsSubstring("[2] and [3]"));
  REQUIRE_THROWS_WITH(gan::slerp(a, b, 0.5), ContainsSubstring("slerp") && ContainsSubstring("[2] and [3]"));
  REQUIRE_THROWS_WITH(gan::interpolate(a, b, 4), ContainsSubstring("[2] and [3]"));
  REQUIRE_THROWS_WITH(gan::interpolate(a, a, 1), ContainsSubstring("1 steps"));
  REQUIRE_THROWS_WITH(gan::interpolate(Tensor<float>({2, 3}), Tensor<float>({2, 3}), 4), ContainsSubstring("[2, 3]"));
}

TEST_CASE("lerp is the straight line", "[models]") {
  const Tensor<double> a({2, 2}, {0, 1, 2, 3}), b({2, 2}, {4, 3, 2, -1});
  REQUIRE(identical(gan::lerp(a, b, 0.25), Tensor<double>({2, 2}, {1, 1.5, 2, 2})));
  REQUIRE(identical(gan::lerp(a, b, 0), a));
  REQUIRE(identical(gan::lerp(a, b, 1), b));
}

TEST_CASE("slerp turns at a constant rate", "[models]") {
  const Tensor<double> x({2}, {3, 0}), y({2}, {0, 3});
  for (const double t : {0.0, 0.2, 0.5, 1.0}) {
    const auto z = gan::slerp(x, y, t);
    const double angle = t * std::numbers::pi / 2;
    REQUIRE(z.data()[0] == Approx(3 * std::cos(angle)).margin(1e-12));
    REQUIRE(z.data()[1] == Approx(3 * std::sin(angle)).margin(1e-12));
  }
  // On the sphere it stays, while the straight line leaves it.
  Rng rng(8);
  const auto a = gan::latent::sphere().draw<double>(rng, 6, 64), b = gan::latent::sphere().draw<double>(rng, 6, 64);
  const auto middle = gan::slerp(a, b, 0.5), line = gan::lerp(a, b, 0.5);
  for (Index i = 0; i < 6; ++i) {
    REQUIRE(middle.matrix().row(i).norm() == Approx(8));
    REQUIRE(line.matrix().row(i).norm() < 7);
    // Half way, the angles to both ends are equal.
    REQUIRE(middle.matrix().row(i).dot(a.matrix().row(i)) == Approx(middle.matrix().row(i).dot(b.matrix().row(i))));
  }
}

TEST_CASE("slerp of rows without one great circle is lerp", "[models]") {
  const Tensor<double> a({3, 2}, {1, 2, 1, 2, 0, 0}), b({3, 2}, {3, 6, -1, -2, 5, 7});
  REQUIRE(identical(gan::slerp(a, b, 0.3), gan::lerp(a, b, 0.3)));
  const auto same = gan::slerp(Tensor<float>({2}, {0.1f, 0.7f}), Tensor<float>({2}, {0.1f, 0.7f}), 0.4);
  REQUIRE(same.data()[1] == Approx(0.7f));
  REQUIRE(norm(gan::slerp(Tensor<double>({2}), Tensor<double>({2}), 0.5)) == 0);
}

TEST_CASE("interpolate goes from one latent to the other in equal steps", "[models]") {
  Rng rng(2);
  const auto a = gan::latent::normal().draw<double>(rng, 1, 16), b = gan::latent::normal().draw<double>(rng, 1, 16);
  for (const auto path : {gan::Interpolation::linear, gan::Interpolation::spherical}) {
    const auto z = gan::interpolate(a, b, 5, path);
    REQUIRE(z.shape() == gan::Shape{5, 16});
    REQUIRE((z.matrix().row(0) - a.matrix().row(0)).norm() < 1e-12);
    REQUIRE((z.matrix().row(4) - b.matrix().row(0)).norm() < 1e-12);
    const auto middle = path == gan::Interpolation::linear ? gan::lerp(a, b, 0.5) : gan::slerp(a, b, 0.5);
    REQUIRE((z.matrix().row(2) - middle.matrix().row(0)).norm() < 1e-12);
  }
  const Tensor<float> c({2}, {1, 0}), d({2}, {0, 1});
  REQUIRE(gan::interpolate(c, d, 2).shape() == gan::Shape{2, 2});
  REQUIRE(gan::interpolate(c, d, 3).data()[2] == Approx(std::sqrt(0.5)));
}

TEST_CASE("a generator draws from its distribution", "[models]") {
  class Echo : public gan::Generator<float> {
   public:
    Echo(Rng& rng, const LatentDistribution& distribution)
        : Generator(rng, {.latent = 9, .distribution = distribution}) {}
    Tensor<float> forward(const Tensor<float>& z) override { return z; }
  };
  Rng rng(1), a(6), b(6), c(6);
  Echo echo(rng, gan::latent::sphere());
  const auto z = echo.draw(a, 4);
  REQUIRE(z.shape() == gan::Shape{4, 9});
  REQUIRE(z.matrix().row(2).norm() == Approx(3));
  REQUIRE(identical(z, gan::latent::sphere().draw<float>(b, 4, 9)));
  REQUIRE(identical(z, echo.sample(c, 4)));

  class Standard : public gan::Generator<float> {
   public:
    explicit Standard(Rng& rng) : Generator(rng, {.latent = 9}) {}
    Tensor<float> forward(const Tensor<float>& z) override { return z; }
  };
  Standard standard(rng);
  Rng d(6), e(6);
  REQUIRE(identical(standard.draw(d, 4), gan::normal<float>(e, {4, 9})));

  gan::MlpGenerator<float> mlp(rng, {.latent = 9, .distribution = gan::latent::uniform(), .item = {2}, .hidden = {3}});
  REQUIRE(mlp.draw(d, 500).values().abs().maxCoeff() <= 1);
}

TEST_CASE("numbers that are none are refused as places and limits", "[models]") {
  const Tensor<double> a({2}, {1, 0}), b({2}, {0, 1});
  for (const double t : {std::nan(""), std::numeric_limits<double>::infinity()}) {
    REQUIRE_THROWS_WITH(gan::lerp(a, b, t), ContainsSubstring("lerp: t is "));
    REQUIRE_THROWS_WITH(gan::slerp(a, b, t), ContainsSubstring("slerp: t is "));
  }
  REQUIRE_THROWS_WITH(gan::latent::truncated_normal(std::nan("")), ContainsSubstring("limit nan"));
}
