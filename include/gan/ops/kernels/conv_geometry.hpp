// Sizes of one convolution: which kernel taps meet which pixels.
#pragma once

#include <algorithm>
#include <limits>

#include "gan/core/shape.hpp"
#include "gan/ops/window.hpp"

namespace gan::kernels {

/// Largest stride, dilation, padding or factor: far beyond use, and products of them do not overflow.
inline constexpr Index conv_limit = 1 << 16;

/// One axis: output position o and kernel tap k meet input position o * stride + k * dilation - before.
struct ConvAxis {
  Index input = 0, output = 0, kernel = 0, stride = 1, dilation = 1, before = 0, after = 0;

  Index at(Index o, Index k) const { return o * stride + k * dilation - before; }
  /// Length of the dilated kernel.
  Index extent() const { return (kernel - 1) * dilation + 1; }
  /// The outputs in [low, high) whose tap k lies inside the input.
  std::pair<Index, Index> outputs(Index k, Index low, Index high) const {
    const Index shift = k * dilation - before;
    low = std::max(low, shift >= 0 ? Index{0} : (-shift + stride - 1) / stride);
    high = std::min(high, shift >= input ? Index{0} : (input - 1 - shift) / stride + 1);
    return {low, std::max(low, high)};
  }
  /// The taps of output o that lie inside the input.
  std::pair<Index, Index> taps(Index o) const {
    const Index origin = o * stride - before;
    const Index low = origin >= 0 ? Index{0} : std::min(kernel, (-origin + dilation - 1) / dilation);
    const Index high = origin >= input ? Index{0} : std::min(kernel, (input - 1 - origin) / dilation + 1);
    return {low, std::max(low, high)};
  }
};

/// All sizes of one convolution: x [n, rows.input, columns.input, channels * groups], weight [rows.kernel,
/// columns.kernel, channels, filters * groups], y [n, rows.output, columns.output, filters * groups].
struct ConvGeometry {
  Index n = 0, channels = 0, filters = 0, groups = 1;  // channels and filters of one group
  ConvAxis rows, columns;

  Index all_channels() const { return channels * groups; }
  Index all_filters() const { return filters * groups; }
  Index pixels() const { return n * rows.output * columns.output; }
  /// Length of a patch: the input elements that one output element of one group depends on.
  Index patch() const { return rows.kernel * columns.kernel * channels; }
  Shape x_shape() const { return {n, rows.input, columns.input, all_channels()}; }
  Shape y_shape() const { return {n, rows.output, columns.output, all_filters()}; }
  double flops() const {
    return 2.0 * static_cast<double>(pixels()) * static_cast<double>(patch()) * static_cast<double>(all_filters());
  }

  /// How many of `items` equal parts of the work are worth a thread.
  Index grain(Index items) const {
    constexpr double worth = 1 << 19;
    const double each = flops() / static_cast<double>(std::max<Index>(1, items));
    return each >= worth ? 1 : static_cast<Index>(worth / std::max(1.0, each)) + 1;
  }

