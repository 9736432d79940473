// StopOnInterrupt: a callback that ends a run in order on Ctrl-C.
#pragma once

#include <concepts>
#include <csignal>
#include <list>

#include "gan/train/fit.hpp"
#include "gan/train/signals.hpp"

namespace gan {

/// Ends the run in order on SIGINT (Ctrl-C), SIGTERM, SIGHUP (the terminal was closed) and SIGPIPE (the reader of what
/// was printed has gone); a second SIGINT or SIGTERM acts as usual. Runs in several threads may have one each: all end.
template <std::floating_point T = float>
class StopOnInterrupt : public Callback<T> {
 public:
  void on_start(Run<T>&) override {
    signals_.clear();
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) signals_.emplace_back(signal);
  }
  void on_step(Run<T>& run) override {
    for (const auto& signal : signals_)
      if (signal.raised()) run.stop("interrupted");
  }
  void on_end(Run<T>&) override { signals_.clear(); }

 private:
  std::list<detail::SignalCounter> signals_;
};

}  // namespace gan
