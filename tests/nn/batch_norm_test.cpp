// Batch norm: gradients by both of its backward passes, running statistics, evaluation.
#include "gan/nn/batch_norm.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include "gan/core/parallel.hpp"
#include "gan/nn/sequential.hpp"
#include "support/layercheck.hpp"
#include "support/threads.hpp"

using gan::BatchNorm;
using gan::Index;
using gan::Rng;
using gan::Shape;
using gan::Tensor;
using gan::test::random_tensor;

namespace {

template <class T>
class Net : public gan::Layer<T> {
 public:
  Net(Rng& rng, Index channels, gan::BatchNormOptions options = {})
      : gan::Layer<T>(rng), norm{this, "norm", channels, options} {}
  Tensor<T> forward(const Tensor<T>& x) override { return norm(x); }
  Tensor<T> buffer(std::size_t i) const { return this->buffers()[i].tensor; }
  BatchNorm<T> norm;
};

gan::BatchNormOptions random_scale() { return {.scale_initializer = gan::init::normal(1, 0.3)}; }

/// Mean and biased variance of each channel, the plain way.
std::pair<std::vector<double>, std::vector<double>> statistics(const Tensor<double>& x) {
  const Index c = x.shape().last(), rows = x.shape().rows();
  std::vector<double> mean(std::size_t(c), 0), variance(std::size_t(c), 0);
  for (Index j = 0; j < c; ++j) {
    for (Index i = 0; i < rows; ++i) mean[std::size_t(j)] += x.matrix()(i, j) / double(rows);
    for (Index i = 0; i < rows; ++i)
      variance[std::size_t(j)] += std::pow(x.matrix()(i, j) - mean[std::size_t(j)], 2) / double(rows);
  }
  return {mean, variance};
}

bool equal(const Tensor<float>& a, const Tensor<float>& b) { return (a.values() == b.values()).all(); }

}  // namespace

TEST_CASE("gradients of batch norm, any rank, both modes", "[nn]") {
  Rng rng(1);
  for (const Shape& shape : {Shape{5, 3}, Shape{2, 2, 3, 2}, Shape{4, 1}, Shape{3, 2, 2}}) {
    Net<double> net(rng, shape.last(), random_scale());
    gan::test::check_layer(net, random_tensor(rng, shape, -2, 2));
  }
  Net<double> net(rng, 3, random_scale());
  net(random_tensor(rng, {6, 3}, 0, 3));  // moves the running statistics
  net.eval();
  gan::test::check_layer(net, random_tensor(rng, {4, 3}, -2, 2));
  gan::test::check_layer(net, random_tensor(rng, {2, 2, 2, 3}, -2, 2));
  gan::test::check_layer(net, random_tensor(rng, {1, 3}, -2, 2));
}

TEST_CASE("the fused and the composed gradients agree where loops are parallel", "[nn]") {
  Rng rng(2);
  for (const Shape& shape : {Shape{20000, 3}, Shape{16, 14, 14, 64}, Shape{3, 40000}}) {
    const auto x = gan::normal<double>(rng, shape, 0.5, 2).set_requires_grad();
    const Index c = shape.last();
    const auto scale = gan::normal<double>(rng, {c}, 1, 0.2).set_requires_grad();
    const auto shift = gan::normal<double>(rng, {c}).set_requires_grad();
    const auto w = gan::normal<double>(rng, shape);
    const auto y = gan::batch_norm(x, scale, shift).y;
    const auto composed = gan::grad(y, {x, scale, shift}, {.create_graph = true}, w);
    const auto fused = gan::grad(y, {x, scale, shift}, {}, w);
    for (std::size_t i = 0; i < 3; ++i) {
      INFO("shape " << shape << ", input " << i);
      const double size = std::max(1.0, composed[i].values().abs().maxCoeff());
      REQUIRE((composed[i].values() - fused[i].values()).abs().maxCoeff() < 1e-10 * size);
    }
    // The sums that batch norm's gradient removes.
    REQUIRE(std::abs(gan::sum(fused[0]).item()) < 1e-7);
  }
}

