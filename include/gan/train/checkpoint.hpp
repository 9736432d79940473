// Checkpoints: everything a run needs to go on bit-identically, in one safetensors file.
#pragma once

#include <filesystem>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "gan/core/metadata.hpp"
#include "gan/core/number.hpp"
#include "gan/data/source.hpp"
#include "gan/io/safetensors.hpp"
#include "gan/models/generator.hpp"
#include "gan/train/game.hpp"
#include "gan/train/options_text.hpp"

namespace gan {

namespace detail {

inline constexpr const char* checkpoint_format = "gan checkpoint 2";

/// The entries whose keys begin so, without that.
inline std::map<std::string, std::string> below(const std::map<std::string, std::string>& all,
                                                std::string_view prefix) {
  std::map<std::string, std::string> part;
  for (const auto& [key, text] : all)
    if (key.starts_with(prefix)) part[key.substr(prefix.size())] = text;
  return part;
}

/// The source's settings, named as options of the run: "source_batch".
template <std::floating_point T>
OptionTexts option_texts(const Source<T>& source) {
  OptionTexts texts = source.settings();
  for (auto& entry : texts) entry.first = "source_" + entry.first;
  return texts;
}

}  // namespace detail

/// Writes the game's state (its networks and buffers, moving averages, optimizers, random generators, counters) and, if
/// given, where its source is, with `notes` beside them. The file appears as a whole or not at all. Throws when it
/// cannot be written.
template <std::floating_point T>
void save_checkpoint(const std::filesystem::path& path, Game<T>& game, const Source<T>* source = nullptr,
                     const std::map<std::string, std::string>& notes = {}) {
  auto metadata = game.metadata();
  metadata.insert(notes.begin(), notes.end());
  metadata["format"] = detail::checkpoint_format;
  if (source) {
    for (auto& [name, text] : detail::option_texts(*source)) metadata[name] = text;
    for (auto& [name, text] : source->state()) metadata["source_state_" + name] = text;
  }
  save_safetensors(path, game.training_state(), metadata, {.checksum = true});
}

/// Brings both back, so that the run goes on as if it had never stopped: same batches, same noise, same bits. Throws,
/// changing nothing, when the file is damaged or belongs to other networks, options or data; `resume` says which
/// options may differ.
template <std::floating_point T>
void load_checkpoint(const std::filesystem::path& path, Game<T>& game, Source<T>* source = nullptr,
                     const ResumeOptions& resume = {}) {
  const auto file = load_safetensors<T>(path, {.require_checksum = true});
  const auto format = file.metadata.find("format");
  check(format != file.metadata.end() && format->second == detail::checkpoint_format, path.string(),
        ": not a checkpoint of a training run, expected \"format\" to be \"", detail::checkpoint_format, "\"");
  auto options = game.option_texts();
  const OptionTexts own = source ? detail::option_texts(*source) : OptionTexts();
  options.insert(options.end(), own.begin(), own.end());
  check_changes(resume, options);
  if (!source) return game.load(file.tensors, file.metadata, path.string(), resume);
  compare_options(path.string(), own, file.metadata, resume);
  const auto before = source->state();
  try {
    try {
      source->resume(detail::below(file.metadata, "source_state_"), detail::below(file.metadata, "source_"));
    } catch (const Error& error) {
      fail(path.string(), ": ", error.what());
    }
    game.load(file.tensors, file.metadata, path.string(), resume);
  } catch (...) {
    source->set_state(before);
    throw;
  }
}

/// Copies the parameters and buffers of the network called `name` there out of a checkpoint, their moving average if
/// its player kept one, for programs that only use it. Throws, changing nothing, when the file is damaged or holds
/// another network of that name.
template <std::floating_point T>
std::map<std::string, std::string> load_network(const std::filesystem::path& path, Module<T>& network,
                                                const std::string& name) {
  const auto file = load_safetensors<T>(path, {.require_checksum = true});
  NamedTensors<T> live, average;
  const std::string averaged = "_average." + name + ".";
  for (const auto& [full, tensor] : file.tensors) {
    if (full.starts_with(name + ".")) live.push_back({full.substr(name.size() + 1), tensor});
    if (const auto at = full.find(averaged); at != std::string::npos && full.find('.') == at + averaged.find('.'))
      average.push_back({full.substr(at + averaged.size()), tensor});
  }
  check(!live.empty(), path.string(), ": holds no ", name, ", expected tensors named \"", name, "...\"");
  copy_values(path.string().c_str(), average.empty() ? live : average, network.state());
  return file.metadata;
}

/// The same of a pair's generator; warns when its latent distribution or its layers were others.
template <std::floating_point T>
void load_generator(const std::filesystem::path& path, Generator<T>& generator) {
  const auto metadata = load_network<T>(path, generator, "generator");
  warn_about_generator(path.string(), metadata, generator_texts(generator));
}

/// The power-function averages of a network in that state of training, "generator" of the pair's trainer with
/// TrainerOptions::power_averages: what reconstruct() makes others from, together with those of other checkpoints.
/// Throws when the file is damaged or has none.
template <std::floating_point T>
std::vector<PowerSnapshot<T>> power_snapshots(const std::filesystem::path& path, const std::string& network) {
  const auto file = load_safetensors<T>(path, {.require_checksum = true});
  const MetadataReader read(path.string(), file.metadata);
  std::vector<PowerSnapshot<T>> all;
  constexpr std::string_view ending = "_power_averages";
  for (const auto& [key, text] : file.metadata) {
    if (!key.ends_with(ending) || text == "none") continue;
    const std::string player = key.substr(0, key.size() - ending.size());
    std::istringstream widths(text);
    std::string width;
    for (std::size_t i = 0; widths >> width; ++i) {
      const std::string name = power_average_name(player, i), prefix = name + "." + network + ".";
      const auto relative_width = to_number(width);
      check(relative_width.has_value(), path.string(), ": \"", key, "\" is \"", text, "\", expected numbers");
      PowerSnapshot<T> snapshot{read.count(name + "_updates"), *relative_width, {}};
      for (const auto& [full, tensor] : file.tensors)
        if (full.starts_with(prefix)) snapshot.state.push_back({full.substr(prefix.size()), tensor});
      if (!snapshot.state.empty()) all.push_back(std::move(snapshot));
    }
  }
  check(!all.empty(), path.string(), ": holds no power averages of \"", network,
        "\" (PlayerOptions::power_averages, TrainerOptions::power_averages)");
  return all;
}

}  // namespace gan
