// Activation functions, as values to pass in options and as layers.
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "gan/core/finite.hpp"
#include "gan/nn/layer.hpp"
#include "gan/ops/elementwise.hpp"
#include "gan/ops/hard_tanh.hpp"
#include "gan/ops/softmax.hpp"

namespace gan {

/// A function generic in Tensor<T>, and its name.
template <class F>
struct NamedFunction {
  NamedFunction(std::string function_name, F function) : name(std::move(function_name)), f(std::move(function)) {}

  std::string name;
  F f;
};

/// A named function of a tensor. Made from what the functions in `activation` return, or from a NamedFunction of one's
/// own: `gan::NamedFunction{"Swish", [](const auto& x) { return x * gan::sigmoid(x); }}`.
template <std::floating_point T>
class ActivationFunction {
 public:
  template <class F>
  ActivationFunction(NamedFunction<F> function)  // NOLINT: conversion is the point
      : name_(std::move(function.name)), function_(std::move(function.f)) {}
  template <class F>
  ActivationFunction(std::string name, F function) : name_(std::move(name)), function_(std::move(function)) {}

  const std::string& name() const { return name_; }
  Tensor<T> operator()(const Tensor<T>& x) const { return function_(x); }

 private:
  std::string name_;
  std::function<Tensor<T>(const Tensor<T>&)> function_;
};

namespace detail {

inline double checked_slope(const char* activation, const char* option, double value) {
  check(is_finite(value), "activation::", activation, ": ", option, " ", value, ", expected a finite number");
  return value;
}

}  // namespace detail

// Those with a number throw unless it is finite.
namespace activation {

// clang-format off
inline auto identity() { return NamedFunction{"Identity", [](const auto& x) { return x; }}; }
inline auto relu() { return NamedFunction{"ReLU", [](const auto& x) { return gan::relu(x); }}; }
inline auto leaky_relu(double slope = 0.2) { return NamedFunction{"LeakyReLU", [slope = detail::checked_slope("leaky_relu", "slope", slope)](const auto& x) { return gan::leaky_relu(x, slope); }}; }
inline auto elu(double alpha = 1) { return NamedFunction{"ELU", [alpha = detail::checked_slope("elu", "alpha", alpha)](const auto& x) { return gan::elu(x, alpha); }}; }
inline auto gelu() { return NamedFunction{"GELU", [](const auto& x) { return gan::gelu(x); }}; }
inline auto sigmoid() { return NamedFunction{"Sigmoid", [](const auto& x) { return gan::sigmoid(x); }}; }
inline auto tanh() { return NamedFunction{"Tanh", [](const auto& x) { return gan::tanh(x); }}; }
inline auto hard_tanh(double slope = 0) { return NamedFunction{"HardTanh", [slope = detail::checked_slope("hard_tanh", "slope", slope)](const auto& x) { return gan::hard_tanh(x, slope); }}; }
inline auto softplus() { return NamedFunction{"Softplus", [](const auto& x) { return gan::softplus(x); }}; }
inline auto softmax() { return NamedFunction{"Softmax", [](const auto& x) { return gan::softmax(x); }}; }
// clang-format on

}  // namespace activation

/// An activation function as a layer: `Activation<float> act_{this, "act", activation::leaky_relu(0.2)}`.
template <std::floating_point T>
class Activation : public Layer<T> {
 public:
  Activation(Module<T>* parent, std::string name, ActivationFunction<T> function)
      : Layer<T>(parent, std::move(name)), function_(std::move(function)) {}

  Tensor<T> forward(const Tensor<T>& x) override { return function_(x); }
  std::string kind() const override { return function_.name(); }

 private:
  ActivationFunction<T> function_;
};

}  // namespace gan
