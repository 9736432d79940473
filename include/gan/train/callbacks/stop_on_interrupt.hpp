// Callback: ends a run in order on Ctrl-C.
#pragma once

#include <csignal>
#include <list>

#include "gan/train/fit.hpp"
#include "gan/train/signals.hpp"

namespace gan {

/// Ends the run in order on SIGINT (Ctrl-C), SIGTERM, SIGHUP (the terminal was closed) and SIGPIPE (the reader of what
/// was printed has gone); a second SIGINT or SIGTERM acts as usual. Runs in several threads may have one each: all end.
class StopOnInterrupt {
 public:
  void on_start(auto&) {
    signals_.clear();
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) signals_.emplace_back(signal);
  }
  bool on_step(auto& run) {
    for (const auto& signal : signals_)
      if (signal.raised()) {
        run.reason = "interrupted";
        return true;
      }
    return false;
  }
  void on_end(auto&) { signals_.clear(); }

 private:
  std::list<detail::SignalCounter> signals_;
};

}  // namespace gan
