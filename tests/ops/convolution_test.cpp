// Convolution against a plain seven-loop reference, and its gradients.
#include "gan/ops/convolution.hpp"

#include "gan/ops/elementwise.hpp"
#include "support/catch.hpp"
#include "support/gradcheck.hpp"
#include "support/threads.hpp"

using namespace gan;
using gan::test::random_tensor;
using gan::test::require_close;

namespace {

// The definition: seven nested loops over images, output pixels, kernel taps, filters and channels.
// f(x index, weight index, y index) for every product.
template <class F>
void seven_loops(const Shape& x, const Shape& w, const Shape& y, const Conv2dParams& o, Index top, Index left, F f) {
  const Index filters = w[3] / o.groups;
  for (Index n = 0; n < y[0]; ++n)
    for (Index i = 0; i < y[1]; ++i)
      for (Index j = 0; j < y[2]; ++j)
        for (Index ky = 0; ky < w[0]; ++ky)
          for (Index kx = 0; kx < w[1]; ++kx)
            for (Index k = 0; k < w[3]; ++k)
              for (Index c = 0; c < w[2]; ++c) {
                const Index iy = i * o.stride.rows + ky * o.dilation.rows - top;
                const Index ix = j * o.stride.columns + kx * o.dilation.columns - left;
                if (iy < 0 || iy >= x[1] || ix < 0 || ix >= x[2]) continue;
                f(((n * x[1] + iy) * x[2] + ix) * x[3] + k / filters * w[2] + c,
                  ((ky * w[1] + kx) * w[2] + c) * w[3] + k, ((n * y[1] + i) * y[2] + j) * y[3] + k);
              }
}

struct Configuration {
  Shape x, weight;
  Conv2dParams options;
};

std::ostream& operator<<(std::ostream& out, const Configuration& c) {
  const auto& p = c.options.padding;
  return out << "x " << c.x << " weight " << c.weight << " stride " << c.options.stride << " dilation "
             << c.options.dilation << " groups " << c.options.groups << " padding " << p.top << ' ' << p.bottom << ' '
             << p.left << ' ' << p.right << (p.is_same ? " same" : "");
}

// All three kernels of one configuration against the loops.
template <class T>
void compare(const Configuration& c, double tolerance, std::uint64_t seed) {
  INFO(c);
  const auto& o = c.options;
  // Where `same` pads, by TensorFlow's published formula; and the output's size.
  const auto axis = [&](Index input, Index kernel, Index stride, Index dilation, Index before, Index after) {
    const Index extent = (kernel - 1) * dilation + 1;
    if (!o.padding.is_same) return std::pair{before, (input + before + after - extent) / stride + 1};
    const Index rest = input % stride == 0 ? stride : input % stride;
    return std::pair{std::max<Index>(extent - rest, 0) / 2, (input + stride - 1) / stride};
  };
  const auto& p = o.padding;
  const auto [top, height] = axis(c.x[1], c.weight[0], o.stride.rows, o.dilation.rows, p.top, p.bottom);
  const auto [left, width] = axis(c.x[2], c.weight[1], o.stride.columns, o.dilation.columns, p.left, p.right);
  const Shape y_shape{c.x[0], height, width, c.weight[3]};

  Rng rng(seed);
  const auto random = [&](const Shape& shape) {
    auto t = Tensor<T>::empty(shape);
    rng.uniform(std::span<T>(t.mutable_data(), static_cast<std::size_t>(t.size())), T(-1), T(1));
    return t;
  };
  const auto x = random(c.x), w = random(c.weight), gy = random(y_shape), bias = random({c.weight[3]});
  Tensor<double> y(y_shape), gx(c.x), gw(c.weight);
  double *py = y.mutable_data(), *pgx = gx.mutable_data(), *pgw = gw.mutable_data();
  for (Index i = 0; i < y.size(); ++i) py[i] = static_cast<double>(bias.data()[i % c.weight[3]]);
  seven_loops(c.x, c.weight, y_shape, o, top, left, [&](Index ix, Index iw, Index iy) {
    const auto a = static_cast<double>(x.data()[ix]), b = static_cast<double>(w.data()[iw]);
    const auto g = static_cast<double>(gy.data()[iy]);
    py[iy] += a * b;
    pgx[ix] += g * b;
    pgw[iw] += g * a;
  });
  const auto check_close = [&](const Tensor<T>& found, const Tensor<double>& expected, const char* what) {
    require_close(found, expected, tolerance * std::sqrt(static_cast<double>(c.x[0] * c.weight.size())), what);
  };
  check_close(conv2d(x, w, bias, o), y, "forward");
  check_close(conv2d_input_gradient(gy, w, c.x, o), gx, "input gradient");
  check_close(conv2d_weight_gradient(x, gy, c.weight, o), gw, "weight gradient");

  // A transposed convolution is the input gradient; its output size comes from output padding.
  Conv2dParams t = o;
  const auto extra = [&](Index input, Index output, Index kernel, Index stride, Index dilation, Index total) {
    return input - ((output - 1) * stride + (kernel - 1) * dilation + 1 - total);
  };
  if (!o.padding.is_same) {
    t.output_padding = {extra(c.x[1], height, c.weight[0], o.stride.rows, o.dilation.rows, p.top + p.bottom),
                        extra(c.x[2], width, c.weight[1], o.stride.columns, o.dilation.columns, p.left + p.right)};
    check_close(conv_transpose2d(gy, w, t), gx, "transposed");
  } else if (c.x[1] % o.stride.rows == 0 && c.x[2] % o.stride.columns == 0) {
    check_close(conv_transpose2d(gy, w, t), gx, "transposed same");
  }
}

Index pick(Rng& rng, Index low, Index high) {
  double u = 0;
  rng.uniform(std::span<double>(&u, 1), 0.0, 1.0);
  return low + static_cast<Index>(u * static_cast<double>(high - low + 1));
}

Configuration random_configuration(Rng& rng, bool wide) {
  const auto any = [&](Index low, Index high) { return pick(rng, low, high); };
  for (;;) {
    Configuration c;
    const Index groups = any(0, 2) ? 1 : any(2, 4);
    const Index channels = wide ? any(32, 36) : any(0, 3) ? any(1, 5) : any(6, 20);
    const Index filters = wide || any(0, 2) ? any(1, 5) : any(6, 20);
    c.x = {wide ? any(6, 24) : any(1, 4), any(1, wide ? 7 : 9), any(1, wide ? 7 : 9), channels * groups};
    c.weight = {any(1, 5), any(1, 5), channels, filters * groups};
    c.options.stride = {any(1, 3), any(1, 3)};
    c.options.dilation = any(0, 1) ? Size2d(1) : Size2d(any(1, 3), any(1, 3));
    c.options.groups = groups;
    c.options.padding = any(0, 2) == 0 ? Padding::same()
                        : any(0, 3)    ? Padding(any(0, 3), any(0, 3), any(0, 3), any(0, 3))
                                       : Padding::valid();
    const auto& p = c.options.padding;
    const auto fits = [&](Index input, Index kernel, Index dilation, Index total) {
      return p.is_same || (kernel - 1) * dilation + 1 <= input + total;
    };
    if (fits(c.x[1], c.weight[0], c.options.dilation.rows, p.top + p.bottom) &&
        fits(c.x[2], c.weight[1], c.options.dilation.columns, p.left + p.right))
      return c;
  }
}

}  // namespace

