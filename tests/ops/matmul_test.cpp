// Matrix products and the dense layer.
#include "gan/ops/matmul.hpp"

#include <algorithm>
#include <cmath>

#include "support/catch.hpp"
#include "support/gradcheck.hpp"
#include "support/reference.hpp"
#include "support/threads.hpp"

using gan::Index;
using gan::Shape;
using gan::Tensor;
using namespace gan::test;

namespace {

double at(const Tensor<double>& x, bool transposed, Index i, Index j) {
  return transposed ? x.matrix()(j, i) : x.matrix()(i, j);
}

void require_product(const Tensor<double>& a, bool ta, const Tensor<double>& b, bool tb) {
  const auto c = gan::matmul(a, b, {.transpose_a = ta, .transpose_b = tb});
  const Index m = a.shape()[ta ? 1 : 0], k = a.shape()[ta ? 0 : 1], n = b.shape()[tb ? 0 : 1];
  REQUIRE(c.shape() == Shape{m, n});
  double worst = 0;
  for (Index i = 0; i < m; ++i)
    for (Index j = 0; j < n; ++j) {
      double expected = 0;
      for (Index l = 0; l < k; ++l) expected += at(a, ta, i, l) * at(b, tb, l, j);
      worst = std::max(worst, std::abs(c.matrix()(i, j) - expected));
    }
  REQUIRE(worst < 1e-12 * static_cast<double>(k + 1));
}

}  // namespace

TEST_CASE("products with every pair of transpositions") {
  gan::Rng rng(81);
  for (const bool ta : {false, true})
    for (const bool tb : {false, true})
      for (int trial = 0; trial < 6; ++trial) {
        const bool large = trial == 5;
        const Index m = large ? 67 : rng.integer(1, 6), k = large ? 130 : rng.integer(1, 6);
        const Index n = large ? 41 : rng.integer(1, 6);
        CAPTURE(ta, tb, m, k, n);
        const auto a = random_tensor(rng, ta ? Shape{k, m} : Shape{m, k});
        const auto b = random_tensor(rng, tb ? Shape{n, k} : Shape{k, n});
        require_product(a, ta, b, tb);
        if (large) continue;
        check_gradients([&](const Inputs& v) { return gan::matmul(v[0], v[1], {ta, tb}); }, {a, b});
        if (m == n && ta == tb)
          check_gradients([&](const Inputs& v) { return gan::matmul(v[0], v[0], {!ta, tb}); }, {a});
      }
}

TEST_CASE("a long sum that ends in a small matrix") {
  gan::Rng rng(85);
  for (const int threads : {1, 2, 3})
    for (const bool ta : {false, true})
      for (const bool tb : {false, true}) {
        CAPTURE(threads, ta, tb);
        const ThreadCount count(threads);
        const Index m = 16, k = 4001, n = 5;
        const auto a = random_tensor(rng, ta ? Shape{k, m} : Shape{m, k});
        const auto b = random_tensor(rng, tb ? Shape{n, k} : Shape{k, n});
        require_product(a, ta, b, tb);
        const auto once = gan::matmul(a, b, {ta, tb}), again = gan::matmul(a, b, {ta, tb});
        REQUIRE((once.values() == again.values()).all());
        if (ta || tb) continue;
        const auto bias = random_tensor(rng, {n});
        REQUIRE(gan::max(gan::abs(gan::linear(a, b, bias) - (once + bias))).item() < 1e-11);
      }
}

TEST_CASE("the square of a matrix") {
  gan::Rng rng(82);
  check_gradients([](const Inputs& v) { return gan::matmul(v[0], v[0]); }, {random_tensor(rng, {3, 3})});
}

TEST_CASE("products with lengths of 0") {
  for (const bool ta : {false, true})
    for (const bool tb : {false, true})
      for (const Shape& mkn : {Shape{3, 0, 4}, Shape{0, 3, 4}, Shape{3, 4, 0}, Shape{0, 0, 0}, Shape{1, 0, 1}}) {
        CAPTURE(ta, tb, mkn);
        const Index m = mkn[0], k = mkn[1], n = mkn[2];
        auto a = Tensor<double>::ones(ta ? Shape{k, m} : Shape{m, k}).set_requires_grad();
        auto b = Tensor<double>::ones(tb ? Shape{n, k} : Shape{k, n}).set_requires_grad();
        const auto c = gan::matmul(a, b, {ta, tb});
        REQUIRE(c.shape() == Shape{m, n});
        REQUIRE((c.values() == 0).all());
        const auto g = grad(c, {a, b});
        REQUIRE((g[0].values() == 0).all());
        REQUIRE((g[1].values() == 0).all());
      }
}

TEST_CASE("factors that do not fit are refused") {
  const Tensor<double> a({2, 3}), b({4, 5}), v({3});
  REQUIRE_THROWS_WITH(gan::matmul(a, b), "matmul: a [2, 3] and b [4, 5] do not fit: inner lengths 3 and 4");
  REQUIRE_THROWS_WITH(gan::matmul(a, b, {true, true}),
                      "matmul: a [2, 3] transposed and b [4, 5] transposed do not fit: inner lengths 2 and 5");
  REQUIRE_THROWS_WITH(gan::matmul(a, v), "matmul: a [2, 3] and b [3], expected 2 axes each");
  REQUIRE_THROWS_WITH(gan::matmul(Tensor<double>({1, 2, 3}), a), ContainsSubstring("expected 2 axes each"));
}

