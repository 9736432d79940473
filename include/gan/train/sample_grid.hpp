// Callback: pictures of what the generator makes from the fixed noise.
#pragma once

#include <cstdio>
#include <filesystem>
#include <string>

#include "gan/core/file.hpp"
#include "gan/io/image.hpp"
#include "gan/ops/reshape.hpp"
#include "gan/train/run.hpp"

namespace gan {

/// Writes `folder`/samples_0001.png, ... after every epoch, or samples_step_0001000.png, ... every `every` steps. The
/// noise is the same each time, so that the pictures can be compared.
struct SampleGrid {
  std::filesystem::path folder;
  Index every = 0;  ///< steps; 0: each epoch
  GridOptions grid{};
  Shape image{};                 ///< [h, w, c] of a sample, where the generator gives flat vectors
  std::filesystem::path last{};  ///< the newest picture
  Index written = 0;             ///< step of the newest picture

  void on_start(auto& run) {
    check(every >= 0, "sample grid: every ", every, " steps, expected 0 or more");
    check_writable_folder(folder);
    const Shape shape = pictures(run).shape();
    check(shape.rank() == 3 || (shape.rank() == 4 && (shape[3] == 1 || shape[3] == 3)), "sample grid: samples ", shape,
          " are no pictures, expected [n, h, w, 1] or [n, h, w, 3]: set `image` for flat samples");
  }
  void on_step(auto& run) {
    if (every > 0 && run.trainer.steps() % every == 0) write(run, "samples_step_%07lld.png", run.trainer.steps());
  }
  void on_epoch(auto& run) {
    if (every == 0) write(run, "samples_%04lld.png", run.epochs());
  }
  void on_end(auto& run) {
    if (written != run.trainer.steps() && run.steps() > 0) write(run, "samples_step_%07lld.png", run.trainer.steps());
  }

  auto pictures(auto& run) const {
    const auto samples = run.trainer.samples();
    return image.rank() > 0 ? reshape(samples, image.inserted(0, samples.shape()[0])) : samples;
  }
  void write(auto& run, const char* pattern, Index number) {
    char name[64];
    std::snprintf(name, sizeof name, pattern, static_cast<long long>(number));  // NOLINT: patterns are the ones above
    last = folder / name;
    write_grid(last, pictures(run), grid);
    written = run.trainer.steps();
  }
};

}  // namespace gan
