// Residual: layers with a shortcut around them.
#pragma once

#include <string>

#include "gan/core/finite.hpp"
#include "gan/nn/sequential.hpp"
#include "gan/ops/arithmetic.hpp"

namespace gan {

/// y = scale (shortcut(x) + body(x)) (He et al., 2016). Both are filled by the user; a shortcut without layers is x
/// itself:
///
///     gan::Residual<float> block{&net, "block"};
///     block.body().add<gan::Conv2d>("conv", 64, 128, gan::Conv2dOptions{.padding = gan::Padding::same()});
///     block.shortcut().add<gan::Conv2d>("project", 64, 128, gan::Conv2dOptions{.kernel = 1, .bias = false});
template <std::floating_point T>
class Residual : public Layer<T> {
 public:
  /// A scale of 1 / sqrt(2) keeps the variance when both branches have the same. Throws unless it is finite.
  Residual(Module<T>* parent, std::string name, double scale = 1) : Layer<T>(parent, std::move(name)), scale_(scale) {
    check(is_finite(scale), "residual \"", this->path(), "\": scale ", scale, ", expected a finite number");
  }

  Sequential<T>& body() { return body_; }
  Sequential<T>& shortcut() { return shortcut_; }

  /// Throws unless both branches give the same shape.
  Tensor<T> forward(const Tensor<T>& x) override {
    const auto y = body_(x), z = shortcut_(x);
    if (y.shape() != z.shape())
      fail("body gives ", y.shape(), ", shortcut ", z.shape(), " for x ", x.shape(), ", expected equal shapes");
    return scale_ == 1 ? z + y : (z + y) * scale_;
  }

  std::string kind() const override { return "Residual"; }

 private:
  double scale_;
  Sequential<T> body_{this, "body"}, shortcut_{this, "shortcut"};
};

}  // namespace gan
