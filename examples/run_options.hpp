// What the training programs here have in common: how long, where, and going on with an earlier run.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <gan/gan.hpp>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

struct RunOptions {
  std::filesystem::path out;  ///< as given, or the folder's usual name
  gan::Index epochs = 0, steps = 0;
  double minutes = 0, usual_minutes = 3;
  std::string precision{};  ///< empty: see choose_precision
  int threads = 0;
  bool resume = false, overwrite = false;
  std::vector<std::string> change{};
  std::map<std::string, std::string> notes{};  ///< for the checkpoint
  std::optional<gan::FolderLock> lock{};       ///< until the run takes it
  gan::Index stored_epochs = 0;                ///< what a resumed run was begun for

  std::filesystem::path checkpoint() const { return out / "checkpoint.safetensors"; }

  void add_to(CLI::App& app) {
    auto* limit = app.add_option("--epochs", epochs, "Passes over the data, in all")->check(CLI::Range(1, 1000000));
    app.add_option("--minutes", minutes,
                   "Stop after that time (" + gan::number_text(usual_minutes) + " unless --epochs or --steps is given)")
        ->check(CLI::Range(0.001, 1e6))
        ->excludes(limit);
    app.add_option("--steps", steps, "Steps, in all: those that an earlier run was planned for make the same bits")
        ->check(CLI::Range(1, 1000000000))
        ->excludes(limit);
    app.add_option(
           "--precision", precision,
           "Of products, in which nearly all time goes: highest (float) or medium (factors rounded to bfloat16; "
           "default where the processor gains from it and the networks do not suffer)")
        ->check(CLI::IsMember({"highest", "medium"}));
    app.add_option("--threads", threads, "Default: all cores")->check(CLI::Range(1, 1024));
    app.add_option("--out", out,
                   "Folder for all that is written (default: " + out.string() + ", or the next of " + out.string() +
                       "-2 ... that is free)");
    auto* go_on = app.add_flag("--resume", resume, "Go on with the run in --out (default: the newest), as it was set");
    app.add_flag("--overwrite", overwrite, "Replace the run in --out (default: " + out.string() + ")")->excludes(go_on);
    app.add_option("--change", change, "Option of a resumed run that may differ from what it was, e.g. rate")
        ->delimiter(',')
        ->needs(go_on);
  }

  /// The precision where none was asked for: medium where it is faster and `medium_suits`. To be called before begin.
  void choose_precision(bool medium_suits) {
    if (precision.empty()) precision = medium_suits && gan::medium_is_faster() ? "medium" : "highest";
  }

  /// Finds the folder, takes its lock, and gives a resumed run's options the values they had.
  void begin(const CLI::App& app, gan::StoredOptions& stored) {
    if (threads > 0) gan::set_threads(threads);
    stored.add("precision", precision);
    std::set<std::string> given;
    for (const CLI::Option* option : app.get_options())
      if (option->count() > 0) given.insert(option->get_single_name());
    const bool somewhere = given.contains("out") || overwrite;
    if (!somewhere) out = resume ? gan::newest_folder(out) : gan::free_folder(out);
    const bool exists = std::filesystem::exists(checkpoint());
    gan::check(exists || !resume, out.string(), ": holds no checkpoint to go on with");
    gan::check(!exists || resume || overwrite, out.string(),
               ": holds a run: --resume goes on with it, --overwrite replaces it, another --out leaves it alone");
    gan::check_writable_folder(out);
    lock.emplace(out);
    if (resume) {
      notes = gan::load_safetensors<float>(checkpoint()).metadata;
      stored.resume(notes, given, {change.begin(), change.end()}, checkpoint().string());
    }
    const auto earlier = notes.find("epochs");
    stored_epochs = earlier == notes.end() ? 0 : std::atoll(earlier->second.c_str());
    notes = stored.notes();
    gan::set_matmul_precision(gan::precision_named(precision));
    if (precision == "medium")
      std::printf("Products round their factors to bfloat16, which is faster here (--precision highest: float).\n");
  }

  /// A resumed run of which nothing else is asked goes on to the epochs it was begun for, and one that was planned by
  /// its time to the steps of that plan. To be called when loader and game are where the run goes on.
  void set_limits(const gan::Source<float>& source, const gan::Game<float>& game) {
    const gan::Index done = source.epoch() + (source.position() == source.batches_per_epoch() ? 1 : 0);
    if (epochs == 0 && steps == 0 && minutes == 0 && stored_epochs > done) epochs = stored_epochs;
    if (epochs > 0) notes["epochs"] = std::to_string(epochs);
    if (resume && epochs == 0 && steps == 0 && game.needs_plan() && game.planned_steps() > 0)
      std::printf(
          "It goes on to the %lld steps that it was planned for, where its rates have fallen; for more time begin "
          "another run.\n",
          static_cast<long long>(game.planned_steps()));
    lock.reset();
  }
  /// Trains the game, or goes on with it: pictures, losses.csv and a checkpoint in `out`, progress on the terminal;
  /// Ctrl-C saves and ends. Says how it went.
  template <class... Callbacks>
  gan::FitResult fit(gan::Game<float>& game, gan::Source<float>& source, gan::SampleGridOptions pictures,
                     Callbacks&&... more) {
    if (resume) {
      gan::load_checkpoint<float>(checkpoint(), game, &source, changes());
      std::printf("Going on with %s from step %lld.\n", out.c_str(), static_cast<long long>(game.steps()));
    }
    std::fflush(stdout);
    set_limits(source, game);
    pictures.folder = out;
    gan::SampleGrid images(pictures);
    gan::StopOnInterrupt interrupt;
    gan::ProgressBar progress({.out = stdout});
    const gan::FitResult result =
        game.fit(source, limits(), gan::CsvLog({.path = out / "losses.csv", .replace = overwrite}), images,
                 gan::Checkpoint({.path = checkpoint(), .replace = overwrite, .notes = notes}),
                 gan::StopWhenNotFinite(), interrupt, progress, std::forward<Callbacks>(more)...);
    tell(result, game, images.last());
    return result;
  }
  /// How it went, in a line or two, and how the same comes again.
  void tell(const gan::FitResult& result, const gan::Game<float>& game, const std::filesystem::path& picture) const {
    if (result.steps == 0) {
      std::printf("%s.\n", result.reason.c_str());
      return;
    }
    std::printf("%lld steps in %.1f s. Newest picture: %s\n", static_cast<long long>(result.steps), result.seconds,
                picture.c_str());
    if (game.needs_plan() && steps == 0 && epochs == 0 && !result.stopped)
      std::printf("--steps %lld makes the same bits again, on as many threads.\n",
                  static_cast<long long>(game.planned_steps()));
  }
  /// What --change means for the state of the run.
  gan::ResumeOptions changes() const {
    static const std::map<std::string, std::set<std::string>> meant{
        {"rate", {"rate"}},   {"objective", {"objective"}}, {"real-label", {"objective"}}, {"penalty", {"penalty"}},
        {"batch", {"batch"}}, {"flip", {"augmentations"}},  {"data", {"data", "items"}}};
    gan::ResumeOptions all;
    for (const auto& name : change)
      if (const auto found = meant.find(name); found != meant.end())
        all.change.insert(found->second.begin(), found->second.end());
    return all;
  }
  /// Epochs or minutes, as asked for; the usual time without either.
  gan::FitOptions limits() const {
    const double wanted = minutes > 0 ? minutes : epochs > 0 || steps > 0 ? 0 : usual_minutes;
    return {.epochs = epochs, .steps = steps, .seconds = 60 * wanted};
  }
};
