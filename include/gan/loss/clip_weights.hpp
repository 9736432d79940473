// Limits on the weights of a critic.
#pragma once

#include <string>
#include <string_view>
#include <unordered_set>

#include "gan/core/describe.hpp"
#include "gan/core/finite.hpp"
#include "gan/core/random.hpp"
#include "gan/ops/kernels/map.hpp"
#include "gan/tensor/named_tensors.hpp"

namespace gan {

/// Limits each element of the parameters themselves to [-limit, limit]. Throws unless limit > 0.
template <class T>
void clip_weights(const NamedTensors<T>& parameters, double limit);

namespace detail {

inline void check_limit(std::string_view what, double limit) {
  check(!is_nan(limit) && limit > 0, what, ": limit is ", limit, ", expected a number above 0");
}

}  // namespace detail

/// Weight clipping (Arjovsky et al., 2017) in the place of a penalty: adds nothing to the loss, and limits all of the
/// discriminator's parameters to [-limit, limit] after each of its steps. All are also biases and the scales and shifts
/// of norms, as in the authors' code: a scale of 1 becomes the limit, so that norms are better left out.
struct ClipWeights {
  static constexpr std::string_view name = "clip";

  double limit = 0.01;  ///< above 0

  void check_options() const { detail::check_limit(name, limit); }
  std::string describe() const { return described(std::string(name), {{"limit", limit}}); }

  template <class T, class D>
  Tensor<T> operator()(Rng&, D&&, const Tensor<T>&, const Tensor<T>&, Index) const {
    return {};
  }
  template <class T>
  void after_step(const NamedTensors<T>& discriminator_parameters) const {
    clip_weights(discriminator_parameters, limit);
  }
};

template <class T>
void clip_weights(const NamedTensors<T>& parameters, double limit) {
  detail::check_limit("clip_weights", limit);
  for (const auto& [name, tensor] : parameters) kernels::limit_values(tensor, limit);
}

}  // namespace gan
