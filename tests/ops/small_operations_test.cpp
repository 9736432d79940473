// Operations of few lines: choosing, comparing, stacking, splitting, norms, extrema, batched products, assignment.
#include <cmath>
#include <limits>
#include <type_traits>

#include "gan/nn/module.hpp"
#include "gan/ops/argmax.hpp"
#include "gan/ops/assignment.hpp"
#include "gan/ops/batched_matmul.hpp"
#include "gan/ops/comparison.hpp"
#include "gan/ops/hard_tanh.hpp"
#include "gan/ops/log_sigmoid.hpp"
#include "gan/ops/min.hpp"
#include "gan/ops/norm.hpp"
#include "gan/ops/silu.hpp"
#include "gan/ops/split.hpp"
#include "gan/ops/squeeze.hpp"
#include "gan/ops/stack.hpp"
#include "gan/ops/where.hpp"
#include "support/catch.hpp"
#include "support/gradcheck.hpp"

using namespace gan;
using gan::test::check_gradients;
using gan::test::random_tensor;
using gan::test::require_close;
using D = Tensor<double>;

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN(),
                 infinity = std::numeric_limits<double>::infinity();

}  // namespace

TEST_CASE("where chooses element by element", "[ops]") {
  const D mask({2, 1}, {1, 0}), a({3}, {1, 2, 3}), b({2, 3}, {4, 5, 6, 7, 8, 9});
  require_close(where(mask, a, b), D({2, 3}, {1, 2, 3, 7, 8, 9}), 0, "broadcast");
  require_close(where(mask, b, -1.0), D({2, 3}, {4, 5, 6, -1, -1, -1}), 0, "number for b");
  require_close(where(mask, -1.0, b), D({2, 3}, {-1, -1, -1, 7, 8, 9}), 0, "number for a");
  check_gradients([&](const auto& in) { return where(mask, square(in[0]), in[1] * in[0]); }, {a, b});
  check_gradients(
      [&](const auto& in) {
        return where(D({2, 3}, {1, 0, 0, 1, 1, 0}), in[0], in[1]);
      },
      {b, D::scalar(2)});
  D x({2}, {0, 4});
  x.set_requires_grad();
  require_close(grad(where(greater(x, 0), log(where(greater(x, 0), x, 1.0)), x), x), D({2}, {1, 0.25}), 0,
                "a slope not taken");
  require_close(where(D({2}, {1, 0}), D({2}, {1, not_a_number}), D({2}, {infinity, 2})), D({2}, {1, 2}), 0,
                "values too");
  REQUIRE_THROWS_WITH(where(mask, a, D({2, 4})), ContainsSubstring("where: shapes [2, 3] and [2, 4]"));
  D changed = mask.clone();
  const auto y = where(changed, x, 0.0);
  changed.mutable_data()[0] = 0;
  REQUIRE_THROWS_WITH(grad(y, x), ContainsSubstring("backward of \"where\"") && ContainsSubstring("changed"));
}

TEST_CASE("comparisons give 0 and 1, without history", "[ops]") {
  D a({4}, {1, 2, 3, not_a_number});
  const D b({4}, {2, 2, 2, 2});
  a.set_requires_grad();
  require_close(greater(a, b), D({4}, {0, 0, 1, 0}), 0, "greater");
  require_close(greater_equal(a, b), D({4}, {0, 1, 1, 0}), 0, "greater_equal");
  require_close(less(a, b), D({4}, {1, 0, 0, 0}), 0, "less");
  require_close(less_equal(a, 2), D({4}, {1, 1, 0, 0}), 0, "less_equal");
  require_close(equal(a, 2), D({4}, {0, 1, 0, 0}), 0, "equal");
  require_close(not_equal(a, 2), D({4}, {1, 0, 1, 1}), 0, "not_equal");
  REQUIRE_FALSE(greater(a, b).requires_grad());
  REQUIRE(greater(D({2, 1}), D({3})).shape() == Shape{2, 3});
  REQUIRE_THROWS_WITH(less(a, D({3})), ContainsSubstring("do not broadcast"));
  const auto s = sign(D({4}, {-2, 0, 5, not_a_number}));
  require_close(slice(s, 0, 0, 3), D({3}, {-1, 0, 1}), 0, "sign");
  REQUIRE(std::isnan(s.at({3})));
}

