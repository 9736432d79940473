// Functions of one tensor, element by element: x [...] -> [...], all differentiable any number of times.
//
// NaN, infinity and denormal numbers are taken and given as by the standard library's functions, wherever in the tensor
// they are. A gradient that is masked is 0, even where the incoming one is infinite.
#pragma once

#include <cmath>
#include <limits>
#include <numbers>

#include "gan/core/finite.hpp"
#include "gan/ops/arithmetic.hpp"
#include "gan/ops/element_op.hpp"

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
/// x^p for a constant p. Throws unless p is finite.
template <class T>
Tensor<T> pow(const Tensor<T>& x, double p);
/// Sine and cosine of x in radians.
template <class T>
Tensor<T> sin(const Tensor<T>& x);
template <class T>
Tensor<T> cos(const Tensor<T>& x);
/// x limited to [low, high], either of which may be infinite; NaN stays NaN. No gradient flows outside. Throws unless
/// low <= high.
template <class T>
Tensor<T> clamp(const Tensor<T>& x, double low, double high);

/// max(x, 0).
template <class T>
Tensor<T> relu(const Tensor<T>& x);
/// x > 0 ? x : slope * x (Maas et al., 2013). Throws unless the slope is finite.
template <class T>
Tensor<T> leaky_relu(const Tensor<T>& x, double slope = 0.2);
/// x > 0 ? x : alpha * (e^x - 1) (Clevert et al., 2015). Throws unless alpha is finite and at least 0.
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

/// Where e^x and e^-x are normal numbers, with room for the rounding of vector code.
template <class T>
inline constexpr T exp_limit = sizeof(T) == 4 ? T(87) : T(708);

/// Where the vector code of sine and cosine loses no digits.
template <class T>
inline constexpr T angle_limit = 10000;

// x > 0 ? g : slope * g: the vector-Jacobian product of leaky_relu, linear in g.
template <class T>
Tensor<T> leaky_relu_gradient(const Tensor<T>& g, const Tensor<T>& x, double slope) {
  const char* const op = "leaky_relu_gradient";
  const T s = static_cast<T>(slope);
  return record(
      op,
      s == 0 ? kernels::binary(op, g, x, [](T p, T q) { return q <= 0 ? T(0) : p; })
             : kernels::binary(op, g, x, [s](T p, T q) { return q > 0 ? p : s * p; }),
      {g, x},
      [slope](Backward<T>& d) {
        if (d.wants(0)) d.give(0, leaky_relu_gradient(d.grad(), d.x(1), slope));
      },
      [=] {
        return AttributeList{{"slope", {slope}}};
      },
      Reads::input(1));
}

// g * (1 - y^2): the vector-Jacobian product of y = tanh(x), in one pass.
template <class T>
Tensor<T> tanh_gradient(const Tensor<T>& g, const Tensor<T>& y) {
  return detail::element_op(
      "tanh_gradient", g, y, [](T p, T q) { return p * (1 - q * q); }, Reads::all_inputs(),
      [](Backward<T>& d) {
        if (d.wants(0)) d.give(0, tanh_gradient(d.grad(), d.x(1)));
        if (d.wants(1)) d.give(1, -2 * (d.grad() * d.x(0) * d.x(1)));
      });
}

// The slope of elu: x > 0 ? 1 : alpha * e^x.
template <class T>
Tensor<T> elu_slope(const Tensor<T>& x, double alpha) {
  const T a = static_cast<T>(alpha);
  return detail::element_op(
      "elu_slope", x, [a](T p) { return p > 0 ? T(1) : a * std::exp(p); }, Reads{},
      [](Backward<T>& d) {
        const auto below = kernels::map_scalar("elu_slope", d.x(0), [](T p) { return p > 0 ? T(0) : T(1); });
        d.give(0, gated(d.grad() * d.y(), below));
      });
}

}  // namespace detail

