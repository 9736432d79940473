// Game: networks, the players that train them, and what one step of training is.
#pragma once

#include <cmath>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "gan/core/build.hpp"
#include "gan/data/source.hpp"
#include "gan/core/metadata.hpp"
#include "gan/train/player.hpp"
#include "gan/train/step_result.hpp"

namespace gan {

template <std::floating_point T>
using GradientHook = std::function<void(const GradientEvent<T>&)>;

/// A game is a module: its networks are its children, its saved tensors and numbers are buffers, and what it draws comes
/// from its generator of random numbers. Derive from it, declare networks and players, and write `step`:
///
///     struct Vae : gan::Game<float> {
///       Encoder encoder{this, "encoder"};
///       Decoder decoder{this, "decoder"};
///       gan::Player<float> both{this, "both", {&encoder, &decoder}};
///       explicit Vae(gan::Rng& rng) : Game(rng) {}
///       void step(gan::Source<float>& in) override { ... both.descend(loss); }
///     };
///
/// Training, saving, exact resuming, progress, logs and pictures follow from that.
template <std::floating_point T>
class Game : public Module<T> {
 public:
  using Scalar = T;

  explicit Game(Rng& rng) : Module<T>(rng) { warn_about_slow_build(); }
  /// With random numbers of that seed and stream.
  explicit Game(std::uint64_t seed, std::uint64_t stream = 0) : Module<T>(seed, stream) { warn_about_slow_build(); }

  /// One step: takes batches and lets the players descend. Networks are in training mode and history is recorded.
  virtual void step(Source<T>& in) = 0;
  /// What pictures and measures are made of, one tensor [n, ...] a kind of sample: what step() has shown, unless a game
  /// makes them when asked. Called in evaluation mode, without history; what it draws does not count.
  virtual std::vector<Tensor<T>> samples() { return shown_; }
  /// Everything by which another run of this game may differ, by name, to be compared when a run is resumed.
  virtual std::map<std::string, std::string> settings() const { return {}; }
  std::string kind() const override { return "Game"; }

  /// Makes one step, and says what it did.
  StepResult advance(Source<T>& in);
  /// The samples, drawn from averages where players keep some; the random numbers that this takes do not count.
  std::vector<Tensor<T>> draw_samples();

  /// Number of steps made.
  Index steps() const { return steps_; }
  const std::vector<Player<T>*>& players() const { return players_; }

  /// Calls `hook` before every optimizer step, as long as the result lives.
  [[nodiscard]] std::shared_ptr<void> add_gradient_hook(GradientHook<T> hook);

  /// Handles of all tensors of the training state: "<path>" of networks and buffers, "<player>_average.<path>",
  /// "<player>_optimizer.<moment>.<path>"; and the rest of it as text.
  NamedTensors<T> training_state() const;
  std::map<std::string, std::string> metadata() const;
  /// Brings both back. Throws, changing nothing, when either does not fit; the message begins with `what`.
  void load(const NamedTensors<T>& state, const std::map<std::string, std::string>& metadata,
            const std::string& what = "checkpoint");

 protected:
  /// A number of this step, for progress, logs and callbacks; the mean of all that are noted under one name in a step.
  void note(std::string_view name, double value) { result_.note(name, value); }
  /// Samples of this step, for pictures: each [n, ...]. Keeps handles without history.
  void show(const std::vector<Tensor<T>>& samples) {
    shown_.clear();
    for (const Tensor<T>& x : samples) shown_.push_back(x.detach());
  }

 private:
  friend class Player<T>;

  void join(Player<T>& player);
  void descend(Player<T>& player, const Tensor<T>& loss);

