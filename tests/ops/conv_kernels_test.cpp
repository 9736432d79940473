// Every convolution kernel against plain loops: random geometries, random tiles, first and second order.
#include <cmath>
#include <optional>

#include "gan/ops/convolution.hpp"
#include "gan/tensor/random.hpp"
#include "support/matchers.hpp"

using namespace gan;
using namespace gan::kernels;
using test::difference;

namespace {

struct Case {
  Shape x, weight;
  Conv2dParams options;
  bool second_order = true;
};

std::ostream& operator<<(std::ostream& out, const Case& c) {
  const auto& p = c.options.padding;
  return out << "x " << c.x << " weight " << c.weight << " stride " << c.options.stride << " dilation "
             << c.options.dilation << " groups " << c.options.groups << " padding " << p.top << ' ' << p.bottom << ' '
             << p.left << ' ' << p.right << (p.is_same ? " same" : "");
}

/// Zeros before an axis and its output's length; `same` by TensorFlow's published formula.
std::pair<Index, Index> before_and_length(Index input, Index kernel, Index stride, Index dilation, Index before,
                                          Index after, bool same) {
  const Index extent = (kernel - 1) * dilation + 1;
  if (!same) return {before, (input + before + after - extent) / stride + 1};
  const Index rest = input % stride == 0 ? stride : input % stride;
  return {std::max<Index>(extent - rest, 0) / 2, (input + stride - 1) / stride};
}

/// Random numbers, and what the definition makes of them. v stands for x, and u for the weight, in second order.
template <class T>
struct Reference {
  Tensor<T> x, w, gy, v, u, bias;
  Tensor<double> y, gx, gw;             // of x, w and gy
  Tensor<double> y_v, gw_v, gx_u, y_u;  // with v for x, with u for w
  double products = 0;                  // the most that meet in one number

  Reference(Rng& rng, const Case& c) {
    const auto& o = c.options;
    const auto& p = o.padding;
    const auto [top, height] =
        before_and_length(c.x[1], c.weight[0], o.stride.rows, o.dilation.rows, p.top, p.bottom, p.is_same);
    const auto [left, width] =
        before_and_length(c.x[2], c.weight[1], o.stride.columns, o.dilation.columns, p.left, p.right, p.is_same);
    const Shape y_shape{c.x[0], height, width, c.weight[3]};
    const auto random = [&](const Shape& shape) { return uniform<T>(rng, shape, -1, 1); };
    x = random(c.x), w = random(c.weight), gy = random(y_shape), bias = random({c.weight[3]});
    y = Tensor<double>(y_shape), gx = Tensor<double>(c.x), gw = Tensor<double>(c.weight);
    if (c.second_order) {
      v = random(c.x), u = random(c.weight);
      y_v = y.clone(), y_u = y.clone(), gw_v = gw.clone(), gx_u = gx.clone();
    }
    for (Index i = 0; i < y.size(); ++i) y.mutable_data()[i] = static_cast<double>(bias.data()[i % c.weight[3]]);
    products = static_cast<double>(std::max(c.weight.size(), y.size() / c.weight[3]));
    loops(c, top, left);
  }

