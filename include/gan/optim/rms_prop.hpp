// RMSProp.
#pragma once

#include <algorithm>
#include <cmath>

#include "gan/optim/optimizer.hpp"

namespace gan {

template <class T>
class RmsProp;

struct RmsPropOptions {
  template <class T>
  using Optimizer = RmsProp<T>;

  double learning_rate = 5e-5;  ///< of the WGAN paper
  double alpha = 0.99;          ///< decay of the mean square, in [0, 1)
  double epsilon = 1e-8;        ///< added to the root, above 0
  double momentum = 0;          ///< in [0, 1)
  bool centered = false;        ///< divide by the deviation instead of the root mean square (Graves, 2013)
  double weight_decay = 0;      ///< of the penalty weight_decay / 2 |p|^2

  std::string describe() const {
    return described("rms_prop", {{"alpha", alpha},
                                  {"epsilon", epsilon},
                                  {"momentum", momentum},
                                  {"centered", centered},
                                  {"weight_decay", weight_decay}});
  }
};

/// RMSProp (Tieleman and Hinton, 2012): with g the gradient, v = alpha v + (1 - alpha) g^2 and d = g / (sqrt(v) +
/// epsilon), p -= learning_rate d, or with momentum b = momentum b + d, p -= learning_rate b. Centered, v is lessened
/// by the square of m = alpha m + (1 - alpha) g. The state is "square.<parameter>" (v), "mean.<parameter>" (m) when
/// centered, and "momentum.<parameter>" (b) with momentum.
/// Throws for a negative rate or decay, an epsilon not above 0, and alpha or momentum outside [0, 1).
template <class T>
class RmsProp : public Optimizer<T> {
 public:
  using Options = RmsPropOptions;
  explicit RmsProp(NamedTensors<T> parameters, Options options = {});

 protected:
  void update(std::size_t i, Index n, T* parameter, const T* gradient) override;

 private:
  RmsPropOptions options_;
  std::size_t mean_ = 0, momentum_ = 0;  // numbers of the optional moments
};

template <class T>
RmsProp<T>::RmsProp(NamedTensors<T> parameters, Options options)
    : Optimizer<T>(std::move(parameters), options.learning_rate), options_(options) {
  detail::check_option("rms_prop", "alpha", options.alpha, 0, 1);
  detail::check_divisor<T>("rms_prop", options.epsilon);
  detail::check_option("rms_prop", "momentum", options.momentum, 0, 1);
  detail::check_option("rms_prop", "weight decay", options.weight_decay, 0, detail::no_limit);
  this->add_moment("square");
  if (options.centered) mean_ = this->add_moment("mean");
  if (options.momentum > 0) momentum_ = this->add_moment("momentum");
}

template <class T>
void RmsProp<T>::update(std::size_t i, Index n, T* parameter, const T* gradient) {
  const T rate = static_cast<T>(this->learning_rate()), decay = static_cast<T>(options_.weight_decay);
  const T alpha = static_cast<T>(options_.alpha), rest = static_cast<T>(1 - options_.alpha);
  const T epsilon = static_cast<T>(options_.epsilon), momentum = static_cast<T>(options_.momentum);
  const auto plain = [=](T g, T p, T& v) {
    const T slope = g + decay * p;
    v = alpha * v + rest * slope * slope;
    return slope / (std::sqrt(v) + epsilon);
  };
  const auto centered = [=](T g, T p, T& v, T& m) {
    const T slope = g + decay * p;
    v = alpha * v + rest * slope * slope;
    m = alpha * m + rest * slope;
    return slope / (std::sqrt(std::max(v - m * m, T(0))) + epsilon);  // rounding may leave less than zero
  };
  T* v = this->moment(0, i);
  const bool keeps = options_.momentum > 0;
  if (options_.centered && keeps) {
    detail::update_elements(
        n, [=](T g, T& p, T& s, T& m, T& b) { p -= rate * (b = momentum * b + centered(g, p, s, m)); }, gradient,
        parameter, v, this->moment(mean_, i), this->moment(momentum_, i));
  } else if (options_.centered) {
    detail::update_elements(
        n, [=](T g, T& p, T& s, T& m) { p -= rate * centered(g, p, s, m); }, gradient, parameter, v,
        this->moment(mean_, i));
  } else if (keeps) {
    detail::update_elements(
        n, [=](T g, T& p, T& s, T& b) { p -= rate * (b = momentum * b + plain(g, p, s)); }, gradient, parameter, v,
        this->moment(momentum_, i));
  } else {
    detail::update_elements(
        n, [=](T g, T& p, T& s) { p -= rate * plain(g, p, s); }, gradient, parameter, v);
  }
}

}  // namespace gan