TEST_CASE("convolution agrees with seven loops on random configurations") {
  Rng rng(11);
  for (std::uint64_t i = 0; i < 100; ++i) compare<double>(random_configuration(rng, false), 1e-13, i);
}

TEST_CASE("convolution of many channels agrees with seven loops") {
  Rng rng(12);
  for (std::uint64_t i = 0; i < 20; ++i) compare<double>(random_configuration(rng, true), 1e-13, i);
}

TEST_CASE("convolution kernels for special sizes agree with seven loops") {
  const auto same = Padding::same();
  compare<double>({{3, 5, 4, 7}, {1, 1, 7, 6}, {}}, 1e-13, 1);               // 1x1
  compare<double>({{3, 5, 4, 7}, {5, 4, 7, 6}, {}}, 1e-13, 2);               // covers the input
  compare<double>({{3, 5, 5, 7}, {5, 5, 7, 6}, {.stride = 3}}, 1e-13, 3);    // the same, with stride
  compare<double>({{3, 5, 5, 7}, {3, 3, 7, 6}, {.dilation = 2}}, 1e-13, 4);  // and with dilation
  compare<double>({{3, 9, 8, 6}, {3, 3, 1, 6}, {.stride = 2, .padding = same, .groups = 6}}, 1e-13, 5);  // depthwise
  compare<double>({{3, 9, 8, 6}, {3, 3, 1, 12}, {.padding = same, .groups = 6}}, 1e-13, 6);              // multiplier 2
  compare<double>({{40, 28, 28, 1}, {5, 5, 1, 3}, {.stride = 2, .padding = same}}, 1e-13, 7);  // several chunks
  compare<double>({{2, 40, 300, 1}, {3, 3, 1, 2}, {.padding = same}}, 1e-13, 8);
  compare<double>({{2, 5, 5, 3}, {1, 1, 3, 2}, {.padding = 4}}, 1e-13, 10);  // only zeros outside
  compare<double>({{0, 5, 5, 3}, {3, 3, 3, 2}, {}}, 1e-13, 11);              // no images
}

