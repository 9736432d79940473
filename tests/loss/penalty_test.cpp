// All penalties: closed forms, what they draw, the gradient to the discriminator's parameters through many layers, and
// misuse.
#include "gan/loss/penalty.hpp"

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "gan/loss/any_penalty.hpp"
#include "gan/ops/batch_norm.hpp"
#include "gan/ops/convolution.hpp"
#include "gan/ops/matmul.hpp"
#include "support/catch.hpp"
#include "support/gradcheck.hpp"

using namespace gan;

namespace {

using D = Tensor<double>;
using Net = std::function<D(const D&)>;
using Penalty = std::function<D(Rng& rng, const Net&, const D& real, const D& fake, Index step)>;

/// D(x) = a / 2 |x|^2, whose gradient is a x.
struct Bowl {
  D a = D::scalar(3).set_requires_grad();
  D operator()(const D& x) const {
    const auto rows = flatten(x);
    return a * (0.5 * sum(square(rows), {1}, true));
  }
};

D samples(std::uint64_t seed, const Shape& shape, double shift = 0) {
  Rng rng(seed);
  return normal<double>(rng, shape, shift);
}

std::vector<double> squared_lengths(const D& x) {
  const Index n = x.shape()[0], width = x.size() / n;
  std::vector<double> lengths(static_cast<std::size_t>(n));
  for (Index i = 0; i < x.size(); ++i) lengths[static_cast<std::size_t>(i / width)] += x.data()[i] * x.data()[i];
  return lengths;
}

double mean_of(const std::vector<double>& values, const std::function<double(double)>& f) {
  double total = 0;
  for (const double v : values) total += f(v);
  return total / static_cast<double>(values.size());
}

/// The interpolates that a penalty draws from this state: one number a sample.
D expected_interpolates(Rng rng, const D& real, const D& fake) {
  const Index n = real.shape()[0], width = real.size() / n;
  const auto u = uniform<double>(rng, {n});
  auto x = D::empty(real.shape());
  for (Index i = 0; i < x.size(); ++i) {
    const double share = u.data()[i / width];
    x.mutable_data()[i] = share * real.data()[i] + (1 - share) * fake.data()[i];
  }
  return x;
}

/// Value and derivative by `a` of a penalty on a Bowl: the penalty is made of the squared lengths of a x.
void require_on_bowl(const D& penalty, const Bowl& bowl, const D& x, const std::function<double(double)>& of_slope,
                     const std::function<double(double)>& derivative) {
  const double a = bowl.a.item();
  const auto lengths = squared_lengths(x);
  REQUIRE(penalty.shape() == Shape{});
  REQUIRE(penalty.item() == Approx(mean_of(lengths, [&](double l) { return of_slope(a * std::sqrt(l)); })));
  // d/da f(a |x|) = f'(a |x|) |x|
  REQUIRE(grad(penalty, bowl.a).item() ==
          Approx(mean_of(lengths, [&](double l) { return derivative(a * std::sqrt(l)) * std::sqrt(l); })));
}

struct Case {
  std::string name;
  std::vector<D> parameters;
  Shape sample;  // of a batch of 4
  Net net;
};

/// Central difference of f along a direction of a parameter, which is put back afterwards.
double slope_along(const D& direction, D parameter, const std::function<double()>& f) {
  constexpr double step = 1e-6;
  const D before = parameter.clone();
  parameter.mutable_values() = before.values() + step * direction.values();
  const double high = f();
  parameter.mutable_values() = before.values() - step * direction.values();
  const double low = f();
  parameter.mutable_values() = before.values();
  return (high - low) / (2 * step);
}

/// Discriminators of every kind of layer, written in operations.
std::vector<Case> networks() {
  Rng rng(11);
  const auto weight = [&](const Shape& shape) { return normal<double>(rng, shape, 0, 0.7).set_requires_grad(); };
  const auto w1 = weight({3, 5}), b1 = weight({5}), w2 = weight({5, 1}), b2 = weight({1});
  const auto k1 = weight({3, 3, 2, 3}), k2 = weight({2, 2, 3, 2}), w3 = weight({6, 1});
  const auto up = weight({2, 2, 2, 2}), w4 = weight({32, 1});
  const auto scale = weight({5}), shift = weight({5});
  // Vectors of the spectral norm; constants of the gradient, as in Miyato et al.
  const auto u = normal<double>(rng, {1, 3}), v = normal<double>(rng, {5, 1});
  const Shape rows = {4, 3}, images = {4, 4, 4, 2}, small_images = {4, 2, 2, 2};
  return {
      {"dense, tanh", {w1, b1, w2, b2}, rows, [=](const D& x) { return linear(tanh(linear(x, w1, b1)), w2, b2); }},
      {"dense, leaky relu",
       {w1, b1, w2},
       rows,
       [=](const D& x) { return matmul(leaky_relu(linear(x, w1, b1), 0.2), w2); }},
      {"dense, elu, layer norm",
       {w1, b1, scale, shift, w2},
       rows,
       [=](const D& x) { return matmul(elu(normalize(linear(x, w1, b1), {-1}) * scale + shift), w2); }},
      {"dense, gelu, spectral norm",
       {w1, b1, w2},
       rows,
       [=](const D& x) {
         const auto sigma = matmul(matmul(u, w1), v);
         return matmul(gelu(linear(x, w1 / sigma, b1)), w2);
       }},
      {"dense, batch norm, softplus",
       {w1, scale, shift, w2},
       rows,
       [=](const D& x) { return matmul(softplus(batch_norm(matmul(x, w1), scale, shift).y), w2); }},
      {"convolutions, leaky relu, layer norm",
       {k1, k2, w3},
       images,
       [=](const D& x) {
         const auto h = leaky_relu(conv2d(x, k1, {.stride = {2, 2}, .padding = {1, 1}}), 0.2);
         return matmul(flatten(tanh(normalize(conv2d(h, k2, {.padding = {1, 0}}), {1, 2, 3}))), w3);
       }},
      {"transposed convolution, tanh",
       {up, w4},
       small_images,
       [=](const D& x) {
         return matmul(flatten(tanh(conv_transpose2d(x, up, {.stride = {2, 2}}))), w4);
       }},
  };
}

std::vector<std::pair<std::string, Penalty>> penalties() {
  return {
      {"WGAN-GP", GradientPenalty{}},
      {"WGAN-GP, one-sided", GradientPenalty{.target = 0.5, .one_sided = true}},
      {"WGAN-GP, target 0", GradientPenalty{.target = 0}},
      {"DRAGAN", Dragan{}},
      {"R1 and R2", combine(R1{.gamma = 2}, R2{.gamma = 0.5})},
      {"zero-centered", ZeroCentered{}},
  };
}

}  // namespace