TEST_CASE("batched_matmul multiplies each pair of matrices", "[ops]") {
  Rng rng(1);
  const auto a = random_tensor(rng, {3, 2, 4}), b = random_tensor(rng, {2, 1, 4, 5});
  const auto c = batched_matmul(a, b);
  REQUIRE(c.shape() == Shape{2, 3, 2, 5});
  for (Index i = 0; i < 2; ++i)
    for (Index j = 0; j < 3; ++j) {
      const auto p = squeeze(slice(a, 0, j, j + 1), 0), q = reshape(slice(b, 0, i, i + 1), Shape{4, 5});
      require_close(reshape(slice(slice(c, 0, i, i + 1), 1, j, j + 1), Shape{2, 5}), matmul(p, q), 1e-14, "one");
    }
  for (const bool ta : {false, true})
    for (const bool tb : {false, true}) {
      const auto p = ta ? transpose(a) : a, q = tb ? transpose(b) : b;
      require_close(batched_matmul(p, q, {ta, tb}), c, 1e-14, "transposed");
    }
  const auto flat = random_tensor(rng, {4, 5});
  require_close(batched_matmul(a, flat), batched_matmul(a, reshape(flat, Shape{1, 4, 5})), 1e-14, "one matrix for all");
  require_close(batched_matmul(transpose(flat), transpose(a)), transpose(batched_matmul(a, flat)), 1e-14, "a for all");
  require_close(batched_matmul(flat, flat, {.transpose_b = true}), matmul(flat, flat, {.transpose_b = true}), 0,
                "two axes");
  require_close(batched_matmul(D({2, 3, 0}), D({2, 0, 2})), D({2, 3, 2}), 0, "nothing to sum");
  const auto wide = random_tensor(rng, {1, 40, 60}), tall = random_tensor(rng, {1, 60, 50});
  require_close(squeeze(batched_matmul(wide, tall), 0), matmul(squeeze(wide, 0), squeeze(tall, 0)), 1e-13, "large");

  const auto p = random_tensor(rng, {2, 2, 3}), q = random_tensor(rng, {2, 3, 2}), shared = random_tensor(rng, {3, 2});
  check_gradients([](const auto& in) { return batched_matmul(in[0], in[1]); }, {p, q});
  check_gradients([](const auto& in) { return batched_matmul(in[0], in[1], {.transpose_a = true}); },
                  {transpose(p), slice(q, 0, 0, 1)});
  check_gradients([](const auto& in) { return batched_matmul(in[0], in[1], {.transpose_b = true}); },
                  {p, transpose(shared)});
  check_gradients([](const auto& in) { return batched_matmul(in[0], in[1], {true, true}); }, {shared, p});
  REQUIRE_THROWS_WITH(batched_matmul(a, D({3, 3, 5})), ContainsSubstring("inner lengths 4 and 3"));
  REQUIRE_THROWS_WITH(batched_matmul(a, D({2, 4, 5})), ContainsSubstring("[3] and [2] do not broadcast"));
  REQUIRE_THROWS_WITH(batched_matmul(a, D({4})), ContainsSubstring("a [3, 2, 4] and b [4]"));
}

TEST_CASE("stack, split, squeeze and unsqueeze", "[ops]") {
  Rng rng(2);
  const auto a = random_tensor(rng, {2, 3}), b = random_tensor(rng, {2, 3});
  for (const Index axis : {0, 1, 2, -1, -3}) {
    const auto y = stack({a, b}, axis);
    REQUIRE(y.shape()[axis] == 2);
    const auto parts = split(y, 2, axis);
    require_close(squeeze(parts[0], axis), a, 0, "a");
    require_close(squeeze(parts[1], axis), b, 0, "b");
  }
  require_close(concatenate({a, b}, 1), concatenate<double>({a, b}, 1), 0, "concatenate without a type");
  const auto parts = split(a, {1, 0, 2}, 1);
  REQUIRE((parts.size() == 3 && parts[1].shape() == Shape{2, 0}));
  require_close(concatenate(parts, 1), a, 0, "split and joined");
  REQUIRE(split(a, {2}, 0).size() == 1);
  REQUIRE(unsqueeze(a, -1).shape() == Shape{2, 3, 1});
  REQUIRE(unsqueeze(a, 0).shape() == Shape{1, 2, 3});
  check_gradients([](const auto& in) { return square(stack({in[0], in[1]}, 1)); }, {a, b});
  check_gradients(
      [](const auto& in) {
        const auto part = split(in[0], {1, 2}, 1);
        return part[0] * part[1];
      },
      {a});
  check_gradients([](const auto& in) { return square(squeeze(unsqueeze(in[0], 1), 1)); }, {a});
  REQUIRE_THROWS_WITH(stack({a, D({3, 2})}, 0), ContainsSubstring("stack: shapes [2, 3] and [3, 2] differ"));
  REQUIRE_THROWS_WITH(stack(std::vector<D>{}, 0), ContainsSubstring("stack: no tensors"));
  REQUIRE_THROWS_WITH(split(a, 2, 1), ContainsSubstring("split: 2 parts of axis 1 of x [2, 3]"));
  REQUIRE_THROWS_WITH(split(a, {1, 1}, 1), ContainsSubstring("split: the parts leave 1"));
  REQUIRE_THROWS_WITH(split(a, {4, -1}, 1), ContainsSubstring("split: a part of 4 where 3"));
  REQUIRE_THROWS_WITH(squeeze(a, 1), ContainsSubstring("squeeze: axis 1 of x [2, 3] has length 3"));
  REQUIRE_THROWS_WITH(unsqueeze(a, 3), ContainsSubstring("unsqueeze: axis 3 for x [2, 3]"));
}

