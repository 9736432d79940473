// Binary operations: values against loops, gradients, broadcasting, and independence of the number of threads.
#include "gan/ops/arithmetic.hpp"

#include <cmath>
#include <limits>
#include <sstream>

#include "gan/tensor/print_graph.hpp"
#include "support/catch.hpp"
#include "support/gradcheck.hpp"
#include "support/reference.hpp"

using gan::Index;
using gan::Shape;
using gan::Tensor;
using namespace gan::test;
using Binary = Tensor<double> (*)(const Tensor<double>&, const Tensor<double>&);

namespace {

struct Case {
  const char* name;
  Binary op;
  double (*reference)(double, double);
};

const Case cases[] = {
    {"add", gan::add<double>, [](double a, double b) { return a + b; }},
    {"sub", gan::sub<double>, [](double a, double b) { return a - b; }},
    {"mul", gan::mul<double>, [](double a, double b) { return a * b; }},
    {"div", gan::div<double>, [](double a, double b) { return a / b; }},
    {"maximum", gan::maximum<double>, [](double a, double b) { return a > b ? a : b; }},
    {"minimum", gan::minimum<double>, [](double a, double b) { return a < b ? a : b; }},
};

/// b away from 0, and from every a that it meets.
std::pair<Tensor<double>, Tensor<double>> random_operands(gan::Rng& rng, const Shape& a, const Shape& b) {
  auto x = random_tensor(rng, a, 0.5, 2), y = random_tensor(rng, b, 0.5, 2);
  // Multiples of 0.1, and those shifted by 0.05: never equal, so no step of a finite difference changes who wins.
  x.mutable_values() = (x.values() * 10).round() / 10;
  y.mutable_values() = (y.values() * 10).round() / 10 + 0.05;
  return {x, y};
}

void require_values(const Case& c, const Tensor<double>& a, const Tensor<double>& b) {
  const auto y = c.op(a, b);
  REQUIRE(y.shape() == gan::broadcast("test", a.shape(), b.shape()));
  bool equal = true;
  for (Index i = 0; i < y.size(); ++i) {
    const auto index = unravel(y.shape(), i);
    equal &= y.data()[i] == c.reference(a.data()[ravel(a.shape(), index)], b.data()[ravel(b.shape(), index)]);
  }
  REQUIRE(equal);
}

}  // namespace

TEST_CASE("binary operations on random shapes") {
  gan::Rng rng(11);
  for (const Case& c : cases)
    for (int trial = 0; trial < 12; ++trial) {
      const auto [p, q] = random_partners(rng);
      const auto [a, b] = random_operands(rng, p, q);
      CAPTURE(c.name, p, q);
      require_values(c, a, b);
      if (trial < 6 && a.size() * b.size() < 400)
        check_gradients([&](const Inputs& x) { return c.op(x[0], x[1]); }, {a, b});
    }
}

TEST_CASE("binary operations on the shapes of layers") {
  gan::Rng rng(12);
  const std::pair<Shape, Shape> shapes[] = {{{2, 3}, {3}}, {{3}, {2, 3}},       {{2, 1}, {1, 3}}, {{2, 3}, {}},
                                            {{}, {2}},     {{2, 2, 1, 3}, {3}}, {{}, {}},         {{1, 1}, {1}}};
  for (const Case& c : cases)
    for (const auto& [p, q] : shapes) {
      CAPTURE(c.name, p, q);
      const auto [a, b] = random_operands(rng, p, q);
      require_values(c, a, b);
      check_gradients([&](const Inputs& x) { return c.op(x[0], x[1]); }, {a, b});
    }
}

TEST_CASE("binary operations on large tensors") {
  gan::Rng rng(13);
  const std::pair<Shape, Shape> shapes[] = {{{70001}, {70001}},
                                            {{300, 257}, {257}},
                                            {{300, 257}, {300, 1}},
                                            {{3, 40000}, {40000}},
                                            {{1, 40000}, {3, 1}},
                                            {{70001}, {}},
                                            {{30, 1, 40, 50}, {1, 20, 1, 50}},
                                            {{40000, 3}, {3}},
                                            {{20, 30, 50}, {20, 1, 50}}};
  for (const Case& c : cases)
    for (const auto& [p, q] : shapes) {
      CAPTURE(c.name, p, q);
      const auto [a, b] = random_operands(rng, p, q);
      require_values(c, a, b);
      require_values(c, b, a);
    }
}

TEST_CASE("an operand may be used twice") {
  gan::Rng rng(14);
  for (const Case& c : cases) {
    if (c.op == gan::maximum<double> || c.op == gan::minimum<double>) continue;
    CAPTURE(c.name);
    check_gradients([&](const Inputs& x) { return c.op(x[0], x[0]); }, {random_tensor(rng, {2, 3}, 0.5, 2)});
  }
}