TEST_CASE("a linear critic has one slope everywhere") {
  // |w| = 5
  D w({2, 1}, {3, -4});
  w.set_requires_grad();
  const Net critic = [&](const D& x) { return matmul(x, w) + 7; };
  const D real = samples(1, {6, 2}), fake = samples(2, {6, 2});
  const auto require = [&](const Penalty& penalty, double value, double by_length) {
    Rng rng(3);
    const D p = penalty(rng, critic, real, fake, 0);
    REQUIRE(p.item() == Approx(value));
    const auto g = grad(p, w);
    REQUIRE(g.at({0, 0}) == Approx(by_length * 3 / 5));
    REQUIRE(g.at({1, 0}) == Approx(by_length * -4 / 5));
  };
  require(GradientPenalty{}, 10 * 16, 10 * 8);
  require(GradientPenalty{.weight = 2, .target = 3}, 2 * 4, 2 * 4);
  require(GradientPenalty{.target = 8}, 10 * 9, -10 * 6);
  require(GradientPenalty{.target = 8, .one_sided = true}, 0, 0);
  require(GradientPenalty{.one_sided = true}, 10 * 16, 10 * 8);
  require(GradientPenalty{.target = 0}, 10 * 25, 10 * 10);
  require(Dragan{}, 10 * 16, 10 * 8);
  require(ZeroCentered{.weight = 4}, 4 * 25, 4 * 10);
  require(R1{.gamma = 6}, 3 * 25, 6 * 5);
  require(R2{.gamma = 4}, 2 * 25, 4 * 5);
  require(combine(R1{.gamma = 6}, R2{.gamma = 4}, NoPenalty{}), 5 * 25, 10 * 5);
}

