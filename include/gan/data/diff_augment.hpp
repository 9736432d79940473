// DiffAugment: differentiable augmentation of what a discriminator sees.
#pragma once

#include <algorithm>
#include <vector>

#include "gan/core/finite.hpp"
#include "gan/ops/pixel_map.hpp"
#include "gan/ops/reduce.hpp"
#include "gan/tensor/random.hpp"

namespace gan {

/// How far each transformation goes; 0 leaves it out. The defaults are the paper's for images in [-1, 1].
struct DiffAugmentOptions {
  double brightness = 1;       ///< b >= 0: adds U[-b / 2, b / 2)
  double saturation = 1;       ///< s in [0, 1]: distances from the mean of a pixel's channels times U[1 - s, 1 + s)
  double contrast = 0.5;       ///< c in [0, 1]: distances from the mean of an image times U[1 - c, 1 + c)
  double translation = 0.125;  ///< share in [0, 1] of rows and columns: the largest shift; 0 comes into view
  double cutout = 0.5;         ///< share in [0, 1] of rows and columns: sides of the rectangle that is set to 0
  double probability = 1;      ///< of each transformation for each sample, in [0, 1]
};

/// Random changes of images x [n, h, w, c] -> [n, h, w, c], with a draw for each sample, differentiable in x (Zhao et
/// al., 2020). Real samples and fakes are both shown through it, and the generator learns through it too:
///
///     gan::DiffAugment augment({.cutout = 0});
///     gan::Trainer trainer(generator, discriminator, {.views = {augment}});
///
/// With a probability below 1 that a controller moves, it is an adaptive augmentation (Karras et al., 2020); pass
/// std::ref(augment) then. See AdaptiveProbability.
class DiffAugment {
 public:
  /// Throws for options out of range.
  explicit DiffAugment(const DiffAugmentOptions& options = {}) : options_(options) {
    const auto share = [](const char* name, double value) {
      check(is_finite(value) && value >= 0 && value <= 1, "diff augment: ", name, " ", value,
            ", expected a number in [0, 1]");
    };
    check(is_finite(options.brightness) && options.brightness >= 0, "diff augment: brightness ", options.brightness,
          ", expected 0 or more");
    share("saturation", options.saturation);
    share("contrast", options.contrast);
    share("translation", options.translation);
    share("cutout", options.cutout);
    set_probability(options.probability);
  }

  double probability() const { return options_.probability; }
  /// Throws unless it is in [0, 1].
  void set_probability(double probability) {
    check(is_finite(probability) && probability >= 0 && probability <= 1, "diff augment: probability ", probability,
          ", expected a number in [0, 1]");
    options_.probability = probability;
  }

  /// Draws as many numbers whatever the probability. Throws unless x is a batch of images with pixels.
  template <class T>
  Tensor<T> operator()(Rng& rng, const Tensor<T>& x) const;

 private:
  // amount * U[-1, 1) for each sample, and 0 for those that are left alone: [n, 1, 1, 1].
  template <class T>
  Tensor<T> draw(Rng& rng, Index n, double amount) const {
    auto drawn = uniform<T>(rng, {n, 1, 1, 1}, -amount, amount);
    drawn.mutable_values() *= bernoulli<T>(rng, {n, 1, 1, 1}, options_.probability).values();
    return drawn;
  }

  // What happens to the pixels of one image: a shift, then a rectangle that becomes 0.
  struct Move {
    Index down = 0, right = 0;
    Index top = 0, bottom = 0, left = 0, end = 0;  // cut out: rows [top, bottom), columns [left, end)
  };
  std::vector<Move> draw_moves(Rng& rng, Index n, Index h, Index w) const;
  static PixelMap map_of(const std::vector<Move>& moves, Index h, Index w);

  DiffAugmentOptions options_;
};

inline std::vector<DiffAugment::Move> DiffAugment::draw_moves(Rng& rng, Index n, Index h, Index w) const {
  std::vector<Move> moves(static_cast<std::size_t>(n));
  std::vector<float> hit(moves.size());
  std::vector<Index> rows(moves.size()), columns(moves.size());
  const auto part = [](Index length, double share) { return static_cast<Index>(double(length) * share + 0.5); };
  if (options_.translation > 0) {
    const Index down = part(h, options_.translation), right = part(w, options_.translation);
    rng.integers(rows, -down, down + 1);
    rng.integers(columns, -right, right + 1);
    rng.bernoulli<float>(hit, options_.probability);
    for (std::size_t i = 0; i < moves.size(); ++i)
      if (hit[i] != 0) moves[i].down = rows[i], moves[i].right = columns[i];
  }
  if (options_.cutout > 0) {
    const Index height = part(h, options_.cutout), width = part(w, options_.cutout);
    rng.integers(rows, 0, h + 1 - height % 2);  // of the middle: as many positions above the edge as below
    rng.integers(columns, 0, w + 1 - width % 2);
    rng.bernoulli<float>(hit, options_.probability);
    for (std::size_t i = 0; i < moves.size(); ++i) {
      if (hit[i] == 0) continue;
      moves[i].top = rows[i] - height / 2, moves[i].bottom = moves[i].top + height;
      moves[i].left = columns[i] - width / 2, moves[i].end = moves[i].left + width;
    }
  }
  return moves;
}

inline PixelMap DiffAugment::map_of(const std::vector<Move>& moves, Index h, Index w) {
  PixelMap map{.rows = h, .columns = w, .per_image = true};
  map.from.resize(moves.size() * static_cast<std::size_t>(h * w));
  parallel_for(static_cast<Index>(moves.size()), std::max<Index>(1, (1 << 14) / std::max<Index>(1, h * w)),
               [&](Index begin, Index end) {
                 for (Index image = begin; image < end; ++image) {
                   const Move& m = moves[static_cast<std::size_t>(image)];
                   Index* to = map.from.data() + image * h * w;
                   for (Index i = 0; i < h; ++i)
                     for (Index j = 0; j < w; ++j) {
                       const Index row = i - m.down, column = j - m.right;
                       const bool cut = i >= m.top && i < m.bottom && j >= m.left && j < m.end;
                       const bool inside = row >= 0 && row < h && column >= 0 && column < w;
                       *to++ = inside && !cut ? row * w + column : -1;
                     }
                 }
               });
  return map;
}

template <class T>
Tensor<T> DiffAugment::operator()(Rng& rng, const Tensor<T>& x) const {
  check(x.rank() == 4 && x.shape()[1] * x.shape()[2] * x.shape()[3] > 0, "diff augment: x ", x.shape(),
        ", expected images [n, h, w, c]");
  const Index n = x.shape()[0], h = x.shape()[1], w = x.shape()[2];
  Tensor<T> y = x;
  if (options_.brightness > 0) y = y + draw<T>(rng, n, options_.brightness / 2);
  if (options_.saturation > 0 && x.shape()[3] > 1)  // of one channel each pixel is its own mean
    y = y + (y - mean(y, {3}, true)) * draw<T>(rng, n, options_.saturation);
  if (options_.contrast > 0) y = y + (y - mean(y, {1, 2, 3}, true)) * draw<T>(rng, n, options_.contrast);
  if (options_.translation > 0 || options_.cutout > 0) y = gather_pixels(y, map_of(draw_moves(rng, n, h, w), h, w));
  return y;
}

}  // namespace gan
