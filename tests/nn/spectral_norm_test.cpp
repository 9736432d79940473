// Spectral normalization of dense and convolution layers.
#include "gan/nn/spectral_norm.hpp"

#include <Eigen/SVD>

#include "gan/nn/conv2d.hpp"
#include "gan/nn/dense.hpp"
#include "gan/ops/reduce.hpp"
#include "gan/optim/adam.hpp"
#include "gan/optim/sgd.hpp"
#include "support/catch.hpp"
#include "support/gradcheck.hpp"
#include "support/root.hpp"

using namespace gan;
using gan::test::random_tensor;
using gan::test::require_close;

namespace {

using Root = gan::test::Root<double>;

double largest_singular_value(const Tensor<double>& weight) {
  return Eigen::MatrixXd(weight.matrix()).jacobiSvd().singularValues()[0];
}

Tensor<double> u_of(const Module<double>& layer) { return layer.buffers().front().tensor; }

}  // namespace

TEST_CASE("spectral norm divides by the largest singular value", "[nn]") {
  Rng rng(1);
  Root root(rng);
  Dense<double> dense(&root, "dense", 6, 5, {.bias = false, .spectral_norm = true});
  Conv2d<double> conv(&root, "conv", 3, 4, {.kernel = 2, .bias = false, .spectral_norm = true});
  const auto x = random_tensor(rng, {3, 6}), image = random_tensor(rng, {2, 4, 4, 3});
  for (int i = 0; i < 300; ++i) dense(x), conv(image);
  require_close(dense(x), matmul(x, dense.weight()) / largest_singular_value(dense.weight()), 1e-8, "dense");
  require_close(conv(image), conv2d(image, conv.weight()) / largest_singular_value(conv.weight()), 1e-8, "conv2d");
}

TEST_CASE("spectral norm iterates once a training forward, never in evaluation", "[nn]") {
  Rng rng(2);
  Root root(rng);
  Dense<double> dense(&root, "dense", 6, 5, {.spectral_norm = true});
  REQUIRE(dense.state().size() == 3);
  REQUIRE(dense.buffers().front().name == "u");
  REQUIRE(u_of(dense).shape() == Shape{5});
  const auto x = random_tensor(rng, {3, 6});
  // Move the weight away from where u was found.
  Tensor<double>(dense.weight()).mutable_values() += random_tensor(rng, {30}).values();

  const auto before = u_of(dense).clone();
  dense.eval();
  const auto y = dense(x);
  require_close(u_of(dense), before, 0, "u in evaluation");
  require_close(dense(x), y, 0, "evaluation repeats");

  dense.train();
  dense(x);
  const Eigen::MatrixXd w = dense.weight().matrix();
  const Eigen::VectorXd v = (w * before.matrix().transpose()).normalized();
  const Eigen::VectorXd expected = (w.transpose() * v).normalized();
  for (Index i = 0; i < 5; ++i) REQUIRE(u_of(dense).data()[i] == Approx(expected[i]).margin(1e-12));

  // State brings back the same results.
  Dense<double> copy(&root, "copy", 6, 5, {.spectral_norm = true});
  copy.load_state(dense.state());
  require_close(copy(x), dense(x), 0, "restored");
}

TEST_CASE("spectral norm allows two forward passes before one backward", "[nn]") {
  Rng rng(3);
  Root root(rng);
  Dense<double> dense(&root, "dense", 4, 2, {.spectral_norm = true});
  const auto loss = sum(dense(random_tensor(rng, {3, 4}))) - sum(dense(random_tensor(rng, {3, 4})));
  REQUIRE(backward(loss).size() == 2);
}

TEST_CASE("spectral norm gradients", "[nn]") {
  Rng rng(4);
  Root root(rng);
  // With u and v constant, in first and second order.
  const auto v = random_tensor(rng, {6}, 0.5, 1), u = random_tensor(rng, {2}, 0.5, 1);
  test::check_gradients([&](const test::Inputs& in) { return SpectralNorm<double>::divided(in[0], v, u); },
                        {random_tensor(rng, {3, 2, 2}, 0.5, 1)});
  // sigma = |W u| has the gradient v u^T exactly, so that the layer's first order is right in evaluation.
  Conv2d<double> conv(&root, "conv", 2, 3, {.kernel = 2, .bias = false, .spectral_norm = true});
  conv.eval();
  auto x = random_tensor(rng, {2, 3, 3, 2});
  x.set_requires_grad();
  Tensor<double> weight = conv.weight();
  const auto target = random_tensor(rng, {2, 2, 2, 3});
  const auto loss = [&] { return sum(target * conv(x)); };
  const auto gradients = grad(loss(), {weight, x});
  require_close(gradients[0], test::finite_difference([&] { return loss().item(); }, weight), 1e-7, "weight");
  require_close(gradients[1], test::finite_difference([&] { return loss().item(); }, x), 1e-7, "x");
}

TEST_CASE("spectral norm survives a weight of zeros", "[nn]") {
  Rng rng(5);
  Root root(rng);
  Dense<double> dense(&root, "dense", 4, 3, {.spectral_norm = true, .weight_initializer = init::zeros()});
  const auto x = random_tensor(rng, {2, 4});
  REQUIRE((dense(x).values() == 0).all());
  Tensor<double>(dense.weight()).mutable_values() = random_tensor(rng, {12}).values();
  for (int i = 0; i < 200; ++i) dense(x);
  require_close(dense(x), matmul(x, dense.weight()) / largest_singular_value(dense.weight()), 1e-6, "recovered");
}

