// Recording and differentiating: backward, grad, higher derivatives, scopes, and what their misuse gets.
#include "gan/tensor/autograd.hpp"

#include <cmath>
#include <sstream>
#include <string>
#include <vector>

#include "gan/ops/elementwise.hpp"
#include "gan/ops/matmul.hpp"
#include "gan/tensor/print_graph.hpp"
#include "support/catch.hpp"

using gan::grad;
using gan::Shape;
using gan::Tensor;
using Tensors = std::vector<Tensor<double>>;

namespace {

Tensor<double> leaf(double value) { return Tensor<double>::scalar(value).set_requires_grad(); }
Tensor<double> leaf(std::initializer_list<double> values) {
  return Tensor<double>({static_cast<gan::Index>(values.size())}, values).set_requires_grad();
}
std::vector<double> list(const Tensor<double>& x) { return {x.data(), x.data() + x.size()}; }
using List = std::vector<double>;

}  // namespace

TEST_CASE("backward leaves gradients in the leaves and returns them") {
  auto x = leaf({1, 2}), y = leaf({3, 4}), unused = leaf({5, 6});
  const auto constant = Tensor<double>({2}, {10, 20});
  const auto reached = gan::backward(sum(x * y * constant));
  REQUIRE(list(x.grad()) == List{30, 80});
  REQUIRE(list(y.grad()) == List{10, 40});
  REQUIRE_FALSE(unused.grad().defined());
  REQUIRE_FALSE(constant.grad().defined());
  REQUIRE(reached.size() == 2);
  for (const auto& r : reached) REQUIRE((r.is(x) || r.is(y)));
  REQUIRE_FALSE(reached[0].is(reached[1]));
  REQUIRE_FALSE(x.grad().requires_grad());
  x.zero_grad();
  REQUIRE_FALSE(x.grad().defined());
}

TEST_CASE("the loss may itself be a leaf, and may have any shape of one element") {
  auto x = leaf(3);
  REQUIRE(gan::backward(x).size() == 1);
  REQUIRE(x.grad().item() == 1);
  auto y = Tensor<double>({1, 1}, {2}).set_requires_grad();
  gan::backward(y * y);
  REQUIRE(y.grad().shape() == Shape{1, 1});
  REQUIRE(y.grad().item() == 4);
}

TEST_CASE("gradients of several passes add up in place") {
  auto x = leaf({1, 2});
  gan::backward(sum(x * 3.0));
  const double* memory = x.grad().data();
  gan::backward(sum(x * x));
  REQUIRE(list(x.grad()) == List{5, 7});
  REQUIRE(x.grad().data() == memory);
  // A gradient that someone holds, or sees through a view, is left as it is.
  const auto held = x.grad();
  gan::backward(sum(x));
  REQUIRE(list(x.grad()) == List{6, 8});
  REQUIRE(list(held) == List{5, 7});
  const auto view = x.grad().detach();
  gan::backward(sum(x));
  REQUIRE(list(x.grad()) == List{7, 9});
  REQUIRE(list(view) == List{6, 8});
}

TEST_CASE("the first gradient of a leaf is stolen") {
  auto x = leaf({1, 2});
  const double* made = nullptr;
  const auto y = record("copy", x.clone(), {x}, [&](gan::Backward<double>& d) {
    auto g = d.grad() * 2.0;
    made = g.data();
    d.give(0, std::move(g));
  });
  gan::backward(sum(y));
  REQUIRE(x.grad().data() == made);
}

TEST_CASE("leaves with the same gradient do not share it") {
  auto a = leaf({1, 2}), b = leaf({3, 4});
  gan::backward(sum(a + b));
  REQUIRE(a.grad().data() != b.grad().data());
  a.grad().mutable_data()[0] = 100;
  REQUIRE(list(b.grad()) == List{1, 1});

  auto c = Tensor<double>({2, 1}, {1, 2}).set_requires_grad(), d = leaf({3, 4});
  gan::backward(sum(reshape(c, {2}) + d));  // the gradient of c is a view of that of d
  c.grad().mutable_data()[0] = 100;
  REQUIRE(list(d.grad()) == List{1, 1});
}

TEST_CASE("a tensor used several times gets the sum") {
  auto x = leaf(3);
  gan::backward(x * x + x * 4.0 + x);
  REQUIRE(x.grad().item() == 11);
  x.zero_grad();
  gan::backward(x + x);
  REQUIRE(x.grad().item() == 2);
}

