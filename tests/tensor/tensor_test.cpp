// Tensors: values, aliasing, printing, and what their misuse gets.
#include "gan/tensor/tensor.hpp"

#include <numeric>
#include <sstream>

#include "gan/ops/arithmetic.hpp"
#include "gan/tensor/named_tensors.hpp"
#include "gan/tensor/random.hpp"
#include "support/catch.hpp"

using gan::Index;
using gan::Shape;
using gan::Tensor;

// The test asks for more memory than any machine has; the address sanitizer would stop there.
extern "C" const char* __asan_default_options() { return "allocator_may_return_null=1"; }

namespace {

std::string text(const auto& x) {
  std::ostringstream out;
  out << x;
  return out.str();
}

Tensor<double> counting(const Shape& shape) {
  Tensor<double> x(shape);
  std::iota(x.mutable_data(), x.mutable_data() + x.size(), 0.0);
  return x;
}

}  // namespace

TEST_CASE("tensors are made with values") {
  const Tensor<float> x({2, 3}, {1, 2, 3, 4, 5, 6});
  REQUIRE(x.shape() == Shape{2, 3});
  REQUIRE(x.rank() == 2);
  REQUIRE(x.size() == 6);
  REQUIRE(x.at({0, 0}) == 1);
  REQUIRE(x.at({0, 2}) == 3);
  REQUIRE(x.at({1, 0}) == 4);
  REQUIRE(x.at({1, 2}) == 6);
  REQUIRE(x.values().sum() == 21);
  REQUIRE(x.matrix().rows() == 2);
  REQUIRE(x.matrix()(1, 1) == 5);
  REQUIRE(reinterpret_cast<std::uintptr_t>(x.data()) % 64 == 0);
  REQUIRE(Tensor<double>::scalar(7).item() == 7);
  REQUIRE(Tensor<double>::scalar(7).rank() == 0);
  REQUIRE(Tensor<double>::scalar(7).at({}) == 7);
  REQUIRE((Tensor<double>({1, 1}, {4}).item() == 4));
  for (const Index n : {1, 100, 50000}) {
    REQUIRE((Tensor<double>(Shape{n}).values() == 0).all());
    REQUIRE((Tensor<double>::ones({n}).values() == 1).all());
    REQUIRE((Tensor<double>::full({n}, 2.5).values() == 2.5).all());
    REQUIRE((Tensor<double>::zeros({n}).values() == 0).all());
  }
}

TEST_CASE("a matrix has the last axis as columns") {
  REQUIRE(counting({2, 3, 4}).matrix().rows() == 6);
  REQUIRE(counting({2, 3, 4}).matrix().cols() == 4);
  REQUIRE(counting({2, 3, 4}).matrix()(5, 3) == 23);
  REQUIRE(counting({5}).matrix().rows() == 1);
  REQUIRE(counting({}).matrix().size() == 1);
  REQUIRE(counting({3, 0}).matrix().rows() == 3);
  REQUIRE(counting({3, 0}).matrix().cols() == 0);
  REQUIRE(counting({0, 3}).matrix().rows() == 0);
  REQUIRE(counting({0, 3}).matrix().cols() == 3);
}

TEST_CASE("copies, views and detached tensors share memory, clones do not") {
  Tensor<double> x = counting({2, 3});
  Tensor<double> copy = x, clone = x.clone(), detached = x.detach(), view = x.view({6});
  x.mutable_data()[4] = 40;
  REQUIRE(copy.at({1, 1}) == 40);
  REQUIRE(detached.at({1, 1}) == 40);
  REQUIRE(view.at({4}) == 40);
  REQUIRE(clone.at({1, 1}) == 4);
  detached.mutable_values()[0] = -1;
  view.mutable_matrix()(0, 1) = -2;
  REQUIRE(x.at({0, 0}) == -1);
  REQUIRE(x.at({0, 1}) == -2);
  REQUIRE(copy.is(x));
  REQUIRE_FALSE(detached.is(x));
  REQUIRE_FALSE(view.is(x));
  REQUIRE_FALSE(clone.is(x));
}

TEST_CASE("values are copied by name between handles of the same tensors") {
  Tensor<double> a({2}, {1, 2}), b({2}, {3, 4}), c({2}, {5, 6});
  gan::copy_values<double>("test", {{"a", b}, {"b", c}, {"c", a}}, {{"a", a}, {"b", b}, {"c", c}});
  REQUIRE(a.at({0}) == 3);
  REQUIRE(b.at({0}) == 5);
  REQUIRE(c.at({0}) == 1);
  gan::copy_values<double>("test", {{"a", a}, {"b", b.detach()}}, {{"b", b}, {"a", a}});  // onto themselves
  REQUIRE(a.at({1}) == 4);
  REQUIRE(b.at({1}) == 6);
}