TEST_CASE("a fresh layer knows sigma to a few percent", "[nn]") {
  // Without iterations, |W u| for a random u is about half of sigma.
  Rng rng(6);
  Root root(rng);
  for (const Index width : {8, 40, 90}) {
    Dense<double> dense(&root, "dense" + std::to_string(width), width, 60, {.bias = false, .spectral_norm = true});
    dense.eval();
    const auto x = random_tensor(rng, {4, width});
    const double sigma = largest_singular_value(dense.weight());
    const double found = matmul(x, dense.weight()).values().matrix().norm() / dense(x).values().matrix().norm();
    INFO("width " << width << ": sigma " << sigma << ", found " << found);
    REQUIRE(found <= sigma * (1 + 1e-12));
    REQUIRE(found > 0.95 * sigma);
    REQUIRE(u_of(dense).values().matrix().norm() == Approx(1));
  }
}

TEST_CASE("the length of u does not matter in evaluation, nor that it has none in training", "[nn]") {
  Rng rng(7);
  Root root(rng);
  Dense<double> dense(&root, "dense", 6, 5, {.bias = false, .spectral_norm = true});
  const auto x = random_tensor(rng, {3, 6});
  for (int i = 0; i < 300; ++i) dense(x);
  const auto expected = matmul(x, dense.weight()) / largest_singular_value(dense.weight());
  dense.eval();
  for (const double length : {1.0, 0.3, 1e-100, 1e9}) {
    const auto before = u_of(dense).clone();
    u_of(dense).mutable_values() *= length;
    INFO("length " << length);
    require_close(dense(x), expected, 1e-8, "evaluation");
    u_of(dense).mutable_values() = before.values();
  }
  for (const double value : {0.0, std::nan("")}) {
    u_of(dense).mutable_values().setConstant(value);
    dense.eval();
    REQUIRE(dense(x).values().isFinite().all());
    dense.train();
    for (int i = 0; i < 300; ++i) dense(x);
    require_close(dense(x), expected, 1e-6, "recovered");
  }
}

TEST_CASE("a u that the weight maps to zero is left behind", "[nn]") {
  Rng rng(10);
  Root root(rng);
  Dense<double> dense(&root, "dense", 3, 2, {.bias = false, .spectral_norm = true});
  Tensor<double>(dense.weight()).mutable_values() << 0, 1, 0, 2, 0, 2;  // largest singular value 3
  u_of(dense).mutable_values() << 1, 0;
  const auto x = random_tensor(rng, {2, 3}), expected = matmul(x, dense.weight()) / 3.0;
  dense.eval();
  require_close(dense(x), expected, 1e-12, "evaluation");
  dense.train();
  require_close(dense(x), expected, 1e-12, "training");
  REQUIRE(std::abs(u_of(dense).data()[1]) == Approx(1));
}

TEST_CASE("a weight that is not finite leaves u as it is", "[nn]") {
  Rng rng(8);
  Root root(rng);
  Dense<double> dense(&root, "dense", 4, 3, {.bias = false, .spectral_norm = true});
  const auto x = random_tensor(rng, {2, 4}), before = u_of(dense).clone();
  const double good = dense.weight().data()[5];
  for (const double bad : {std::nan(""), std::numeric_limits<double>::infinity()}) {
    Tensor<double>(dense.weight()).mutable_data()[5] = bad;
    REQUIRE_FALSE(dense(x).values().isFinite().all());
    require_close(u_of(dense), before, 1e-12, "u");
  }
  Tensor<double>(dense.weight()).mutable_data()[5] = good;
  REQUIRE(dense(x).values().isFinite().all());
}

TEMPLATE_TEST_CASE("a weight of zeros trains, and stays bounded", "[nn]", Adam<double>, Sgd<double>) {
  Rng rng(9);
  Root root(rng);
  const auto x = random_tensor(rng, {32, 4});
  auto teacher = random_tensor(rng, {4, 3});
  teacher.mutable_values() /= largest_singular_value(teacher);  // what it can learn
  const auto target = matmul(x, teacher);
  Dense<double> dense(&root, "dense", 4, 3,
                      {.bias = false, .spectral_norm = true, .weight_initializer = init::zeros()});
  const Tensor<double> weight = dense.weight();
  const auto loss = [&] { return mean(square(dense(x) - target)); };
  const double start = loss().item();
  backward(loss());
  // That of weight / 1e-3.
  const auto exact = matmul(x, target, {.transpose_a = true}) * (-2.0 / static_cast<double>(target.size()) / 1e-3);
  require_close(weight.grad(), exact, 1e-9, "the gradient at zero");
  TestType optimizer(dense.parameters(), {.learning_rate = 5e-3});
  for (int i = 0; i < 1500; ++i) {
    optimizer.zero_grad();
    backward(loss());
    optimizer.step();
  }
  INFO("loss from " << start << " to " << loss().item() << ", weight " << weight);
  CHECK(loss().item() < 0.02 * start);
  CHECK(weight.values().abs().maxCoeff() < 10);
}
