// Two-dimensional convolution and its transpose, differentiable any number of times.
//
// Convolution is bilinear in x and weight. Its forward and its two gradients are three functions, each of which has the
// other two as gradients, so that no more are needed for any order.
#pragma once

#include "gan/ops/kernels/products.hpp"
#include "gan/ops/sum.hpp"
#include "gan/ops/window.hpp"

namespace gan {

/// y[n, i, j, f] = bias[f] + sum over ky, kx, c of x[n, i sy + ky dy - top, j sx + kx dx - left, c] weight[ky, kx, c,
/// f]. x [n, h, w, in], weight [kernel rows, kernel columns, in / groups, out], bias [out] or undefined -> [n, oh, ow,
/// out], where oh = (h + top + bottom - (ky - 1) dy - 1) / sy + 1, rounded down. Throws when shapes and options do not
/// fit.
template <class T>
Tensor<T> conv2d(const Tensor<T>& x, const Tensor<T>& weight, const Tensor<T>& bias, const Conv2dParams& options = {});
template <class T>
Tensor<T> conv2d(const Tensor<T>& x, const Tensor<T>& weight, const Conv2dParams& options = {}) {
  return conv2d(x, weight, Tensor<T>(), options);
}

/// The gradient of conv2d with respect to x of `input_shape`, given the gradient gy [n, oh, ow, out] of its result.
template <class T>
Tensor<T> conv2d_input_gradient(const Tensor<T>& gy, const Tensor<T>& weight, const Shape& input_shape,
                                const Conv2dParams& options = {});

/// The gradient of conv2d with respect to weight of `weight_shape`, given the gradient gy [n, oh, ow, out] of its
/// result.
template <class T>
Tensor<T> conv2d_weight_gradient(const Tensor<T>& x, const Tensor<T>& gy, const Shape& weight_shape,
                                 const Conv2dParams& options = {});

/// Transposed convolution: the input gradient of the convolution with these options.
/// x [n, h, w, in], weight [kernel rows, kernel columns, out / groups, in], bias [out] or undefined -> [n, oh, ow,
/// out], where oh = (h - 1) sy + (ky - 1) dy + 1 - top - bottom + output padding; with padding `same` it is h sy.
template <class T>
Tensor<T> conv_transpose2d(const Tensor<T>& x, const Tensor<T>& weight, const Tensor<T>& bias,
                           const Conv2dParams& options = {});
template <class T>
Tensor<T> conv_transpose2d(const Tensor<T>& x, const Tensor<T>& weight, const Conv2dParams& options = {}) {
  return conv_transpose2d(x, weight, Tensor<T>(), options);
}

namespace detail {

inline auto conv_attributes(const kernels::ConvGeometry& g) {
  return [g] {
    const auto numbers = [](std::initializer_list<Index> list) {
      return std::vector<double>(list.begin(), list.end());
    };
    return AttributeList{{"stride", numbers({g.rows.stride, g.columns.stride})},
                         {"padding", numbers({g.rows.before, g.rows.after, g.columns.before, g.columns.after})},
                         {"dilation", numbers({g.rows.dilation, g.columns.dilation})},
                         {"groups", numbers({g.groups})}};
  };
}

}  // namespace detail

template <class T>
Tensor<T> conv2d(const Tensor<T>& x, const Tensor<T>& weight, const Tensor<T>& bias, const Conv2dParams& options) {
  const auto g = kernels::conv_geometry("conv2d", x.shape(), weight.shape(), options);
  check(!bias.defined() || bias.shape() == Shape{g.all_filters()}, "conv2d: bias ",
        bias.defined() ? bias.shape() : Shape{}, " does not match weight ", weight.shape(), ": expected [",
        g.all_filters(), "]");
  const Profile::Scope scope("conv2d", g.flops());
  auto y = Tensor<T>::empty(g.y_shape());
  kernels::convolution(g, x, weight, bias.defined() ? bias.data() : nullptr, y);
  const auto vjp = [options](Backward<T>& d) {
    if (d.wants(0)) d.give(0, conv2d_input_gradient(d.grad(), d.x(1), d.shape(0), options));
    if (d.wants(1)) d.give(1, conv2d_weight_gradient(d.x(0), d.grad(), d.shape(1), options));
    if (d.has(2) && d.wants(2)) d.give(2, sum_to(d.grad(), d.shape(2)));
  };
  return bias.defined()
             ? record("conv2d", y, {x, weight, bias}, vjp, detail::conv_attributes(g), Reads::product(x, weight))
             : record("conv2d", y, {x, weight}, vjp, detail::conv_attributes(g), Reads::product(x, weight));
}

template <class T>
Tensor<T> conv2d_input_gradient(const Tensor<T>& gy, const Tensor<T>& weight, const Shape& input_shape,
                                const Conv2dParams& options) {
  const auto g = kernels::conv_geometry("conv2d_input_gradient", input_shape, weight.shape(), options);
  check(gy.shape() == g.y_shape(), "conv2d_input_gradient: gradient ", gy.shape(), " for input ", input_shape,
        " and weight ", weight.shape(), ", expected ", g.y_shape());
  const Profile::Scope scope("conv2d_input_gradient", g.flops());
  auto gx = Tensor<T>::empty(input_shape);
  kernels::convolution_input_gradient(g, gy, weight, gx);
  return record(
      "conv2d_input_gradient", gx, {gy, weight},
      [options](Backward<T>& d) {
        if (d.wants(0)) d.give(0, conv2d(d.grad(), d.x(1), options));
        if (d.wants(1)) d.give(1, conv2d_weight_gradient(d.grad(), d.x(0), d.shape(1), options));
      },
      detail::conv_attributes(g), Reads::product(gy, weight));
}

template <class T>
Tensor<T> conv2d_weight_gradient(const Tensor<T>& x, const Tensor<T>& gy, const Shape& weight_shape,
                                 const Conv2dParams& options) {
  const auto g = kernels::conv_geometry("conv2d_weight_gradient", x.shape(), weight_shape, options);
  check(gy.shape() == g.y_shape(), "conv2d_weight_gradient: gradient ", gy.shape(), " for x ", x.shape(),
        " and weight ", weight_shape, ", expected ", g.y_shape());
  const Profile::Scope scope("conv2d_weight_gradient", g.flops());
  auto gw = Tensor<T>::empty(weight_shape);
  kernels::convolution_weight_gradient(g, x, gy, gw);
  return record(
      "conv2d_weight_gradient", gw, {x, gy},
      [options](Backward<T>& d) {
        if (d.wants(0)) d.give(0, conv2d_input_gradient(d.x(1), d.grad(), d.shape(0), options));
        if (d.wants(1)) d.give(1, conv2d(d.x(0), d.grad(), options));
      },
      detail::conv_attributes(g), Reads::product(x, gy));
}

template <class T>
Tensor<T> conv_transpose2d(const Tensor<T>& x, const Tensor<T>& weight, const Tensor<T>& bias,
                           const Conv2dParams& options) {
  check(x.rank() == 4, "conv_transpose2d: x ", x.shape(), ", expected [n, h, w, channels]");
  check(weight.rank() == 4, "conv_transpose2d: weight ", weight.shape(),
        ", expected [kernel rows, kernel columns, out channels, in channels]");
  check(x.shape()[3] == weight.shape()[3], "conv_transpose2d: x ", x.shape(), " has ", x.shape()[3],
        " channels, but weight ", weight.shape(), " expects ", weight.shape()[3]);
  const auto& [stride, padding, dilation, groups, extra] = options;
  check(groups >= 1 && x.shape()[3] % groups == 0, "conv_transpose2d: ", groups, " groups do not divide ", x.shape()[3],
        " input channels");
  for (const Index p : {padding.top, padding.bottom, padding.left, padding.right})
    check(p >= 0 && p <= kernels::conv_limit, "conv_transpose2d: padding ", p, ", expected 0 ... ",
          kernels::conv_limit);
  const Index filters = weight.shape()[2] * groups;
  check(!bias.defined() || bias.shape() == Shape{filters}, "conv_transpose2d: bias ",
        bias.defined() ? bias.shape() : Shape{}, " does not match weight ", weight.shape(), ": expected [", filters,
        "]");
  const Index rows = kernels::transposed_length("rows", x.shape()[1], weight.shape()[0], stride.rows, dilation.rows,
                                                padding.top + padding.bottom, padding.is_same, extra.rows);
  const Index columns =
      kernels::transposed_length("columns", x.shape()[2], weight.shape()[1], stride.columns, dilation.columns,
                                 padding.left + padding.right, padding.is_same, extra.columns);
  Conv2dParams convolution = options;
  convolution.output_padding = 0;
  const auto y = conv2d_input_gradient(x, weight, {x.shape()[0], rows, columns, filters}, convolution);
  return bias.defined() ? y + bias : y;
}

}  // namespace gan
