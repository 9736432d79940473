// Callback: saves a checkpoint every few steps and at the end.
#pragma once

#include <algorithm>
#include <charconv>
#include <exception>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <system_error>
#include <vector>

#include "gan/core/warn.hpp"
#include "gan/io/atomic_file.hpp"
#include "gan/train/checkpoint.hpp"
#include "gan/train/fit.hpp"

namespace gan {

/// Callback: saves a checkpoint every `every` steps and after the last one, however the run ended. Values that are not
/// finite never replace a file: saving them throws NotFinite, and a run that ends by it saves nothing more. A save that
/// fails during the run is a warning and tried again `every` steps later; one that fails at the end throws.
///
/// Throws before the first step when the folder is in use by another run (FolderLock, held while the run lasts), cannot
/// be written to, or when the trainer has made no step and the file exists: a run does not destroy another one unasked.
struct Checkpoint {
  static constexpr Phase phase = Phase::save;

  std::filesystem::path path;
  Index every = 1000;                          ///< steps; 0: at the end only
  Index keep = 0;                              ///< newest saves to keep beside it, as <name>_step_0001000<.extension>
  bool replace = false;                        ///< whether a run from step 0 may replace the file
  std::map<std::string, std::string> notes{};  ///< for the file's metadata, e.g. which model it holds
  Index saved = 0;                             ///< step of the newest save

  void on_start(auto& run) {
    check(every >= 0 && keep >= 0, "checkpoint: every ", every, " steps, keep ", keep, ", expected 0 or more of each");
    check_writable_folder(folder());
    run.lock(folder());
    check(replace || run.trainer.steps() > 0 || !std::filesystem::exists(path), path.string(),
          ": holds an earlier run, and this one begins at step 0: load it (load_checkpoint) to go on with it, choose "
          "another path, or set .replace = true");
    saved = run.trainer.steps();
  }
  void on_step(auto& run) {
    if (every == 0 || run.trainer.steps() % every != 0) return;
    try {
      save(run);
    } catch (const NotFinite&) {
      throw;
    } catch (const std::exception& error) {
      warn_once(std::string(error.what()) + "; the run goes on and saves again in " + std::to_string(every) + " steps");
    }
  }
  void on_end(auto& run) {
    if (run.trainer.steps() != saved && !run.not_finite) save(run);
  }

  std::filesystem::path folder() const { return path.has_parent_path() ? path.parent_path() : "."; }
  /// Where the save of that step is kept.
  std::filesystem::path kept(Index step) const {
    const std::string digits = std::to_string(step);
    const std::string zeros(digits.size() < 7 ? 7 - digits.size() : 0, '0');
    return folder() / (path.stem().string() + "_step_" + zeros + digits + path.extension().string());
  }
  void save(auto& run) {
    for (const auto& [name, tensor] : run.trainer.state())
      if (!all_finite(tensor))
        throw NotFinite(path.string() + ": not saved: \"" + name + "\" is not finite after step " +
                        std::to_string(run.trainer.steps()));
    std::error_code ignored;
    std::filesystem::create_directories(folder(), ignored);  // should somebody have removed it meanwhile
    save_checkpoint(path, run.trainer, &run.loader, notes);
    saved = run.trainer.steps();
    if (keep > 0) keep_newest();
  }

 private:
  void keep_newest() const;
};

// The save of step `saved` gets a second name, so that it takes no time, and the oldest ones of this run go. Saves of
// later steps are those of a run that this one has gone back behind: they are left alone.
inline void Checkpoint::keep_newest() const {
  std::error_code error;
  const auto numbered = kept(saved), file = std::filesystem::canonical(path, error);
  std::filesystem::remove(numbered, error);
  std::filesystem::create_hard_link(file, numbered, error);
  if (error) {  // a file system without links
    std::filesystem::copy_file(file, numbered, error);
    check(!error, numbered.string(), ": cannot write: ", error.message());
  }
  std::vector<Index> steps;
  const std::string before = path.stem().string() + "_step_", after = path.extension().string();
  for (std::filesystem::directory_iterator at(folder(), error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (name.size() <= before.size() + after.size() || !name.starts_with(before) || !name.ends_with(after)) continue;
    Index step = 0;
    const char *const first = name.data() + before.size(), *const last = name.data() + name.size() - after.size();
    if (const auto read = std::from_chars(first, last, step); read.ec != std::errc() || read.ptr != last) continue;
    if (step >= 0 && step <= saved && kept(step).filename() == name) steps.push_back(step);
  }
  std::sort(steps.begin(), steps.end(), std::greater());
  for (std::size_t i = static_cast<std::size_t>(keep); i < steps.size(); ++i)
    std::filesystem::remove(kept(steps[i]), error);
}

}  // namespace gan