TEST_CASE("a view has as many elements as the tensor") {
  const auto x = counting({4});
  REQUIRE_THROWS_WITH(x.view({1 << 20}), "view: [1048576] has 1048576 elements, the tensor [4] has 4");
  REQUIRE_THROWS_WITH(x.view({3}), "view: [3] has 3 elements, the tensor [4] has 4");
  REQUIRE_THROWS_AS(x.view({}), gan::Error);
  REQUIRE_THROWS_WITH(Tensor<double>().view({4}), ContainsSubstring("used before it was given a value"));
  REQUIRE_FALSE(Tensor<double>().unique());
}

TEST_CASE("unique tells whether anything else sees the memory") {
  Tensor<double> x = counting({4});
  REQUIRE(x.unique());
  {
    const Tensor<double> copy = x;
    REQUIRE_FALSE(x.unique());
  }
  {
    const Tensor<double> view = x.view({2, 2});
    REQUIRE_FALSE(x.unique());
    REQUIRE_FALSE(view.unique());
  }
  const Tensor<double> clone = x.clone();
  REQUIRE(x.unique());
}

TEST_CASE("clones of large tensors are exact") {
  const auto x = counting({3, 30000});
  const auto y = x.clone();
  REQUIRE((x.values() == y.values()).all());
  REQUIRE(x.data() != y.data());
}

TEST_CASE("detached tensors and clones have no history") {
  Tensor<double> x = counting({3}).set_requires_grad();
  const auto y = x * 2.0;
  REQUIRE(y.requires_grad());
  REQUIRE(std::string(y.op()) == "affine");
  REQUIRE_FALSE(y.detach().requires_grad());
  REQUIRE_FALSE(y.clone().requires_grad());
  REQUIRE_FALSE(x.detach().requires_grad());
  REQUIRE(std::string(y.detach().op()).empty());
  REQUIRE(std::string(x.op()).empty());
}

TEST_CASE("labels") {
  Tensor<double> x = counting({2});
  REQUIRE(x.label().empty());
  x.set_label("hidden.weight");
  REQUIRE(Tensor<double>(x).label() == "hidden.weight");
  REQUIRE(x.clone().label().empty());
}

TEST_CASE("printing") {
  REQUIRE(text(Tensor<float>()) == "Tensor(undefined)");
  REQUIRE(text(Tensor<float>::scalar(1.5f)) == "Tensor<float> [] 1.5");
  REQUIRE(text(Tensor<double>({3}, {1, -2, 0.25})) == "Tensor<double> [3] [1, -2, 0.25]");
  REQUIRE(text(counting({2, 3})) == "Tensor<double> [2, 3] [[0, 1, 2], [3, 4, 5]]");
  REQUIRE(text(counting({2, 1, 2})) == "Tensor<double> [2, 1, 2] [[[0, 1]], [[2, 3]]]");
  REQUIRE(text(counting({6})) == "Tensor<double> [6] [0, 1, 2, 3, 4, 5]");
  REQUIRE(text(counting({7})) == "Tensor<double> [7] [0, 1, 2, ..., 4, 5, 6]");
  REQUIRE(text(counting({100})) == "Tensor<double> [100] [0, 1, 2, ..., 97, 98, 99]");
  REQUIRE(text(counting({8, 2})) ==
          "Tensor<double> [8, 2] [[0, 1], [2, 3], [4, 5], ..., [10, 11], [12, 13], [14, 15]]");
  REQUIRE(text(counting({2, 8})) == "Tensor<double> [2, 8] [[0, 1, 2, ..., 5, 6, 7], [8, 9, 10, ..., 13, 14, 15]]");
  REQUIRE(text(counting({9, 1, 9})) ==
          "Tensor<double> [9, 1, 9] [[[0, 1, 2, ..., 6, 7, 8]], [[9, 10, 11, ..., 15, 16, 17]], "
          "[[18, 19, 20, ..., 24, 25, 26]], ..., [[54, 55, 56, ..., 60, 61, 62]], [[63, 64, 65, ..., 69, 70, 71]], "
          "[[72, 73, 74, ..., 78, 79, 80]]]");
  REQUIRE(text(counting({0})) == "Tensor<double> [0] []");
  REQUIRE(text(counting({2, 0})) == "Tensor<double> [2, 0] [[], []]");
  REQUIRE(text(counting({0, 2})) == "Tensor<double> [0, 2] []");
}

TEST_CASE("printing names the operation and the label") {
  Tensor<double> x = counting({2}).set_requires_grad();
  x.set_label("z");
  REQUIRE(text(x) == "Tensor<double> [2] \"z\" [0, 1]");
  REQUIRE(text(x * x) == "Tensor<double> [2] of mul [0, 1]");
}

