// The table through which products are made by another library. A source that fills it includes this header and no
// other of gan's: it may be compiled with other flags than the program, and no inline function must exist twice.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace gan::kernels {

/// A factor of a product: its values, and the tensor that keeps other forms of them (rounded, in a layout of the
/// engine's) for as long as they do not change.
struct Factor {
  const float* values;
  const void* tensor;
};

/// c = op(a) op(b), or c += where `accumulate`: op(a) [m, k], op(b) [k, n] -> c [m, n], all dense and row-major; a
/// factor that is transposed lies in memory as [k, m] or [n, k].
struct MatrixProduct {
  std::int64_t m, n, k;
  bool transpose_a, transpose_b;
  bool accumulate;
  bool rounded;  // multiply the factors rounded to bfloat16, and add up in float
  int threads;
};

struct ConvolutionAxis {
  std::int64_t input, output, kernel, stride, dilation, before, after;
};

/// A convolution: x [n, rows, columns, channels * groups], weight [kernel rows, kernel columns, channels, filters *
/// groups], y [n, rows, columns, filters * groups], all dense and row-major.
struct Convolution {
  std::int64_t n, channels, filters, groups;  // channels and filters of one group
  ConvolutionAxis rows, columns;
  bool rounded;
  int threads;
};

/// What an engine is given by the library.
struct EngineHost {
  /// Memory from the buffer cache; throws gan::Error without any.
  void* (*acquire)(std::size_t bytes);
  void (*release)(void* memory, std::size_t bytes) noexcept;
  /// The factor's twin of that form, `bytes` long: as it was made before, unless the values have changed since, else by
  /// make(context, memory). Valid while the factor's tensor lives unchanged.
  const void* (*twin)(const Factor& factor, std::uint64_t form, std::size_t bytes,
                      void (*make)(void* context, void* memory), void* context);
};

/// Functions that make products. Each returns false for sizes that it does not want, having done nothing; which they
/// are depends on the sizes alone. They throw std::exception when they fail. Results are the same bits for the same
/// number of threads.
struct ProductEngine {
  const char* name;
  /// Whether products of rounded factors are faster than others on this processor.
  bool (*rounds)();
  /// The best instructions it uses on this processor, "AVX-512" or "AMX".
  const char* (*instructions)();
  bool (*multiply)(const EngineHost&, const MatrixProduct&, const Factor& a, const Factor& b, float* c);
  /// `bias` [filters * groups] may be null.
  bool (*convolve)(const EngineHost&, const Convolution&, const Factor& x, const Factor& weight, const float* bias,
                   float* y);
  bool (*input_gradient)(const EngineHost&, const Convolution&, const Factor& gy, const Factor& weight, float* gx);
  bool (*weight_gradient)(const EngineHost&, const Convolution&, const Factor& x, const Factor& gy, float* gw);
};

/// The engine that is linked beside Eigen; null without one. It enters itself before any object of the program is
/// constructed.
inline std::atomic<const ProductEngine*> linked_engine{nullptr};

}  // namespace gan::kernels
