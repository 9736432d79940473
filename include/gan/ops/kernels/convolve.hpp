// The three products of a convolution by Eigen: which code serves which sizes. A geometry that is one matrix product is
// not among them.
#pragma once

#include "gan/ops/kernels/conv_depthwise.hpp"
#include "gan/ops/kernels/conv_shifted.hpp"

namespace gan::kernels {

template <class T>
void conv_forward(const ConvGeometry& g, const T* x, const T* weight, const T* bias, T* y) {
  if (g.is_depthwise()) {
    depthwise_forward(g, x, weight, bias, y);
  } else if (const auto tiles = conv_tiles<T>(g, false)) {
    shifted_forward(g, *tiles, x, weight, bias, y);
  } else {
    unfolded_forward(g, x, weight, bias, y);
  }
}

template <class T>
void conv_input_gradient(const ConvGeometry& g, const T* gy, const T* weight, T* gx) {
  if (g.is_depthwise()) {
    depthwise_input_gradient(g, gy, weight, gx);
  } else if (const auto tiles = conv_tiles<T>(g, true)) {
    shifted_input_gradient(g, *tiles, gy, weight, gx);
  } else {
    unfolded_input_gradient(g, gy, weight, gx);
  }
}

template <class T>
void conv_weight_gradient(const ConvGeometry& g, const T* x, const T* gy, T* gw) {
  if (g.is_depthwise()) {
    depthwise_weight_gradient(g, x, gy, gw);
  } else if (const auto tiles = conv_tiles<T>(g, false)) {
    shifted_weight_gradient(g, *tiles, x, gy, gw);
  } else {
    unfolded_weight_gradient(g, x, gy, gw);
  }
}

}  // namespace gan::kernels
