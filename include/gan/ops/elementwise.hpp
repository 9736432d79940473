// Functions of one tensor, element by element: x [...] -> [...], all differentiable any number of times.
#pragma once

#include <cmath>
#include <numbers>

#include "gan/ops/arithmetic.hpp"

namespace gan {

/// e^x.
template <class T>
Tensor<T> exp(const Tensor<T>& x);
/// Natural logarithm; -inf at 0 and NaN below.
template <class T>
Tensor<T> log(const Tensor<T>& x);
/// Square root; its gradient at 0 is infinite.
template <class T>
Tensor<T> sqrt(const Tensor<T>& x);
/// x * x.
template <class T>
Tensor<T> square(const Tensor<T>& x);
/// |x|, with gradient 0 at 0.
template <class T>
Tensor<T> abs(const Tensor<T>& x);
/// x^p for a constant p.
template <class T>
Tensor<T> pow(const Tensor<T>& x, double p);
/// Sine and cosine of x in radians.
template <class T>
Tensor<T> sin(const Tensor<T>& x);
template <class T>
Tensor<T> cos(const Tensor<T>& x);
/// x limited to [low, high]; no gradient flows outside. Throws unless low <= high.
template <class T>
Tensor<T> clamp(const Tensor<T>& x, double low, double high);

/// max(x, 0).
template <class T>
Tensor<T> relu(const Tensor<T>& x);
/// x > 0 ? x : slope * x (Maas et al., 2013).
template <class T>
Tensor<T> leaky_relu(const Tensor<T>& x, double slope = 0.2);
/// x > 0 ? x : alpha * (e^x - 1) (Clevert et al., 2015).
template <class T>
Tensor<T> elu(const Tensor<T>& x, double alpha = 1);
/// 1 / (1 + e^-x).
template <class T>
Tensor<T> sigmoid(const Tensor<T>& x);
template <class T>
Tensor<T> tanh(const Tensor<T>& x);
/// log(1 + e^x), without overflow.
template <class T>
Tensor<T> softplus(const Tensor<T>& x);
/// The error function.
template <class T>
Tensor<T> erf(const Tensor<T>& x);
/// x * Phi(x) with the distribution function Phi of the standard normal, exactly (Hendrycks and Gimpel, 2016).
template <class T>
Tensor<T> gelu(const Tensor<T>& x);

namespace detail {

/// The value of f, a function of Eigen arrays, without history.
template <class T, class F>
Tensor<T> map(const char* op, const Tensor<T>& x, F f) {
  const Profile::Scope scope(op);
  auto y = Tensor<T>::empty(x.shape());
  const T* from = x.data();
  T* to = y.mutable_data();
  elementwise_for(x.size(), [&](Index begin, Index end) {
    Values<T>(to + begin, end - begin) = f(ConstValues<T>(from + begin, end - begin));
  });
  return y;
}

/// The same for a scalar function.
template <class T, class F>
Tensor<T> map_scalar(const char* op, const Tensor<T>& x, F f) {
  return binary(op, x, x, [f](T a, T) { return f(a); });
}

// x > 0 ? g : slope * g: the vector-Jacobian product of leaky_relu, linear in g.
template <class T>
Tensor<T> leaky_relu_gradient(const Tensor<T>& g, const Tensor<T>& x, double slope) {
  const T s = static_cast<T>(slope);
  return record("leaky_relu_gradient", binary("leaky_relu_gradient", g, x, [s](T p, T q) { return q > 0 ? p : s * p; }),
                {g, x},
                [slope](Backward<T>& d) {
                  if (d.wants(0)) d.give(0, leaky_relu_gradient(d.grad(), d.x(1), slope));
                },
                {{"slope", {slope}}});
}

// g * (1 - y^2): the vector-Jacobian product of y = tanh(x), in one pass.
template <class T>
Tensor<T> tanh_gradient(const Tensor<T>& g, const Tensor<T>& y) {
  return record("tanh_gradient", binary("tanh_gradient", g, y, [](T p, T q) { return p * (1 - q * q); }), {g, y},
                [](Backward<T>& d) {
                  if (d.wants(0)) d.give(0, tanh_gradient(d.grad(), d.x(1)));
                  if (d.wants(1)) d.give(1, -2 * (d.grad() * d.x(0) * d.x(1)));
                });
}

// The slope of elu: x > 0 ? 1 : alpha * e^x.
template <class T>
Tensor<T> elu_slope(const Tensor<T>& x, double alpha) {
  const T a = static_cast<T>(alpha);
  return record("elu_slope", map_scalar("elu_slope", x, [a](T p) { return p > 0 ? T(1) : a * std::exp(p); }), {x},
                [](Backward<T>& d) {
                  const auto below = map_scalar("elu_slope", d.x(0), [](T p) { return p > 0 ? T(0) : T(1); });
                  d.give(0, d.grad() * d.y() * below);
                });
}

}  // namespace detail

template <class T>
Tensor<T> exp(const Tensor<T>& x) {
  return record("exp", detail::map("exp", x, [](auto a) { return a.exp(); }), {x},
                [](Backward<T>& d) { d.give(0, d.grad() * d.y()); });
}

template <class T>
Tensor<T> log(const Tensor<T>& x) {
  return record("log", detail::map("log", x, [](auto a) { return a.log(); }), {x},
                [](Backward<T>& d) { d.give(0, d.grad() / d.x(0)); });
}

template <class T>
Tensor<T> sqrt(const Tensor<T>& x) {
  return record("sqrt", detail::map("sqrt", x, [](auto a) { return a.sqrt(); }), {x},
                [](Backward<T>& d) { d.give(0, 0.5 * (d.grad() / d.y())); });
}

template <class T>
Tensor<T> square(const Tensor<T>& x) {
  return record("square", detail::map_scalar("square", x, [](T a) { return a * a; }), {x},
                [](Backward<T>& d) { d.give(0, 2 * (d.grad() * d.x(0))); });
}

template <class T>
Tensor<T> abs(const Tensor<T>& x) {
  return record("abs", detail::map_scalar("abs", x, [](T a) { return std::abs(a); }), {x}, [](Backward<T>& d) {
    const auto sign = detail::map_scalar("sign", d.x(0), [](T a) { return a > 0 ? T(1) : a < 0 ? T(-1) : T(0); });
    d.give(0, d.grad() * sign);
  });
}

template <class T>
Tensor<T> pow(const Tensor<T>& x, double p) {
  const T exponent = static_cast<T>(p);
  return record("pow", detail::map_scalar("pow", x, [exponent](T a) { return std::pow(a, exponent); }), {x},
                [p](Backward<T>& d) {
                  if (p == 0) return d.give(0, Tensor<T>::zeros(d.shape(0)));
                  d.give(0, p * (d.grad() * pow(d.x(0), p - 1)));
                },
                {{"p", {p}}});
}

template <class T>
Tensor<T> sin(const Tensor<T>& x) {
  return record("sin", detail::map("sin", x, [](auto a) { return a.sin(); }), {x},
                [](Backward<T>& d) { d.give(0, d.grad() * cos(d.x(0))); });
}

template <class T>
Tensor<T> cos(const Tensor<T>& x) {
  return record("cos", detail::map("cos", x, [](auto a) { return a.cos(); }), {x},
                [](Backward<T>& d) { d.give(0, neg(d.grad() * sin(d.x(0)))); });
}

template <class T>
Tensor<T> clamp(const Tensor<T>& x, double low, double high) {
  check(low <= high, "clamp: range [", low, ", ", high, "] is empty");
  const T a = static_cast<T>(low), b = static_cast<T>(high);
  return record("clamp", detail::map_scalar("clamp", x, [a, b](T p) { return p < a   ? a
                                                                             : p > b ? b
                                                                                     : p; }), {x},
                [a, b](Backward<T>& d) {
                  d.give(0,
                         d.grad() * detail::map_scalar("clamp", d.x(0), [a, b](T p) { return T(p >= a && p <= b); }));
                },
                {{"low", {low}}, {"high", {high}}});
}

template <class T>
Tensor<T> leaky_relu(const Tensor<T>& x, double slope) {
  const T s = static_cast<T>(slope);
  return record("leaky_relu", detail::map_scalar("leaky_relu", x, [s](T a) { return a > 0 ? a : s * a; }), {x},
                [slope](Backward<T>& d) { d.give(0, detail::leaky_relu_gradient(d.grad(), d.x(0), slope)); },
                {{"slope", {slope}}});
}

template <class T>
Tensor<T> relu(const Tensor<T>& x) {
  return leaky_relu(x, 0);
}

template <class T>
Tensor<T> elu(const Tensor<T>& x, double alpha) {
  const T a = static_cast<T>(alpha);
  return record("elu", detail::map_scalar("elu", x, [a](T p) { return p > 0 ? p : a * std::expm1(p); }), {x},
                [alpha](Backward<T>& d) { d.give(0, d.grad() * detail::elu_slope(d.x(0), alpha)); },
                {{"alpha", {alpha}}});
}

template <class T>
Tensor<T> sigmoid(const Tensor<T>& x) {
  // Eigen's logistic() is good to 6e-4 only, relative to small results; this is good to rounding.
  return record("sigmoid", detail::map("sigmoid", x, [](auto a) { return T(1) / (T(1) + (-a).exp()); }), {x},
                [](Backward<T>& d) {
                  const auto y = d.y();
                  d.give(0, d.grad() * (y - square(y)));
                });
}

template <class T>
Tensor<T> tanh(const Tensor<T>& x) {
  return record("tanh", detail::map("tanh", x, [](auto a) { return a.tanh(); }), {x},
                [](Backward<T>& d) { d.give(0, detail::tanh_gradient(d.grad(), d.y())); });
}

template <class T>
Tensor<T> softplus(const Tensor<T>& x) {
  return record(
      "softplus",
      detail::map_scalar("softplus", x, [](T a) { return std::max(a, T(0)) + std::log1p(std::exp(-std::abs(a))); }),
      {x}, [](Backward<T>& d) { d.give(0, d.grad() * sigmoid(d.x(0))); });
}

template <class T>
Tensor<T> erf(const Tensor<T>& x) {
  return record("erf", detail::map_scalar("erf", x, [](T a) { return std::erf(a); }), {x}, [](Backward<T>& d) {
    d.give(0, (2 * std::numbers::inv_sqrtpi) * (d.grad() * exp(neg(square(d.x(0))))));
  });
}

template <class T>
Tensor<T> gelu(const Tensor<T>& x) {
  return 0.5 * (x * (1 + erf(x / std::numbers::sqrt2)));
}

}  // namespace gan
