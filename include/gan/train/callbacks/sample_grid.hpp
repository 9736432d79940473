// Callback: pictures of what the generator makes from the fixed noise.
#pragma once

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <string>

#include "gan/io/atomic_file.hpp"
#include "gan/io/image_writer.hpp"
#include "gan/ops/reshape.hpp"
#include "gan/train/fit.hpp"

namespace gan {

/// Writes `folder`/samples_0001.png, ... after every epoch, or samples_step_0001000.png, ... every `every` steps, and
/// one at the end. The noise is the same each time, so that the pictures can be compared.
///
/// Where epochs are shorter than a second most are left out: a run never has more than 10 pictures, one for each of its
/// seconds and the last. A picture that cannot be written is a warning, and the next one is tried.
struct SampleGrid {
  static constexpr Phase phase = Phase::show;

  std::filesystem::path folder;
  Index every = 0;  ///< steps; 0: each epoch
  GridOptions grid{};
  Shape image{};                 ///< [h, w, c] of a sample, where the generator gives flat vectors
  std::filesystem::path last{};  ///< the newest picture
  Index written = 0;             ///< step of the newest picture
  Index images_written = 0;      ///< by this run

  void on_start(auto& run) {
    check(every >= 0, "sample grid: every ", every, " steps, expected 0 or more");
    check_writable_folder(folder);
    images_written = 0;
    const Shape shape = images(run).shape();
    check(shape.rank() == 3 || (shape.rank() == 4 && (shape[3] == 1 || shape[3] == 3)), "sample grid: samples ", shape,
          " are no pictures, expected [n, h, w, 1] or [n, h, w, 3]: set `image` for flat samples");
  }
  void on_step(auto& run) {
    if (every > 0 && run.trainer.steps() % every == 0 && due(run)) write(run, "samples_step_", 7, run.trainer.steps());
  }
  void on_epoch(auto& run) {
    if (every == 0 && due(run)) write(run, "samples_", 4, run.epochs());
  }
  void on_end(auto& run) {
    if (written != run.trainer.steps() && run.steps() > 0) write(run, "samples_step_", 7, run.trainer.steps());
  }

  bool due(const auto& run) const { return static_cast<double>(images_written) < 10 + run.seconds(); }
  auto images(auto& run) const {
    const auto samples = run.trainer.samples();
    return image.rank() > 0 ? reshape(samples, image.inserted(0, samples.shape()[0])) : samples;
  }
  /// <folder>/<name><number, with that many digits>.png
  void write(auto& run, const std::string& name, std::size_t digits, Index number) {
    const std::string text = std::to_string(number);
    const auto path = folder / (name + std::string(digits - std::min(digits, text.size()), '0') + text + ".png");
    write_grid(path, images(run), grid);
    last = path;
    written = run.trainer.steps();
    ++images_written;
  }
};

}  // namespace gan
