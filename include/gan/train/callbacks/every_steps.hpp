// Callback: calls a function every few steps.
#pragma once

#include <list>
#include <utility>

#include "gan/train/fit.hpp"

namespace gan {

/// A callback that calls `f(run)` every `steps` steps, 1 or more; it may return true to stop:
///
///     trainer.fit(loader, {}, gan::every_steps(100, [](auto& run) { std::cout << run.result.step << '\n'; }));
template <class F>
struct EverySteps {
  Index steps;
  F f;

  void on_start(auto&) { check(steps >= 1, "every_steps: ", steps, ", expected 1 or more"); }
  auto on_step(auto& run) -> decltype(f(run)) {
    if (run.trainer.steps() % steps == 0) return f(run);
    return decltype(f(run))();
  }
};

template <class F>
EverySteps<F> every_steps(Index steps, F f) {
  check(steps >= 1, "every_steps: ", steps, ", expected 1 or more");
  return {steps, std::move(f)};
}

}  // namespace gan
