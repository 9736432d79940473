// Spectral normalization of a weight.
#pragma once

#include <cmath>
#include <span>
#include <utility>

#include "gan/core/finite.hpp"
#include "gan/nn/module.hpp"
#include "gan/ops/elementwise.hpp"
#include "gan/ops/matmul.hpp"

namespace gan {

/// weight / max(sigma, 1e-3), where sigma is the largest singular value of weight seen as a matrix [everything else,
/// last axis] (Miyato et al., 2018). It is estimated by power iteration from a vector u that is kept in the owner's
/// buffers; sigma = v^T W u, u and v of length 1, is differentiable in W, with u and v constant. Dense, Conv2d,
/// ConvTranspose2d and Embedding use it when asked by their options: {.spectral_norm = true}. The matrix of a
/// transposed convolution is [patch and out, in], what one pixel becomes.
///
/// The floor lets a weight of zeros train: its gradient is 1000 times that of the quotient, no more. Weights with a
/// smaller sigma are not normalized.
template <std::floating_point T>
class SpectralNorm {
 public:
  static constexpr double least_sigma = 1e-3;

  /// Registers the buffer "u" with the owner and iterates 16 times, so that the first steps see a good sigma.
  SpectralNorm(Module<T>* owner, const Tensor<T>& weight)
      : owner_(owner), u_(owner, "u", Shape{weight.shape().last()}, init::normal(0, 1)) {
    for (int i = 0; i < 16; ++i) u_.mutable_values() = iterate(weight).u.values();
  }

  /// The weight divided by its sigma, after one power iteration in the owner's training mode and none otherwise.
  Tensor<T> operator()(const Tensor<T>& weight) {
    if (!owner_->training()) {
      const auto [v, u] = directions(weight);
      return divided(weight, v, u);
    }
    // What is recorded is not the buffer, which changes with the next forward pass.
    const auto [v, u] = iterate(weight);
    u_.mutable_values() = u.values();
    return divided(weight, v, u);
  }

  /// weight / max(v^T W u, 1e-3) for constant v [rows] and u [columns].
  static Tensor<T> divided(const Tensor<T>& weight, const Tensor<T>& v, const Tensor<T>& u) {
    const Index columns = weight.shape().last(), rows = weight.shape().rows();
    const auto matrix = reshape(weight, Shape{rows, columns});
    const auto sigma = matmul(matmul(v.view({1, rows}), matrix), u.view({columns, 1}));
    return weight / maximum(reshape(sigma, Shape{}), Tensor<T>::scalar(static_cast<T>(least_sigma)));
  }

 private:
  struct Directions {
    Tensor<T> v, u;
  };

  // Divides x by its length, unless that is 0 or not finite.
  static bool normalize(Tensor<T>& x) {
    auto values = x.mutable_values();
    const T length = values.matrix().norm();
    if (!is_finite(length) || !(length > 0)) return false;
    values /= length;
    return true;
  }

  // u with length 1, which an average of such vectors and what a file holds need not have; without any direction, one
  // that is equal in all of them, since zeros would stay zeros.
  Tensor<T> unit_u() const {
    auto u = u_.clone();
    if (!normalize(u)) u.mutable_values().setConstant(T(1) / std::sqrt(static_cast<T>(u.size())));
    return u;
  }

  // u and v = W u / |W u|. Where W u is 0, u would never turn: the largest row of W is in its place, and only for a
  // weight of zeros is v zero, too.
  Directions directions(const Tensor<T>& weight) const {
    const Index rows = weight.shape().rows();
    auto u = unit_u(), v = Tensor<T>::zeros({rows});
    const auto multiply = [&] {
      v.mutable_values().setZero();
      kernels::multiply_add<T>(kernels::rows_of(weight), false, kernels::rows_of(u), true,
                               kernels::packed(v.mutable_data(), rows, 1));
      return normalize(v);
    };
    if (multiply() || !all_finite(weight)) return {v, u};
    Index largest = 0;
    weight.matrix().rowwise().squaredNorm().maxCoeff(&largest);
    auto row = Tensor<T>::empty(u.shape());
    row.mutable_values() = weight.matrix().row(largest).transpose().array();
    if (normalize(row)) {
      u = row;
      multiply();
    }
    return {v, u};
  }

  // v = W u / |W u| and the next u = W^T v / |W^T v|, or the same u for a weight of zeros.
  Directions iterate(const Tensor<T>& weight) const {
    const auto [v, u] = directions(weight);
    auto next = Tensor<T>::zeros(u_.shape());
    kernels::multiply_add<T>(kernels::packed(v.data(), v.size(), 1), true, kernels::rows_of(weight), false,
                             kernels::mutable_rows_of(next));
    return {v, normalize(next) ? next : u};
  }

  Module<T>* owner_;
  Buffer<T> u_;
};

}  // namespace gan
