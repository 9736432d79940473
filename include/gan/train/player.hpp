// Player: whoever has an optimizer. One network or several that descend one loss.
#pragma once

#include <concepts>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gan/core/finite.hpp"
#include "gan/core/schedule.hpp"
#include "gan/nn/module.hpp"
#include "gan/nn/module_scopes.hpp"
#include "gan/ops/arithmetic.hpp"
#include "gan/ops/reshape.hpp"
#include "gan/optim/any_optimizer.hpp"
#include "gan/train/average_options.hpp"
#include "gan/train/kept_state.hpp"
#include "gan/train/options_text.hpp"
#include "gan/train/term.hpp"

namespace gan {

template <std::floating_point T>
class Game;

struct PlayerOptions {
  Schedule schedule{};                      ///< factor of the learning rate by step of the game; none: 1
  double clip_gradient_norm = 0;            ///< limit of the norm of all its gradients together; 0: none
  std::optional<AverageOptions> average{};  ///< of its networks, for sampling
  /// Relative widths of power-function averages to keep and save beside it, e.g. {0.05, 0.1}: from checkpoints,
  /// power_snapshots() and reconstruct() make the average of any width after training.
  std::vector<double> power_averages = std::initializer_list<double>{};
};

/// Networks of a game that one optimizer trains. It names itself and registers with its game, which saves optimizer,
/// rate, step counts and average:
///
///     gan::Player<float> translators{this, "translators", {&ab, &ba}, gan::AdamOptions{.beta1 = 0.5}};
template <std::floating_point T>
class Player {
 public:
  /// Modules, from their addresses: {&encoder, &decoder}.
  class Networks {
   public:
    template <class... N>
    requires(sizeof...(N) > 0 && (std::convertible_to<N*, Module<T>*> && ...)) Networks(N*... networks) {
      (list_.push_back(networks), ...);
    }
    const std::vector<Module<T>*>& list() const { return list_; }

   private:
    std::vector<Module<T>*> list_;
  };

  /// Networks are modules below the game. Throws for one that is not below it, for parameters that another
  /// player has, for a name that is taken, and for options out of range.
  Player(Game<T>* game, std::string name, const Networks& networks, AnyOptimizer<T> optimizer = {},
         PlayerOptions options = {});
  Player(const Player&) = delete;
  Player& operator=(const Player&) = delete;

  /// One update of the parameters down `loss`, a scalar. Notes "<name>_loss" and "<name>_gradient" (the norm of all
  /// gradients, before clipping) in the game's result. Throws NotFinite for a loss or a gradient that is not finite,
  /// naming it, and Error for a gradient that reaches a leaf of somebody else; nothing has changed then.
  void descend(const Tensor<T>& loss);
  /// The same down the sum of `loss`, if it is defined, and the terms, which are noted as "<name>_<term>" each. Throws
  /// when nothing has a value.
  void descend(const Tensor<T>& loss, const std::vector<Term<T>>& terms);
  void descend(const std::vector<Term<T>>& terms) { descend(Tensor<T>(), terms); }

  /// While the result lives, gradients flow through this player's networks to their inputs only.
  [[nodiscard]] Freeze<T> freeze() const { return Freeze<T>(parameters()); }

  const std::string& name() const { return name_; }
  const std::vector<Module<T>*>& networks() const { return networks_; }
  const NamedTensors<T>& parameters() const { return optimizer_->parameters(); }
  Optimizer<T>& optimizer() { return *optimizer_; }
  const Optimizer<T>& optimizer() const { return *optimizer_; }
  const PlayerOptions& options() const { return options_; }
  /// Null without one.
  StateAverage<T>* average() { return average_.get(); }
  const StateAverage<T>* average() const { return average_.get(); }
  /// In the order of PlayerOptions::power_averages.
  const std::vector<std::unique_ptr<PowerAverage<T>>>& power_averages() const { return power_averages_; }
  /// The learning rate before the schedule's factor.
  double base_rate() const { return chosen_.learning_rate(); }
  /// Its options as resumed runs compare them, "<name>_rate", "<name>_optimizer" ...
  OptionTexts option_texts() const;

