// The options of a run as text, and their comparison with those of the run that goes on.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gan/core/describe.hpp"
#include "gan/core/error.hpp"
#include "gan/core/metadata.hpp"
#include "gan/core/schedule.hpp"
#include "gan/core/warn.hpp"
#include "gan/nn/module.hpp"

namespace gan {

/// How a checkpoint is taken up.
struct ResumeOptions {
  /// Options that may differ from those of the run that was saved; the ones given now count from here on. "rate" means
  /// every option whose name ends so: generator_rate and discriminator_rate.
  std::set<std::string> change{};

  bool allows(std::string_view option) const {
    return std::any_of(change.begin(), change.end(), [option](const std::string& name) {
      return option == name ||
             (option.size() > name.size() && option.ends_with(name) && option[option.size() - name.size() - 1] == '_');
    });
  }
};

/// Throws unless each name in `change` means at least one of these options.
inline void check_changes(const ResumeOptions& resume, const OptionTexts& options) {
  for (const auto& name : resume.change) {
    const ResumeOptions one{{name}};
    std::string known;
    for (const auto& [option, value] : options) {
      if (one.allows(option)) known = option;
    }
    if (!known.empty()) continue;
    for (const auto& [option, value] : options) known += (known.empty() ? "" : ", ") + option;
    fail("resume: no option is named \"", name, "\", expected one of: ", known);
  }
}

/// Compares options with those in the metadata of a file. Throws, naming `what` and each option with both values, when
/// one is missing, or is another and may not change. Returns the names of those that changed.
inline std::set<std::string> compare_options(const std::string& what, const OptionTexts& options,
                                             const std::map<std::string, std::string>& metadata,
                                             const ResumeOptions& resume) {
  std::set<std::string> changed;
  std::string differences;
  for (const auto& [name, value] : options) {
    const auto saved = metadata.find(name);
    check(saved != metadata.end(), what, ": \"", name, "\" is missing from its metadata");
    if (saved->second == value) continue;
    changed.insert(name);
    if (!resume.allows(name))
      differences +=
          (differences.empty() ? "\"" : "; \"") + name + "\" is \"" + saved->second + "\", here \"" + value + "\"";
  }
  check(differences.empty(), what, ": the run had other options: ", differences,
        ". Give the same, or name those that may change in ResumeOptions::change");
  return changed;
}

/// Whether there is a schedule; what it computes cannot be compared.
inline std::string presence_text(const Schedule& schedule) { return schedule ? "custom" : "none"; }

/// Kinds and names of a module and all below it: "MlpGenerator(net Sequential(hidden Dense, act ReLU))".
template <class T>
std::string structure_text(const Module<T>& module) {
  std::string below;
  for (const auto* child : module.children())
    below += (below.empty() ? "" : ", ") + child->name() + " " + structure_text(*child);
  return module.kind() + (below.empty() ? "" : "(" + below + ")");
}

/// What a file says of its generator besides its tensors.
template <class G>
OptionTexts generator_texts(const G& generator) {
  return {{"generator_latent", generator.distribution().name()},
          {"generator_network", structure_text<typename G::Scalar>(generator)}};
}

/// Warns where the file's generator was another one, but for the truncation that some sample with on purpose.
inline void warn_about_generator(const std::string& what, const std::map<std::string, std::string>& metadata,
                                 const OptionTexts& texts) {
  for (const auto& [name, value] : texts) {
    const auto saved = metadata.find(name);
    if (saved == metadata.end() || saved->second == value || value.starts_with("truncated_normal")) continue;
    warn_once(what + ": \"" + name + "\" was \"" + saved->second + "\" in training, here \"" + value + "\"");
  }
}

}  // namespace gan