TEST_CASE("convolution gradients in first and second order") {
  Rng rng(14);
  const auto check = [&](const Shape& x, const Shape& weight, const Conv2dParams& options, bool transposed) {
    const Index filters = transposed ? weight[2] * options.groups : weight[3];
    test::check_gradients(
        [&](const test::Inputs& in) {
          return transposed ? conv_transpose2d(in[0], in[1], in[2], options) : conv2d(in[0], in[1], in[2], options);
        },
        {random_tensor(rng, x), random_tensor(rng, weight), random_tensor(rng, {filters})});
  };
  check({2, 4, 5, 2}, {3, 2, 2, 3}, {.stride = {2, 1}, .padding = Padding::same()}, false);
  check({1, 5, 4, 4}, {2, 3, 2, 4}, {.padding = {0, 1, 2, 0}, .dilation = {2, 1}, .groups = 2}, false);
  check({2, 3, 3, 3}, {2, 2, 1, 3}, {.groups = 3}, false);
  check({2, 2, 3, 2}, {2, 3, 2, 3}, {}, false);
  check({2, 2, 3, 2}, {1, 1, 2, 3}, {}, false);
  check({2, 3, 2, 3}, {3, 3, 2, 3}, {.stride = 2, .padding = Padding::same()}, true);
  check({1, 3, 2, 4}, {3, 2, 2, 4}, {.stride = 2, .padding = {1, 0, 0, 1}, .groups = 2, .output_padding = {1, 0}},
        true);
}

TEST_CASE("convolution gradients through a nonlinearity, as in a gradient penalty") {
  Rng rng(15);
  const Conv2dParams options{.stride = 2, .padding = Padding::same()};
  test::check_gradients(
      [&](const test::Inputs& in) { return tanh(conv2d(tanh(conv2d(in[0], in[1], options)), in[2], options)); },
      {random_tensor(rng, {2, 4, 4, 1}), random_tensor(rng, {3, 3, 1, 2}), random_tensor(rng, {3, 3, 2, 1})});
}

TEST_CASE("padding same is asymmetric as in TensorFlow, and transposed output is input times stride") {
  // 4 pixels, kernel 3, stride 2: one zero in all, on the right; so the first output begins at pixel 0.
  const Tensor<double> x({1, 1, 4, 1}, {1, 2, 3, 4}), w({1, 3, 1, 1}, {1, 10, 100});
  const auto y = conv2d(x, w, {.stride = {1, 2}, .padding = Padding::same()});
  require_close(y, Tensor<double>({1, 1, 2, 1}, {321, 43}), 1e-15, "same");
  const auto t = conv_transpose2d(y, w, {.stride = {1, 2}, .padding = Padding::same()});
  REQUIRE(t.shape() == Shape{1, 1, 4, 1});
  // Kernel smaller than the stride: pixels in between are zeros.
  const Tensor<double> one({1, 1, 1, 1}, {5});
  const auto wide = conv_transpose2d(x, one, {.stride = {2, 3}, .padding = Padding::same()});
  REQUIRE(wide.shape() == Shape{1, 2, 12, 1});
  REQUIRE(wide.at({0, 0, 3, 0}) == 10);
  REQUIRE(wide.at({0, 0, 4, 0}) == 0);
  REQUIRE(wide.at({0, 1, 3, 0}) == 0);
}