TEST_CASE("operands that tie share the gradient") {
  auto a = Tensor<double>({3}, {1, 2, 3}).set_requires_grad(), b = Tensor<double>({3}, {1, 3, 2}).set_requires_grad();
  const auto top = grad(maximum(a, b), {a, b}), bottom = grad(minimum(a, b), {a, b});
  const auto expect = [](const Tensor<double>& x, std::vector<double> values) {
    REQUIRE(std::vector<double>(x.data(), x.data() + x.size()) == values);
  };
  expect(top[0], {0.5, 0, 1});
  expect(top[1], {0.5, 1, 0});
  expect(bottom[0], {0.5, 1, 0});
  expect(bottom[1], {0.5, 0, 1});
}

TEST_CASE("operations with scalars") {
  gan::Rng rng(15);
  const auto x = random_tensor(rng, {2, 3}, 0.5, 2);
  const auto check_scalar = [&](const Function& f, const std::function<double(double)>& reference) {
    const auto y = f({x});
    for (Index i = 0; i < x.size(); ++i) REQUIRE(y.data()[i] == Approx(reference(x.data()[i])).epsilon(1e-14));
    check_gradients(f, {x});
  };
  check_scalar([](const Inputs& v) { return v[0] + 2; }, [](double v) { return v + 2; });
  check_scalar([](const Inputs& v) { return 2 + v[0]; }, [](double v) { return v + 2; });
  check_scalar([](const Inputs& v) { return v[0] - 2; }, [](double v) { return v - 2; });
  check_scalar([](const Inputs& v) { return 2 - v[0]; }, [](double v) { return 2 - v; });
  check_scalar([](const Inputs& v) { return v[0] * 3; }, [](double v) { return v * 3; });
  check_scalar([](const Inputs& v) { return 3 * v[0]; }, [](double v) { return v * 3; });
  check_scalar([](const Inputs& v) { return v[0] / 4; }, [](double v) { return v / 4; });
  check_scalar([](const Inputs& v) { return 4 / v[0]; }, [](double v) { return 4 / v; });
  check_scalar([](const Inputs& v) { return -v[0]; }, [](double v) { return -v; });
  check_scalar([](const Inputs& v) { return gan::neg(v[0]); }, [](double v) { return -v; });
  check_scalar([](const Inputs& v) { return gan::reciprocal(v[0]); }, [](double v) { return 1 / v; });
  check_scalar([](const Inputs& v) { return gan::affine(v[0], -1.5, 0.25); }, [](double v) { return -1.5 * v + 0.25; });
  check_scalar([](const Inputs& v) { return 2 * (v[0] * v[0]) / v[0] - 1; }, [](double v) { return 2 * v - 1; });
}

TEST_CASE("tensors without elements pass through") {
  const Tensor<double> empty({0, 3}), row({3}), one({1, 3});
  for (const Case& c : cases) {
    REQUIRE(c.op(empty, row).shape() == Shape{0, 3});
    REQUIRE(c.op(one, empty).shape() == Shape{0, 3});
    auto leaf = row.clone().set_requires_grad();
    const auto g = grad(c.op(leaf, empty), leaf);  // the sum over no rows
    REQUIRE(g.shape() == Shape{3});
    REQUIRE((g.values() == 0).all());
  }
  REQUIRE((empty * 2 + 1).shape() == Shape{0, 3});
}

TEST_CASE("special values follow IEEE") {
  const double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  const Tensor<double> x({4}, {inf, -inf, nan, 0});
  REQUIRE(std::isnan((x - x).at({0})));
  REQUIRE(std::isnan((x + 1).at({2})));
  REQUIRE((1 / x).at({0}) == 0);
  REQUIRE((1 / x).at({3}) == inf);
  REQUIRE((x * 2).at({1}) == -inf);
}

TEST_CASE("shapes that do not broadcast are refused by the operation's name") {
  const Tensor<double> a({2, 3}), b({2, 4});
  for (const Case& c : cases)
    REQUIRE_THROWS_WITH(c.op(a, b), std::string(c.name) +
                                        ": shapes [2, 3] and [2, 4] do not broadcast: axis -1 is 3 and 4, expected "
                                        "equal lengths or 1");
  REQUIRE_THROWS_WITH(a + b, ContainsSubstring("add: shapes [2, 3] and [2, 4]"));
}

TEST_CASE("attributes and names are recorded") {
  auto x = Tensor<double>({2}, {1, 2}).set_requires_grad();
  std::ostringstream out;
  gan::print_graph(out, 1 / (2 * x - 3));
  REQUIRE(out.str() ==
          "affine scale=2 shift=0 [2] -> [2]\naffine scale=1 shift=-3 [2] -> [2]\nreciprocal s=1 [2] -> [2]\n");
}