TEST_CASE("diamonds") {
  auto x = leaf(2);
  auto y = x * x;  // 4
  const auto left = y * 3.0, right = y * y;
  gan::backward(left * right);  // 3 x^6
  REQUIRE(x.grad().item() == Approx(18 * 32));
  // Wide and deep: y doubles twenty times.
  auto z = leaf(1.5);
  auto sum_of = z;
  for (int i = 0; i < 20; ++i) sum_of = sum_of + sum_of;
  REQUIRE(grad(sum_of, z).item() == 1 << 20);
}

TEST_CASE("grad leaves the leaves alone") {
  auto x = leaf({1, 2});
  const auto g = grad(x * x, x);  // of any shape: the sum of its elements
  REQUIRE(list(g) == List{2, 4});
  REQUIRE_FALSE(x.grad().defined());
  REQUIRE_FALSE(g.requires_grad());
}

TEST_CASE("grad with weights") {
  auto x = leaf({1, 2});
  const Tensor<double> weights({2}, {10, 100});
  REQUIRE(list(grad(x * x, x, {}, weights)) == List{20, 400});
  REQUIRE(list(weights) == List{10, 100});
  REQUIRE_THROWS_WITH(grad(x * x, x, {}, Tensor<double>({3})), "grad: weights [3] do not match y [2]");
}

TEST_CASE("gradients with respect to results, repeated and unreached tensors") {
  auto x = leaf({1, 2}), unreached = leaf({1, 2, 3});
  const auto h = x * 3.0;
  const auto y = h * h;
  const auto g = grad(y, {h, x, x, unreached, y});
  REQUIRE(list(g[0]) == List{6, 12});
  REQUIRE(list(g[1]) == List{18, 36});
  REQUIRE(list(g[2]) == List{18, 36});
  REQUIRE(list(g[3]) == List{0, 0, 0});
  REQUIRE(list(g[4]) == List{1, 1});
}

TEST_CASE("a gradient with respect to what required none is an error") {
  auto w = leaf({3, 4});
  auto x = Tensor<double>({2}, {1, 2});
  x.set_label("picture");
  const auto message =
      "grad: x 1 [2] \"picture\" did not require a gradient when y was computed; "
      "call set_requires_grad() before";
  REQUIRE_THROWS_WITH(grad(sum(x * w), {w, x}), message);
  const auto early = sum(x * w);
  x.set_requires_grad();
  REQUIRE_THROWS_WITH(grad(early, {w, x}), message);  // too late
  REQUIRE(list(grad(early, w)) == List{1, 2});        // and the refusal left the history alone
  REQUIRE(list(grad(sum(x * w), x)) == List{3, 4});
  REQUIRE_THROWS_WITH(grad(sum(w), Tensor<double>({1}, {7})), ContainsSubstring("grad: x 0 [1] did not require"));
  REQUIRE_THROWS_WITH(grad(sum(w), Tensor<double>()), "grad: x 0 is undefined");

  // Used with and without: the part that was recorded counts, as in backward.
  const auto recorded = x * w;
  x.set_requires_grad(false);
  const auto both = sum(recorded + x * w);
  REQUIRE(list(grad(both, x)) == List{3, 4});
}

TEST_CASE("gradients have memory of their own") {
  auto a = leaf({1, 2}), b = leaf({3, 4});
  const Tensor<double> weights({2}, {10, 100});
  for (const bool create_graph : {false, true}) {
    CAPTURE(create_graph);
    auto g = grad(a + b, {a, b, a}, {.create_graph = create_graph}, weights);
    for (const double* other : {weights.data(), g[1].data(), g[2].data()}) REQUIRE(g[0].data() != other);
    REQUIRE(g[1].data() != g[2].data());
    REQUIRE(g[1].data() != weights.data());
    for (const auto& x : g) REQUIRE(list(x) == List{10, 100});
    auto whole = grad(a, a, {.create_graph = create_graph}, weights);
    REQUIRE(whole.data() != weights.data());
  }
  // A copy has its history, too.
  auto w = leaf({5, 6});
  const auto g = grad(a + b, {a, b}, {.create_graph = true}, w);
  REQUIRE(list(grad(sum(g[0] * g[1]), w)) == List{10, 12});
  // A function that hands out its own input.
  const auto z =
      record("half square", Tensor<double>({2}, {0.5, 2}), {a}, [](gan::Backward<double>& d) { d.give(0, d.x(0)); });
  REQUIRE(grad(z, a, {.create_graph = true}).data() != a.data());
  REQUIRE(grad(z, a).data() != a.data());
}