 private:
  friend class Game<T>;

  Game<T>& game_;
  std::string name_, loss_name_, gradient_name_, schedule_name_;
  std::vector<Module<T>*> networks_;
  AnyOptimizer<T> chosen_;
  PlayerOptions options_;
  std::unique_ptr<Optimizer<T>> optimizer_;
  std::unique_ptr<StateAverage<T>> average_;
  std::vector<std::unique_ptr<PowerAverage<T>>> power_averages_;
  std::vector<KeptBuffers<T>> buffers_;  // of after its last update
};

template <std::floating_point T>
Player<T>::Player(Game<T>* game, std::string name, const Networks& networks, AnyOptimizer<T> optimizer,
                  PlayerOptions options)
    : game_((check(game != nullptr, "player \"", name, "\": no game"), *game)),
      name_(std::move(name)),
      loss_name_(name_ + "_loss"),
      gradient_name_(name_ + "_gradient"),
      schedule_name_("player \"" + name_ + "\": schedule"),
      networks_(networks.list()),
      chosen_(std::move(optimizer)),
      options_(std::move(options)) {
  check(!is_nan(options_.clip_gradient_norm) && options_.clip_gradient_norm >= 0, "player \"", name_,
        "\": gradient norm limit ", number_text(options_.clip_gradient_norm), ", expected 0 or more");
  NamedTensors<T> parameters, all;
  for (Module<T>* network : networks_) {
    check(network != nullptr, "player \"", name_, "\": a network is null");
    check(network != game && network->root() == game_.root(), "player \"", name_, "\": ", network->kind(), " \"",
          network->path(), "\" is no part of the game: declare it as {this, \"name\", ...}, or adopt it before");
    for (auto& [below, tensor] : network->parameters()) parameters.push_back({network->path() + "." + below, tensor});
    for (auto& [below, tensor] : network->state()) all.push_back({network->path() + "." + below, tensor});
    buffers_.emplace_back(*network);
  }
  optimizer_ = chosen_.make(std::move(parameters));
  if (options_.average) average_ = make_average(*options_.average, all);
  for (const double width : options_.power_averages)
    power_averages_.push_back(std::make_unique<PowerAverage<T>>(all, PowerAverageOptions{width}));
  game_.join(*this);
}

template <std::floating_point T>
void Player<T>::descend(const Tensor<T>& loss) {
  game_.descend(*this, loss);
}

template <std::floating_point T>
void Player<T>::descend(const Tensor<T>& loss, const std::vector<Term<T>>& terms) {
  Tensor<T> total = loss;
  for (const auto& [term, value] : terms) {
    const std::string shown = name_ + "_" + term;
    if (!value.defined()) {
      game_.note(shown);
      continue;
    }
    check(value.size() == 1, "player \"", name_, "\": term \"", term, "\" is ", value.shape(), ", expected a scalar");
    game_.note(shown, static_cast<double>(value.item()));
    const Tensor<T> scalar = value.rank() == 0 ? value : reshape(value, Shape{});
    total = total.defined() ? total + scalar : scalar;
  }
  check(total.defined(), "player \"", name_, "\": no term has a value");
  descend(total);
}

template <std::floating_point T>
OptionTexts Player<T>::option_texts() const {
  std::string widths;
  for (const double width : options_.power_averages) widths += (widths.empty() ? "" : " ") + number_text(width);
  return {{name_ + "_rate", number_text(chosen_.learning_rate())},
          {name_ + "_optimizer", chosen_.describe()},
          {name_ + "_schedule", presence_text(options_.schedule)},
          {name_ + "_clip", number_text(options_.clip_gradient_norm)},
          {name_ + "_average", options_.average ? average_text(*options_.average) : "none"},
          {name_ + "_power_averages", widths.empty() ? "none" : widths}};
}

}  // namespace gan
