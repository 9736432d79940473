// Options of a program that a resumed run takes from its checkpoint.
#pragma once

#include <charconv>
#include <concepts>
#include <filesystem>
#include <functional>
#include <locale>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

#include "gan/core/error.hpp"
#include "gan/core/number.hpp"

namespace gan {

/// Variables of a program by the name of their option: they go into a checkpoint's notes as text, and come back from
/// there when the run goes on.
///
///     gan::StoredOptions stored;
///     stored.add("rate", options.rate).add("model", options.model);
///     gan::Checkpoint checkpoint{.path = path, .notes = stored.notes()};
///     stored.resume(file.metadata, given, change, path.string());  // before networks and trainer are made
class StoredOptions {
 public:
  using Texts = std::map<std::string, std::string>;

  /// Keeps a reference of the variable: a number, a flag, a text or a path.
  template <class T>
  StoredOptions& add(std::string name, T& value) {
    entries_.push_back({std::move(name), [&value] { return text(value); },
                        [&value](const std::string& from) { return parse(from, value); }});
    return *this;
  }

  /// "--<name>" and the value of each.
  Texts notes() const {
    Texts all;
    for (const auto& entry : entries_) all["--" + entry.name] = entry.get();
    return all;
  }

  /// Gives all variables the values that are stored in `notes`, but for those named in `change`, which keep the value
  /// they have. Throws for a value in `given` (what was asked for explicitly) that differs from the stored one, with
  /// both, for a note that is missing or cannot be read, and for a name in `change` that is no option here; the message
  /// begins with `what`. Nothing has changed then.
  void resume(const Texts& notes, const std::set<std::string>& given, const std::set<std::string>& change,
              const std::string& what);

 private:
  struct Entry {
    std::string name;
    std::function<std::string()> get;
    std::function<bool(const std::string&)> set;
  };

  template <class T>
  static std::string text(const T& value) {
    if constexpr (std::same_as<T, bool>)
      return value ? "yes" : "no";
    else if constexpr (std::floating_point<T>)
      return number_text(static_cast<double>(value));
    else if constexpr (std::integral<T>)
      return std::to_string(value);
    else if constexpr (std::same_as<T, std::filesystem::path>)
      return value.string();
    else
      return value;
  }
  template <class T>
  static bool parse(const std::string& from, T& value) {
    if constexpr (std::same_as<T, bool>) {
      value = from == "yes";
      return from == "yes" || from == "no";
    } else if constexpr (std::floating_point<T>) {
      std::istringstream in(from);
      in.imbue(std::locale::classic());
      return static_cast<bool>(in >> value) && in.peek() == std::istringstream::traits_type::eof();
    } else if constexpr (std::integral<T>) {
      const auto [end, error] = std::from_chars(from.data(), from.data() + from.size(), value);
      return error == std::errc() && end == from.data() + from.size();
    } else {
      value = from;
      return true;
    }
  }

  std::vector<Entry> entries_;
};

inline void StoredOptions::resume(const Texts& notes, const std::set<std::string>& given,
                                  const std::set<std::string>& change, const std::string& what) {
  std::set<std::string> known;
  for (const auto& entry : entries_) known.insert(entry.name);
  for (const auto& name : change) {
    std::string names;
    for (const auto& entry : entries_) names += (names.empty() ? "" : ", ") + entry.name;
    check(known.contains(name), what, ": no option \"", name, "\" is stored there to change, expected one of: ", names);
  }
  for (const auto& entry : entries_) {
    const auto stored = notes.find("--" + entry.name);
    check(stored != notes.end(), what, ": \"--", entry.name, "\" is missing from its metadata");
    check(!given.contains(entry.name) || change.contains(entry.name) || entry.get() == stored->second, what,
          ": its run had --", entry.name, " \"", stored->second, "\", asked for now is \"", entry.get(),
          "\": leave the option away, or add --change ", entry.name);
  }
  std::vector<std::string> before;
  for (const auto& entry : entries_) before.push_back(entry.get());
  for (const auto& entry : entries_) {
    if (change.contains(entry.name)) continue;
    const std::string& stored = notes.at("--" + entry.name);
    if (entry.set(stored)) continue;
    for (std::size_t i = 0; i < entries_.size(); ++i) entries_[i].set(before[i]);
    fail(what, ": \"--", entry.name, "\" is \"", stored, "\", which cannot be read");
  }
}

}  // namespace gan