TEST_CASE("batch norm is the same on any number of threads", "[nn]") {
  const gan::test::ThreadCount restore;
  std::vector<Tensor<float>> results;
  for (const int threads : {1, 2, 3}) {
    gan::set_threads(threads);
    Rng rng(3);
    Net<float> net(rng, 48, random_scale());
    const auto x = gan::normal<float>(rng, {3000, 48}).set_requires_grad();
    const auto w = gan::normal<float>(rng, {3000, 48});
    const auto y = net(x);
    const auto gradient = gan::grad(y, x, {}, w);
    if (threads == 1) {
      results = {y, gradient, net.buffer(0), net.buffer(1)};
    } else {
      REQUIRE(equal(y, results[0]));
      REQUIRE(equal(gradient, results[1]));
      REQUIRE(equal(net.buffer(0), results[2]));
      REQUIRE(equal(net.buffer(1), results[3]));
    }
  }
}

TEST_CASE("training normalizes each channel", "[nn]") {
  Rng rng(4);
  Net<double> net(rng, 4);
  const auto y = net(gan::normal<double>(rng, {8, 5, 5, 4}, 3, 2));
  const auto [mean, variance] = statistics(y);
  for (std::size_t j = 0; j < 4; ++j) {
    REQUIRE(std::abs(mean[j]) < 1e-12);
    REQUIRE(variance[j] == Approx(1).epsilon(1e-4));  // epsilon takes a little
  }
}

TEST_CASE("running statistics follow the exponential average with the unbiased variance", "[nn]") {
  Rng rng(5);
  const double momentum = GENERATE(0.1, 0.3);
  Net<double> net(rng, 2, {.momentum = momentum});
  std::vector<double> mean(2, 0), variance(2, 1);
  for (int step = 0; step < 3; ++step) {
    const auto x = gan::normal<double>(rng, {2, 3, 2}, 4, 3);
    const gan::NoGrad scope;  // they move without recording too
    net(x);
    const auto [m, v] = statistics(x);
    for (std::size_t j = 0; j < 2; ++j) {
      mean[j] = (1 - momentum) * mean[j] + momentum * m[j];
      variance[j] = (1 - momentum) * variance[j] + momentum * v[j] * 6 / 5;
    }
  }
  for (Index j = 0; j < 2; ++j) {
    REQUIRE(net.buffer(0).data()[j] == Approx(mean[std::size_t(j)]).epsilon(1e-12));
    REQUIRE(net.buffer(1).data()[j] == Approx(variance[std::size_t(j)]).epsilon(1e-12));
  }
}

TEST_CASE("a batch that is not finite leaves the running statistics as they were, and the next one goes on", "[nn]") {
  const float infinity = std::numeric_limits<float>::infinity();
  // The last one overflows in the variance alone.
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), infinity, -infinity, 3e38f}) {
    INFO("one value is " << bad);
    Rng rng(11);
    Net<float> net(rng, 3);
    auto x = gan::normal<float>(rng, {40, 3}, 2, 3);
    net(x);
    const auto mean = net.buffer(0).clone(), variance = net.buffer(1).clone();
    auto spoilt = x.clone();
    spoilt.mutable_data()[61] = bad;  // in one channel of three
    const bool finite = net(spoilt).values().isFinite().all();
    if (!gan::is_finite(bad)) REQUIRE_FALSE(finite);  // whoever watches the loss finds it
    REQUIRE(equal(net.buffer(0), mean));
    REQUIRE(equal(net.buffer(1), variance));
    net(x);
    REQUIRE_FALSE(equal(net.buffer(0), mean));
    REQUIRE(net.buffer(1).values().isFinite().all());
  }
  // The operation itself does not hide what it met.
  const auto result =
      gan::batch_norm(Tensor<float>({2, 2}, {1, NAN, 3, 4}), Tensor<float>::ones({2}), Tensor<float>({2}));
  REQUIRE(result.variance.data()[0] == 1);
  REQUIRE(std::isnan(result.variance.data()[1]));
}