template <class T>
Tensor<T> exp(const Tensor<T>& x) {
  constexpr T limit = detail::exp_limit<T>;
  return detail::element_op(
      "exp", x, -limit, limit, [](auto a) { return a.exp(); }, [](T a) { return std::exp(a); }, Reads::only_result(),
      [](Backward<T>& d) { d.give(0, d.grad() * d.y()); });
}

template <class T>
Tensor<T> log(const Tensor<T>& x) {
  using Limits = std::numeric_limits<T>;
  return detail::element_op(
      "log", x, Limits::min(), Limits::max(), [](auto a) { return a.log(); }, [](T a) { return std::log(a); },
      Reads::all_inputs(), [](Backward<T>& d) { d.give(0, d.grad() / d.x(0)); });
}

template <class T>
Tensor<T> sqrt(const Tensor<T>& x) {
  // Compiled to the processor's instruction, which is exact; Eigen's approximation has no infinity and no denormals.
  return detail::element_op(
      "sqrt", x, [](T a) { return std::sqrt(a); }, Reads::only_result(),
      [](Backward<T>& d) { d.give(0, 0.5 * (d.grad() / d.y())); });
}

template <class T>
Tensor<T> square(const Tensor<T>& x) {
  return detail::element_op(
      "square", x, [](T a) { return a * a; }, Reads::all_inputs(),
      [](Backward<T>& d) { d.give(0, 2 * (d.grad() * d.x(0))); });
}

template <class T>
Tensor<T> abs(const Tensor<T>& x) {
  return detail::element_op(
      "abs", x, [](T a) { return std::abs(a); }, Reads::all_inputs(),
      [](Backward<T>& d) {
        const auto sign = kernels::map_scalar("sign", d.x(0), [](T a) { return a > 0 ? T(1) : a < 0 ? T(-1) : T(0); });
        d.give(0, detail::gated(d.grad(), sign));
      });
}

template <class T>
Tensor<T> pow(const Tensor<T>& x, double p) {
  const T exponent = static_cast<T>(p);
  check(is_finite(exponent), "pow: exponent ", p, ", expected a finite number");
  return detail::element_op(
      "pow", x, [exponent](T a) { return std::pow(a, exponent); }, Reads::all_inputs(),
      [p](Backward<T>& d) {
        if (p == 0) return d.give(0, Tensor<T>::zeros(d.shape(0)));
        d.give(0, p * (d.grad() * pow(d.x(0), p - 1)));
      },
      [=] {
        return AttributeList{{"p", {p}}};
      });
}

template <class T>
Tensor<T> sin(const Tensor<T>& x) {
  constexpr T limit = detail::angle_limit<T>;
  return detail::element_op(
      "sin", x, -limit, limit, [](auto a) { return a.sin(); }, [](T a) { return std::sin(a); }, Reads::all_inputs(),
      [](Backward<T>& d) { d.give(0, d.grad() * cos(d.x(0))); });
}

template <class T>
Tensor<T> cos(const Tensor<T>& x) {
  constexpr T limit = detail::angle_limit<T>;
  return detail::element_op(
      "cos", x, -limit, limit, [](auto a) { return a.cos(); }, [](T a) { return std::cos(a); }, Reads::all_inputs(),
      [](Backward<T>& d) { d.give(0, neg(d.grad() * sin(d.x(0)))); });
}

template <class T>
Tensor<T> clamp(const Tensor<T>& x, double low, double high) {
  check(!is_nan(low) && !is_nan(high) && low <= high, "clamp: range [", low, ", ", high, "] is empty");
  const T a = static_cast<T>(low), b = static_cast<T>(high);
  return detail::element_op(
      "clamp", x, [a, b](T p) { return p < a   ? a
                                       : p > b ? b
                                               : p; }, Reads::all_inputs(),
      [a, b](Backward<T>& d) {
        const auto inside = kernels::map_scalar("clamp", d.x(0), [a, b](T p) { return T(!(p < a || p > b)); });
        d.give(0, detail::gated(d.grad(), inside));
      },
      [=] {
        return AttributeList{{"low", {low}}, {"high", {high}}};
      });
}

