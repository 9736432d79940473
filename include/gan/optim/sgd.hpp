// Stochastic gradient descent, with momentum if asked for.
#pragma once

#include "gan/optim/optimizer.hpp"

namespace gan {

template <class T>
class Sgd;

struct SgdOptions {
  template <class T>
  using Optimizer = Sgd<T>;

  double learning_rate = 0.01;
  double momentum = 0;      ///< share of the last direction that is kept, in [0, 1)
  bool nesterov = false;    ///< looks one step ahead (Nesterov, 1983); needs momentum
  double weight_decay = 0;  ///< of the penalty weight_decay / 2 |p|^2

  std::string describe() const {
    return described("sgd", {{"momentum", momentum}, {"nesterov", nesterov}, {"weight_decay", weight_decay}});
  }
};

/// p -= learning_rate d, with g the gradient and b = momentum b + g: d is g without momentum, b with it, and
/// g + momentum b for Nesterov's variant (Sutskever et al., 2013, as PyTorch writes it).
/// The state is "momentum.<parameter>" (b), and nothing without momentum.
template <class T>
class Sgd : public Optimizer<T> {
 public:
  using Options = SgdOptions;
  explicit Sgd(NamedTensors<T> parameters, Options options = {});

 protected:
  void update(std::size_t i, Index n, T* parameter, const T* gradient) override;

 private:
  SgdOptions options_;
};

template <class T>
Sgd<T>::Sgd(NamedTensors<T> parameters, Options options)
    : Optimizer<T>(std::move(parameters), options.learning_rate), options_(options) {
  detail::check_option("sgd", "momentum", options.momentum, 0, 1);
  detail::check_option("sgd", "weight decay", options.weight_decay, 0, detail::no_limit);
  check(!options.nesterov || options.momentum > 0, "sgd: nesterov needs a momentum above 0");
  if (options.momentum > 0) this->add_moment("momentum");
}

template <class T>
void Sgd<T>::update(std::size_t i, Index n, T* parameter, const T* gradient) {
  const T rate = static_cast<T>(this->learning_rate()), decay = static_cast<T>(options_.weight_decay);
  if (options_.momentum == 0) {
    detail::update_elements(
        n, [=](T g, T& p) { p -= rate * (g + decay * p); }, gradient, parameter);
    return;
  }
  const T momentum = static_cast<T>(options_.momentum);
  // The direction is own g + share b.
  const T own = options_.nesterov ? T(1) : T(0), share = options_.nesterov ? momentum : T(1);
  detail::update_elements(
      n,
      [=](T g, T& p, T& b) {
        const T slope = g + decay * p;
        b = momentum * b + slope;
        p -= rate * (own * slope + share * b);
      },
      gradient, parameter, this->moment(0, i));
}

}  // namespace gan