TEST_CASE("evaluation uses the running statistics and leaves them alone", "[nn]") {
  Rng rng(6);
  Net<double> net(rng, 2, {.epsilon = 0.5, .scale_initializer = gan::init::constant(3)});
  net.buffer(0).mutable_values() << 1, -2;
  net.buffer(1).mutable_values() << 3.5, 0.5;
  net.eval();
  const auto y = net(Tensor<double>({1, 2}, {5, -1}));
  REQUIRE(y.data()[0] == Approx(3 * (5 - 1) / std::sqrt(4.0)));
  REQUIRE(y.data()[1] == Approx(3 * (-1 + 2) / std::sqrt(1.0)));
  REQUIRE(net.buffer(0).data()[0] == 1);
  REQUIRE(net.buffer(1).data()[1] == 0.5);
  // One sample's result does not depend on its company.
  const auto both = net(Tensor<double>({2, 2}, {5, -1, 100, 100}));
  REQUIRE(both.data()[0] == y.data()[0]);
}

TEST_CASE("a large common offset costs float no precision", "[nn]") {
  Rng rng(7);
  Net<float> net(rng, 1);
  const auto x = gan::normal<double>(rng, {1000, 1});
  auto shifted = Tensor<float>::empty({1000, 1});
  shifted.mutable_values() = (x.values() + 4096).cast<float>();
  const auto y = net(shifted);
  const auto [mean, variance] = statistics(x);
  const auto expected = (x.values() - mean[0]) / std::sqrt(variance[0]);
  REQUIRE((y.values().cast<double>() - expected).abs().maxCoeff() < 2e-3);  // half a unit of 4096 is 2.4e-4
}

TEST_CASE("a constant channel gives zeros and finite gradients", "[nn]") {
  Rng rng(8);
  Net<float> net(rng, 2);
  const auto x = Tensor<float>({3, 2}, {5, 1, 5, 2, 5, 3}).set_requires_grad();
  const auto y = net(x);
  for (Index i = 0; i < 3; ++i) REQUIRE(y.matrix()(i, 0) == 0);
  gan::backward(gan::sum(gan::square(y)));
  REQUIRE(x.grad().values().isFinite().all());
}

TEST_CASE("batch norm's mistakes name it and the numbers", "[nn]") {
  Rng rng(9);
  Net<float> net(rng, 3);
  REQUIRE_THROWS_WITH(net(Tensor<float>({2, 4})),
                      ContainsSubstring("BatchNorm \"norm\": x [2, 4], expected [n, ..., 3]"));
  REQUIRE_THROWS_WITH(net(Tensor<float>({3})), ContainsSubstring("x [3]"));
  REQUIRE_THROWS_WITH(net(Tensor<float>({1, 3})), ContainsSubstring("x [1, 3]") && ContainsSubstring("at least 2"));
  REQUIRE_THROWS_WITH(net(Tensor<float>({0, 3})), ContainsSubstring("x [0, 3]") && ContainsSubstring("at least 2"));
  net.eval();
  REQUIRE(net(Tensor<float>({1, 3})).shape() == Shape{1, 3});
  using Norm = BatchNorm<float>;
  REQUIRE_THROWS_WITH(Norm(&net, "a", 0), ContainsSubstring("BatchNorm \"a\": 0 channels"));
  REQUIRE_THROWS_WITH(Norm(&net, "a", -4), ContainsSubstring("batch norm \"a\": -4 channels"));
  REQUIRE_THROWS_WITH(Norm(&net, "a", 3, {.momentum = 1.5}), ContainsSubstring("momentum 1.5"));
  REQUIRE_THROWS_WITH(Norm(&net, "a", 3, {.epsilon = 0}), ContainsSubstring("epsilon 0"));
  const double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
  REQUIRE_THROWS_WITH(Norm(&net, "a", 3, {.momentum = nan}), ContainsSubstring("momentum nan"));
  REQUIRE_THROWS_WITH(Norm(&net, "a", 3, {.epsilon = nan}), ContainsSubstring("epsilon nan"));
  REQUIRE_THROWS_WITH(Norm(&net, "a", 3, {.epsilon = infinity}), ContainsSubstring("epsilon inf"));
  REQUIRE(net.children().size() == 1);
  REQUIRE(net.norm.mixes_batch());
}