TEST_CASE("convolution repeats bit by bit and agrees between numbers of threads") {
  Rng rng(16);
  const gan::test::ThreadCount restore;
  struct {
    Shape x, weight;
  } const cases[] = {
      {{60, 7, 7, 40}, {5, 5, 40, 24}}, {{70, 12, 12, 1}, {5, 5, 1, 24}}, {{30, 20, 20, 16}, {3, 3, 1, 16}}};
  for (const auto& c : cases) {
    const Conv2dParams options{.padding = Padding::same(), .groups = c.x[3] / c.weight[2]};
    const auto x = random_tensor(rng, c.x), w = random_tensor(rng, c.weight);
    std::vector<std::vector<Tensor<double>>> results;
    for (const int n : {1, 1, 2, 2, 3, 3}) {
      set_threads(n);
      const auto y = conv2d(x, w, options);
      results.push_back(
          {y, conv2d_input_gradient(y, w, c.x, options), conv2d_weight_gradient(x, y, c.weight, options)});
    }
    for (std::size_t i = 0; i < results.size(); ++i)
      for (std::size_t k = 0; k < 3; ++k) {
        const auto &a = results[i][k], &same_threads = results[i / 2 * 2][k];
        REQUIRE(std::equal(a.data(), a.data() + a.size(), same_threads.data()));
        const double scale = results[0][k].values().abs().maxCoeff();
        require_close(a / scale, results[0][k] / scale, 1e-13, "threads");
      }
  }
}

TEST_CASE("convolution takes at most 4 MiB a thread for patches, whatever the batch") {
  auto& cache = BufferCache::instance();
  struct {
    Shape x, weight;
  } const cases[] = {{{256, 7, 7, 64}, {5, 5, 64, 32}},
                     {{4, 64, 64, 64}, {3, 3, 64, 32}},
                     {{512, 28, 28, 1}, {5, 5, 1, 16}},
                     {{2, 9, 9, 300}, {5, 5, 300, 4}}};
  for (const auto& c : cases) {
    const Conv2dParams options{.padding = Padding::same()};
    const Tensor<float> x(c.x), w(c.weight);
    const auto y = conv2d(x, w, options);
    // A lower bound on the peak so far would hide a small one: hold memory until the peak is here.
    std::vector<Tensor<float>> ballast;
    const auto measure = [&](const char* what, std::size_t result, const auto& f) {
      INFO(what << ' ' << c.x);
      while (cache.statistics().bytes_in_use < cache.statistics().peak_bytes_in_use)
        ballast.emplace_back(Tensor<float>::empty({1 << 18}));
      const std::size_t base = cache.statistics().bytes_in_use;
      f();
      const std::size_t most = static_cast<std::size_t>(threads()) * (4u << 20) * 9 / 8 + (1u << 18);
      REQUIRE(cache.statistics().peak_bytes_in_use - base <= result * 9 / 8 + most);
    };
    const auto bytes = [](const auto& t, int copies) {
      return static_cast<std::size_t>(t.size()) * sizeof(float) * static_cast<std::size_t>(copies);
    };
    measure("forward", bytes(y, 1), [&] { conv2d(x, w, options); });
    measure("input gradient", bytes(x, 1) + bytes(w, 2), [&] { conv2d_input_gradient(y, w, c.x, options); });
    measure("weight gradient", bytes(w, threads()), [&] { conv2d_weight_gradient(x, y, c.weight, options); });
  }
}