TEST_CASE("a branch that was released matters only when it leads to what is asked for") {
  auto x = leaf(3), w = leaf(5);
  const auto h = x * x;
  gan::backward(h);
  REQUIRE(grad(h * w, w).item() == 9);
  REQUIRE(grad(h * w, h).item() == 5);
  const auto message = ContainsSubstring("backward: the history of \"mul\" was released by an earlier pass");
  REQUIRE_THROWS_WITH(grad(h * w, x), message);
  REQUIRE_THROWS_WITH(grad(h * w, {w, x}), message);
  REQUIRE_THROWS_WITH(grad(h * x, x), message);  // though x is reached without h, too
  REQUIRE_THROWS_WITH(gan::backward(h * w), message);
  // Results on the way count as well, and so do the leaves of a branch inside another one.
  const auto p = w * 2.0, q = exp(p);
  gan::backward(q);
  REQUIRE(grad(q * h, q).item() == 9);
  REQUIRE(grad(q * h, h).item() == Approx(std::exp(10)));
  REQUIRE_THROWS_WITH(grad(q * h, p), ContainsSubstring("was released"));
  REQUIRE_THROWS_WITH(grad(q * h, w), ContainsSubstring("was released"));
  const auto outer = q * h, also = outer * leaf(1);
  REQUIRE(grad(also, outer).item() == 1);  // releases `also` only
  REQUIRE_THROWS_WITH(grad(also * leaf(1), x), ContainsSubstring("was released"));
  auto other = leaf(7);
  REQUIRE(grad(also * other, other).item() == Approx(std::exp(10) * 9));
}

TEST_CASE("a result is recorded once, and not from itself") {
  auto x = leaf({1, 2});
  const auto vjp = [](gan::Backward<double>& d) { d.give(0, d.grad()); };
  REQUIRE_THROWS_WITH(record("own", x * 1.0, {x}, vjp),
                      "record: the result [2] of \"own\" has a history already, of \"affine\"");
  REQUIRE_THROWS_WITH(record("own", x, {x}, vjp),
                      "record: the result [2] of \"own\" is a leaf that requires a gradient");
  const Tensor<double> plain({2}, {3, 4});
  REQUIRE_THROWS_WITH(record("own", plain, {x, plain}, vjp), "record: the result [2] of \"own\" is one of its inputs");
  REQUIRE_FALSE(plain.requires_grad());
  REQUIRE_THROWS_WITH(record("own", Tensor<double>(), {x}, vjp), ContainsSubstring("used before"));
  REQUIRE_THROWS_WITH(record("own", plain, {x, Tensor<double>()}, vjp), ContainsSubstring("used before"));
}

TEST_CASE("a vjp that asks for an input that is not there is an error") {
  auto x = leaf({1, 2});
  for (const gan::Index i : {-1, 1, 1000}) {
    const auto y = record("odd", x.clone(), {x}, [i](gan::Backward<double>& d) { d.give(0, d.x(i)); });
    REQUIRE_THROWS_WITH(grad(y, x), ContainsSubstring("backward of \"odd\": no input " + std::to_string(i)));
    const auto z = record("odd", x.clone(), {x}, [i](gan::Backward<double>& d) { d.give(i, d.grad()); });
    REQUIRE_THROWS_WITH(grad(z, x), ContainsSubstring("no input " + std::to_string(i)));
    const auto w = record("odd", x.clone(), {x}, [i](gan::Backward<double>& d) { d.wants(i); });
    REQUIRE_THROWS_WITH(grad(w, x), ContainsSubstring("no input " + std::to_string(i)));
  }
}

TEST_CASE("gradients with respect to a result take no other branch") {
  auto x = leaf(2);
  bool asked = false;
  const auto side = record("side", x.clone(), {x}, [&](gan::Backward<double>& d) {
    asked = true;
    d.give(0, d.grad());
  });
  const auto h = x * 3.0;
  REQUIRE(grad(h * side, h).item() == 2);
  REQUIRE_FALSE(asked);
}

TEST_CASE("derivatives of derivatives") {
  auto x = leaf(0.7);
  auto y = exp(x * x);
  Tensor<double> d = y;
  const double e = std::exp(0.49), t = 0.7;
  d = grad(d, x, {.create_graph = true});
  REQUIRE(d.item() == Approx(2 * t * e));
  d = grad(d, x, {.create_graph = true});
  REQUIRE(d.item() == Approx((2 + 4 * t * t) * e));
  d = grad(d, x, {.create_graph = true});
  REQUIRE(d.item() == Approx((12 * t + 8 * t * t * t) * e));
  d = grad(d, x);
  REQUIRE(d.item() == Approx((12 + 48 * t * t + 16 * t * t * t * t) * e));
}

