// Spectral normalisation of a weight.
#pragma once

#include "gan/nn/module.hpp"
#include "gan/ops/elementwise.hpp"
#include "gan/ops/matmul.hpp"

namespace gan {

/// weight / sigma, where sigma is the largest singular value of weight seen as a matrix [everything else, last axis]
/// (Miyato et al., 2018). It is estimated by power iteration from a vector u that is kept in the owner's buffers; sigma
/// = v^T W u is differentiable in W, with u and v constant. Dense and Conv2d use it when asked by their options:
/// {.spectral_norm = true}.
template <std::floating_point T>
class SpectralNorm {
 public:
  /// Registers the buffer "u" with the owner and iterates 16 times, so that the first steps see a good sigma.
  SpectralNorm(Module<T>* owner, const Tensor<T>& weight)
      : owner_(owner), u_(owner, "u", Shape{weight.shape().last()}, init::normal(0, 1)) {
    for (int i = 0; i < 16; ++i) iterate(weight);
  }

  /// The weight divided by its sigma, after one power iteration in the owner's training mode and none otherwise.
  Tensor<T> operator()(const Tensor<T>& weight) {
    const auto v = owner_->training() ? iterate(weight) : direction(weight);
    // u changes with the next forward pass; what is recorded must not.
    return divided(weight, v, u_.clone());
  }

  /// weight / (v^T W u) for constant v [rows] and u [columns].
  static Tensor<T> divided(const Tensor<T>& weight, const Tensor<T>& v, const Tensor<T>& u) {
    const Index columns = weight.shape().last(), rows = weight.shape().rows();
    const auto matrix = reshape(weight, Shape{rows, columns});
    const auto sigma = matmul(matmul(v.view({1, rows}), matrix), u.view({columns, 1}));
    return weight / reshape(sigma + 1e-12, Shape{});  // a weight of zeros stays one
  }

 private:
  // v = W u / |W u|.
  Tensor<T> direction(const Tensor<T>& weight) const {
    const Index rows = weight.shape().rows();
    auto v = Tensor<T>::zeros({rows});
    detail::multiply_add<T>(detail::rows_of(weight), false, detail::rows_of(u_), true,
                            detail::packed(v.mutable_data(), rows, 1));
    auto values = v.mutable_values();
    if (const T norm = values.matrix().norm(); norm > 0) values /= norm;
    return v;
  }

  // v = W u / |W u|, then u = W^T v / |W^T v|. A zero vector would never leave zero again, so it is not kept.
  Tensor<T> iterate(const Tensor<T>& weight) {
    const auto v = direction(weight);
    auto u = Tensor<T>::zeros(u_.shape());
    detail::multiply_add<T>(detail::packed(v.data(), v.size(), 1), true, detail::rows_of(weight), false,
                            detail::mutable_rows_of(u));
    if (const T norm = u.values().matrix().norm(); norm > 0 && std::isfinite(norm))
      u_.mutable_values() = u.values() / norm;
    return v;
  }

  Module<T>* owner_;
  Buffer<T> u_;
};

}  // namespace gan