TEST_CASE("penalties are taken where they should be, with the norm of whole samples") {
  const Bowl bowl;
  for (const Shape& shape : {Shape{5, 3}, Shape{5, 2, 3, 2}}) {
    const D real = samples(1, shape, 0.5), fake = samples(2, shape, -1);
    Rng rng(7);
    const auto square_of = [](double s) { return s * s; };
    require_on_bowl(
        R1{.gamma = 1}(rng, bowl, real, fake, 0), bowl, real, [](double s) { return s * s / 2; },
        [](double s) { return s; });
    require_on_bowl(
        R2{.gamma = 1}(rng, bowl, real, fake, 0), bowl, fake, [](double s) { return s * s / 2; },
        [](double s) { return s; });
    REQUIRE(rng.state() == Rng(7).state());
    const D x = expected_interpolates(rng, real, fake);
    require_on_bowl(
        GradientPenalty{.weight = 1}(rng, bowl, real, fake, 0), bowl, x, [](double s) { return (s - 1) * (s - 1); },
        [](double s) { return 2 * (s - 1); });
    REQUIRE_FALSE(rng.state() == Rng(7).state());
    const D next = expected_interpolates(rng, real, fake);
    require_on_bowl(ZeroCentered{.weight = 1}(rng, bowl, real, fake, 1), bowl, next, square_of,
                    [](double s) { return 2 * s; });

    double mean = 0, squares = 0;
    for (Index i = 0; i < real.size(); ++i) mean += real.data()[i] / static_cast<double>(real.size());
    for (Index i = 0; i < real.size(); ++i) squares += std::pow(real.data()[i] - mean, 2);
    const double stddev = std::sqrt(squares / static_cast<double>(real.size()));
    Rng same(rng.state());
    const D around = real + 0.25 * stddev * normal<double>(same, shape);
    require_on_bowl(
        Dragan{.weight = 1, .noise = 0.25}(rng, bowl, real, D(), 0), bowl, around,
        [](double s) { return (s - 1) * (s - 1); }, [](double s) { return 2 * (s - 1); });
  }
}

TEST_CASE("lazy penalties come at each period, multiplied by it") {
  const Bowl bowl;
  const D real = samples(1, {5, 3}), fake = samples(2, {5, 3});
  Rng rng;
  const double r1 = R1{}(rng, bowl, real, fake, 0).item(), r2 = R2{}(rng, bowl, real, fake, 0).item();
  const R1 lazy1{.every = 4};
  const R2 lazy2{.every = 6};
  const auto both = combine(lazy1, lazy2);
  for (Index step = 0; step < 24; ++step) {
    INFO("step " << step);
    REQUIRE(lazy1(rng, bowl, real, fake, step).defined() == (step % 4 == 0));
    REQUIRE(lazy2(rng, bowl, real, fake, step).defined() == (step % 6 == 0));
    const D sum = both(rng, bowl, real, fake, step);
    const double expected = (step % 4 == 0 ? 4 * r1 : 0) + (step % 6 == 0 ? 6 * r2 : 0);
    REQUIRE(sum.defined() == (expected > 0));
    if (expected > 0) REQUIRE(sum.item() == Approx(expected));
  }
  REQUIRE_FALSE(NoPenalty{}(rng, bowl, real, fake, 0).defined());
  REQUIRE_FALSE(combine()(rng, bowl, real, fake, 0).defined());
}

TEST_CASE("a slope of zero gives a finite penalty gradient") {
  Tensor<float> w({2, 1}, {0, 0});
  w.set_requires_grad();
  const auto critic = [&](const Tensor<float>& x) { return matmul(x, w); };
  const Tensor<float> x({3, 2}, {1, 2, 3, 4, 5, 6});
  Rng rng;
  const auto penalty = GradientPenalty{}(rng, critic, x, x, 0);
  REQUIRE(penalty.item() == Approx(10));
  const auto g = grad(penalty, w);
  REQUIRE((std::isfinite(g.at({0, 0})) && std::isfinite(g.at({1, 0}))));
}

TEST_CASE("the gradient of penalties by the discriminator's parameters is right through every layer") {
  for (const auto& network : networks()) {
    const D real = samples(21, network.sample, 0.3), fake = samples(22, network.sample, -0.2);
    for (const auto& [name, penalty] : penalties()) {
      const auto value = [&, &penalty = penalty] {
        Rng rng(5);
        return penalty(rng, network.net, real, fake, 0);
      };
      const auto g = grad(value(), network.parameters);
      for (std::size_t i = 0; i < g.size(); ++i) {
        INFO(network.name << ", " << name << ", parameter " << i);
        for (const std::uint64_t seed : {31u, 32u}) {
          const D direction = samples(seed, g[i].shape());
          REQUIRE(slope_along(direction, network.parameters[i], [&] { return value().item(); }) ==
                  Approx(sum(g[i] * direction).item()).epsilon(1e-6).margin(1e-6));
        }
      }
    }
  }
}

TEST_CASE("gradients of a penalty reach the discriminator alone") {
  D weight({2, 2}, {1, 2, 3, 4});
  weight.set_requires_grad();
  D real = samples(1, {5, 2}).set_requires_grad();
  const D fake = matmul(samples(2, {5, 2}), weight);  // with the history of a generator
  for (const auto& [name, penalty] : penalties()) {
    INFO(name);
    Bowl bowl;
    Rng rng;
    const auto reached = backward(penalty(rng, bowl, real, fake, 0));
    REQUIRE(reached.size() == 1);
    REQUIRE(reached.front().is(bowl.a));
    REQUIRE(bowl.a.grad().defined());
    REQUIRE_FALSE(weight.grad().defined());
    REQUIRE_FALSE(real.grad().defined());
  }
}