TEST_CASE("a gradient can be part of a loss") {
  auto x = leaf({1, 2}), w = leaf({3, 4});
  const auto g = grad(x * x * w, x, {.create_graph = true});  // 2 x w
  REQUIRE(g.requires_grad());
  gan::backward(sum(g * g));  // 4 x^2 w^2
  REQUIRE(list(w.grad()) == List{8 * 3, 8 * 4 * 4});
  REQUIRE(list(x.grad()) == List{8 * 9, 8 * 2 * 16});
}

TEST_CASE("without create_graph the gradients have no history") {
  auto x = leaf(2);
  const auto g = grad(x * x * x, x);
  REQUIRE_FALSE(g.requires_grad());
  REQUIRE_THROWS_WITH(grad(g, x), "grad: y does not depend on anything that requires a gradient");
}

TEST_CASE("scopes switch recording off and on") {
  auto x = leaf(2);
  REQUIRE(gan::grad_enabled());
  {
    const gan::NoGrad off;
    REQUIRE_FALSE(gan::grad_enabled());
    REQUIRE_FALSE((x * x).requires_grad());
    {
      const gan::GradMode on(true);
      REQUIRE((x * x).requires_grad());
    }
    REQUIRE_FALSE(gan::grad_enabled());
  }
  REQUIRE(gan::grad_enabled());
  REQUIRE((x * x).requires_grad());
  try {
    const gan::NoGrad off;
    gan::fail("out");
  } catch (const gan::Error&) {
  }
  REQUIRE(gan::grad_enabled());
}

TEST_CASE("passes run inside a scope without recording too") {
  auto x = leaf(2);
  const auto y = x * x * x;
  const gan::NoGrad off;
  const auto g = grad(y, x, {.create_graph = true});
  REQUIRE(g.item() == 12);
  REQUIRE(g.requires_grad());
  REQUIRE_FALSE(gan::grad_enabled());
}

TEST_CASE("which inputs need a gradient is noted at recording") {
  auto x = leaf(2), w = leaf(3);
  w.set_requires_grad(false);
  const auto frozen = x * w;
  w.set_requires_grad(true);  // later: too late
  gan::backward(frozen);
  REQUIRE(x.grad().item() == 3);
  REQUIRE_FALSE(w.grad().defined());

  x.zero_grad();
  const auto thawed = x * w;
  w.set_requires_grad(false);  // freezing later does not take it back either
  gan::backward(thawed);
  REQUIRE(w.grad().item() == 2);
}

TEST_CASE("what nobody needs is not computed") {
  auto x = leaf(2);
  const auto constant = Tensor<double>::scalar(5);
  bool wanted0 = false, wanted1 = true;
  const auto y = record("probe", x.clone(), {x, constant}, [&](gan::Backward<double>& d) {
    wanted0 = d.wants(0), wanted1 = d.wants(1);
    REQUIRE(d.has(1));
    REQUIRE_FALSE(d.has(2));
    d.give(0, d.grad());
    d.give(1, d.grad());  // ignored
  });
  gan::backward(y);
  REQUIRE(wanted0);
  REQUIRE_FALSE(wanted1);
  REQUIRE_FALSE(constant.grad().defined());
}

TEST_CASE("nothing is recorded when no input needs a gradient") {
  const auto x = Tensor<double>::scalar(2);
  REQUIRE_FALSE((x * x).requires_grad());
  REQUIRE(std::string((x * x).op()).empty());
}

TEST_CASE("values changed since the recording are noticed") {
  auto x = leaf({1, 2}), w = leaf({3, 4});
  const auto product = x * w;
  w.mutable_data()[0] = 30;
  REQUIRE_THROWS_WITH(
      gan::backward(sum(product)),
      ContainsSubstring("backward of \"mul\": input 1 [2] was changed after it was recorded (version "));

  auto y = exp(x);
  y.mutable_data()[1] = 0;
  REQUIRE_THROWS_WITH(gan::backward(sum(y)),
                      ContainsSubstring("backward of \"exp\": its result [2] was changed after it was recorded"));

  // Through a view too; and a change of what no gradient needs is allowed.
  const auto squared = square(x);
  x.detach().mutable_data()[0] = 5;
  REQUIRE_THROWS_WITH(gan::backward(sum(squared)), ContainsSubstring("backward of \"square\": input 0"));
  const auto added = x + w;
  x.mutable_data()[0] = 9;
  REQUIRE_NOTHROW(gan::backward(sum(added)));
}