template <class T>
Tensor<T> leaky_relu(const Tensor<T>& x, double slope) {
  const T s = static_cast<T>(slope);
  check(is_finite(s), "leaky_relu: slope ", slope, ", expected a finite number");
  const char* const op = "leaky_relu";
  const bool by_result = s >= 0;  // which is above 0 where x is: x need not be kept
  return record(
      op,
      s == 0 ? kernels::map_scalar(op, x, [](T a) { return a < 0 ? T(0) : a; })
             : kernels::map_scalar(op, x, [s](T a) { return a > 0 ? a : s * a; }),
      {x},
      [slope, by_result](Backward<T>& d) {
        d.give(0, detail::leaky_relu_gradient(d.grad(), by_result ? d.y() : d.x(0), slope));
      },
      [=] {
        return AttributeList{{"slope", {slope}}};
      },
      by_result ? Reads::only_result() : Reads::all_inputs());
}

template <class T>
Tensor<T> relu(const Tensor<T>& x) {
  return leaky_relu(x, 0);
}

template <class T>
Tensor<T> elu(const Tensor<T>& x, double alpha) {
  const T a = static_cast<T>(alpha);
  check(is_finite(a) && a >= 0, "elu: alpha ", alpha, ", expected a finite number of at least 0");
  return detail::element_op(
      "elu", x, [a](T p) { return p > 0 ? p : a * std::expm1(p); }, Reads::all_inputs(),
      [alpha](Backward<T>& d) { d.give(0, d.grad() * detail::elu_slope(d.x(0), alpha)); },
      [=] {
        return AttributeList{{"alpha", {alpha}}};
      });
}

template <class T>
Tensor<T> sigmoid(const Tensor<T>& x) {
  // Eigen's logistic() is good to 6e-4 only, relative to small results; this is good to rounding.
  constexpr T limit = detail::exp_limit<T>;
  return detail::element_op(
      "sigmoid", x, -limit, limit, [](auto a) { return T(1) / (T(1) + (-a).exp()); },
      [](T a) { return a < 0 ? std::exp(a) / (1 + std::exp(a)) : 1 / (1 + std::exp(-a)); }, Reads::only_result(),
      [](Backward<T>& d) {
        const auto y = d.y();
        d.give(0, d.grad() * (y - square(y)));
      });
}

template <class T>
Tensor<T> tanh(const Tensor<T>& x) {
  constexpr T limit = std::numeric_limits<T>::max();
  return detail::element_op(
      "tanh", x, -limit, limit, [](auto a) { return a.tanh(); }, [](T a) { return std::tanh(a); }, Reads::only_result(),
      [](Backward<T>& d) { d.give(0, detail::tanh_gradient(d.grad(), d.y())); });
}

template <class T>
Tensor<T> softplus(const Tensor<T>& x) {
  return detail::element_op(
      "softplus", x, [](T a) { return std::max(a, T(0)) + std::log1p(std::exp(-std::abs(a))); }, Reads::all_inputs(),
      [](Backward<T>& d) { d.give(0, d.grad() * sigmoid(d.x(0))); });
}

template <class T>
Tensor<T> erf(const Tensor<T>& x) {
  return detail::element_op(
      "erf", x, [](T a) { return std::erf(a); }, Reads::all_inputs(),
      [](Backward<T>& d) { d.give(0, (2 * std::numbers::inv_sqrtpi) * (d.grad() * exp(neg(square(d.x(0)))))); });
}

template <class T>
Tensor<T> gelu(const Tensor<T>& x) {
  return 0.5 * x * (1 + erf(x * (1 / std::numbers::sqrt2)));
}

}  // namespace gan