TEST_CASE("combined penalties pass on what follows a step") {
  const NamedTensors<double> parameters = {{"w", D({2}, {0.5, -0.001})}};
  combine(R1{}, NoPenalty{}).after_step(parameters);
  REQUIRE(parameters[0].tensor.at({0}) == 0.5);
  combine(R1{}, combine(NoPenalty{}, ClipWeights{0.01})).after_step(parameters);
  REQUIRE(parameters[0].tensor.at({0}) == 0.01);
  REQUIRE(parameters[0].tensor.at({1}) == -0.001);
}

TEST_CASE("penalties refuse by name what they cannot work with") {
  const D real = samples(1, {5, 2}), fake = samples(2, {5, 2});
  const auto w = samples(3, {2, 1}).set_requires_grad();
  std::vector<std::pair<std::string, Penalty>> named;
  Penalties::for_each([&]<class P>() {
    if (of_gradients(P{})) named.emplace_back(P::name, P{});
  });
  REQUIRE_FALSE(named.empty());
  const Net good = [&](const D& x) { return matmul(square(x), w); };
  for (const auto& [name, penalty] : named) {
    Rng rng;
    const auto rejects = [&, &name = name, &penalty = penalty](const Net& net, const D& r, const D& f,
                                                               const std::string& message) {
      REQUIRE_THROWS_WITH(penalty(rng, net, r, f, 0), ContainsSubstring(name + ": " + message));
    };
    const std::string deaf = "the score does not depend on the samples [5, 2]";
    rejects([&](const D& x) { return good(x.detach()); }, real, fake, deaf);
    rejects([&](const D&) { return good(D::ones({5, 2})); }, real, fake, deaf);
    rejects([&](const D&) { return D({5, 1}); }, real, fake, deaf);
    rejects([&](const D& x) { return mean(good(x)); }, real, fake, "score [] of samples [5, 2]");
    rejects([&](const D&) { return D(); }, real, fake, "score [] of samples [5, 2]");
    const NoGrad no_grad;
    rejects(good, real, fake, deaf);
  }
  Rng rng;
  const D four = samples(2, {4, 2});
  REQUIRE_THROWS_WITH(GradientPenalty{}(rng, good, real, four, 0),
                      ContainsSubstring("gradient-penalty: real samples [5, 2] and fakes [4, 2] differ in shape"));
  REQUIRE_THROWS_WITH(ZeroCentered{}(rng, good, real, four, 0), ContainsSubstring("fakes [4, 2] differ"));
  REQUIRE_THROWS_WITH(GradientPenalty{}(rng, good, real, D(), 0), ContainsSubstring("needs real and fake samples"));
  REQUIRE_THROWS_WITH(R1{}(rng, good, D(), fake, 0), ContainsSubstring("r1: no samples"));
  REQUIRE_THROWS_WITH(R2{}(rng, good, real, D({0, 2}), 0), ContainsSubstring("r2: no samples"));
  REQUIRE_THROWS_WITH(R1{.gamma = -1}(rng, good, real, fake, 0), ContainsSubstring("gamma is -1"));
  REQUIRE_THROWS_WITH(R2{.every = 0}(rng, good, real, fake, 0), ContainsSubstring("every 0"));
  REQUIRE_THROWS_WITH(GradientPenalty{.weight = -2}(rng, good, real, fake, 0), ContainsSubstring("weight is -2"));
  REQUIRE_THROWS_WITH(Dragan{.noise = -2}(rng, good, real, fake, 0), ContainsSubstring("noise is -2"));
  for (const double bad : {std::nan(""), HUGE_VAL}) {
    const std::vector<std::pair<std::string, Penalty>> spoilt = {
        {"gamma is ", R1{.gamma = bad}},
        {"gamma is ", R2{.gamma = bad}},
        {"weight is ", GradientPenalty{.weight = bad}},
        {"target ", GradientPenalty{.target = bad}},
        {"epsilon ", GradientPenalty{.epsilon = bad}},
        {"weight is ", Dragan{.weight = bad}},
        {"noise is ", Dragan{.noise = bad}},
        {"weight is ", ZeroCentered{.weight = bad}},
    };
    for (const auto& [message, penalty] : spoilt)
      REQUIRE_THROWS_WITH(penalty(rng, good, real, fake, 0),
                          ContainsSubstring(message + (std::isnan(bad) ? "nan" : "inf")));
  }
}
