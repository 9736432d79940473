// Speed of the four products by size, engine and precision: the figures behind an engine's rules.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <gan/gan.hpp>
#include <string>
#include <vector>

namespace gan::bench {

/// Median GFLOP/s of f(), which makes `flops` multiplications and additions.
template <class F>
double gflops_of(double flops, const F& f) {
  using Clock = std::chrono::steady_clock;
  const auto seconds = [&] {
    const auto start = Clock::now();
    f();
    return std::chrono::duration<double>(Clock::now() - start).count();
  };
  for (int i = 0; i < 2; ++i) f();
  std::vector<double> all;
  double total = 0;
  while (all.size() < 5 || (total < 0.1 && all.size() < 2000)) total += all.emplace_back(seconds());
  std::nth_element(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2), all.end());
  return flops / all[all.size() / 2] * 1e-9;
}

struct ConvolutionSize {
  Index n, pixels, channels, filters, kernel, stride, groups = 1;
};

/// One column an engine and precision that this program and processor have.
struct ProductVariant {
  std::string engine;
  Precision precision;
  std::string name() const { return engine + ' ' + to_string(precision); }
};

inline std::vector<ProductVariant> product_variants() {
  std::vector<ProductVariant> all;
  for (const auto& name : engines()) all.push_back({name, Precision::highest});
  const auto* const linked = kernels::linked_engine.load();
  if (linked && linked->rounds()) all.push_back({linked->name, Precision::medium});
  return all;
}

/// A line of GFLOP/s, one a variant. Values are changed before each repetition in the way of a weight that is used four
/// times between two updates.
template <class F>
void print_products_of(const std::string& what, double flops, Tensor<float>& weight, const F& product) {
  std::printf("%-44s", what.c_str());
  for (const auto& [engine, precision] : product_variants()) {
    set_engine(engine);
    const MatmulPrecision scope(precision);
    int uses = 0;
    std::printf(" %16.1f", gflops_of(flops, [&] {
                  if (uses++ % 4 == 0) weight.mutable_data();
                  product();
                }));
    std::fflush(stdout);
  }
  std::puts("");
}

/// Dense layers m x k -> n of usual pairs, squares, and convolutions from 8 x 8 to 256 x 256 pixels and 1 to 512
/// channels.
inline void print_products() {
  std::vector<std::array<Index, 3>> dense{{128, 512, 784}, {128, 784, 1024}, {128, 12544, 100}, {64, 3136, 74},
                                          {64, 256, 2048}, {128, 16, 128},   {128, 2, 128}};
  for (const Index size : {24, 48, 64, 128, 256, 512, 1024}) dense.push_back({size, size, size});
  const std::vector<ConvolutionSize> convolutions{
      {128, 7, 128, 256, 5, 1}, {128, 14, 64, 128, 5, 2},  {128, 28, 1, 64, 5, 2},    {64, 28, 1, 32, 4, 2},
      {64, 14, 32, 64, 4, 2},   {64, 7, 64, 128, 3, 2},    {64, 7, 64, 64, 3, 1},     {64, 14, 32, 32, 3, 1},
      {32, 64, 3, 64, 4, 2},    {32, 32, 64, 128, 4, 2},   {32, 16, 128, 256, 4, 2},  {32, 8, 256, 512, 4, 2},
      {16, 8, 512, 512, 3, 1},  {16, 16, 256, 256, 3, 1},  {8, 32, 128, 128, 3, 1},   {8, 64, 64, 64, 3, 1},
      {4, 128, 32, 32, 3, 1},   {2, 256, 16, 16, 3, 1},    {8, 32, 8, 8, 3, 1},       {1, 64, 64, 64, 3, 1},
      {1, 7, 64, 64, 3, 1},     {16, 16, 64, 64, 3, 1, 4}, {16, 16, 64, 64, 3, 1, 64}};
  const std::string before = engine();
  const NoGrad no_grad;
  Rng rng(1);
  const auto random = [&](const Shape& shape) { return uniform<float>(rng, shape, -1, 1); };
  std::printf("%-44s", "GFLOP/s");
  for (const auto& variant : product_variants()) std::printf(" %16s", variant.name().c_str());
  std::puts("");
  for (const auto& [m, n, k] : dense) {
    const double flops = 2.0 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
    auto x = random({m, k}), w = random({k, n}), g = random({m, n});
    const auto name = [&, m = m, n = n, k = k](const char* what) {
      return "dense " + std::to_string(m) + " x " + std::to_string(k) + " -> " + std::to_string(n) + ", " + what;
    };
    print_products_of(name("forward"), flops, w, [&] { matmul(x, w); });
    print_products_of(name("to input"), flops, w, [&] { matmul(g, w, {.transpose_b = true}); });
    print_products_of(name("to weight"), flops, g, [&] { matmul(x, g, {.transpose_a = true}); });
  }
  for (const auto& s : convolutions) {
    const Conv2dParams options{.stride = s.stride, .padding = Padding::same(), .groups = s.groups};
    const Index out = (s.pixels + s.stride - 1) / s.stride;
    auto x = random({s.n, s.pixels, s.pixels, s.channels}), gy = random({s.n, out, out, s.filters});
    auto w = random({s.kernel, s.kernel, s.channels / s.groups, s.filters});
    const double flops = kernels::conv_geometry("conv2d", x.shape(), w.shape(), options).flops();
    const auto name = [&](const char* what) {
      return std::to_string(s.n) + " x " + std::to_string(s.pixels) + "^2, " + std::to_string(s.channels) + " -> " +
             std::to_string(s.filters) + ", k " + std::to_string(s.kernel) + " s " + std::to_string(s.stride) +
             (s.groups > 1 ? " g " + std::to_string(s.groups) : "") + ", " + what;
    };
    print_products_of(name("forward"), flops, w, [&] { conv2d(x, w, options); });
    print_products_of(name("to input"), flops, w, [&] { conv2d_input_gradient(gy, w, x.shape(), options); });
    print_products_of(name("to weight"), flops, gy, [&] { conv2d_weight_gradient(x, gy, w.shape(), options); });
  }
  set_engine(before);
}

}  // namespace gan::bench