TEST_CASE("misuse of tensors is an error") {
  REQUIRE_THROWS_WITH((Tensor<double>({2, 2}, {1, 2, 3})), "tensor: 3 values for shape [2, 2], expected 4");
  // Found before anything of that size is allocated.
  REQUIRE_THROWS_WITH((Tensor<double>({Index{1} << 40}, {1})), ContainsSubstring("1 values for shape [1099511627776]"));
  REQUIRE_THROWS_WITH((Tensor<double>::empty({Index{1} << 52})), ContainsSubstring("memory: cannot allocate"));
  const auto x = counting({2, 3});
  REQUIRE_THROWS_WITH(x.item(), "item: tensor of shape [2, 3] has 6 elements, expected 1");
  REQUIRE_THROWS_WITH(counting({0}).item(), ContainsSubstring("has 0 elements"));
  REQUIRE_THROWS_WITH(x.at({1}), "at: 1 indices for shape [2, 3]");
  REQUIRE_THROWS_WITH(x.at({1, 3}), "at: index 3 outside axis 1 of shape [2, 3]");
  REQUIRE_THROWS_WITH(x.at({-1, 0}), "at: index -1 outside axis 0 of shape [2, 3]");
}

TEST_CASE("an undefined tensor cannot be used") {
  Tensor<double> nothing;
  const Tensor<double> x = counting({2});
  const std::string message = "tensor: used before it was given a value";
  REQUIRE_FALSE(nothing.defined());
  REQUIRE_THROWS_WITH(nothing.shape(), message);
  REQUIRE_THROWS_WITH(nothing.size(), message);
  REQUIRE_THROWS_WITH(nothing.data(), message);
  REQUIRE_THROWS_WITH(nothing.mutable_data(), message);
  REQUIRE_THROWS_WITH(nothing.values(), message);
  REQUIRE_THROWS_WITH(nothing.item(), message);
  REQUIRE_THROWS_WITH(nothing.clone(), message);
  REQUIRE_THROWS_WITH(nothing.detach(), message);
  REQUIRE_THROWS_WITH(nothing.requires_grad(), message);
  REQUIRE_THROWS_WITH(nothing.set_requires_grad(), message);
  REQUIRE_THROWS_WITH(nothing.grad(), message);
  REQUIRE_THROWS_WITH(nothing.op(), message);
  REQUIRE_THROWS_WITH(nothing.label(), message);
  REQUIRE_THROWS_WITH(nothing + x, message);
  REQUIRE_THROWS_WITH(x * nothing, message);
  REQUIRE_THROWS_WITH(gan::sum(nothing), message);
}

TEST_CASE("tensors of random numbers") {
  gan::Rng rng(3), same(3);
  const auto u = gan::uniform<double>(rng, {100, 200}, -2, 4);
  REQUIRE(u.shape() == Shape{100, 200});
  REQUIRE(u.values().minCoeff() >= -2);
  REQUIRE(u.values().maxCoeff() < 4);
  REQUIRE(std::abs(u.values().mean() - 1) < 0.05);
  REQUIRE((gan::uniform<double>(same, {100, 200}, -2, 4).values() == u.values()).all());
  const auto n = gan::normal<float>(rng, {20000}, 3, 0.5);
  REQUIRE(std::abs(n.values().mean() - 3) < 0.02);
  REQUIRE(std::abs((n.values() - 3).square().mean() - 0.25f) < 0.01);
  const auto b = gan::bernoulli<double>(rng, {20000}, 0.25, 4);
  REQUIRE(((b.values() == 0) || (b.values() == 4)).all());
  REQUIRE(std::abs(b.values().mean() - 1) < 0.05);
  REQUIRE(gan::normal<float>(rng, {0, 3}).size() == 0);
}

TEST_CASE("values are exchanged without copying") {
  Tensor<double> x = counting({2}), y({2}, {7, 8}), view = x.view({2, 1});
  const double *px = x.data(), *py = y.data();
  x.swap_values(y);
  REQUIRE(x.data() == py);
  REQUIRE(y.data() == px);
  REQUIRE(view.at({1, 0}) == 8);
  Tensor<double> other({3});
  REQUIRE_THROWS_WITH(x.swap_values(other), "swap_values: shapes [2] and [3] differ");
  auto w = counting({2}).set_requires_grad();
  const auto used = w * w;
  w.swap_values(y);
  REQUIRE_THROWS_WITH(grad(used, w), ContainsSubstring("was changed after it was recorded"));
}

TEST_CASE("shapes in braces may begin with 0") {
  REQUIRE(Tensor<float>({0, 3}).shape() == Shape{0, 3});
  REQUIRE(Tensor<float>({0}).shape() == Shape{0});
}
