// Callback: losses and scores of every step as a CSV file.
#pragma once

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "gan/core/file.hpp"
#include "gan/train/run.hpp"

namespace gan {

/// Appends a row every `every` steps: step, epoch, both losses, penalty, D(x), D(G(z)). A run that goes on from a
/// checkpoint keeps the rows up to it and replaces what came after; any other begins the file anew. Name it before the
/// Checkpoint, so that no row of a saved step is missing.
class CsvLog {
 public:
  explicit CsvLog(std::filesystem::path path, Index every = 1) : path_(std::move(path)), every_(every) {
    check(every >= 1, "csv log: every ", every, " steps, expected 1 or more");
  }

  void on_start(auto& run) {
    const std::string kept = rows_until(run.trainer.steps());
    check_writable_folder(path_.parent_path());
    const std::string text = header + ("\n" + kept);
    write_file(path_, text.data(), text.size());
    file_.reset(std::fopen(path_.string().c_str(), "ab"));
    if (!file_) failed();
    std::setvbuf(file_.get(), nullptr, _IOLBF, 4096);  // whole rows reach the file, also of a run that is killed
  }
  void on_step(auto& run) {
    const auto& r = run.result;
    if (r.step % every_ != 0) return;
    if (std::fprintf(file_.get(), "%lld,%lld,%.9g,%.9g,%.9g,%.9g,%.9g\n", static_cast<long long>(r.step),
                     static_cast<long long>(run.loader.epoch() + 1), r.discriminator_loss, r.generator_loss, r.penalty,
                     r.real_score, r.fake_score) < 0)
      failed();
  }
  void on_epoch(auto&) { flush(); }
  void on_end(auto&) {
    flush();
    file_.reset();
  }

 private:
  static constexpr const char* header = "step,epoch,discriminator_loss,generator_loss,penalty,real_score,fake_score";

  // Complete rows of an earlier run with step <= last.
  std::string rows_until(Index last) const {
    std::string rows, line;
    std::ifstream in(path_);
    if (last == 0 || !in || !std::getline(in, line) || line != header) return rows;
    while (std::getline(in, line) && !in.eof()) {
      if (std::atoll(line.c_str()) > last) break;
      rows += line + "\n";
    }
    return rows;
  }
  void flush() {
    if (std::fflush(file_.get()) != 0) failed();
  }
  [[noreturn]] void failed() const { fail(path_.string(), ": cannot write: ", std::strerror(errno)); }

  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::filesystem::path path_;
  Index every_;
  std::unique_ptr<std::FILE, Close> file_;
};

}  // namespace gan