  std::vector<Player<T>*> players_;
  std::unordered_map<const void*, const Player<T>*> owners_;  // of parameters, by their nodes
  std::vector<std::weak_ptr<GradientHook<T>>> hooks_;
  StepResult result_;
  std::vector<Tensor<T>> shown_;
  Index steps_ = 0;
};

template <std::floating_point T>
Player<T>::Player(Game<T>* game, std::string name, std::initializer_list<Module<T>*> networks, AnyOptimizer<T> optimizer,
                  PlayerOptions options)
    : game_((check(game != nullptr, "player \"", name, "\": no game"), *game)),
      name_(std::move(name)),
      networks_(networks),
      options_(std::move(options)) {
  check(!networks_.empty(), "player \"", name_, "\": no networks");
  check(options_.clip_gradient_norm >= 0 && is_finite(options_.clip_gradient_norm), "player \"", name_,
        "\": gradient norm limit ", options_.clip_gradient_norm, ", expected 0 or more");
  NamedTensors<T> parameters, all;
  for (Module<T>* network : networks_) {
    check(network != nullptr, "player \"", name_, "\": a network is null");
    check(network->root() == game, "player \"", name_, "\": ", network->kind(), " \"", network->path(),
          "\" is no part of the game: declare it as {this, \"name\", ...}, or adopt it before");
    for (auto& [below, tensor] : network->parameters()) parameters.push_back({network->path() + "." + below, tensor});
    for (auto& [below, tensor] : network->state()) all.push_back({network->path() + "." + below, tensor});
  }
  optimizer_ = optimizer.make(std::move(parameters));
  base_rate_ = optimizer_->learning_rate();
  if (options_.average) average_.emplace(std::move(all), *options_.average);
  game_.join(*this);
}

template <std::floating_point T>
void Player<T>::descend(const Tensor<T>& loss) {
  game_.descend(*this, loss);
}

template <std::floating_point T>
void Player<T>::descend(const std::vector<Term<T>>& terms) {
  Tensor<T> loss;
  for (const auto& [term, value] : terms) {
    if (!value.defined()) continue;
    check(value.size() == 1, "player \"", name_, "\": term \"", term, "\" is ", value.shape(), ", expected a scalar");
    game_.note(name_ + "_" + term, static_cast<double>(value.item()));
    const Tensor<T> scalar = value.rank() == 0 ? value : reshape(value, Shape{});
    loss = loss.defined() ? loss + scalar : scalar;
  }
  check(loss.defined(), "player \"", name_, "\": no term has a value");
  descend(loss);
}

template <std::floating_point T>
void Game<T>::join(Player<T>& player) {
  for (const Player<T>* other : players_)
    check(other->name() != player.name(), "game: two players are named \"", player.name(), "\"");
  for (const auto& [name, tensor] : player.parameters()) {
    const auto found = owners_.find(tensor.node_pointer().get());
    check(found == owners_.end(), "game: \"", name, "\" belongs to the players \"",
          found == owners_.end() ? "" : found->second->name(), "\" and \"", player.name(), "\", expected one of them");
  }
  for (const auto& entry : player.parameters()) owners_.emplace(entry.tensor.node_pointer().get(), &player);
  players_.push_back(&player);
}

template <std::floating_point T>
void Game<T>::descend(Player<T>& player, const Tensor<T>& loss) {
  const Index number = steps_ + 1;
  const auto not_finite = [&](const std::string& what) {
    throw NotFinite(what + " at step " + std::to_string(number));
  };
  check(loss.defined() && loss.size() == 1, "player \"", player.name_, "\": loss ",
        loss.defined() ? loss.shape() : Shape{}, ", expected a scalar");
  const T value = loss.item();
  if (!is_finite(value))
    not_finite("the loss of \"" + player.name_ + "\" is " + (is_nan(value) ? "nan" : value > 0 ? "inf" : "-inf"));
  auto& optimizer = *player.optimizer_;
  optimizer.zero_grad();  // what a step that threw, or the caller's own backward, has left
  for (const Tensor<T>& leaf : backward(loss)) {
    if (optimizer.owns(leaf)) continue;
    const std::string name = leaf.label().empty() ? "unnamed tensor" : leaf.label();
    const auto owner = owners_.find(leaf.node_pointer().get());
    if (owner != owners_.end())
      fail("player \"", player.name_, "\": its loss reaches \"", name, "\" of player \"", owner->second->name(),
           "\": keep `const auto frozen = ", owner->second->name(), ".freeze();` while that loss is computed");
    fail("player \"", player.name_, "\": \"", name, "\" ", leaf.shape(),
         " received a gradient from its loss and belongs to no player: declare it as a Parameter of one of its networks");
  }
  double squares = 0;
  for (const auto& [name, parameter] : player.parameters()) {
    const Tensor<T> gradient = parameter.grad();
    if (!gradient.defined()) continue;
    const double square = detail::sum_of_squares(gradient);
    if (!is_finite(square) && !all_finite<T>({gradient.data(), static_cast<std::size_t>(gradient.size())})) {
      optimizer.zero_grad();
      not_finite("the gradient of \"" + name + "\" is not finite");
    }
    squares += square;
  }
  const double norm = std::sqrt(squares);
  std::erase_if(hooks_, [](const auto& hook) { return hook.expired(); });
  for (const auto& entry : hooks_)
    if (const auto hook = entry.lock()) (*hook)({player.name_, number, norm, player.parameters()});
  const auto& options = player.options_;
  if (options.clip_gradient_norm > 0) clip_by_global_norm(player.parameters(), options.clip_gradient_norm);
  if (options.schedule) optimizer.set_learning_rate(player.base_rate_ * options.schedule(steps_));
  optimizer.step();
  optimizer.zero_grad();
  if (player.average_) player.average_->update();
  note(player.name_ + "_loss", static_cast<double>(value));
  note(player.name_ + "_gradient", norm);
}

template <std::floating_point T>
StepResult Game<T>::advance(Source<T>& in) {
  if (!this->training()) this->train();
  const GradMode recording(true);
  result_ = StepResult(steps_ + 1);
  step(in);
  ++steps_;
  return result_;
}

template <std::floating_point T>
std::vector<Tensor<T>> Game<T>::draw_samples() {
  const RngState before = this->rng().state();
  const NoGrad no_grad;
  const Evaluate<T> mode(*this);
  std::vector<std::unique_ptr<typename Player<T>::Averaged>> averaged;
  for (Player<T>* player : players_) averaged.push_back(std::make_unique<typename Player<T>::Averaged>(player->average()));
  try {
    auto all = samples();
    this->rng().set_state(before);
    return all;
  } catch (...) {
    this->rng().set_state(before);
    throw;
  }
}

template <std::floating_point T>
std::shared_ptr<void> Game<T>::add_gradient_hook(GradientHook<T> hook) {
  auto kept = std::make_shared<GradientHook<T>>(std::move(hook));
  hooks_.push_back(kept);
  return kept;
}

template <std::floating_point T>
NamedTensors<T> Game<T>::training_state() const {
  NamedTensors<T> all = this->state();
  for (const Player<T>* player : players_) {
    if (player->average())
      for (const auto& [name, tensor] : player->average()->state())
        all.push_back({player->name() + "_average." + name, tensor});
    for (const auto& [name, tensor] : player->optimizer().state())
      all.push_back({player->name() + "_optimizer." + name, tensor});
  }
  return all;
}

template <std::floating_point T>
std::map<std::string, std::string> Game<T>::metadata() const {
  std::map<std::string, std::string> all{{"step", std::to_string(steps_)}, {"rng", to_text(this->rng().state())}};
  for (const Player<T>* player : players_) {
    all[player->name() + "_steps"] = std::to_string(player->optimizer().steps());
    all[player->name() + "_rate"] = to_text(player->optimizer().learning_rate());
    if (player->average()) all[player->name() + "_average_updates"] = std::to_string(player->average()->updates());
  }
  return all;
}

template <std::floating_point T>
void Game<T>::load(const NamedTensors<T>& state, const std::map<std::string, std::string>& metadata,
                   const std::string& what) {
  struct Counters {
    Index steps, updates;
    double rate;
  };
  const MetadataReader read(what, metadata);
  const Index steps = read.count("step");
  const RngState rng = read.rng("rng");
  std::vector<Counters> counters;
  for (const Player<T>* player : players_)
    counters.push_back({read.count(player->name() + "_steps"),
                        player->average() ? read.count(player->name() + "_average_updates") : 0,
                        read.number(player->name() + "_rate")});
  const NamedTensors<T> before = training_state();
  try {
    this->expect(state, "");
    copy_values(what.c_str(), state, training_state());
  } catch (...) {
    this->expect(before, "");
    copy_values(what.c_str(), before, training_state());
    throw;
  }
  for (std::size_t i = 0; i < players_.size(); ++i) {
    auto& optimizer = players_[i]->optimizer();
    optimizer.load_state(optimizer.state(), counters[i].steps);
    optimizer.set_learning_rate(counters[i].rate);
    if (auto* average = players_[i]->average()) average->set_updates(counters[i].updates);
  }
  steps_ = steps;
  this->rng().set_state(rng);
}

}  // namespace gan
