// Checkpoints: everything a run needs to go on bit-identically, in one safetensors file.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "gan/data/loader.hpp"
#include "gan/io/safetensors.hpp"
#include "gan/train/loader_text.hpp"
#include "gan/train/options_text.hpp"

namespace gan {

/// Writes the trainer's state (both networks with buffers, moving average, both optimizers, random generators,
/// counters) and, if given, where its loader is, with `notes` beside them. The file appears as a whole or not at all.
/// Throws when it cannot be written.
template <class Trainer, class T = typename Trainer::Scalar>
void save_checkpoint(const std::filesystem::path& path, const Trainer& trainer, const Loader<T>* loader = nullptr,
                     const std::map<std::string, std::string>& notes = {}) {
  auto metadata = trainer.metadata();
  metadata.insert(notes.begin(), notes.end());
  metadata["format"] = "gan checkpoint 1";
  if (loader) write_loader(*loader, metadata);
  save_safetensors(path, trainer.state(), metadata, {.checksum = true});
}

/// Brings both back, so that the run goes on as if it had never stopped: same batches, same noise, same bits. Throws,
/// changing nothing, when the file is damaged or belongs to other networks, options or data; `resume` says which
/// options may differ.
template <class Trainer, class T = typename Trainer::Scalar>
void load_checkpoint(const std::filesystem::path& path, Trainer& trainer, Loader<T>* loader = nullptr,
                     const ResumeOptions& resume = {}) {
  const auto file = load_safetensors<T>(path, {.require_checksum = true});
  check(file.metadata.contains("format") && file.metadata.at("format") == "gan checkpoint 1", path.string(),
        ": not a checkpoint of a training run, expected \"format\" to be \"gan checkpoint 1\"");
  auto options = trainer.option_texts();
  if (loader)
    for (auto& option : option_texts(*loader)) options.push_back(std::move(option));
  check_changes(resume, options);
  if (!loader) return trainer.load(file.tensors, file.metadata, path.string(), resume);
  const LoaderState before = loader->state();
  read_loader(path.string(), file.metadata, resume, *loader);
  try {
    trainer.load(file.tensors, file.metadata, path.string(), resume);
  } catch (...) {
    loader->set_state(before);
    throw;
  }
}

/// Copies a generator's parameters and buffers out of a checkpoint, its moving average if the run kept one, for
/// programs that only sample. Throws, changing nothing, when the file is damaged or holds another generator; warns when
/// its latent distribution or its layers were others.
template <class G, class T = typename G::Scalar>
void load_generator(const std::filesystem::path& path, G& generator) {
  const auto file = load_safetensors<T>(path, {.require_checksum = true});
  NamedTensors<T> live, average;
  for (const auto& [name, tensor] : file.tensors) {
    if (name.starts_with("generator.")) live.push_back({name.substr(10), tensor});
    if (name.starts_with("average.")) average.push_back({name.substr(8), tensor});
  }
  check(!live.empty(), path.string(), ": holds no generator, expected tensors named \"generator...\"");
  copy_values(path.string().c_str(), average.empty() ? live : average, generator.state());
  warn_about_generator(path.string(), file.metadata, generator_texts(generator));
}

}  // namespace gan
