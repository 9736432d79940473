// Optimizer: the base of all optimizers, with the step count, the moments, and how they are saved.
#pragma once

#include <algorithm>
#include <limits>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "gan/core/describe.hpp"
#include "gan/core/finite.hpp"
#include "gan/core/profile.hpp"
#include "gan/tensor/named_tensors.hpp"

namespace gan {

/// Changes parameters along the gradients that `backward` left in them. Subclasses write `update`, and ask for their
/// moments with `add_moment` in the constructor; those start at zero.
///
/// Steps are counted for the optimizer, not for each parameter: one without a gradient is skipped, and its bias
/// correction goes on as if it had been there.
///
/// The struct of a subclass's options has a `learning_rate`, and may have a describe() (core/describe.hpp) of all the
/// others, which resumed runs compare.
template <class T>
class Optimizer {
 public:
  /// Throws for a negative or non-finite rate, for undefined tensors, for results of operations, and for a name or
  /// memory that occurs twice.
  Optimizer(NamedTensors<T> parameters, double learning_rate);
  virtual ~Optimizer() = default;
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  /// One update of all parameters that have a gradient. A gradient may be a view of a parameter.
  void step();
  /// Drops the gradients of all parameters.
  void zero_grad();

  /// Whether this very tensor (not an equal one) is among the parameters.
  bool owns(const Tensor<T>& leaf) const { return owned_.count(leaf.node_pointer().get()) > 0; }
  double learning_rate() const { return learning_rate_; }
  /// Throws unless finite and not negative.
  void set_learning_rate(double learning_rate);
  /// Number of steps made.
  Index steps() const { return steps_; }
  const NamedTensors<T>& parameters() const { return parameters_; }

  /// The moments as handles of the live tensors, named "<moment>.<parameter>", e.g. "first.hidden.weight".
  NamedTensors<T> state() const;
  /// Copies moments and the step count back, or throws and changes nothing: the names must be those of state(), each
  /// once, with equal shapes.
  void load_state(const NamedTensors<T>& state, Index steps);

 protected:
  /// Changes parameter number `i`, n elements at `parameter`. steps() already counts this step.
  virtual void update(std::size_t i, Index n, T* parameter, const T* gradient) = 0;

  /// Adds one tensor of zeros a parameter; returns the number of the moment.
  std::size_t add_moment(std::string name);
  /// The elements of a moment of parameter `i`.
  T* moment(std::size_t number, std::size_t i) { return moments_[number].tensors[i].mutable_data(); }

 private:
  struct Moment {
    std::string name;
    std::vector<Tensor<T>> tensors;  // one a parameter
  };

  NamedTensors<T> parameters_;
  std::unordered_set<const void*> owned_;                // nodes
  std::unordered_map<const void*, std::size_t> memory_;  // storage and number of the parameter
  std::vector<Moment> moments_;
  double learning_rate_ = 0;
  Index steps_ = 0;
};

namespace detail {

template <class T, class F, class... Arrays>
void update_range(Index n, F f, const T* __restrict gradient, Arrays* __restrict... arrays) {
  for (Index i = 0; i < n; ++i) f(gradient[i], arrays[i]...);
}

/// Calls f(gradient[i], arrays[i]...) for all i in one parallel pass; f changes the elements of the arrays, which
/// must not overlap.
template <class T, class F, class... Arrays>
void update_elements(Index n, F f, const T* gradient, Arrays*... arrays) {
  elementwise_for(n,
                  [=](Index begin, Index end) { update_range(end - begin, f, gradient + begin, arrays + begin...); });
}

/// Throws unless value is a finite number in [low, high).
inline void check_option(const char* optimizer, const char* option, double value, double low, double high) {
  check(is_finite(value) && value >= low && value < high, optimizer, ": ", option, " is ", value,
        ", expected a number in [", low, ", ", high, ")");
}

inline constexpr double no_limit = std::numeric_limits<double>::infinity();

/// Throws for an epsilon that is 0 in T: an element whose gradients have all been 0 would be divided by 0.
template <class T>
void check_divisor(const char* optimizer, double epsilon) {
  constexpr double least = std::numeric_limits<T>::min();
  check(is_finite(epsilon) && epsilon >= least, optimizer, ": epsilon is ", epsilon,
        ", expected a number above 0, at least ", least);
}

}  // namespace detail

template <class T>
Optimizer<T>::Optimizer(NamedTensors<T> parameters, double learning_rate) : parameters_(std::move(parameters)) {
  set_learning_rate(learning_rate);
  std::unordered_set<std::string> names;
  for (const auto& [name, tensor] : parameters_) {
    check(tensor.defined(), "optimizer: parameter \"", name, "\" is undefined");
    check(*tensor.op() == '\0', "optimizer: parameter \"", name, "\" ", tensor.shape(), " is the result of \"",
          tensor.op(), "\", expected a leaf");
    check(names.insert(name).second, "optimizer: two parameters are named \"", name,
          "\"; networks that share an optimizer get different names when one module adopts them: module.adopt(network, "
          "\"encoder\")");
    check(owned_.insert(tensor.node_pointer().get()).second, "optimizer: parameter \"", name, "\" ", tensor.shape(),
          " is given twice");
    const auto [found, inserted] = memory_.emplace(tensor.node_pointer()->storage.get(), memory_.size());
    check(inserted, "optimizer: parameter \"", name, "\" ", tensor.shape(), " has the memory of \"",
          parameters_[found->second].name, "\": it would be updated twice");
  }
}

template <class T>
void Optimizer<T>::set_learning_rate(double learning_rate) {
  detail::check_option("optimizer", "learning rate", learning_rate, 0, detail::no_limit);
  learning_rate_ = learning_rate;
}

template <class T>
void Optimizer<T>::step() {
  const Profile::Scope scope("optimizer");
  ++steps_;
  std::vector<Tensor<T>> gradients;
  for (const auto& parameter : parameters_) {
    const Tensor<T> gradient = parameter.tensor.grad();
    const bool is_parameter = gradient.defined() && memory_.count(gradient.node_pointer()->storage.get()) > 0;
    gradients.push_back(is_parameter ? gradient.clone() : gradient);  // before anything changes
  }
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    auto& parameter = parameters_[i].tensor;
    if (gradients[i].defined()) update(i, parameter.size(), parameter.mutable_data(), gradients[i].data());
  }
}

template <class T>
void Optimizer<T>::zero_grad() {
  for (auto& parameter : parameters_) parameter.tensor.zero_grad();
}

template <class T>
std::size_t Optimizer<T>::add_moment(std::string name) {
  Moment moment{std::move(name), {}};
  for (const auto& parameter : parameters_) moment.tensors.push_back(Tensor<T>::zeros(parameter.tensor.shape()));
  moments_.push_back(std::move(moment));
  return moments_.size() - 1;
}

template <class T>
NamedTensors<T> Optimizer<T>::state() const {
  NamedTensors<T> all;
  for (const auto& moment : moments_)
    for (std::size_t i = 0; i < parameters_.size(); ++i)
      all.push_back({moment.name + "." + parameters_[i].name, moment.tensors[i]});
  return all;
}

template <class T>
void Optimizer<T>::load_state(const NamedTensors<T>& state, Index steps) {
  check(steps >= 0, "optimizer state: ", steps, " steps, expected 0 or more");
  copy_values("optimizer state", state, this->state());
  steps_ = steps;
}

}  // namespace gan
