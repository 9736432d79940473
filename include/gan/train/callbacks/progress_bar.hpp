// ProgressBar: a callback that shows how training goes, one line on a terminal, plain lines when piped.
#pragma once

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdio>
#include <string>
#include <vector>

#include "gan/core/finite.hpp"
#include "gan/core/number.hpp"
#include "gan/core/warn.hpp"
#include "gan/io/atomic_file.hpp"
#include "gan/train/fit.hpp"

namespace gan {

struct ProgressBarOptions {
  std::FILE* out = stderr;
  double seconds = 10;  ///< between two lines where `out` is no terminal
};

/// Prints epoch, bar, rate, remaining time, and what the game has for a headline (Game::headline), e.g. both losses,
/// D(x) and D(G(z)).
///
/// On a terminal that is one line, drawn again up to ten times a second, without what does not fit the terminal's
/// width; the line of a finished epoch stays, at most one in a second. Otherwise it is a plain line at the end of the
/// first epoch, then at most one in `seconds`, and the last. What cannot be printed is left out, with one warning: the
/// run goes on.
template <std::floating_point T = float>
class ProgressBar : public Callback<T> {
 public:
  using Options = ProgressBarOptions;

  /// Throws for a number of seconds below 0 and for no file.
  explicit ProgressBar(const Options& options = {}) : out_(options.out), seconds_(options.seconds) {
    check(out_ != nullptr && !is_nan(seconds_) && seconds_ >= 0, "progress bar: a line every ", seconds_,
          " seconds, expected 0 or more, and a file to print to");
    terminal_ = isatty(fileno(out_)) != 0;
  }

  Phase phase() const override { return Phase::show; }
  void on_start(Run<T>& run) override {
    drawn_ = kept_ = 0;
    lines_ = 0;
    gone_ = open_ = false;
    printed_ = run.game.steps();
  }
  void on_step(Run<T>& run) override {
    const double now = run.seconds();
    if (now - drawn_ >= (terminal_ ? 0.1 : seconds_)) print(run, now);
  }
  void on_epoch(Run<T>& run) override {
    const double now = run.seconds();
    if (lines_ > 0 && now - kept_ < (terminal_ ? 1 : seconds_)) return;
    if (printed_ != run.game.steps()) print(run, now);
    finish_line();
  }
  void on_end(Run<T>& run) override {
    if (printed_ != run.game.steps()) print(run, run.seconds());
    finish_line();
    if (!run.reason().empty()) put("stopped: " + run.reason() + "\n");
  }

 private:
  void print(Run<T>& run, double now);
  void put(const std::string& text);
  void finish_line() {
    if (!open_) return;
    if (terminal_) put("\n");
    kept_ = drawn_;
    ++lines_;
    open_ = false;
  }
  std::size_t columns() const {
    winsize size{};
    return ioctl(fileno(out_), TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
  }

  std::FILE* out_;
  double seconds_, drawn_ = 0, kept_ = 0;  // when it was last drawn, and the newest line that stays
  Index printed_ = 0, lines_ = 0;          // the step of the newest line; lines that stay
  bool terminal_ = false, open_ = false, gone_ = false;
};

namespace detail {

/// "42 s", "3:07 min", "1:02 h".
inline std::string duration_text(double seconds) {
  char text[32];
  const long s = static_cast<long>(std::clamp(seconds, 0.0, 1e9) + 0.5);
  if (s < 60)
    std::snprintf(text, sizeof text, "%ld s", s);
  else if (s < 3600)
    std::snprintf(text, sizeof text, "%ld:%02ld min", s / 60, s % 60);
  else
    std::snprintf(text, sizeof text, "%ld:%02ld h", s / 3600, s / 60 % 60);
  return text;
}

/// A part of a line: places on it are given to the parts of lowest rank first.
struct LinePart {
  int rank;
  std::string text;
};

/// The parts that fit into that many columns, in their order.
inline std::string fitting_line(const std::vector<LinePart>& parts, std::size_t columns) {
  std::vector<bool> taken(parts.size());
  std::vector<std::size_t> order(parts.size());
  for (std::size_t i = 0; i < parts.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return parts[a].rank < parts[b].rank; });
  std::size_t used = 0;
  for (const std::size_t i : order)
    if ((taken[i] = used == 0 || used + parts[i].text.size() <= columns)) used += parts[i].text.size();
  std::string line;
  for (std::size_t i = 0; i < parts.size(); ++i)
    if (taken[i]) line += parts[i].text;
  return line.substr(0, columns);
}

}  // namespace detail

template <std::floating_point T>
void ProgressBar<T>::print(Run<T>& run, double now) {
  const double share = run.progress();
  const double rate =
      static_cast<double>(run.steps() * run.source.batch() * run.game.batches_per_step()) / std::max(now, 1e-9);
  const std::string epochs = run.epoch_limit > 0 ? "/" + std::to_string(run.epoch_limit) : "";
  const StepResult& r = run.result;
  std::vector<detail::LinePart> parts{
      {0, "epoch " + std::to_string(run.source.epoch() + 1) + epochs + " step " + std::to_string(run.game.steps())}};
  if (run.limited()) {
    const auto filled = static_cast<std::size_t>(20 * share);
    const std::string percent = fixed_text(100 * share, 0);
    parts.push_back({6, " [" + std::string(filled, '=') + std::string(20 - filled, ' ') + "]"});
    parts.push_back({1, std::string(4 - std::min<std::size_t>(3, percent.size()), ' ') + percent + " %"});
  }
  parts.push_back({5, "  " + fixed_text(rate, 0) + " samples/s"});
  if (run.limited()) parts.push_back({2, "  " + detail::duration_text(run.remaining()) + " left"});
  for (const auto& [label, name] : run.game.headline()) {
    const bool loss = name.ends_with("loss");
    if (r.has(name)) parts.push_back({loss ? 3 : 4, "  " + label + " " + fixed_text(r[name], loss ? 3 : 2)});
  }
  // A full last column would make some terminals go to the next row.
  if (terminal_)
    put("\r\033[K" + detail::fitting_line(parts, std::max<std::size_t>(columns(), 2) - 1));
  else
    put(detail::fitting_line(parts, std::string().max_size()) + "\n");
  drawn_ = now;
  printed_ = run.game.steps();
  open_ = true;
  if (!terminal_) finish_line();
}

template <std::floating_point T>
void ProgressBar<T>::put(const std::string& text) {
  if (gone_) return;
  errno = 0;
  if (std::fwrite(text.data(), 1, text.size(), out_) == text.size() && std::fflush(out_) == 0) return;
  const int error = errno;
  std::clearerr(out_);
  // Nobody reads it any more, or so slowly that a signal came while it was being written.
  gone_ = error == EPIPE || error == EBADF || error == EIO || error == EINTR;
  warn_once("progress cannot be printed: " + system_message(error) + "; the run goes on");
}

}  // namespace gan
