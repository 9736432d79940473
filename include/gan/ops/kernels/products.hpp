// The four products that networks are made of: a matrix product and the three of a convolution. Each is made by the
// engine in use where it wants the sizes, else by Eigen.
#pragma once

#include <exception>

#include "gan/ops/kernels/convolve.hpp"
#include "gan/ops/matmul_precision.hpp"
#include "gan/tensor/tensor.hpp"

namespace gan::kernels {

/// c = op(a) op(b) + bias, where op transposes if asked: a [m, k], b [k, n], bias [n] or null -> c [m, n].
template <class T>
void matrix_product(const Tensor<T>& a, bool transpose_a, const Tensor<T>& b, bool transpose_b, const T* bias,
                    Tensor<T>& c);

/// y = x * weight + bias; the gradients with respect to x and to weight.
template <class T>
void convolution(const ConvGeometry& g, const Tensor<T>& x, const Tensor<T>& weight, const T* bias, Tensor<T>& y);
template <class T>
void convolution_input_gradient(const ConvGeometry& g, const Tensor<T>& gy, const Tensor<T>& weight, Tensor<T>& gx);
template <class T>
void convolution_weight_gradient(const ConvGeometry& g, const Tensor<T>& x, const Tensor<T>& gy, Tensor<T>& gw);

inline Factor factor_of(const Tensor<float>& x) { return {x.data(), &x}; }

inline const EngineHost& engine_host() {
  static const EngineHost host{
      [](std::size_t bytes) { return BufferCache::instance().acquire(bytes); },
      [](void* memory, std::size_t bytes) noexcept { BufferCache::instance().release(memory, bytes); },
      [](const Factor& factor, std::uint64_t form, std::size_t bytes, void (*make)(void*, void*), void* context) {
        const auto& x = *static_cast<const Tensor<float>*>(factor.tensor);
        return x.twin(form, bytes, [&](void* memory) { make(context, memory); });
      }};
  return host;
}

/// Calls f(engine) unless Eigen is in use; whether the engine did it.
template <class F>
bool by_engine(const F& f) {
  const auto* const engine = detail::current_engine().load(std::memory_order_relaxed);
  if (!engine) {
    detail::rounds_products();  // Eigen does not, and that is said where it was asked for
    return false;
  }
  try {
    return f(*engine);
  } catch (const Error&) {
    throw;
  } catch (const std::exception& e) {
    fail("engine \"", engine->name, "\": ", e.what());
  }
}

inline Convolution sizes_of(const ConvGeometry& g) {
  const auto axis = [](const ConvAxis& a) {
    return ConvolutionAxis{a.input, a.output, a.kernel, a.stride, a.dilation, a.before, a.after};
  };
  return {g.n,           g.channels, g.filters, g.groups, axis(g.rows), axis(g.columns), detail::rounds_products(),
          gan::threads()};
}

/// A tensor of `rows` times `columns` elements as a matrix, transposed if asked.
template <class T>
struct MatrixOf {
  const Tensor<T>& tensor;
  Index rows, columns;
  bool transposed;

  ConstStridedMatrix<T> matrix() const { return packed(tensor.data(), rows, columns); }
};

/// c = op(a) op(b) + bias [m, n].
template <class T>
void multiply(const MatrixOf<T>& a, const MatrixOf<T>& b, const T* bias, Index m, Index n, T* c) {
  // Beginning the sums with the bias saves a pass over c.
  if (bias)
    parallel_for(m, std::max<Index>(1, (1 << 14) / std::max<Index>(1, n)),
                 [&](Index first, Index last) { fill_rows(c + first * n, last - first, n, bias); });
  if constexpr (std::is_same_v<T, float>) {
    const Index k = a.transposed ? a.rows : a.columns;
    if (by_engine([&](const ProductEngine& engine) {
          return engine.multiply(
              engine_host(),
              {m, n, k, a.transposed, b.transposed, bias != nullptr, detail::rounds_products(), gan::threads()},
              factor_of(a.tensor), factor_of(b.tensor), c);
        }))
      return;
  }
  gemm<T>(a.matrix(), a.transposed, b.matrix(), b.transposed, packed(c, m, n), bias != nullptr);
}

template <class T>
void matrix_product(const Tensor<T>& a, bool transpose_a, const Tensor<T>& b, bool transpose_b, const T* bias,
                    Tensor<T>& c) {
  const auto matrix = [](const Tensor<T>& x, bool transposed) {
    return MatrixOf<T>{x, x.shape().rows(), x.shape().last(), transposed};
  };
  multiply(matrix(a, transpose_a), matrix(b, transpose_b), bias, c.shape().rows(), c.shape().last(), c.mutable_data());
}

template <class T>
void convolution(const ConvGeometry& g, const Tensor<T>& x, const Tensor<T>& weight, const T* bias, Tensor<T>& y) {
  const Index pixels = g.pixels(), patch = g.patch();
  if (g.is_dense())
    return multiply<T>({x, pixels, patch, false}, {weight, patch, g.filters, false}, bias, pixels, g.filters,
                       y.mutable_data());
  if constexpr (std::is_same_v<T, float>)
    if (by_engine([&](const ProductEngine& engine) {
          return engine.convolve(engine_host(), sizes_of(g), factor_of(x), factor_of(weight), bias, y.mutable_data());
        }))
      return;
  conv_forward(g, x.data(), weight.data(), bias, y.mutable_data());
}

template <class T>
void convolution_input_gradient(const ConvGeometry& g, const Tensor<T>& gy, const Tensor<T>& weight, Tensor<T>& gx) {
  const Index pixels = g.pixels(), patch = g.patch();
  if (g.is_dense())
    return multiply<T>({gy, pixels, g.filters, false}, {weight, patch, g.filters, true}, nullptr, pixels, patch,
                       gx.mutable_data());
  if constexpr (std::is_same_v<T, float>)
    if (by_engine([&](const ProductEngine& engine) {
          return engine.input_gradient(engine_host(), sizes_of(g), factor_of(gy), factor_of(weight), gx.mutable_data());
        }))
      return;
  conv_input_gradient(g, gy.data(), weight.data(), gx.mutable_data());
}

template <class T>
void convolution_weight_gradient(const ConvGeometry& g, const Tensor<T>& x, const Tensor<T>& gy, Tensor<T>& gw) {
  const Index pixels = g.pixels(), patch = g.patch();
  if (g.is_dense())
    return multiply<T>({x, pixels, patch, true}, {gy, pixels, g.filters, false}, nullptr, patch, g.filters,
                       gw.mutable_data());
  if constexpr (std::is_same_v<T, float>)
    if (by_engine([&](const ProductEngine& engine) {
          return engine.weight_gradient(engine_host(), sizes_of(g), factor_of(x), factor_of(gy), gw.mutable_data());
        }))
      return;
  conv_weight_gradient(g, x.data(), gy.data(), gw.mutable_data());
}

}  // namespace gan::kernels