TEST_CASE("linear is a product and a bias, over any leading axes") {
  gan::Rng rng(83);
  for (const Shape& shape :
       {Shape{3}, Shape{1, 3}, Shape{4, 3}, Shape{2, 1, 3}, Shape{2, 2, 1, 3}, Shape{300, 70, 3}}) {
    CAPTURE(shape);
    const auto x = random_tensor(rng, shape), w = random_tensor(rng, {3, 2}), b = random_tensor(rng, {2});
    const auto y = gan::linear(x, w, b), plain = gan::linear(x, w);
    REQUIRE(y.shape() == shape.with(-1, 2));
    REQUIRE(plain.shape() == shape.with(-1, 2));
    double worst = 0;
    for (Index row = 0; row < x.matrix().rows(); ++row)
      for (Index j = 0; j < 2; ++j) {
        double expected = 0;
        for (Index i = 0; i < 3; ++i) expected += x.matrix()(row, i) * w.matrix()(i, j);
        worst = std::max({worst, std::abs(plain.matrix()(row, j) - expected),
                          std::abs(y.matrix()(row, j) - expected - b.data()[j])});
      }
    REQUIRE(worst < 1e-13);
    if (x.size() > 64) continue;
    check_gradients([](const Inputs& v) { return gan::linear(v[0], v[1], v[2]); }, {x, w, b});
    check_gradients([](const Inputs& v) { return gan::linear(v[0], v[1]); }, {x, w});
  }
}

TEST_CASE("linear with lengths of 0") {
  auto w = Tensor<double>::ones({3, 2}).set_requires_grad(), b = Tensor<double>({2}, {5, 6}).set_requires_grad();
  const auto none = gan::linear(Tensor<double>({0, 3}), w, b);
  REQUIRE(none.shape() == Shape{0, 2});
  const auto g = grad(none, {w, b});
  REQUIRE((g[0].values() == 0).all());
  REQUIRE((g[1].values() == 0).all());
  const auto only_bias = gan::linear(Tensor<double>({4, 0}), Tensor<double>({0, 2}), b);
  REQUIRE(only_bias.shape() == Shape{4, 2});
  REQUIRE(only_bias.at({3, 1}) == 6);
  REQUIRE((gan::linear(Tensor<double>({4, 0}), Tensor<double>({0, 2})).values() == 0).all());
  REQUIRE(gan::linear(Tensor<double>({4, 3}), Tensor<double>({3, 0}), Tensor<double>({0})).shape() == Shape{4, 0});
}

TEST_CASE("a layer's tensors that do not fit are refused") {
  const Tensor<double> x({32, 100}), w({64, 256}), b({255});
  REQUIRE_THROWS_WITH(gan::linear(x, w), "linear: x [32, 100] does not match weight [64, 256]: expected x [..., 64]");
  REQUIRE_THROWS_WITH(gan::linear(Tensor<double>({2, 64}), w, b),
                      "linear: bias [255] does not match weight [64, 256]: expected [256]");
  REQUIRE_THROWS_WITH(gan::linear(x, b), "linear: weight [255], expected [in, out]");
  REQUIRE_THROWS_WITH(gan::linear(Tensor<double>::scalar(1), Tensor<double>({1, 2})),
                      ContainsSubstring("linear: x [] does not match weight [1, 2]"));
}

TEST_CASE("single precision products are accurate") {
  gan::Rng rng(84);
  auto a = Tensor<float>::empty({33, 700}), b = Tensor<float>::empty({700, 17});
  rng.uniform<float>({a.mutable_data(), std::size_t(a.size())}, -1, 1);
  rng.uniform<float>({b.mutable_data(), std::size_t(b.size())}, -1, 1);
  const auto c = gan::matmul(a, b);
  const Eigen::MatrixXd expected = a.matrix().cast<double>() * b.matrix().cast<double>();
  REQUIRE((c.matrix().cast<double>() - expected).cwiseAbs().maxCoeff() < 1e-4);
}

TEST_CASE("products that are cut by columns, on any number of threads") {
  gan::Rng rng(87);
  const gan::test::ThreadCount keep;
  struct {
    Index m, k, n;
  } const sizes[] = {{5, 40, 1000}, {128, 100, 784}, {17, 33, 405}, {1, 700, 333}, {300, 50, 70}};
  for (const auto [m, k, n] : sizes)
    for (const bool ta : {false, true})
      for (const bool tb : {false, true}) {
        CAPTURE(m, k, n, ta, tb);
        const auto a = random_tensor(rng, ta ? Shape{k, m} : Shape{m, k});
        const auto b = random_tensor(rng, tb ? Shape{n, k} : Shape{k, n});
        for (const int threads : {1, 2, 3}) {
          CAPTURE(threads);
          gan::set_threads(threads);
          require_product(a, ta, b, tb);
          const auto c = gan::matmul(a, b, {.transpose_a = ta, .transpose_b = tb});
          REQUIRE(bit_difference(gan::matmul(a, b, {.transpose_a = ta, .transpose_b = tb}), c) == "");
        }
      }
  const auto x = random_tensor(rng, {64, 100}), bias = random_tensor(rng, {784});
  auto w = random_tensor(rng, {100, 784}).set_requires_grad();
  for (const int threads : {1, 2, 3}) {
    CAPTURE(threads);
    gan::set_threads(threads);
    const auto y = gan::linear(x, w, bias), g = grad(y, w);
    REQUIRE(bit_difference(gan::linear(x, w, bias), y) == "");
    REQUIRE(bit_difference(grad(gan::linear(x, w, bias), w), g) == "");
  }
}
