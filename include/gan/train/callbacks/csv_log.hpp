// CsvLog: a callback that writes the numbers of every step as a CSV file.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <concepts>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "gan/core/number.hpp"
#include "gan/core/warn.hpp"
#include "gan/io/atomic_file.hpp"
#include "gan/train/fit.hpp"

namespace gan {

struct CsvLogOptions {
  std::filesystem::path path;
  Index every = 1;       ///< steps from one row to the next
  bool replace = false;  ///< whether a run from step 0 may replace the rows of an earlier run
};

/// Appends a row every `every` steps: step, epoch, and all that steps note: losses, scores, norms. Its columns are
/// those of the first row, or of the file that it goes on with; a cell is empty where a step has no such number. A run
/// that goes on from a checkpoint keeps the rows up to it and replaces what came after.
///
/// Throws before the first step when the file cannot be written, is no log of this kind, or has rows and the run begins
/// at step 0. The file is first touched by the first row. Rows that cannot be written later, as on a full disk, are
/// kept, up to a megabyte of them, and written when there is room; those that never could be are counted by a warning
/// at the end.
template <std::floating_point T = float>
class CsvLog : public Callback<T> {
 public:
  using Options = CsvLogOptions;

  /// Throws for options out of range.
  explicit CsvLog(Options options) : options_(std::move(options)), path_(options_.path) {
    check(options_.every >= 1 && !path_.empty(), "csv log \"", path_.string(), "\": every ", options_.every,
          " steps, expected a path, and 1 or more steps");
  }
  CsvLog(CsvLog&& other) noexcept = default;

  Phase phase() const override { return Phase::record; }
  /// Rows of the last run that were not written.
  Index lost() const { return lost_; }

  void on_start(Run<T>& run) override {
    close();
    check_writable_folder(folder_of(path_));
    columns_.clear();
    check_replaceable(run.game.steps());
    kept_until_ = run.game.steps();
    waiting_.clear();
    rows_ = lost_ = 0;
    retry_ = 0;
    begun_ = false;
  }
  void on_step(Run<T>& run) override;
  void on_end(Run<T>&) override {
    if (!waiting_.empty()) write();
    lost_ += rows_;
    close();
    if (lost_ > 0) warn_once(path_.string() + ": " + std::to_string(lost_) + " rows could not be written: " + problem_);
  }

 private:
  static constexpr const char* first_columns = "step,epoch";
  static constexpr std::size_t most_waiting = 1 << 20;

  struct Descriptor {
    Descriptor() = default;
    Descriptor(Descriptor&& other) noexcept : number(std::exchange(other.number, -1)) {}
    ~Descriptor() {
      if (number >= 0) ::close(number);
    }
    int number = -1;
  };

  void check_replaceable(Index steps);
  // Complete rows of an earlier run with step <= last.
  std::string rows_until(Index last) const;
  // Writes what waits, as far as it can be; false when something still waits.
  bool write();
  void begin();
  void close() {
    if (file_.number >= 0) ::close(std::exchange(file_.number, -1));
  }

  std::string header() const {
    std::string line = first_columns;
    for (const auto& column : columns_) line += "," + column;
    return line;
  }

  Options options_;
  std::filesystem::path path_;
  std::vector<std::string> columns_;  // after step and epoch
  Descriptor file_;
  Index kept_until_ = 0;
  bool begun_ = false;
  std::string waiting_, problem_;  // rows to be written, maybe without the beginning of the first; why they are not yet
  Index rows_ = 0, lost_ = 0;      // rows in `waiting_`; rows that had no place there
  double retry_ = 0;               // when to try again, in seconds of the run
};

template <std::floating_point T>
void CsvLog<T>::on_step(Run<T>& run) {
  const StepResult& r = run.result;
  if (r.step % options_.every != 0) return;
  if (columns_.empty()) columns_ = r.names();
  std::string row = std::to_string(r.step) + "," + std::to_string(run.source.epoch() + 1);
  for (const auto& column : columns_) row += r.has(column) ? "," + general_text(r[column], 9) : ",";
  row += "\n";
  if (waiting_.size() + row.size() > most_waiting) {
    ++lost_;
  } else {
    waiting_ += row;
    ++rows_;
  }
  if (const double now = run.seconds(); now >= retry_) retry_ = write() ? 0 : now + 1;
}

template <std::floating_point T>
void CsvLog<T>::check_replaceable(Index steps) {
  std::error_code error;
  const auto status = std::filesystem::status(path_, error);
  if (!std::filesystem::exists(status)) return;
  check(std::filesystem::is_regular_file(status), path_.string(), ": cannot write: is not a regular file");
  check(access(path_.c_str(), R_OK | W_OK) == 0, path_.string(), ": cannot write: ", system_message(errno));
  if (options_.replace && steps == 0) return;
  std::ifstream in(path_);
  std::string first, second;
  std::getline(in, first);
  check(first.empty() || first.starts_with(std::string(first_columns) + ","), path_.string(),
        ": is not a log of losses, expected \"", first_columns, ",...\" as its first line; choose another path");
  check(steps > 0 || !std::getline(in, second), path_.string(),
        ": holds the rows of an earlier run, and this one begins at step 0: go on with that run, choose another path, "
        "or set .replace = true");
  std::istringstream names(first);
  std::string column;
  for (int i = 0; std::getline(names, column, ','); ++i)
    if (i >= 2) columns_.push_back(column);
}

template <std::floating_point T>
std::string CsvLog<T>::rows_until(Index last) const {
  std::string rows, line;
  std::ifstream in(path_);
  if (last == 0 || !in || !std::getline(in, line) || line != header()) return rows;
  while (std::getline(in, line) && !in.eof()) {
    if (std::atoll(line.c_str()) > last) break;
    rows += line + "\n";
  }
  return rows;
}

template <std::floating_point T>
void CsvLog<T>::begin() {
  const std::string text = header() + ("\n" + rows_until(kept_until_));
  write_file(path_, text.data(), text.size());
  begun_ = true;
}

template <std::floating_point T>
bool CsvLog<T>::write() {
  int error = 0;
  struct stat file {};
  if (file_.number >= 0 && fstat(file_.number, &file) == 0 && file.st_nlink == 0) {  // somebody has removed it
    close();
    begun_ = false;
  }
  try {
    if (!begun_) begin();
    if (file_.number < 0) file_.number = open_descriptor(path_, O_WRONLY | O_APPEND);
    if (file_.number < 0) error = errno;
  } catch (const Error& failed) {
    problem_ = failed.what();
    error = EIO;
  }
  // A write is a whole row, so that one reaches the file also of a run that is killed.
  while (error == 0 && !waiting_.empty()) {
    const ssize_t written = ::write(file_.number, waiting_.data(), waiting_.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      error = errno;
      break;
    }
    const auto end = waiting_.begin() + written;
    rows_ -= std::count(waiting_.begin(), end, '\n');
    waiting_.erase(waiting_.begin(), end);
  }
  if (error == 0) return true;
  if (begun_) problem_ = path_.string() + ": cannot write: " + system_message(error);
  warn_once(problem_ + "; its rows wait until there is room");
  return false;
}

}  // namespace gan
