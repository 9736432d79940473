// Gradient checks: every operation and layer against finite differences, in first and second order.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "gan/core/random.hpp"
#include "gan/ops/arithmetic.hpp"
#include "support/matchers.hpp"

namespace gan::test {

using Inputs = std::vector<Tensor<double>>;
using Function = std::function<Tensor<double>(const Inputs&)>;

/// Checks the gradients of sum(w f()), w random, with respect to the leaves `xs` that f uses: in first order both with
/// and without a graph, which may be computed by different code, and the gradients of those gradients (projected on
/// random directions), with respect to w too.
inline void check_gradients_of(const std::function<Tensor<double>()>& f, Inputs xs, double tolerance = 1e-6);

/// Uniform on [low, high).
inline Tensor<double> random_tensor(Rng& rng, const Shape& shape, double low = -1, double high = 1) {
  auto x = Tensor<double>::empty(shape);
  rng.uniform(std::span<double>(x.mutable_data(), static_cast<std::size_t>(x.size())), low, high);
  return x;
}

/// Central differences of the scalar f with respect to every element of x, which is put back afterwards.
inline Tensor<double> finite_difference(const std::function<double()>& f, Tensor<double> x, double step = 1e-5) {
  auto g = Tensor<double>::empty(x.shape());
  for (Index i = 0; i < x.size(); ++i) {
    const double before = x.data()[i];
    x.mutable_data()[i] = before + step;
    const double high = f();
    x.mutable_data()[i] = before - step;
    const double low = f();
    x.mutable_data()[i] = before;
    g.mutable_data()[i] = (high - low) / (2 * step);
  }
  return g;
}

/// Gradients are compared relative to their size, down to 1e-3: below, differences of f lose their digits.
inline void require_gradient(const Tensor<double>& found, const Tensor<double>& expected, double tolerance,
                             const std::string& what) {
  INFO(what);
  REQUIRE(difference(found, expected, tolerance, 1e-3) == "");
}

/// Checks the gradients of sum(w f(inputs)), w random, with respect to every input, asked for together and alone, with
/// and without a graph, and the gradients of those gradients (projected on random directions) with respect to every
/// input and to w.
inline void check_gradients(const Function& f, const Inputs& given, double tolerance = 1e-6) {
  Inputs inputs;
  for (const auto& x : given) inputs.push_back(x.clone());
  check_gradients_of([&] { return f(inputs); }, inputs, tolerance);
}

inline void check_gradients_of(const std::function<Tensor<double>()>& f, Inputs xs, double tolerance) {
  Rng rng(987);
  for (auto& x : xs) x.set_requires_grad();
  Tensor<double> w = random_tensor(rng, f().shape()).set_requires_grad();
  const auto loss = [&] { return sum(w * f()); };
  const auto composed = grad(loss(), xs, {.create_graph = true}), fused = grad(loss(), xs);
  const auto name = [&](std::size_t i) {
    return i == xs.size() ? std::string("w") : "input " + std::to_string(i) + " " + xs[i].label();
  };
  Inputs directions;
  for (std::size_t i = 0; i < xs.size(); ++i) {
    const auto expected = finite_difference([&] { return loss().item(); }, xs[i]);
    require_gradient(composed[i], expected, tolerance, "first order with a graph, " + name(i));
    require_gradient(fused[i], expected, tolerance, "first order without a graph, " + name(i));
    for (const bool graph : {false, true})  // an operation that mistakes which inputs are wanted shows here
      require_close(grad(loss(), xs[i], {.create_graph = graph}), graph ? composed[i] : fused[i], 1e-13,
                    "first order alone, " + name(i));
    directions.push_back(random_tensor(rng, xs[i].shape()));
  }
  const auto projected = [&](bool create_graph) {
    const auto gradients = grad(loss(), xs, {.create_graph = create_graph});
    auto total = Tensor<double>::scalar(0);
    for (std::size_t i = 0; i < gradients.size(); ++i) total = total + sum(gradients[i] * directions[i]);
    return total;
  };
  Inputs all = xs;
  all.push_back(w);
  const auto scalar = projected(true);
  // A function that is linear in everything has gradients without history; their derivatives are zero.
  Inputs second;
  for (const auto& x : all) second.push_back(Tensor<double>::zeros(x.shape()));
  if (scalar.requires_grad()) second = grad(scalar, all);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto expected = finite_difference([&] { return projected(false).item(); }, all[i]);
    require_gradient(second[i], expected, tolerance, "second order, " + name(i));
  }
}

}  // namespace gan::test
