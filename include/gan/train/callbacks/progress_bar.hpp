// Callback: how training goes, one line on a terminal, plain lines when piped.
#pragma once

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
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

/// Prints epoch, bar, rate, remaining time, both losses, D(x) and D(G(z)).
///
/// On a terminal (`stderr` by default) that is one line, drawn again up to ten times a second, without what does not
/// fit the terminal's width; the line of a finished epoch stays, at most one in a second. Otherwise it is a plain line
/// at the end of the first epoch, then at most one in `seconds`, and the last. What cannot be printed is left out, with
/// one warning: the run goes on.
class ProgressBar {
 public:
  static constexpr Phase phase = Phase::show;

  /// Throws for a number of seconds below 0.
  explicit ProgressBar(std::FILE* out = stderr, double seconds = 10)
      : out_(out), seconds_(seconds), terminal_(isatty(fileno(out)) != 0) {
    check(!is_nan(seconds) && seconds >= 0, "progress bar: a line every ", seconds, " seconds, expected 0 or more");
  }
  /// The run ends after that many seconds, if not before: remaining time and bar are reckoned by it.
  ProgressBar& limit(double seconds) {
    check(!is_nan(seconds) && seconds >= 0, "progress bar: a limit of ", seconds, " seconds, expected 0 or more");
    limit_ = seconds;
    return *this;
  }

  void on_start(auto& run) {
    drawn_ = kept_ = 0;
    lines_ = 0;
    gone_ = open_ = false;
    printed_ = run.trainer.steps();
  }
  void on_step(auto& run) {
    const double now = run.seconds();
    if (now - drawn_ >= (terminal_ ? 0.1 : seconds_)) print(run, now);
  }
  void on_epoch(auto& run) {
    const double now = run.seconds();
    if (lines_ > 0 && now - kept_ < (terminal_ ? 1 : seconds_)) return;
    if (printed_ != run.trainer.steps()) print(run, now);
    finish_line();
  }
  void on_end(auto& run) {
    if (printed_ != run.trainer.steps()) print(run, run.seconds());
    finish_line();
    if (!run.reason.empty()) put("stopped: " + run.reason + "\n");
  }

 private:
  void print(auto& run, double now);
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
  double seconds_, limit_ = 0, drawn_ = 0, kept_ = 0;  // when it was last drawn, and the newest line that stays
  Index printed_ = 0, lines_ = 0;                      // the step of the newest line; lines that stay
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

inline void ProgressBar::print(auto& run, double now) {
  double share = run.progress(), remaining = run.remaining();
  if (limit_ > 0) {
    const double left = std::max(0.0, limit_ - now);
    remaining = run.epoch_limit > 0 || run.step_limit > 0 ? std::min(remaining, left) : left;
    share = std::max(share, std::min(1.0, now / limit_));
  }
  const bool limited = limit_ > 0 || run.epoch_limit > 0 || run.step_limit > 0;
  const double rate = static_cast<double>(run.steps() * run.loader.options().batch) / std::max(now, 1e-9);
  const std::string epochs = run.epoch_limit > 0 ? "/" + std::to_string(run.epoch_limit) : "";
  const auto& r = run.result;
  std::vector<detail::LinePart> parts{
      {0, "epoch " + std::to_string(run.loader.epoch() + 1) + epochs + " step " + std::to_string(r.step)}};
  if (limited) {
    const auto filled = static_cast<std::size_t>(20 * share);
    const std::string percent = fixed_text(100 * share, 0);
    parts.push_back({6, " [" + std::string(filled, '=') + std::string(20 - filled, ' ') + "]"});
    parts.push_back({1, std::string(4 - std::min<std::size_t>(3, percent.size()), ' ') + percent + " %"});
  }
  parts.push_back({5, "  " + fixed_text(rate, 0) + " samples/s"});
  if (limited) parts.push_back({2, "  " + detail::duration_text(remaining) + " left"});
  parts.push_back({3, "  D " + fixed_text(r.discriminator_loss, 3) + "  G " + fixed_text(r.generator_loss, 3)});
  parts.push_back({4, "  D(x) " + fixed_text(r.real_score, 2) + "  D(G(z)) " + fixed_text(r.fake_score, 2)});
  // A full last column would make some terminals go to the next row.
  if (terminal_)
    put("\r\033[K" + detail::fitting_line(parts, std::max<std::size_t>(columns(), 2) - 1));
  else
    put(detail::fitting_line(parts, std::string().max_size()) + "\n");
  drawn_ = now;
  printed_ = run.trainer.steps();
  open_ = true;
  if (!terminal_) finish_line();
}

inline void ProgressBar::put(const std::string& text) {
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
