// A loader's place and options as text, and how a run takes them up.
#pragma once

#include <map>
#include <string>

#include "gan/core/metadata.hpp"
#include "gan/data/loader.hpp"
#include "gan/train/options_text.hpp"

namespace gan {

/// What resumed runs compare of the data and their order.
template <class T>
OptionTexts option_texts(const Loader<T>& loader) {
  const auto yes_no = [](bool on) { return std::string(on ? "yes" : "no"); };
  std::string shape;
  for (const Index length : loader.dataset().item_shape())
    shape += (shape.empty() ? "" : " x ") + std::to_string(length);
  return {{"loader_items", std::to_string(loader.dataset().size())},
          {"loader_shape", shape},
          {"loader_batch", std::to_string(loader.options().batch)},
          {"loader_shuffle", yes_no(loader.options().shuffle)},
          {"loader_drop_last", yes_no(loader.options().drop_last)},
          {"loader_augmentations", std::to_string(loader.augmentations())},
          {"loader_data", std::to_string(loader.dataset().fingerprint())}};
}

/// Both, for the metadata of a checkpoint.
template <class T>
void write_loader(const Loader<T>& loader, std::map<std::string, std::string>& metadata) {
  for (const auto& [name, value] : option_texts(loader)) metadata[name] = value;
  const LoaderState state = loader.state();
  metadata["loader_seed"] = std::to_string(state.seed);
  metadata["loader_epoch"] = std::to_string(state.epoch);
  metadata["loader_position"] = std::to_string(state.position);
}

/// Puts the loader where the file says. When batches or items changed, as `resume` must allow, an epoch under way
/// begins again. Throws, changing nothing, when the file's loader was another.
template <class T>
void read_loader(const std::string& what, const std::map<std::string, std::string>& metadata,
                 const ResumeOptions& resume, Loader<T>& loader) {
  const MetadataReader read(what, metadata);
  const auto changed = compare_options(what, option_texts(loader), metadata, resume);
  LoaderState state{read.seed("loader_seed"), read.count("loader_epoch"), read.count("loader_position")};
  const bool recut =
      changed.contains("loader_items") || changed.contains("loader_batch") || changed.contains("loader_drop_last");
  if (recut) {
    const Index batch = read.count("loader_batch"), items = read.count("loader_items");
    check(batch >= 1, what, ": \"loader_batch\" is ", batch, ", expected at least 1");
    const bool drops = metadata.at("loader_drop_last") == "yes";
    const bool complete = state.position >= (drops ? items / batch : (items - 1) / batch + 1);
    if (complete) ++state.epoch;
    state.position = 0;
  }
  loader.set_state(state);
}

}  // namespace gan
