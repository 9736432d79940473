// Compares settings of a training: settings x seeds, each judged, one run at a time.
//
//   sweep settings.json --out sweep-run          # again after Ctrl-C: goes on where it stopped
//
//   {
//     "minutes": 1.5, "seeds": [1, 2, 3],
//     "settings": [{"name": "default"}, {"name": "wider", "width": 48}, {"name": "slower", "rate": 5e-4}]
//   }
//
// What stands beside "seeds" holds for all settings that do not say otherwise. Every run trains on 50,000 training
// images and is judged, by the judges of quality, against the 10,000 others, so that test images choose nothing. In the
// folder each run leaves its result and a picture; the table of means over seeds comes at the end.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <functional>
#include <gan/gan.hpp>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "experiment.hpp"

namespace fs = std::filesystem;
using gan::Index;
using namespace gan::bench;
using Json = nlohmann::json;

namespace {

struct Setting {
  std::string name;
  Experiment experiment;
  std::string text;  ///< as it was given, to know it again
};

/// What the values of a setting are assigned to.
std::map<std::string, std::function<void(const Json&)>> variables(Experiment& e) {
  std::map<std::string, std::function<void(const Json&)>> all;
  const auto add = [&all](const char* name, auto& value) {
    all[name] = [&value](const Json& json) { json.get_to(value); };
  };
  PairOptions& p = e.pair;
  add("model", p.model);
  add("objective", p.objective);
  add("penalty", p.penalty);
  add("labels", p.labels);
  add("spectral-norm", p.spectral_norm);
  add("real-label", p.real_label);
  add("rate", p.rate);
  add("discriminator-rate", p.discriminator_rate);
  add("batch", p.batch);
  add("width", p.width);
  add("discriminator-width", p.discriminator_width);
  add("blocks", p.blocks);
  add("latent", p.latent);
  add("average", p.average);
  add("output-slope", p.output_slope);
  add("augment", e.augment);
  add("precision", e.precision);
  add("steps", e.steps);
  add("minutes", e.minutes);
  return all;
}

void assign(const std::string& what, const Json& json, const std::set<std::string>& other, Experiment& e) {
  const auto all = variables(e);
  for (const auto& [key, value] : json.items()) {
    if (other.contains(key)) continue;
    const auto found = all.find(key);
    if (found == all.end()) {
      std::string names;
      for (const auto& [name, assigned] : all) names += (names.empty() ? "" : ", ") + name;
      gan::fail(what, ": no setting is called \"", key, "\", expected one of: ", names);
    }
    try {
      found->second(value);
    } catch (const Json::exception&) {
      gan::fail(what, ": \"", key, "\" is ", value.dump(), ", which is not of its type");
    }
  }
}

/// The text as JSON. Throws for spoiled text, and for a key that an object has twice, which JSON libraries forgive.
Json parse(const fs::path& path) {
  std::ifstream in(path);
  gan::check(static_cast<bool>(in), path.string(), ": cannot be read");
  std::vector<std::set<std::string>> open;
  const auto watch = [&](int, Json::parse_event_t event, Json& value) {
    if (event == Json::parse_event_t::object_start) open.emplace_back();
    if (event == Json::parse_event_t::object_end) open.pop_back();
    if (event == Json::parse_event_t::key)
      gan::check(open.back().insert(value.get<std::string>()).second, path.string(), ": \"", value.get<std::string>(),
                 "\" stands twice in one object");
    return true;
  };
  try {
    return Json::parse(in, watch);
  } catch (const Json::exception& error) {
    gan::fail(path.string(), ": not JSON: ", error.what());
  }
}

struct Sweep {
  std::vector<std::uint64_t> seeds;
  std::vector<Setting> settings;
};

Sweep read_sweep(const fs::path& path) {
  const Json json = parse(path);
  gan::check(
      json.is_object() && json.contains("settings") && json.at("settings").is_array() && !json.at("settings").empty(),
      path.string(), ": expected an object with \"settings\": [{\"name\": ...}, ...]");
  Sweep sweep;
  try {
    sweep.seeds = json.value("seeds", std::vector<std::uint64_t>{1, 2, 3});
  } catch (const Json::exception&) {
    gan::fail(path.string(), ": \"seeds\" is ", json.at("seeds").dump(), ", expected a list of numbers");
  }
  gan::check(!sweep.seeds.empty() && std::set(sweep.seeds.begin(), sweep.seeds.end()).size() == sweep.seeds.size(),
             path.string(), ": \"seeds\" is ", json.value("seeds", Json()).dump(),
             ", expected one or more, none twice");
  Experiment common;
  assign(path.string(), json, {"seeds", "settings"}, common);
  std::set<std::string> names;
  for (const Json& one : json.at("settings")) {
    gan::check(one.is_object() && one.contains("name") && one.at("name").is_string(), path.string(), ": setting ",
               one.dump(), ", expected an object with a \"name\"");
    Setting setting{one.at("name"), common, ""};
    gan::check(names.insert(setting.name).second, path.string(), ": setting \"", setting.name, "\" stands there twice");
    gan::check(
        !setting.name.empty() && setting.name.find_first_of("/\\") == std::string::npos && setting.name[0] != '.',
        path.string(), ": setting \"", setting.name, "\", expected the name of a folder");
    assign(path.string() + ": setting \"" + setting.name + '"', one, {"name"}, setting.experiment);
    Json known = json;
    known.erase("settings");
    known.erase("seeds");
    known.update(one);
    setting.text = known.dump();
    // What only the networks and the trainer know to be wrong is found before anything is trained.
    gan::Rng rng(1);
    try {
      options_of(setting.experiment);
      make_networks(rng, setting.experiment.pair);
      gan::check(setting.experiment.steps > 0 || setting.experiment.minutes > 0, "neither \"steps\" nor \"minutes\"");
    } catch (const gan::Error& error) {
      gan::fail(path.string(), ": setting \"", setting.name, "\": ", error.what());
    }
    sweep.settings.push_back(std::move(setting));
  }
  return sweep;
}

/// The result of an earlier call, if there is one.
std::optional<Outcome> earlier(const fs::path& file, const std::string& text) {
  std::ifstream in(file);
  if (!in) return {};
  try {
    const Json json = Json::parse(in);
    gan::check(json.at("setting").get<std::string>() == text, file.string(),
               ": is of a setting of that name that was another then: choose another name or --out");
    return json.at("outcome").get<Outcome>();
  } catch (const Json::exception& error) {
    gan::fail(file.string(), ": spoiled, remove it: ", error.what());
  }
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Compares settings of a training by the judges of quality: settings x seeds, one run at a time."};
  fs::path file, data_folder, cache = usual_cache(), out = "sweep-run";
  Index held_out = 10000, samples = 10000;
  int threads = 0;
  std::uint64_t seed = 0;
  app.add_option("settings", file, "JSON file")->required()->check(CLI::ExistingFile);
  app.add_option("--data", data_folder, "As for quality (else GAN_MNIST_DIR, else drawn digits)");
  app.add_option("--cache", cache, "Folder for the judges")->capture_default_str();
  app.add_option("--out", out, "Folder for results and pictures; what is there is not run again")
      ->capture_default_str();
  app.add_option("--held-out", held_out, "Training images that judge and are not trained on")
      ->check(CLI::Range(1000, 30000))
      ->capture_default_str();
  app.add_option("--samples", samples, "To judge, of each run")->check(CLI::Range(100, 30000))->capture_default_str();
  app.add_option("--seed", seed, "In place of the file's \"seeds\": this one");
  app.add_option("--threads", threads, "Default: all cores")->check(CLI::Range(1, 1024));
  app.footer(
      "Settings are as the options of mnist train, output-slope of generated values beyond [-1, 1], and augment: none, "
      "diffaugment, ada.");
  CLI11_PARSE(app, argc, argv);
  try {
    if (threads > 0) gan::set_threads(threads);
    if (const char* folder = std::getenv("GAN_MNIST_DIR"); data_folder.empty() && folder) data_folder = folder;
    Sweep sweep = read_sweep(file);
    if (seed != 0) sweep.seeds = {seed};
    fs::create_directories(out);
    gan::check_writable_folder(out);
    const gan::FolderLock lock(out);
    const JudgeData all = load_judge_data(data_folder);
    const Index rest = all.training.size() - held_out;
    gan::check(rest >= 1, all.name, ": ", all.training.size(), " training images, expected more than the ", held_out,
               " held out");
    auto rows = gan::Rng(1).permutation(all.training.size());  // the last ones may be of another kind
    std::sort(rows.begin() + rest, rows.end());
    std::sort(rows.begin(), rows.begin() + rest);
    const Jury jury({all.training.subset({rows.begin(), rows.begin() + rest}),
                     all.training.subset({rows.begin() + rest, rows.end()}),
                     all.name + ", " + std::to_string(held_out) + " training images held out"},
                    cache, samples);
    std::map<std::string, std::vector<Outcome>> outcomes;
    for (const std::uint64_t s : sweep.seeds)
      for (Setting& setting : sweep.settings) {
        const fs::path folder = out / setting.name, result = folder / ("seed" + std::to_string(s) + ".json");
        fs::create_directories(folder);
        if (const auto known = earlier(result, setting.text)) {
          outcomes[setting.name].push_back(*known);
          continue;
        }
        setting.experiment.seed = s;
        setting.experiment.samples = samples;
        std::printf("%s, seed %llu ...\n", setting.name.c_str(), static_cast<unsigned long long>(s));
        std::fflush(stdout);
        const Outcome outcome = run(setting.experiment, jury, folder / ("seed" + std::to_string(s) + ".png"));
        const std::string text = Json{{"setting", setting.text}, {"outcome", outcome}}.dump(1);
        gan::AtomicFile written(result);
        written.write(text.data(), text.size());
        written.commit();
        print_row(setting.name + ", seed " + std::to_string(s), {outcome});
        outcomes[setting.name].push_back(outcome);
      }
    std::puts("");
    print_heading("setting");
    for (const Setting& setting : sweep.settings) print_row(setting.name, outcomes[setting.name]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "sweep: %s\n", error.what());
    return 1;
  }
}
