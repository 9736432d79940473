// What an operation costs beside its arithmetic: operations on 16 numbers, and the tiny graphs of BurTorch (Burlachenko
// and Richtarik, arXiv 2503.13795).
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <gan/gan.hpp>
#include <vector>

namespace gan::bench {

/// Nanoseconds of one f(), the best of several rounds.
template <class F>
double nanoseconds_of(int calls, const F& f) {
  using Clock = std::chrono::steady_clock;
  double best = 1e18;
  for (int round = 0; round < 16; ++round) {
    const auto start = Clock::now();
    for (int i = 0; i < calls; ++i) f();
    best = std::min(best, std::chrono::duration<double, std::nano>(Clock::now() - start).count() / calls);
  }
  return best;
}

/// A line of an operation that keeps its input's shape: nanoseconds without history, recorded, and differentiated with
/// respect to the input and to `others`, of a chain of 20.
template <class Op>
void print_operation(const char* name, const Tensor<float>& start, const Op& op,
                     const std::vector<Tensor<float>>& others = {}) {
  constexpr int length = 20, calls = 200;
  const auto chain = [&](Tensor<float> x) {
    for (int i = 0; i < length; ++i) x = op(x);
    return x;
  };
  const auto leaf = start.clone().set_requires_grad();
  const double plain = nanoseconds_of(calls, [&] { chain(start); }) / length;
  const double recorded = nanoseconds_of(calls, [&] { chain(leaf); }) / length;
  std::vector<Tensor<float>> all(others);
  all.push_back(leaf);
  const double both = nanoseconds_of(calls, [&] { grad(chain(leaf), all); }) / length;
  std::printf("%-24s %12.0f %12.0f %12.0f\n", name, plain, recorded, both - recorded);
}

inline void print_overhead() {
  set_threads(1);
  Rng rng(1);
  const auto x = uniform<float>(rng, {16}, -1, 1), y = uniform<float>(rng, {16}, -1, 1);
  const auto matrix = uniform<float>(rng, {4, 4}, -1, 1), weight = uniform<float>(rng, {4, 4}, -1, 1);
  const auto bias = uniform<float>(rng, {4}, -1, 1);
  const auto trained = [](const Tensor<float>& t) { return t.clone().set_requires_grad(); };
  const auto y_trained = trained(y), weight_trained = trained(weight), bias_trained = trained(bias);
  std::printf("%-24s %12s %12s %12s\n", "ns an operation", "no history", "recorded", "backward");
  print_operation("x * y", x, [&](const auto& h) { return h * y; });
  print_operation("x * y, both gradients", x, [&](const auto& h) { return h * y_trained; }, {y_trained});
  print_operation("x + 2", x, [](const auto& h) { return h + 2; });
  print_operation("leaky_relu", x, [](const auto& h) { return leaky_relu(h, 0.2); });
  print_operation("tanh", x, [](const auto& h) { return tanh(h); });
  print_operation("matmul 4 x 4", matrix, [&](const auto& h) { return matmul(h, weight); });
  print_operation("... both gradients", matrix, [&](const auto& h) { return matmul(h, weight_trained); },
                  {weight_trained});
  print_operation("linear 4 x 4", matrix, [&](const auto& h) { return linear(h, weight, bias); });
  print_operation("... three gradients", matrix, [&](const auto& h) { return linear(h, weight_trained, bias_trained); },
                  {weight_trained, bias_trained});

  const auto scalar = [](double value) { return Tensor<double>({1}, {value}).set_requires_grad(); };
  std::printf("%-24s %12s\n", "tiny graphs", "ns in all");
  std::printf("%-24s %12.0f\n", "exp1, 8 operations", nanoseconds_of(200, [&] {
                const auto a = scalar(-41), b = scalar(2);
                const auto c = a + b, d = a * b + pow(b, 3), e = c - d;
                backward(square(e) / 2);
              }));
  std::printf("%-24s %12.0f\n", "exp2, 30 operations", nanoseconds_of(200, [&] {
                const auto a = scalar(-4), b = scalar(2);
                auto c = a + b, d = a * b + pow(b, 3);
                c = c + c + 1;
                c = c + 1 + c + (-a);
                d = d + d * 2 + relu(b + a);
                d = d + 3 * d + relu(b - a);
                const auto f = square(c - d);
                backward(f / 2 + 10 / f);
              }));
  // The character model of exp5, one name: 16 characters of 27 with 64 numbers each, hidden 64.
  Rng model(2);
  auto table = normal<float>(model, {27, 64}).set_requires_grad();
  auto hidden = normal<float>(model, {1024, 64}, 0, 0.03).set_requires_grad();
  auto output = normal<float>(model, {64, 27}, 0, 0.1).set_requires_grad();
  const std::vector<Index> characters{0, 5, 13, 13, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  std::printf("%-24s %12.0f\n", "exp5, an update", nanoseconds_of(50, [&] {
                const auto h = tanh(matmul(reshape(gather(table, characters), {1, 1024}), hidden));
                backward(cross_entropy(matmul(h, output), {5}));
                for (auto* parameter : {&table, &hidden, &output}) {
                  parameter->mutable_values() -= 0.01f * parameter->grad().values();
                  parameter->zero_grad();
                }
              }));
}

}  // namespace gan::bench
