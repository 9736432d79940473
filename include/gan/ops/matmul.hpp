// Matrix products.
#pragma once

#include "gan/ops/kernels/products.hpp"
#include "gan/ops/sum.hpp"

namespace gan {

struct MatmulOptions {
  bool transpose_a = false;
  bool transpose_b = false;
};

/// op(a) op(b), where op transposes if asked: a [m, k], b [k, n] -> [m, n]. Throws unless both have 2 axes that fit.
template <class T>
Tensor<T> matmul(const Tensor<T>& a, const Tensor<T>& b, MatmulOptions options = {});

/// A dense layer: x [..., in], weight [in, out], bias [out] or undefined -> x weight + bias [..., out].
template <class T>
Tensor<T> linear(const Tensor<T>& x, const Tensor<T>& weight, const Tensor<T>& bias = {});

template <class T>
Tensor<T> matmul(const Tensor<T>& a, const Tensor<T>& b, MatmulOptions options) {
  const auto [ta, tb] = options;
  check(a.rank() == 2 && b.rank() == 2, "matmul: a ", a.shape(), " and b ", b.shape(), ", expected 2 axes each");
  const Index m = a.shape()[ta ? 1 : 0], k = a.shape()[ta ? 0 : 1], n = b.shape()[tb ? 0 : 1];
  check(k == b.shape()[tb ? 1 : 0], "matmul: a ", a.shape(), ta ? " transposed" : "", " and b ", b.shape(),
        tb ? " transposed" : "", " do not fit: inner lengths ", k, " and ", b.shape()[tb ? 1 : 0]);
  const Profile::Scope scope("matmul", 2.0 * static_cast<double>(m) * static_cast<double>(k) * static_cast<double>(n));
  auto c = Tensor<T>::empty({m, n});
  kernels::matrix_product<T>(a, ta, b, tb, nullptr, c);
  return record(
      "matmul", c, {a, b},
      [ta = ta, tb = tb](Backward<T>& d) {
        const auto& g = d.grad();
        if (d.wants(0))
          d.give(0, ta ? matmul(d.x(1), g, {.transpose_a = tb, .transpose_b = true})
                       : matmul(g, d.x(1), {.transpose_b = !tb}));
        if (d.wants(1))
          d.give(1, tb ? matmul(g, d.x(0), {.transpose_a = true, .transpose_b = ta})
                       : matmul(d.x(0), g, {.transpose_a = !ta}));
      },
      [ta = ta, tb = tb] {
        return AttributeList{{"transpose", {double(ta), double(tb)}}};
      },
      Reads::product(a, b));
}

template <class T>
Tensor<T> linear(const Tensor<T>& x, const Tensor<T>& weight, const Tensor<T>& bias) {
  check(weight.rank() == 2, "linear: weight ", weight.shape(), ", expected [in, out]");
  const Index in = weight.shape()[0], out = weight.shape()[1];
  check(x.rank() >= 1 && x.shape().last() == in, "linear: x ", x.shape(), " does not match weight ", weight.shape(),
        ": expected x [..., ", in, "]");
  check(!bias.defined() || bias.shape() == Shape{out}, "linear: bias ", bias.defined() ? bias.shape() : Shape{},
        " does not match weight ", weight.shape(), ": expected [", out, "]");
  const Index rows = x.rank() == 1 ? 1 : x.shape().rows();
  const Profile::Scope scope("linear", 2.0 * static_cast<double>(weight.size()) * static_cast<double>(rows));
  auto y = Tensor<T>::empty(x.shape().with(-1, out));
  kernels::matrix_product<T>(x, false, weight, false, bias.defined() ? bias.data() : nullptr, y);
  const auto vjp = [](Backward<T>& d) {
    const auto& g = d.grad();
    const auto rows_of = [](const Tensor<T>& t) {
      return t.rank() == 2 ? t : reshape(t, Shape{t.rank() == 1 ? 1 : t.shape().rows(), t.shape().last()});
    };
    if (d.wants(0)) d.give(0, reshape(matmul(rows_of(g), d.x(1), {.transpose_b = true}), d.shape(0)));
    if (d.wants(1)) d.give(1, matmul(rows_of(d.x(0)), rows_of(g), {.transpose_a = true}));
    if (d.has(2) && d.wants(2)) d.give(2, sum_to(g, d.shape(2)));
  };
  return bias.defined() ? record("linear", y, {x, weight, bias}, vjp, {}, Reads::product(x, weight))
                        : record("linear", y, {x, weight}, vjp, {}, Reads::product(x, weight));
}

}  // namespace gan