TEST_CASE("convolution names the numbers of a mistake") {
  const Tensor<float> x({2, 5, 6, 4}), w({3, 3, 4, 8}), bias(Shape{7});
  REQUIRE_THROWS_WITH(conv2d(Tensor<float>({2, 5}), w), ContainsSubstring("x [2, 5], expected [n, h, w, channels]"));
  REQUIRE_THROWS_WITH(conv2d(x, Tensor<float>({3, 4})), ContainsSubstring("weight [3, 4], expected"));
  REQUIRE_THROWS_WITH(conv2d(x, Tensor<float>({3, 3, 5, 8})),
                      ContainsSubstring("has 4 channels") && ContainsSubstring("expects 5"));
  REQUIRE_THROWS_WITH(conv2d(x, w, bias), ContainsSubstring("bias [7]") && ContainsSubstring("expected [8]"));
  REQUIRE_THROWS_WITH(conv2d(x, w, {.groups = 3}), ContainsSubstring("3 groups do not divide 4 input and 8 output"));
  REQUIRE_THROWS_WITH(conv2d(x, w, {.groups = 2}), ContainsSubstring("with 2 groups expects 8"));
  REQUIRE_THROWS_WITH(conv2d(x, w, {.groups = 0}), ContainsSubstring("0 groups"));
  REQUIRE_THROWS_WITH(conv2d(x, w, {.stride = 0}), ContainsSubstring("stride 0 of the rows"));
  REQUIRE_THROWS_WITH(conv2d(x, w, {.dilation = {1, -1}}), ContainsSubstring("dilation -1 of the columns"));
  REQUIRE_THROWS_WITH(conv2d(x, w, {.padding = {0, -2}}), ContainsSubstring("padding -2 before"));
  REQUIRE_THROWS_WITH(conv2d(x, w, {.dilation = 3}), ContainsSubstring("covers 7") && ContainsSubstring("has only 5"));
  REQUIRE_THROWS_WITH(conv2d(x, w, {.output_padding = 1}), ContainsSubstring("transposed"));
  REQUIRE_THROWS_WITH(conv2d(x, Tensor<float>({0, 3, 4, 8})), ContainsSubstring("is empty"));
  REQUIRE_THROWS_WITH(conv2d_input_gradient(Tensor<float>({2, 3, 3, 8}), w, x.shape()),
                      ContainsSubstring("[2, 3, 3, 8]") && ContainsSubstring("expected [2, 3, 4, 8]"));
  REQUIRE_THROWS_WITH(conv2d_weight_gradient(x, Tensor<float>({2, 3, 3, 8}), w.shape()),
                      ContainsSubstring("expected [2, 3, 4, 8]"));
  REQUIRE_THROWS_WITH(conv_transpose2d(x, w), ContainsSubstring("has 4 channels") && ContainsSubstring("expects 8"));
  const Tensor<float> z({2, 5, 6, 8});
  REQUIRE_THROWS_WITH(conv_transpose2d(z, w, {.stride = 2, .output_padding = 2}),
                      ContainsSubstring("output padding 2 of the rows, expected less than the stride 2"));
  REQUIRE_THROWS_WITH(conv_transpose2d(z, w, {.padding = 40}), ContainsSubstring("give an output of length -73"));
  REQUIRE_THROWS_WITH(conv_transpose2d(z, w, Tensor<float>(Shape{8}), {}), ContainsSubstring("expected [4]"));
  REQUIRE_THROWS_WITH(conv_transpose2d(z, w, {.stride = 2, .padding = Padding::same(), .output_padding = {1, 0}}),
                      ContainsSubstring("does not go with padding \"same\""));
}

TEST_CASE("convolution keeps its attributes in the history and counts its arithmetic") {
  Tensor<float> x({2, 6, 6, 4}), w({3, 3, 2, 8});
  w.set_requires_grad();
  std::ostringstream out;
  Profile profile;
  print_graph(out, conv2d(x, w, {.stride = 2, .padding = Padding::same(), .groups = 2}));
  REQUIRE(out.str() ==
          "conv2d stride=2,2 padding=0,1,0,1 dilation=1,1 groups=2 [2, 6, 6, 4] [3, 3, 2, 8] -> [2, 3, 3, 8]\n");
  REQUIRE(profile.rows().front().flops == 2.0 * 2 * 3 * 3 * 3 * 3 * 2 * 8);
}

TEST_CASE("convolution refuses sizes that would overflow") {
  const Tensor<float> x({1, 4, 4, 2}), w({3, 3, 2, 2});
  constexpr Index huge = Index{1} << 62;
  for (const Index value : {huge, -huge}) {
    REQUIRE_THROWS_AS(conv2d(x, w, {.stride = value}), Error);
    REQUIRE_THROWS_AS(conv2d(x, w, {.padding = value}), Error);
    REQUIRE_THROWS_AS(conv2d(x, w, {.dilation = value}), Error);
    REQUIRE_THROWS_AS(conv_transpose2d(x, w, {.stride = value}), Error);
    REQUIRE_THROWS_AS(conv_transpose2d(x, w, {.padding = value}), Error);
    REQUIRE_THROWS_AS(conv_transpose2d(x, w, {.dilation = value}), Error);
    REQUIRE_THROWS_AS(conv_transpose2d(x, w, {.stride = 2, .output_padding = value}), Error);
    REQUIRE_THROWS_AS(conv_transpose2d(x, w, {.groups = value}), Error);
  }
}