  void loops(const Case& c, Index top, Index left) {
    const auto& o = c.options;
    const auto &xs = c.x, &ws = c.weight, &ys = y.shape();
    const Index filters = ws[3] / o.groups;
    double *py = y.mutable_data(), *pgx = gx.mutable_data(), *pgw = gw.mutable_data();
    double *pyv = nullptr, *pyu = nullptr, *pgwv = nullptr, *pgxu = nullptr;
    const T *pv = nullptr, *pu = nullptr, *px = x.data(), *pw = w.data(), *pg = gy.data();
    if (c.second_order) {
      pyv = y_v.mutable_data(), pyu = y_u.mutable_data(), pgwv = gw_v.mutable_data(), pgxu = gx_u.mutable_data();
      pv = v.data(), pu = u.data();
    }
    for (Index n = 0; n < ys[0]; ++n)
      for (Index i = 0; i < ys[1]; ++i)
        for (Index j = 0; j < ys[2]; ++j)
          for (Index ky = 0; ky < ws[0]; ++ky)
            for (Index kx = 0; kx < ws[1]; ++kx) {
              const Index iy = i * o.stride.rows + ky * o.dilation.rows - top;
              const Index ix = j * o.stride.columns + kx * o.dilation.columns - left;
              if (iy < 0 || iy >= xs[1] || ix < 0 || ix >= xs[2]) continue;
              for (Index group = 0; group < o.groups; ++group)
                for (Index k = 0; k < ws[2]; ++k) {
                  const Index ax = ((n * xs[1] + iy) * xs[2] + ix) * xs[3] + group * ws[2] + k;
                  const Index aw = ((ky * ws[1] + kx) * ws[2] + k) * ws[3] + group * filters;
                  const Index ay = ((n * ys[1] + i) * ys[2] + j) * ys[3] + group * filters;
                  const double in = static_cast<double>(px[ax]);
                  double to_x = 0;
                  for (Index f = 0; f < filters; ++f) {
                    const double g = static_cast<double>(pg[ay + f]), weight = static_cast<double>(pw[aw + f]);
                    py[ay + f] += in * weight;
                    to_x += g * weight;
                    pgw[aw + f] += g * in;
                  }
                  pgx[ax] += to_x;
                  if (!c.second_order) continue;
                  const double other = static_cast<double>(pv[ax]);
                  double to_other = 0;
                  for (Index f = 0; f < filters; ++f) {
                    const double g = static_cast<double>(pg[ay + f]);
                    pyv[ay + f] += other * static_cast<double>(pw[aw + f]);
                    pyu[ay + f] += in * static_cast<double>(pu[aw + f]);
                    pgwv[aw + f] += g * other;
                    to_other += g * static_cast<double>(pu[aw + f]);
                  }
                  pgxu[ax] += to_other;
                }
            }
  }
};

template <class T>
void require_near(const Tensor<T>& found, const Tensor<double>& expected, double products, const char* what) {
  INFO(what << (sizeof(T) == 4 ? " in float" : " in double"));
  const double tolerance = (sizeof(T) == 4 ? 1e-6 : 2e-15) * std::sqrt(products);
  REQUIRE(difference(found, expected, tolerance) == "");
}

/// The three kernels of one kind, called as they are: whatever conv2d would choose for these sizes.
template <class T, class Forward, class InputGradient, class WeightGradient>
void check_kernel(const char* name, const Reference<T>& r, Forward forward, InputGradient input_gradient,
                  WeightGradient weight_gradient) {
  INFO(name);
  auto y = Tensor<T>::full(r.y.shape(), T(NAN)), gx = Tensor<T>::full(r.gx.shape(), T(NAN));
  auto gw = Tensor<T>::full(r.gw.shape(), T(NAN));  // what a kernel does not write shows
  forward(y.mutable_data());
  require_near(y, r.y, r.products, "forward");
  input_gradient(gx.mutable_data());
  require_near(gx, r.gx, r.products, "input gradient");
  weight_gradient(gw.mutable_data());
  require_near(gw, r.gw, r.products, "weight gradient");
}

template <class T>
void check_shifted(const ConvGeometry& g, const Reference<T>& r, const ConvTiles& forward, const ConvTiles& backward) {
  INFO("tiles of " << forward.images << " images and " << forward.rows << " rows, backward " << backward.images
                   << " and " << backward.rows);
  const T *x = r.x.data(), *w = r.w.data(), *gy = r.gy.data();
  check_kernel(
      "shifted", r, [&](T* y) { shifted_forward(g, forward, x, w, r.bias.data(), y); },
      [&](T* gx) { shifted_input_gradient(g, backward, gy, w, gx); },
      [&](T* gw) { shifted_weight_gradient(g, forward, x, gy, gw); });
}

/// Tiles of any size, the last ones smaller.
ConvTiles random_tiles(Rng& rng, Index n, Index rows) {
  ConvTiles tiles;
  tiles.images = rng.integer(1, n + 1);
  tiles.rows = rng.integer(1, rows + 1);
  tiles.blocks = (n + tiles.images - 1) / tiles.images;
  tiles.bands = (rows + tiles.rows - 1) / tiles.rows;
  return tiles;
}

/// conv2d and its derivatives of first and second order, through whichever kernels it chooses.
template <class T>
void check_operations(const Case& c, const Reference<T>& r) {
  auto x = r.x.clone().set_requires_grad(), w = r.w.clone().set_requires_grad();
  auto gy = r.gy.clone().set_requires_grad();
  const auto y = conv2d(x, w, r.bias, c.options);
  require_near(y, r.y, r.products, "conv2d");
  const auto first = grad(y, {x, w}, {.create_graph = true}, gy);
  require_near(first[0], r.gx, r.products, "gradient of x");
  require_near(first[1], r.gw, r.products, "gradient of the weight");
  if (!c.second_order) return;
  const auto of_gx = grad(first[0], {w, gy}, {.retain_graph = true}, r.v);
  require_near(of_gx[0], r.gw_v, r.products, "gradient of x, by the weight");
  require_near(of_gx[1], r.y_v, r.products, "gradient of x, by the gradient of y");
  const auto of_gw = grad(first[1], {x, gy}, {}, r.u);
  require_near(of_gw[0], r.gx_u, r.products, "gradient of the weight, by x");
  require_near(of_gw[1], r.y_u, r.products, "gradient of the weight, by the gradient of y");
}

/// How often the rarer kernels were tried, and chosen.
struct Counts {
  int bands = 0, depthwise = 0, dense = 0, chosen_shifted = 0;
};

template <class T>
void check_case(Rng& rng, const Case& c, Counts& counts) {
  INFO(c);
  const Reference<T> r(rng, c);
  const auto g = conv_geometry("test", c.x, c.weight, c.options);
  REQUIRE(g.y_shape() == r.y.shape());
  const T *x = r.x.data(), *w = r.w.data(), *gy = r.gy.data();
  check_kernel(
      "unfolded", r, [&](T* y) { unfolded_forward(g, x, w, r.bias.data(), y); },
      [&](T* gx) { unfolded_input_gradient(g, gy, w, gx); }, [&](T* gw) { unfolded_weight_gradient(g, x, gy, gw); });
  const auto forward = random_tiles(rng, g.n, g.rows.output), backward = random_tiles(rng, g.n, g.rows.input);
  check_shifted(g, r, forward, backward);
  counts.bands += forward.bands > 1 && backward.bands > 1;
  if (g.is_depthwise()) {
    check_kernel(
        "depthwise", r, [&](T* y) { depthwise_forward(g, x, w, r.bias.data(), y); },
        [&](T* gx) { depthwise_input_gradient(g, gy, w, gx); },
        [&](T* gw) { depthwise_weight_gradient(g, x, gy, gw); });
    ++counts.depthwise;
  }
  counts.dense += g.is_dense();
  counts.chosen_shifted += !g.is_dense() && !g.is_depthwise() && conv_tiles<T>(g, false) && conv_tiles<T>(g, true);
  check_operations(c, r);
}

Case random_case(Rng& rng) {
  const auto any = [&](Index low, Index high) { return rng.integer(low, high + 1); };
  const auto channels = [&](Index most) {
    constexpr Index some[] = {1, 3, 17, 64};
    return std::min(most, some[any(0, 3)]);
  };
  for (;;) {
    Case c;
    const int kind = static_cast<int>(any(0, 9));  // 0: wide, 1: tall, 2: depthwise, 3: many images, else small
    const Index groups = kind == 2 ? any(2, 18) : any(0, 3) ? 1 : any(2, 3);
    const Index in = kind == 2 ? 1 : kind == 3 ? 64 : channels(64);
    const Index out = kind == 2 ? 1 : channels(kind == 3 ? 3 : in == 64 ? 17 : 64);
    const Index n = kind == 3 ? any(8, 20) : any(0, 1) ? 1 : any(2, 4);
    c.x = {n, kind == 1 ? any(15, 40) : any(1, 6), kind == 0 ? any(15, 60) : any(1, 6), in * groups};
    c.weight = {any(1, 4), any(1, 4), in, out * groups};
    c.options.stride = any(0, 1) ? Size2d(1) : Size2d(any(1, 3), any(1, 3));
    c.options.dilation = any(0, 1) ? Size2d(1) : Size2d(any(1, 3), any(1, 3));
    c.options.groups = groups;
    const int padding = static_cast<int>(any(0, 3));
    c.options.padding = padding == 0   ? Padding::same()
                        : padding == 1 ? Padding::valid()
                                       : Padding(any(0, 4), any(0, 4), any(0, 4), any(0, 4));
    const auto& p = c.options.padding;
    const auto fits = [&](Index input, Index kernel, Index dilation, Index total) {
      return p.is_same || (kernel - 1) * dilation + 1 <= input + total;
    };
    const double work = static_cast<double>(c.x[0] * c.x[1] * c.x[2] * c.weight.size());
    if (work < 2e5 && fits(c.x[1], c.weight[0], c.options.dilation.rows, p.top + p.bottom) &&
        fits(c.x[2], c.weight[1], c.options.dilation.columns, p.left + p.right))
      return c;
  }
}

}  // namespace

