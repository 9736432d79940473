// Checkpoints: everything a run needs to go on bit-identically, in one safetensors file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "gan/core/file.hpp"
#include "gan/data/loader.hpp"
#include "gan/io/safetensors.hpp"
#include "gan/core/metadata.hpp"
#include "gan/train/run.hpp"

namespace gan {

/// Writes the trainer's state (both networks with buffers, moving average, both optimizers, random generators,
/// counters) and, if given, where its loader is, with `notes` beside them. The file appears as a whole or not at all.
/// Throws when it cannot be written.
template <class Trainer, class T = typename Trainer::T>
void save_checkpoint(const std::filesystem::path& path, const Trainer& trainer, const Loader<T>* loader = nullptr,
                     const std::map<std::string, std::string>& notes = {}) {
  auto metadata = trainer.metadata();
  metadata.insert(notes.begin(), notes.end());
  metadata["format"] = "gan checkpoint 1";
  if (loader) {
    const LoaderState state = loader->state();
    metadata["loader_items"] = std::to_string(loader->dataset().size());
    metadata["loader_batch"] = std::to_string(loader->options().batch);
    metadata["loader_seed"] = std::to_string(state.seed);
    metadata["loader_epoch"] = std::to_string(state.epoch);
    metadata["loader_position"] = std::to_string(state.position);
  }
  save_safetensors(path, trainer.state(), metadata);
}

/// Brings both back, so that the run goes on as if it had never stopped: same batches, same noise, same bits. Throws,
/// changing nothing, when the file is damaged or belongs to other networks, optimizers or data.
template <class Trainer, class T = typename Trainer::T>
void load_checkpoint(const std::filesystem::path& path, Trainer& trainer, Loader<T>* loader = nullptr) {
  const auto file = load_safetensors<T>(path);
  const MetadataReader read(path.string(), file.metadata);
  check(file.metadata.contains("format") && file.metadata.at("format") == "gan checkpoint 1", path.string(),
        ": not a checkpoint of a training run, expected \"format\" to be \"gan checkpoint 1\"");
  if (!loader) return trainer.load(file.tensors, file.metadata, path.string());
  const Index items = read.count("loader_items"), batch = read.count("loader_batch");
  check(items == loader->dataset().size() && batch == loader->options().batch, path.string(),
        ": its run took batches of ", batch, " from ", items, " items, expected batches of ", loader->options().batch,
        " from ", loader->dataset().size());
  const LoaderState before = loader->state();
  loader->set_state({read.seed("loader_seed"), read.count("loader_epoch"), read.count("loader_position")});
  try {
    trainer.load(file.tensors, file.metadata, path.string());
  } catch (...) {
    loader->set_state(before);
    throw;
  }
}

/// Copies a generator's parameters and buffers out of a checkpoint, its moving average if the run kept one, for
/// programs that only sample. Throws, changing nothing, when the file is damaged or holds another generator.
template <class G, class T = typename G::Scalar>
void load_generator(const std::filesystem::path& path, G& generator) {
  const auto file = load_safetensors<T>(path);
  NamedTensors<T> live, average;
  for (const auto& [name, tensor] : file.tensors) {
    if (name.starts_with("generator.")) live.push_back({name.substr(10), tensor});
    if (name.starts_with("average.")) average.push_back({name.substr(8), tensor});
  }
  check(!live.empty(), path.string(), ": holds no generator, expected tensors named \"generator...\"");
  copy_values(path.string().c_str(), average.empty() ? live : average, generator.state());
}

/// Callback: saves a checkpoint every `every` steps, after the last step, and when the run is interrupted. Values that
/// are not finite never replace a file: saving them throws NotFinite, and a run that ends by it saves nothing more.
struct Checkpoint {
  std::filesystem::path path;
  Index every = 1000;                          ///< steps; 0: at the end only
  std::map<std::string, std::string> notes{};  ///< for the file's metadata, e.g. which model it holds
  Index saved = 0;                             ///< step of the newest save

  void on_start(auto& run) {
    check(every >= 0, "checkpoint: every ", every, " steps, expected 0 or more");
    check_writable_folder(folder());
    saved = run.trainer.steps();
  }
  void on_step(auto& run) {
    if (every > 0 && run.trainer.steps() % every == 0) save(run);
  }
  void on_end(auto& run) {
    if (run.trainer.steps() != saved && !run.not_finite) save(run);
  }

  std::filesystem::path folder() const { return path.has_parent_path() ? path.parent_path() : "."; }
  void save(auto& run) {
    for (const auto& [name, tensor] : run.trainer.state())
      if (!tensor.values().isFinite().all()) {
        run.not_finite = true;
        throw NotFinite(path.string() + ": not saved: \"" + name + "\" is not finite after step " +
                        std::to_string(run.trainer.steps()));
      }
    save_checkpoint(path, run.trainer, &run.loader, notes);
    saved = run.trainer.steps();
  }
};

}  // namespace gan
