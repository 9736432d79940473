// Player: whoever has an optimizer. One network or several that descend one loss.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gan/core/finite.hpp"
#include "gan/nn/module.hpp"
#include "gan/ops/arithmetic.hpp"
#include "gan/optim/any_optimizer.hpp"
#include "gan/optim/clip.hpp"
#include "gan/optim/schedule.hpp"
#include "gan/train/average.hpp"

namespace gan {

template <std::floating_point T>
class Game;

/// A part of a loss, under the name it is shown by. An undefined value is nothing this step, as that of a term that is
/// computed every few steps only.
template <std::floating_point T>
struct Term {
  std::string name;
  Tensor<T> value{};  ///< a scalar, times its weight
};

struct PlayerOptions {
  Schedule schedule{};            ///< factor of the learning rate by step of the game; none: 1
  double clip_gradient_norm = 0;  ///< limit of the norm of all its gradients together; 0: none
  std::optional<MovingAverageOptions> average{};  ///< of its networks, for sampling
};

/// What a gradient hook is given: all gradients of one player are complete and its optimizer has not stepped.
template <std::floating_point T>
struct GradientEvent {
  const std::string& player;
  Index step;
  double norm;                        ///< of all gradients together, before clipping
  const NamedTensors<T>& parameters;  ///< with their gradients, which may be changed in place
};

/// Networks of a game that one optimizer trains. It names itself and registers with its game, which saves optimizer,
/// rate, step counts and average:
///
///     gan::Player<float> translators{this, "translators", {&ab, &ba}, gan::AdamOptions{.beta1 = 0.5}};
template <std::floating_point T>
class Player {
 public:
  /// Networks are modules below the game. Throws for none, for one that is not below it, for parameters that another
  /// player has, and for a name that is taken.
  Player(Game<T>* game, std::string name, std::initializer_list<Module<T>*> networks, AnyOptimizer<T> optimizer = {},
         PlayerOptions options = {});
  Player(const Player&) = delete;
  Player& operator=(const Player&) = delete;

  /// One update of the parameters down `loss`, a scalar. Notes "<name>_loss" and "<name>_gradient" (the norm of all
  /// gradients) in the game's result. Throws NotFinite for a loss or a gradient that is not finite, naming it, and Error
  /// for a gradient that reaches a leaf of somebody else; nothing has changed then.
  void descend(const Tensor<T>& loss);
  /// The same down the sum of the terms, which are noted as "<name>_<term>" each.
  void descend(const std::vector<Term<T>>& terms);

  /// While the result lives, gradients flow through this player's networks to their inputs only.
  [[nodiscard]] Freeze<T> freeze() const { return Freeze<T>(parameters()); }
  /// While the result lives, the networks hold their moving averages, if there are any.
  class Averaged;
  [[nodiscard]] Averaged averaged();

  const std::string& name() const { return name_; }
  const std::vector<Module<T>*>& networks() const { return networks_; }
  const NamedTensors<T>& parameters() const { return optimizer_->parameters(); }
  Optimizer<T>& optimizer() { return *optimizer_; }
  const Optimizer<T>& optimizer() const { return *optimizer_; }
  const PlayerOptions& options() const { return options_; }
  /// Null without one.
  MovingAverage<T>* average() { return average_ ? &*average_ : nullptr; }
  const MovingAverage<T>* average() const { return average_ ? &*average_ : nullptr; }
  /// The learning rate before the schedule's factor.
  double base_rate() const { return base_rate_; }

 private:
  friend class Game<T>;

  Game<T>& game_;
  std::string name_;
  std::vector<Module<T>*> networks_;
  PlayerOptions options_;
  std::unique_ptr<Optimizer<T>> optimizer_;
  double base_rate_ = 0;
  std::optional<MovingAverage<T>> average_;
};

template <std::floating_point T>
class Player<T>::Averaged {
 public:
  explicit Averaged(MovingAverage<T>* average) {
    if (average) swap_.emplace(*average);
  }

 private:
  std::optional<typename MovingAverage<T>::Swap> swap_;
};

template <std::floating_point T>
auto Player<T>::averaged() -> Averaged {
  return Averaged(average());
}

}  // namespace gan