TEST_CASE("history is released, or kept when asked to") {
  auto x = leaf(3);
  const auto y = x * x;
  gan::backward(y);
  REQUIRE_THROWS_WITH(gan::backward(y),
                      "backward: the history of \"mul\" was released by an earlier pass; pass "
                      "{.retain_graph = true} to that one");
  REQUIRE_THROWS_AS(grad(y, x), gan::Error);
  REQUIRE_THROWS_AS(grad(y * 2.0, x), gan::Error);

  const auto z = x * x;
  x.zero_grad();
  gan::backward(z, {.retain_graph = true});
  gan::backward(z, {.retain_graph = true});
  REQUIRE(x.grad().item() == 12);
  REQUIRE(grad(z, x, {.retain_graph = true}).item() == 6);
  REQUIRE(grad(z, x, {.create_graph = true}).item() == 6);  // keeps it, too
  REQUIRE(grad(z, x).item() == 6);
  REQUIRE_THROWS_AS(grad(z, x), gan::Error);
}

TEST_CASE("misuse of passes is an error") {
  auto x = leaf({1, 2});
  REQUIRE_THROWS_WITH(gan::backward(x * x), "backward: loss has shape [2], expected one element");
  REQUIRE_THROWS_WITH(gan::backward(Tensor<double>::scalar(1)),
                      "backward: loss does not depend on anything that requires a gradient");
  REQUIRE_THROWS_WITH(grad(Tensor<double>::scalar(1), x),
                      "grad: y does not depend on anything that requires a gradient");
  REQUIRE_THROWS_WITH(gan::backward(Tensor<double>()), ContainsSubstring("used before it was given a value"));
  const auto y = x * x;
  REQUIRE_THROWS_WITH(Tensor<double>(y).set_requires_grad(false),
                      "set_requires_grad: result of \"mul\" is not a leaf; detach() it first");
  REQUIRE_THROWS_WITH(x.set_grad(Tensor<double>({3})), "set_grad: gradient [3] does not match tensor [2]");
  REQUIRE_THROWS_WITH(x.set_grad(x), "set_grad: tensor [2] cannot be its own gradient");
  REQUIRE_NOTHROW(x.set_grad({}));
  x.set_grad(Tensor<double>({2}, {5, 6}));
  gan::backward(sum(x));
  REQUIRE(list(x.grad()) == List{6, 7});
}

TEST_CASE("a gradient of the wrong shape names the operation") {
  auto x = leaf({1, 2});
  const auto y = record("broken", x.clone(), {x}, [](gan::Backward<double>& d) { d.give(0, sum(d.grad())); });
  REQUIRE_THROWS_WITH(gan::backward(sum(y)), "backward of \"broken\": gradient [] for input 0 of shape [2]");
}

TEST_CASE("an operation may give no gradient") {
  auto x = leaf({1, 2});
  const auto y = record("constant", x.clone(), {x}, [](gan::Backward<double>&) {});
  REQUIRE(gan::backward(sum(y)).empty());
  REQUIRE_FALSE(x.grad().defined());
  const auto z = record("constant", x.clone(), {x}, [](gan::Backward<double>&) {});
  REQUIRE(list(grad(sum(z), x)) == List{0, 0});
}

TEST_CASE("the recorded graph can be printed") {
  auto x = Tensor<double>({4, 3}).set_requires_grad();
  auto w = Tensor<double>({3, 2}).set_requires_grad();
  w.set_label("output.weight");
  const auto y = sum(leaky_relu(matmul(x, w), 0.25)) / 8.0;
  std::ostringstream out;
  gan::print_graph(out, y);
  REQUIRE(out.str() ==
          "matmul transpose=0,0 [4, 3] [3, 2]:output.weight -> [4, 2]\n"
          "leaky_relu slope=0.25 [4, 2] -> [4, 2]\n"
          "sum axes=0,1 [4, 2] -> []\n"
          "affine scale=0.125 shift=0 [] -> []\n");
  std::ostringstream nothing;
  gan::print_graph(nothing, x);
  REQUIRE(nothing.str().empty());
  REQUIRE_THROWS_WITH(gan::print_graph(nothing, Tensor<double>()), "print_graph: the tensor is undefined");
}
