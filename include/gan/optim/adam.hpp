// Adam and AdamW.
#pragma once

#include <cmath>

#include "gan/optim/optimizer.hpp"

namespace gan {

template <class T>
class Adam;
template <class T>
class AdamW;

/// Defaults as they are usual for GANs (Radford et al., 2015).
struct AdamOptions {
  template <class T>
  using Optimizer = Adam<T>;

  double learning_rate = 2e-4;
  double beta1 = 0.5;       ///< decay of the first moment, in [0, 1)
  double beta2 = 0.999;     ///< decay of the second moment, in [0, 1)
  double epsilon = 1e-8;    ///< added to the root of the corrected second moment, above 0
  double weight_decay = 0;  ///< of the penalty weight_decay / 2 |p|^2, whose gradient passes through the moments
  bool optimistic = false;  ///< goes twice the step and takes the one before back (Daskalakis et al., 2018)

  std::string describe() const {
    return described(optimistic ? "optimistic_adam" : "adam",
                     {{"beta1", beta1}, {"beta2", beta2}, {"epsilon", epsilon}, {"weight_decay", weight_decay}});
  }
};

struct AdamWOptions {
  template <class T>
  using Optimizer = AdamW<T>;

  double learning_rate = 2e-4;
  double beta1 = 0.5;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0.01;  ///< share of a parameter, times the learning rate, that each step takes away

  std::string describe() const {
    return described("adamw",
                     {{"beta1", beta1}, {"beta2", beta2}, {"epsilon", epsilon}, {"weight_decay", weight_decay}});
  }
};

/// Adam (Kingma and Ba, 2014): with g the gradient, t the step,
///   m = beta1 m + (1 - beta1) g,  v = beta2 v + (1 - beta2) g^2,
///   p -= learning_rate / (1 - beta1^t) m / (sqrt(v) / sqrt(1 - beta2^t) + epsilon).
/// Optimistic, with d what that takes away, it is p -= 2 d - (d of the step before), which games of two circle less.
/// The state is "first.<parameter>" (m) and "second.<parameter>" (v), and optimistic "step.<parameter>" (d).
/// Throws for a negative rate or decay, an epsilon not above 0, and betas outside [0, 1).
template <class T>
class Adam : public Optimizer<T> {
 public:
  using Options = AdamOptions;
  explicit Adam(NamedTensors<T> parameters, Options options = {})
      : Adam("adam", std::move(parameters), options, false) {}

 protected:
  Adam(const char* name, NamedTensors<T> parameters, const AdamOptions& options, bool decoupled);
  void update(std::size_t i, Index n, T* parameter, const T* gradient) override;

 private:
  AdamOptions options_;
  bool decoupled_;
};

/// Adam with decoupled weight decay (Loshchilov and Hutter, 2017): p *= 1 - learning_rate weight_decay before the step,
/// instead of a term in the gradient.
template <class T>
class AdamW : public Adam<T> {
 public:
  using Options = AdamWOptions;
  explicit AdamW(NamedTensors<T> parameters, Options options = {})
      : Adam<T>("adamw", std::move(parameters),
                {options.learning_rate, options.beta1, options.beta2, options.epsilon, options.weight_decay, false},
                true) {}
};

template <class T>
Adam<T>::Adam(const char* name, NamedTensors<T> parameters, const AdamOptions& options, bool decoupled)
    : Optimizer<T>(std::move(parameters), options.learning_rate), options_(options), decoupled_(decoupled) {
  detail::check_option(name, "beta1", options.beta1, 0, 1);
  detail::check_option(name, "beta2", options.beta2, 0, 1);
  detail::check_divisor<T>(name, options.epsilon);
  detail::check_option(name, "weight decay", options.weight_decay, 0, detail::no_limit);
  this->add_moment("first");
  this->add_moment("second");
  if (options.optimistic) this->add_moment("step");
}

template <class T>
void Adam<T>::update(std::size_t i, Index n, T* parameter, const T* gradient) {
  const double t = static_cast<double>(this->steps()), rate = this->learning_rate();
  const T beta1 = static_cast<T>(options_.beta1), rest1 = static_cast<T>(1 - options_.beta1);
  const T beta2 = static_cast<T>(options_.beta2), rest2 = static_cast<T>(1 - options_.beta2);
  const T scale = static_cast<T>(rate / (1 - std::pow(options_.beta1, t)));
  const T correction = static_cast<T>(1 / std::sqrt(1 - std::pow(options_.beta2, t)));
  const T epsilon = static_cast<T>(options_.epsilon);
  const T decay = static_cast<T>(decoupled_ ? 0 : options_.weight_decay);
  const T keep = static_cast<T>(decoupled_ ? 1 - rate * options_.weight_decay : 1);
  const auto direction = [=](T g, T p, T& m, T& v) {
    const T slope = g + decay * p;
    m = beta1 * m + rest1 * slope;
    v = beta2 * v + rest2 * slope * slope;
    return scale * m / (std::sqrt(v) * correction + epsilon);
  };
  if (options_.optimistic)
    detail::update_elements(
        n,
        [=](T g, T& p, T& m, T& v, T& before) {
          const T step = direction(g, p, m, v);
          p = keep * p - 2 * step + before;
          before = step;
        },
        gradient, parameter, this->moment(0, i), this->moment(1, i), this->moment(2, i));
  else
    detail::update_elements(
        n, [=](T g, T& p, T& m, T& v) { p = keep * p - direction(g, p, m, v); }, gradient, parameter,
        this->moment(0, i), this->moment(1, i));
}

}  // namespace gan
