// Addition, subtraction, multiplication, division, maximum and minimum, with broadcasting and with scalars.
#pragma once

#include <cmath>

#include "gan/ops/element_op.hpp"
#include "gan/ops/sum.hpp"

namespace gan {

// Shapes follow NumPy's rule; the gradient of a repeated axis is summed back. All throw when shapes do not broadcast.

/// a + b.
template <class T>
Tensor<T> add(const Tensor<T>& a, const Tensor<T>& b);
/// a - b.
template <class T>
Tensor<T> sub(const Tensor<T>& a, const Tensor<T>& b);
/// a * b, element by element.
template <class T>
Tensor<T> mul(const Tensor<T>& a, const Tensor<T>& b);
/// a / b.
template <class T>
Tensor<T> div(const Tensor<T>& a, const Tensor<T>& b);
/// max(a, b), and min(a, b); NaN where either is. Where they are equal, each gets half of the gradient, and a NaN gets
/// all of it.
template <class T>
Tensor<T> maximum(const Tensor<T>& a, const Tensor<T>& b);
template <class T>
Tensor<T> minimum(const Tensor<T>& a, const Tensor<T>& b);

namespace detail {
/// x / s, rounded once.
template <class T>
Tensor<T> divide(const Tensor<T>& x, double s);
}  // namespace detail

/// scale * x + shift.
template <class T>
Tensor<T> affine(const Tensor<T>& x, double scale, double shift);
template <class T>
Tensor<T> neg(const Tensor<T>& x) {
  return affine(x, -1, 0);
}
/// s / x.
template <class T>
Tensor<T> reciprocal(const Tensor<T>& x, double s = 1);

// Numbers beside tensors follow IEEE: x * NaN is NaN, x / 0 infinite.
// clang-format off
template <class T> Tensor<T> operator+(const Tensor<T>& a, const Tensor<T>& b) { return add(a, b); }
template <class T> Tensor<T> operator-(const Tensor<T>& a, const Tensor<T>& b) { return sub(a, b); }
template <class T> Tensor<T> operator*(const Tensor<T>& a, const Tensor<T>& b) { return mul(a, b); }
template <class T> Tensor<T> operator/(const Tensor<T>& a, const Tensor<T>& b) { return div(a, b); }
template <class T> Tensor<T> operator+(const Tensor<T>& x, double s) { return affine(x, 1, s); }
template <class T> Tensor<T> operator+(double s, const Tensor<T>& x) { return affine(x, 1, s); }
template <class T> Tensor<T> operator-(const Tensor<T>& x, double s) { return affine(x, 1, -s); }
template <class T> Tensor<T> operator-(double s, const Tensor<T>& x) { return affine(x, -1, s); }
template <class T> Tensor<T> operator*(const Tensor<T>& x, double s) { return affine(x, s, 0); }
template <class T> Tensor<T> operator*(double s, const Tensor<T>& x) { return affine(x, s, 0); }
template <class T> Tensor<T> operator/(const Tensor<T>& x, double s) { return detail::divide(x, s); }
template <class T> Tensor<T> operator/(double s, const Tensor<T>& x) { return reciprocal(x, s); }
template <class T> Tensor<T> operator-(const Tensor<T>& x) { return neg(x); }
// clang-format on

namespace detail {

/// gate * g, and 0 where the gate is 0, even for a g that is infinite or NaN. The gate, of g's shape, is a constant
/// without history.
template <class T>
Tensor<T> gated(const Tensor<T>& g, const Tensor<T>& gate) {
  return detail::element_op(
      "gated", g, gate, [](T p, T q) { return q == 0 ? T(0) : p * q; }, Reads::input(1),
      [](Backward<T>& d) { d.give(0, gated(d.grad(), d.x(1))); });
}

// Of two candidates for a maximum: 1 where a wins, 1/2 at ties, 0 where b wins. A NaN wins.
template <class T>
Tensor<T> share_of_larger(const Tensor<T>& a, const Tensor<T>& b) {
  return kernels::binary("maximum", a, b, [](T p, T q) { return p > q || p != p ? T(1) : p == q ? T(0.5) : T(0); });
}
template <class T>
Tensor<T> share_of_smaller(const Tensor<T>& a, const Tensor<T>& b) {
  return kernels::binary("minimum", a, b, [](T p, T q) { return p < q || p != p ? T(1) : p == q ? T(0.5) : T(0); });
}

template <class T>
void give_to_winner(Backward<T>& d, const Tensor<T>& share_of_first) {
  if (d.wants(0)) d.give(0, sum_to(gated(d.grad(), share_of_first), d.shape(0)));
  if (d.wants(1)) d.give(1, sum_to(gated(d.grad(), 1 - share_of_first), d.shape(1)));
}

}  // namespace detail

template <class T>
Tensor<T> add(const Tensor<T>& a, const Tensor<T>& b) {
  return detail::element_op(
      "add", a, b, [](T p, T q) { return p + q; }, Reads::nothing(),
      [](Backward<T>& d) {
        if (d.wants(0)) d.give(0, sum_to(d.grad(), d.shape(0)));
        if (d.wants(1)) d.give(1, sum_to(d.grad(), d.shape(1)));
      });
}

template <class T>
Tensor<T> sub(const Tensor<T>& a, const Tensor<T>& b) {
  return detail::element_op(
      "sub", a, b, [](T p, T q) { return p - q; }, Reads::nothing(),
      [](Backward<T>& d) {
        if (d.wants(0)) d.give(0, sum_to(d.grad(), d.shape(0)));
        if (d.wants(1)) d.give(1, neg(sum_to(d.grad(), d.shape(1))));
      });
}

template <class T>
Tensor<T> mul(const Tensor<T>& a, const Tensor<T>& b) {
  return detail::element_op(
      "mul", a, b, [](T p, T q) { return p * q; }, Reads::product(a, b),
      [](Backward<T>& d) {
        if (d.wants(0)) d.give(0, sum_to(d.grad() * d.x(1), d.shape(0)));
        if (d.wants(1)) d.give(1, sum_to(d.grad() * d.x(0), d.shape(1)));
      });
}

template <class T>
Tensor<T> div(const Tensor<T>& a, const Tensor<T>& b) {
  return detail::element_op(
      "div", a, b, [](T p, T q) { return p / q; }, Reads{.inputs = 1 << 1, .result = b.requires_grad()},
      [](Backward<T>& d) {
        if (d.wants(0)) d.give(0, sum_to(d.grad() / d.x(1), d.shape(0)));
        if (d.wants(1)) d.give(1, neg(sum_to(d.grad() * d.y() / d.x(1), d.shape(1))));
      });
}

template <class T>
Tensor<T> maximum(const Tensor<T>& a, const Tensor<T>& b) {
  return detail::element_op(
      "maximum", a, b, [](T p, T q) { return p > q || p != p ? p : q; }, Reads::all_inputs(),
      [](Backward<T>& d) { detail::give_to_winner(d, detail::share_of_larger(d.x(0), d.x(1))); });
}

template <class T>
Tensor<T> minimum(const Tensor<T>& a, const Tensor<T>& b) {
  return detail::element_op(
      "minimum", a, b, [](T p, T q) { return p < q || p != p ? p : q; }, Reads::all_inputs(),
      [](Backward<T>& d) { detail::give_to_winner(d, detail::share_of_smaller(d.x(0), d.x(1))); });
}

template <class T>
Tensor<T> affine(const Tensor<T>& x, double scale, double shift) {
  const T a = static_cast<T>(scale), b = static_cast<T>(shift);
  return detail::element_op(
      "affine", x, [a, b](T p) { return a * p + b; }, Reads::nothing(),
      [scale](Backward<T>& d) { d.give(0, affine(d.grad(), scale, 0)); },
      [=] {
        return AttributeList{{"scale", {scale}}, {"shift", {shift}}};
      });
}

template <class T>
Tensor<T> detail::divide(const Tensor<T>& x, double s) {
  // A product is faster, and by a reciprocal that is exact the same.
  int exponent = 0;
  if (std::abs(std::frexp(s, &exponent)) == 0.5 && std::abs(exponent) < 100) return affine(x, 1 / s, 0);
  const T a = static_cast<T>(s);
  return detail::element_op(
      "divide", x, [a](T p) { return p / a; }, Reads::nothing(),
      [s](Backward<T>& d) { d.give(0, divide(d.grad(), s)); },
      [=] {
        return AttributeList{{"s", {s}}};
      });
}

template <class T>
Tensor<T> reciprocal(const Tensor<T>& x, double s) {
  const T a = static_cast<T>(s);
  return detail::element_op(
      "reciprocal", x, [a](T p) { return a / p; }, Reads{},
      [](Backward<T>& d) { d.give(0, neg(d.grad() * d.y() / d.x(0))); },
      [=] {
        return AttributeList{{"s", {s}}};
      });
}

}  // namespace gan