TEST_CASE("norm has a finite gradient at 0", "[ops]") {
  Rng rng(3);
  D x({2, 2}, {3, 4, 0, 0});
  require_close(norm(x, {1}), D({2}, {5, 0}), 1e-15, "rows");
  REQUIRE(norm(x).item() == Approx(5));
  REQUIRE(norm(x, {0}, true).shape() == Shape{1, 2});
  x.set_requires_grad();
  const auto g = grad(norm(x, {1}), x, {.create_graph = true});
  require_close(g, D({2, 2}, {0.6, 0.8, 0, 0}), 1e-15, "gradient");
  const auto second = grad(sum(square(g)), x);
  REQUIRE((second.at({1, 0}) == 0 && second.at({1, 1}) == 0));
  REQUIRE(std::isnan(norm(D({2}, {not_a_number, 0})).item()));
  check_gradients([](const auto& in) { return norm(in[0], {1}); }, {random_tensor(rng, {2, 3}, 0.5, 2)});
  REQUIRE_THROWS_WITH(norm(x, {2}), ContainsSubstring("axis 2 of shape [2, 2]"));
}

TEST_CASE("min, argmax and argmin", "[ops]") {
  const D x({2, 3}, {3, 1, 2, -1, 5, 4});
  require_close(min(x), D::scalar(-1), 0, "all");
  require_close(min(x, {1}), D({2}, {1, -1}), 0, "rows");
  require_close(min(x, {0}, true), D({1, 3}, {-1, 1, 2}), 0, "columns");
  check_gradients([](const auto& in) { return min(in[0], {1}); }, {x});
  REQUIRE(argmax(x) == std::vector<Index>{0, 1});
  REQUIRE(argmin(x) == std::vector<Index>{1, 0});
  const D odd({2, 4}, {1, 2, 2, 1, 0, not_a_number, 9, not_a_number});
  REQUIRE(argmax(odd) == std::vector<Index>{1, 1});
  REQUIRE(argmin(odd) == std::vector<Index>{0, 1});
  REQUIRE(argmax(D({2, 1, 3})).size() == 2);
  REQUIRE_THROWS_WITH(argmax(D({2, 0})), ContainsSubstring("argmax: [2, 0] has no last axis with elements"));
  REQUIRE_THROWS_WITH(argmin(D::scalar(1)), ContainsSubstring("argmin: []"));
  REQUIRE_THROWS_WITH(min(D({2, 0}), {1}), ContainsSubstring("no elements"));
}

TEST_CASE("hard_tanh is limited, or leaks", "[ops]") {
  const D x({5}, {-3, -1, 0.5, 1, 2});
  require_close(gan::hard_tanh(x), D({5}, {-1, -1, 0.5, 1, 1}), 0, "hard_tanh");
  require_close(gan::hard_tanh(x, 0.1), D({5}, {-1.2, -1, 0.5, 1, 1.1}), 1e-12, "leaking");
  const D y({4}, {-2.5, -0.3, 0.4, 1.7});
  check_gradients([](const auto& in) { return gan::hard_tanh(in[0], 0.2); }, {y});
  REQUIRE_THROWS_WITH(gan::hard_tanh(x, std::numeric_limits<double>::infinity()), ContainsSubstring("slope inf"));
}

TEST_CASE("silu and log_sigmoid", "[ops]") {
  Rng rng(4);
  const D x({3}, {-1000, 0, 1000});
  require_close(silu(x), D({3}, {0, 0, 1000}), 1e-12, "silu");
  require_close(log_sigmoid(x), D({3}, {-1000, -std::log(2.0), 0}), 1e-12, "log_sigmoid");
  const auto y = random_tensor(rng, {5}, -3, 3);
  check_gradients([](const auto& in) { return silu(in[0]); }, {y});
  check_gradients([](const auto& in) { return log_sigmoid(in[0]); }, {y});
}

template <class A, class B>
concept AddsInPlace = requires(A a, B b) {
  a += b;
};

TEST_CASE("a += b binds the handle to a sum", "[ops]") {
  static_assert(AddsInPlace<Tensor<float>&, Tensor<float>> && AddsInPlace<Tensor<float>&, double>);
  static_assert(AddsInPlace<Tensor<float>&, const Parameter<float>&>);
  static_assert(!AddsInPlace<Parameter<float>&, Tensor<float>> && !AddsInPlace<const Tensor<float>&, Tensor<float>>);
  D a({2}, {1, 2}), loss = D::scalar(1);
  const D alias = a;
  a.set_requires_grad();
  D y = a;
  y += D({2}, {1, 1});
  y *= a;
  y -= 1;
  y /= D({2}, {2, 4});
  loss += sum(y);
  require_close(alias, D({2}, {1, 2}), 0, "what others see");
  require_close(y, D({2}, {0.5, 1.25}), 1e-15, "value");
  require_close(grad(loss, a), D({2}, {1.5, 1.25}), 1e-15, "gradient");
  REQUIRE_THROWS_WITH(y += D({3}), ContainsSubstring("do not broadcast"));
}