TEST_CASE("every convolution kernel agrees with loops on random geometries") {
  Rng rng(31);
  Counts counts;
  for (int i = 0; i < 300; ++i) {
    check_case<double>(rng, random_case(rng), counts);
    check_case<float>(rng, random_case(rng), counts);
  }
  REQUIRE(counts.bands > 200);
  REQUIRE(counts.depthwise > 20);
  REQUIRE(counts.dense > 5);
  REQUIRE(counts.chosen_shifted > 10);
}

TEST_CASE("convolutions of large images are cut into bands of rows") {
  Rng rng(32);
  const auto same = Padding::same();
  const auto check = [&]<class T>(T, const Case& c) {
    INFO(c);
    const Reference<T> r(rng, c);
    const auto g = conv_geometry("test", c.x, c.weight, c.options);
    const auto forward = conv_tiles<T>(g, false), backward = conv_tiles<T>(g, true);
    REQUIRE(forward);
    REQUIRE(backward);
    REQUIRE(forward->bands >= 2);
    REQUIRE(backward->bands >= 2);
    check_operations(c, r);
  };
  check(double(), {{1, 70, 64, 128}, {3, 3, 128, 2}, {.padding = same}, false});
  check(double(), {{1, 70, 96, 128}, {3, 3, 128, 2}, {.stride = 2, .padding = same}, false});
  check(double(), {{1, 70, 64, 128}, {3, 3, 128, 2}, {.padding = same, .dilation = 2}, false});
  check(float(), {{1, 70, 130, 128}, {3, 2, 128, 2}, {.stride = {1, 2}, .padding = same, .dilation = {2, 1}}, false});
}

TEST_CASE("convolutions of images whose single rows are too large for tiles") {
  Rng rng(33);
  const auto check = [&]<class T>(T, const Case& c) {
    INFO(c);
    const Reference<T> r(rng, c);
    const auto g = conv_geometry("test", c.x, c.weight, c.options);
    REQUIRE_FALSE(conv_tiles<T>(g, false));
    REQUIRE_FALSE(conv_tiles<T>(g, true));
    check_operations(c, r);
  };
  check(float(), {{1, 1, 20000, 32}, {1, 3, 32, 32}, {.padding = Padding::same()}, false});
  check(double(), {{2, 1, 20000, 32}, {1, 3, 32, 2}, {.padding = Padding::same()}, false});
  check(float(), {{1, 1, 16384, 64}, {1, 9, 64, 2}, {.stride = {1, 4}, .padding = Padding::same()}, false});
}
