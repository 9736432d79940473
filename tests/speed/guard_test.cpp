// Kernels against what the processor can do at most, measured in the same run on one core: products against bare fused
// multiply-adds, loops over memory against copying. Ratios only, and each has five tries, so that another program that
// runs for a moment does not matter. Built as shipped; runs alone.
#include <chrono>
#include <cstdio>
#include <cstring>
#include <string>

#include "benchmarks/peak_gflops.hpp"
#include "gan/ops/batch_norm.hpp"
#include "gan/ops/convolution.hpp"
#include "gan/ops/elementwise.hpp"
#include "gan/ops/matmul.hpp"
#include "gan/optim/adam.hpp"
#include "gan/tensor/random.hpp"
#include "support/catch.hpp"
#include "support/threads.hpp"

using namespace gan;

namespace {

/// Best seconds of f() among repetitions for about 50 ms.
template <class F>
double seconds_of(const F& f) {
  using Clock = std::chrono::steady_clock;
  f();
  double best = 1e9;
  const auto start = Clock::now();
  while (std::chrono::duration<double>(Clock::now() - start).count() < 0.05) {
    const auto begin = Clock::now();
    f();
    best = std::min(best, std::chrono::duration<double>(Clock::now() - begin).count());
  }
  return best;
}

/// `share()` reaches `least` in one of five tries.
template <class F>
void require_share(const std::string& what, double least, const F& share) {
  double best = 0;
  for (int i = 0; i < 5 && best < least; ++i) best = std::max(best, share());
  std::printf("%-52s %5.2f of the most, at least %4.2f\n", what.c_str(), best, least);
  INFO(what << ": " << best << " of what the processor can do, expected at least " << least);
  CHECK(best >= least);
}

Tensor<float> random(const Shape& shape) {
  Rng rng(1);
  return uniform<float>(rng, shape, -1, 1);
}

void require_products(const std::string& engine, Precision precision, double dense, double forward, double to_input,
                      double to_weight) {
  set_engine(engine);
  const MatmulPrecision scope(precision);
  const NoGrad no_grad;
  const auto of = [&](const char* what) { return engine + ' ' + to_string(precision) + ", " + what; };
  const auto share = [](double flops, const auto& product) {
    return [flops, &product] { return flops / seconds_of(product) * 1e-9 / bench::peak_gflops(1); };
  };
  const auto a = random({256, 256}), b = random({256, 256});
  require_share(of("256 x 256 x 256"), dense, share(2.0 * 256 * 256 * 256, [&] { matmul(a, b); }));
  const Conv2dParams options{.padding = Padding::valid()};
  const auto x = random({16, 16, 16, 64}), w = random({3, 3, 64, 64}), gy = random({16, 14, 14, 64});
  const double flops = 2.0 * 16 * 14 * 14 * 9 * 64 * 64;
  require_share(of("convolution"), forward, share(flops, [&] { conv2d(x, w, options); }));
  require_share(of("convolution, to input"), to_input,
                share(flops, [&] { conv2d_input_gradient(gy, w, x.shape(), options); }));
  require_share(of("convolution, to weight"), to_weight,
                share(flops, [&] { conv2d_weight_gradient(x, gy, w.shape(), options); }));
}

/// Seconds of moving that many bytes, half read and half written, by memcpy of arrays as large as the ones in use.
double seconds_of_copying(double bytes, std::size_t array) {
  std::vector<char> from(array, 1), to(array, 0);
  return seconds_of([&] { std::memcpy(to.data(), from.data(), array); }) * bytes / (2.0 * static_cast<double>(array));
}

}  // namespace

TEST_CASE("products reach their share of bare multiply-adds") {
  const test::ThreadCount one(1);
  const std::string before = engine();
  require_products("eigen", Precision::highest, 0.45, 0.4, 0.4, 0.4);
  if (const auto* const linked = kernels::linked_engine.load()) {
    require_products(linked->name, Precision::highest, 0.5, 0.5, 0.5, 0.5);
    if (linked->rounds())
      require_products(linked->name, Precision::medium, 1.0, 1.0, 1.0, 0.8);
    else
      WARN("the engine gains nothing by rounding on this processor: medium is not timed");
  } else {
    WARN("no engine is linked: Eigen alone is timed");
  }
  set_engine(before);
}

TEST_CASE("loops over memory reach their share of copying") {
  const test::ThreadCount one(1);
  const NoGrad no_grad;
  constexpr Index rows = 1 << 14, columns = 64, count = rows * columns;  // 4 MB an array
  constexpr double array = count * sizeof(float);
  const auto x = random({rows, columns}), y = random({rows, columns});
  const auto require_loop = [&](const char* what, double least, double bytes, const auto& loop) {
    require_share(what, least, [&] { return seconds_of_copying(bytes, std::size_t(array)) / seconds_of(loop); });
  };
  require_loop("addition", 0.5, 3 * array, [&] { x + y; });
  require_loop("leaky relu", 0.5, 2 * array, [&] { leaky_relu(x, 0.2); });
  require_loop("sum of columns", 0.4, array, [&] { sum(x, {0}); });
  const auto scale = random({columns}), shift = random({columns});
  require_loop("batch norm", 0.4, 3 * array, [&] { batch_norm(x, scale, shift); });
  auto parameter = random({rows, columns});
  parameter.set_grad(random({rows, columns}));
  Adam<float> adam({{"parameter", parameter}});
  require_loop("adam", 0.5, 7 * array, [&] { adam.step(); });
}
