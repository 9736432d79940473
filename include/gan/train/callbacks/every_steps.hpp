// EverySteps: a callback that calls a function every few steps.
#pragma once

#include <concepts>
#include <functional>
#include <type_traits>
#include <utility>

#include "gan/train/fit.hpp"

namespace gan {

/// Calls f(run) every `steps` steps, 1 or more; run.stop("why") in it ends the run:
///
///     trainer.fit(loader, {}, gan::every_steps(100, [](auto& run) { std::cout << run.result.step << '\n'; }));
template <std::floating_point T = float>
class EverySteps : public Callback<T> {
 public:
  EverySteps(Index steps, std::function<void(Run<T>&)> f) : steps_(steps), f_(std::move(f)) {
    check(steps >= 1 && f_, "every_steps: ", steps, ", expected 1 or more, and a function");
  }
  void on_step(Run<T>& run) override {
    if (run.game.steps() % steps_ == 0) f_(run);
  }

 private:
  Index steps_;
  std::function<void(Run<T>&)> f_;
};

template <std::floating_point T = float, std::invocable<Run<T>&> F>
EverySteps<T> every_steps(Index steps, F f) {
  static_assert(std::is_void_v<std::invoke_result_t<F&, Run<T>&>>,
                "every_steps: nobody looks at what the function returns: run.stop(\"why\") ends the run");
  return {steps, std::move(f)};
}

}  // namespace gan