  /// Whether patches are rows of x as it lies in memory: a 1x1 kernel, or one that covers the whole input.
  bool is_dense() const {
    const auto plain = [](const ConvAxis& a) { return a.before == 0 && a.stride == 1 && a.output == a.input; };
    const auto covers = [](const ConvAxis& a) {
      return a.before == 0 && a.output == 1 && a.kernel == a.input && (a.dilation == 1 || a.kernel == 1);
    };
    if (groups != 1) return false;
    return (rows.kernel == 1 && columns.kernel == 1 && plain(rows) && plain(columns)) ||
           (covers(rows) && covers(columns));
  }
  bool is_depthwise() const { return groups > 1 && channels == 1 && filters == 1; }
};

inline ConvAxis conv_axis(const char* op, const char* name, Index input, Index kernel, Index stride, Index dilation,
                          Index before, Index after, bool same) {
  constexpr Index limit = conv_limit;
  check(stride >= 1 && stride <= limit, op, ": stride ", stride, " of the ", name, ", expected 1 ... ", limit);
  check(dilation >= 1 && dilation <= limit, op, ": dilation ", dilation, " of the ", name, ", expected 1 ... ", limit);
  check(before >= 0 && after >= 0 && before <= limit && after <= limit, op, ": padding ", before, " before and ", after,
        " after the ", name, ", expected 0 ... ", limit);
  constexpr Index most = std::numeric_limits<Index>::max() / (16 * limit);
  check(input <= most && kernel <= most, op, ": ", input, ' ', name, " and a kernel of ", kernel, " are too many");
  ConvAxis axis{input, 0, kernel, stride, dilation, before, after};
  if (same) {
    const Index output = (input + stride - 1) / stride;
    const Index total = std::max<Index>(0, (output - 1) * stride + axis.extent() - input);
    axis.before = total / 2;
    axis.after = total - axis.before;
  }
  const Index padded = input + axis.before + axis.after;
  check(axis.extent() <= padded, op, ": kernel of ", kernel, ' ', name, " with dilation ", dilation, " covers ",
        axis.extent(), ", but the padded input has only ", padded);
  axis.output = (padded - axis.extent()) / stride + 1;
  return axis;
}

/// Checks everything that a user may get wrong about the shapes of x and weight.
inline ConvGeometry conv_geometry(const char* op, const Shape& x, const Shape& weight, const Conv2dParams& options) {
  check(x.rank() == 4, op, ": x ", x, ", expected [n, h, w, channels]");
  check(weight.rank() == 4, op, ": weight ", weight, ", expected [kernel rows, kernel columns, channels, filters]");
  check(weight.size() > 0, op, ": weight ", weight, " is empty");
  check(x[1] > 0 && x[2] > 0, op, ": x ", x, " has no pixels");
  check(options.output_padding == Size2d(0), op, ": output padding ", options.output_padding,
        " is for transposed convolutions only");
  const Index groups = options.groups;
  check(groups >= 1 && x[3] % groups == 0 && weight[3] % groups == 0, op, ": ", groups, " groups do not divide ", x[3],
        " input and ", weight[3], " output channels");
  check(x[3] == weight[2] * groups, op, ": x ", x, " has ", x[3], " channels, but weight ", weight, " with ", groups,
        " groups expects ", weight[2] * groups);
  const auto& p = options.padding;
  ConvGeometry g;
  g.n = x[0];
  g.channels = weight[2];
  g.filters = weight[3] / groups;
  g.groups = groups;
  g.rows =
      conv_axis(op, "rows", x[1], weight[0], options.stride.rows, options.dilation.rows, p.top, p.bottom, p.is_same);
  g.columns = conv_axis(op, "columns", x[2], weight[1], options.stride.columns, options.dilation.columns, p.left,
                        p.right, p.is_same);
  return g;
}

/// Length of one axis of a transposed convolution's output.
inline Index transposed_length(const char* name, Index input, Index kernel, Index stride, Index dilation, Index padding,
                               bool same, Index extra) {
  constexpr Index limit = conv_limit;
  check(stride >= 1 && stride <= limit && dilation >= 1 && dilation <= limit && padding >= 0 && padding <= 2 * limit,
        "conv_transpose2d: stride ", stride, ", dilation ", dilation, " and total padding ", padding, " of the ", name,
        ", expected 1 ... ", limit, ", 1 ... ", limit, " and 0 ... ", 2 * limit);
  check(input <= std::numeric_limits<Index>::max() / (16 * limit), "conv_transpose2d: ", input, ' ', name,
        " are too many");
  check(extra >= 0 && extra < stride, "conv_transpose2d: output padding ", extra, " of the ", name,
        ", expected less than the stride ", stride);
  check(!same || extra == 0, "conv_transpose2d: output padding ", extra, " does not go with padding \"same\"");
  const Index length = same ? input * stride : (input - 1) * stride + (kernel - 1) * dilation + 1 - padding + extra;
  check(length > 0, "conv_transpose2d: ", input, ' ', name, " with stride ", stride, ", kernel ", kernel, ", dilation ",
        dilation, " and total padding ", padding, " give an output of length ", length);
  return length;
}

}  // namespace gan::kernels
