// Callback: how training goes, one line on a terminal, plain lines when piped.
#pragma once

#include <algorithm>
#include <cstdio>
#include <string>

#if defined(__unix__) || defined(__APPLE__)
#include <unistd.h>
#endif

#include "gan/train/run.hpp"

namespace gan {

/// Prints epoch, bar, rate, remaining time, both losses, D(x) and D(G(z)): one line that is drawn again on a terminal
/// (`stderr` by default), and otherwise one plain line at the end of each epoch and every `seconds` in between.
class ProgressBar {
 public:
  explicit ProgressBar(std::FILE* out = stderr, double seconds = 10) : out_(out), seconds_(seconds) {
#if defined(__unix__) || defined(__APPLE__)
    terminal_ = isatty(fileno(out)) != 0;
#endif
  }
  /// The run ends after that many seconds, if not before: remaining time and bar are reckoned by it.
  ProgressBar& limit(double seconds) {
    limit_ = seconds;
    return *this;
  }

  void on_start(auto& run) {
    drawn_ = 0;
    printed_ = run.trainer.steps();
  }
  void on_step(auto& run) {
    const double now = run.seconds();
    if (now - drawn_ < (terminal_ ? 0.1 : seconds_)) return;
    drawn_ = now;
    print(run, now);
  }
  void on_epoch(auto& run) {
    drawn_ = run.seconds();
    print(run, drawn_);
    finish_line();
  }
  void on_end(auto& run) {
    if (printed_ != run.trainer.steps()) print(run, run.seconds());
    finish_line();
    if (!run.reason.empty()) std::fprintf(out_, "stopped: %s\n", run.reason.c_str());
    std::fflush(out_);
  }

 private:
  void print(auto& run, double now);
  void finish_line() {
    if (terminal_ && open_) std::fputc('\n', out_);
    open_ = false;
  }

  std::FILE* out_;
  double seconds_, limit_ = 0, drawn_ = 0;
  Index printed_ = 0;  // the step of the newest line
  bool terminal_ = false, open_ = false;
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
  const std::string filled(static_cast<std::size_t>(20 * share), '=');
  const std::string left = detail::duration_text(remaining) + " left  ";
  const std::string epochs = run.epoch_limit > 0 ? "/" + std::to_string(run.epoch_limit) : "";
  const auto& r = run.result;
  std::fprintf(out_, "%sepoch %lld%s step %lld ", terminal_ ? "\r\033[K" : "",
               static_cast<long long>(run.loader.epoch() + 1), epochs.c_str(), static_cast<long long>(r.step));
  if (limited) std::fprintf(out_, "[%-20s] %3.0f %%  ", filled.c_str(), 100 * share);
  std::fprintf(out_, "%.0f images/s  %sD %.3f  G %.3f  D(x) %.2f  D(G(z)) %.2f%s", rate, limited ? left.c_str() : "",
               r.discriminator_loss, r.generator_loss, r.real_score, r.fake_score, terminal_ ? "" : "\n");
  std::fflush(out_);
  printed_ = run.trainer.steps();
  open_ = true;
}

}  // namespace gan
