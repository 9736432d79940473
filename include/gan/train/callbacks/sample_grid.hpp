// SampleGrid: a callback that writes pictures of what a game makes.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "gan/io/atomic_file.hpp"
#include "gan/io/image_writer.hpp"
#include "gan/ops/concatenate.hpp"
#include "gan/ops/reshape.hpp"
#include "gan/train/fit.hpp"

namespace gan {

struct SampleGridOptions {
  std::filesystem::path folder{};
  Index every = 0;  ///< steps; 0: each epoch
  GridOptions grid{};
  Shape image{};  ///< [h, w, c] of a sample, where the game gives flat vectors
};

/// Writes `folder`/samples_0001.png, ... after every epoch, or samples_step_0001000.png, ... every `every` steps, and
/// one at the end, of Game::samples(). A pair's noise is the same each time, so that its pictures can be compared.
/// Where a game has several kinds of samples, as many and as high of each, those that belong together stand side by
/// side.
///
/// Where epochs are shorter than a second most are left out: a run never has more than 10 pictures, one for each of its
/// seconds and the last. A picture that cannot be written is a warning, and the next one is tried.
template <std::floating_point T = float>
class SampleGrid : public Callback<T> {
 public:
  using Options = SampleGridOptions;

  /// Throws for options out of range.
  explicit SampleGrid(Options options) : options_(std::move(options)) {
    check(options_.every >= 0 && !options_.folder.empty(), "sample grid \"", options_.folder.string(), "\": every ",
          options_.every, " steps, expected a folder, and 0 or more steps");
  }

  Phase phase() const override { return Phase::show; }
  void on_start(Run<T>& run) override {
    check_writable_folder(options_.folder);
    count_ = 0;
    images(run);
  }
  void on_step(Run<T>& run) override {
    const Index step = run.game.steps();
    if (options_.every > 0 && step % options_.every == 0 && due(run)) write(run, "samples_step_", 7, step);
  }
  void on_epoch(Run<T>& run) override {
    if (options_.every == 0 && due(run)) write(run, "samples_", 4, run.epochs());
  }
  void on_end(Run<T>& run) override {
    if (written_ != run.game.steps() && run.steps() > 0) write(run, "samples_step_", 7, run.game.steps());
  }

  /// The newest picture; empty before there is one.
  const std::filesystem::path& last() const { return last_; }
  /// Number of pictures of this run.
  Index count() const { return count_; }

 private:
  bool due(const Run<T>& run) const { return static_cast<double>(count_) < 10 + run.seconds(); }
  Tensor<T> images(Run<T>& run) const;
  // <folder>/<name><number, with that many digits>.png
  void write(Run<T>& run, const std::string& name, std::size_t digits, Index number);

  Options options_;
  std::filesystem::path last_;
  Index written_ = 0, count_ = 0;  // step of the newest picture
};

// Undefined where a game has nothing to show yet.
template <std::floating_point T>
Tensor<T> SampleGrid<T>::images(Run<T>& run) const {
  std::vector<Tensor<T>> kinds = run.game.samples();
  for (Tensor<T>& x : kinds) {
    if (options_.image.rank() > 0) x = reshape(x, options_.image.inserted(0, x.shape()[0]));
    const Shape& shape = x.shape();
    check(shape.rank() == 3 || (shape.rank() == 4 && (shape[3] == 1 || shape[3] == 3)), "sample grid: samples ", shape,
          " are no pictures, expected [n, h, w, 1] or [n, h, w, 3]: set `image` for flat samples");
    check(shape.with(2, 1) == kinds[0].shape().with(2, 1), "sample grid: samples ", kinds[0].shape(), " and ", shape,
          " cannot stand side by side, expected as many and as high of each");
  }
  return kinds.empty() ? Tensor<T>() : kinds.size() == 1 ? kinds[0] : concatenate(kinds, 2);
}

template <std::floating_point T>
void SampleGrid<T>::write(Run<T>& run, const std::string& name, std::size_t digits, Index number) {
  const Tensor<T> shown = images(run);
  if (!shown.defined()) return;
  const std::string text = std::to_string(number);
  const auto path = options_.folder / (name + std::string(digits - std::min(digits, text.size()), '0') + text + ".png");
  write_grid(path, shown, options_.grid);
  last_ = path;
  written_ = run.game.steps();
  ++count_;
}

}  // namespace gan
