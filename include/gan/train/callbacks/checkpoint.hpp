// Checkpoint: a callback that saves a checkpoint every few steps and at the end.
#pragma once

#include <algorithm>
#include <charconv>
#include <concepts>
#include <exception>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "gan/core/warn.hpp"
#include "gan/io/atomic_file.hpp"
#include "gan/train/checkpoint.hpp"
#include "gan/train/fit.hpp"

namespace gan {

struct CheckpointOptions {
  std::filesystem::path path;
  Index every = 1000;                          ///< steps; 0: at the end only
  Index keep = 0;                              ///< newest saves to keep beside it, as <name>_step_0001000<.extension>
  bool replace = false;                        ///< whether a run from step 0 may replace the file
  std::map<std::string, std::string> notes{};  ///< for the file's metadata, e.g. which model it holds
};

/// Saves a checkpoint every `every` steps and after the last one, however the run ended. Values that are not finite
/// never replace a file: saving them throws NotFinite, and a run that ends by it saves nothing more. A save that fails
/// during the run is a warning and tried again `every` steps later; one that fails at the end throws.
///
/// Throws before the first step when the folder is in use by another run (FolderLock, held while the run lasts), cannot
/// be written to, or when the game has made no step and the file exists: a run does not destroy another one unasked.
template <std::floating_point T = float>
class Checkpoint : public Callback<T> {
 public:
  using Options = CheckpointOptions;

  /// Throws for options out of range.
  explicit Checkpoint(Options options) : options_(std::move(options)) {
    check(options_.every >= 0 && options_.keep >= 0 && !options_.path.empty(), "checkpoint \"", options_.path.string(),
          "\": every ", options_.every, " steps, keep ", options_.keep, ", expected a path, and 0 or more of each");
  }

  Phase phase() const override { return Phase::save; }
  void on_start(Run<T>& run) override;
  void on_step(Run<T>& run) override;
  void on_end(Run<T>& run) override {
    if (run.game.steps() != saved_ && !run.not_finite) save(run);
  }

  const std::filesystem::path& path() const { return options_.path; }
  /// Step of the newest save.
  Index saved() const { return saved_; }
  /// Where the save of that step is kept.
  std::filesystem::path kept(Index step) const;

 private:
  std::filesystem::path folder() const { return path().has_parent_path() ? path().parent_path() : "."; }
  void save(Run<T>& run);
  void keep_newest() const;

  Options options_;
  Index saved_ = 0;
};

template <std::floating_point T>
void Checkpoint<T>::on_start(Run<T>& run) {
  check_writable_folder(folder());
  run.lock(folder());
  check(options_.replace || run.game.steps() > 0 || !std::filesystem::exists(path()), path().string(),
        ": holds an earlier run, and this one begins at step 0: load it (load_checkpoint) to go on with it, choose "
        "another path, or set .replace = true");
  saved_ = run.game.steps();
}

template <std::floating_point T>
void Checkpoint<T>::on_step(Run<T>& run) {
  if (options_.every == 0 || run.game.steps() % options_.every != 0) return;
  try {
    save(run);
  } catch (const NotFinite&) {
    throw;
  } catch (const std::exception& error) {
    warn_once(std::string(error.what()) + "; the run goes on and saves again in " + std::to_string(options_.every) +
              " steps");
  }
}

template <std::floating_point T>
std::filesystem::path Checkpoint<T>::kept(Index step) const {
  const std::string digits = std::to_string(step);
  const std::string zeros(digits.size() < 7 ? 7 - digits.size() : 0, '0');
  return folder() / (path().stem().string() + "_step_" + zeros + digits + path().extension().string());
}

template <std::floating_point T>
void Checkpoint<T>::save(Run<T>& run) {
  for (const auto& [name, tensor] : run.game.training_state())
    if (!all_finite(tensor))
      throw NotFinite(path().string() + ": not saved: \"" + name + "\" is not finite after step " +
                      std::to_string(run.game.steps()));
  std::error_code ignored;
  std::filesystem::create_directories(folder(), ignored);  // should somebody have removed it meanwhile
  save_checkpoint<T>(path(), run.game, &run.source, options_.notes);
  saved_ = run.game.steps();
  if (options_.keep > 0) keep_newest();
}

// The save of step `saved_` gets a second name, so that it takes no time, and the oldest ones of this run go. Saves of
// later steps are those of a run that this one has gone back behind: they are left alone.
template <std::floating_point T>
void Checkpoint<T>::keep_newest() const {
  std::error_code error;
  const auto numbered = kept(saved_), file = std::filesystem::canonical(path(), error);
  std::filesystem::remove(numbered, error);
  std::filesystem::create_hard_link(file, numbered, error);
  if (error) {  // a file system without links
    std::filesystem::copy_file(file, numbered, error);
    check(!error, numbered.string(), ": cannot write: ", error.message());
  }
  std::vector<Index> steps;
  const std::string before = path().stem().string() + "_step_", after = path().extension().string();
  for (std::filesystem::directory_iterator at(folder(), error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (name.size() <= before.size() + after.size() || !name.starts_with(before) || !name.ends_with(after)) continue;
    Index step = 0;
    const char *const first = name.data() + before.size(), *const last = name.data() + name.size() - after.size();
    if (const auto read = std::from_chars(first, last, step); read.ec != std::errc() || read.ptr != last) continue;
    if (step >= 0 && step <= saved_ && kept(step).filename() == name) steps.push_back(step);
  }
  std::sort(steps.begin(), steps.end(), std::greater());
  for (std::size_t i = static_cast<std::size_t>(options_.keep); i < steps.size(); ++i)
    std::filesystem::remove(kept(steps[i]), error);
}

}  // namespace gan
