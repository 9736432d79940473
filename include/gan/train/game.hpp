// Game: networks, the players that train them, and what one step of training is.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "gan/core/build_warning.hpp"
#include "gan/core/metadata.hpp"
#include "gan/data/source.hpp"
#include "gan/nn/module_scopes.hpp"
#include "gan/ops/matmul_precision.hpp"
#include "gan/optim/clip.hpp"
#include "gan/train/checks.hpp"
#include "gan/train/gradient_hook.hpp"
#include "gan/train/kept_state.hpp"
#include "gan/train/options_text.hpp"
#include "gan/train/player.hpp"
#include "gan/train/step_result.hpp"

namespace gan {

struct FitOptions;
struct FitResult;
template <std::floating_point T>
class Run;

/// A game is a module: its networks are its children, its saved tensors and numbers are buffers, and what it draws
/// comes from its generator of random numbers. Derive from it, declare networks and players, and write `step`:
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
  std::string kind() const override { return "Game"; }

  /// Steps through the source's batches until a limit is reached or a callback ends the run; see train/fit.hpp. What
  /// callbacks save comes before what they show, in every order of the arguments. Before the first step, and before any
  /// callback is called, it throws when game and source do not fit together (rehearse).
  template <class... Callbacks>
  FitResult fit(Source<T>& source, const FitOptions& options, Callbacks&&... callbacks);
  /// Makes one step, and says what it did; the result is that of result(), too. When the step throws, the buffers of
  /// the players' networks (running statistics and such) are as after their last updates.
  const StepResult& advance(Source<T>& in);
  /// What the last step has noted.
  const StepResult& result() const { return result_; }

  /// What pictures and measures are made of, one tensor [n, ...] a kind of sample: in evaluation mode, without history,
  /// from averages where players keep some. Random numbers that this takes are the same ones each time, and buffers and
  /// generators of random numbers are put back.
  std::vector<Tensor<T>> samples();

  /// Number of steps made.
  Index steps() const { return steps_; }
  /// Number of steps of the whole run, by which schedules may go (schedule::whole_run); 0 before it is known. fit says
  /// it: from its limits, or, where only time is one, once from the pace of the first steps. It is saved, so a resumed
  /// run ends where an uninterrupted one would.
  Index planned_steps() const { return planned_; }
  void plan_steps(Index steps) {
    check(steps >= 0, "game: a run of ", steps, " steps, expected 0 or more");
    planned_ = steps;
  }
  /// Whether a schedule goes by the whole run.
  virtual bool needs_plan() const;
  const std::vector<Player<T>*>& players() const { return players_; }
  /// Throws, naming those there are, for a name that no player has.
  Player<T>& player(std::string_view name) const;

  /// Calls `hook` before every optimizer step, for the game's life or until the handle's remove() is called.
  HookHandle add_gradient_hook(GradientHook<T> hook) { return hooks_.add(std::move(hook)); }

  /// Handles of all tensors of the training state: "<path>" of networks and buffers, "<player>_average.<path>" (fit for
  /// sampling, as samples() uses them), "<player>_power<i>.<path>", "<player>_optimizer.<moment>.<path>"; and the rest
  /// of it as text.
  NamedTensors<T> training_state();
  std::map<std::string, std::string> metadata() const;
  /// Names and texts of all options that a resumed run compares.
  OptionTexts option_texts() const;
  /// Brings state and metadata back. Throws, changing nothing, when either does not fit, holds numbers that are not
  /// finite, or belongs to a run of other options than `resume` allows; the message begins with `what`.
  void load(const NamedTensors<T>& state, const std::map<std::string, std::string>& metadata,
            const std::string& what = "checkpoint", const ResumeOptions& resume = {});

  /// Everything of its own by which another run of this game may differ; players and the structure of the networks are
  /// compared anyhow.
  virtual OptionTexts settings() const { return {}; }
  /// Throws when what comes cannot work; called by fit, which will make steps from steps() + 1 to `last` on batches of
  /// `in`. What it changes of networks must be put back. The game itself checks the players' schedules.
  virtual void rehearse(const Source<T>& in, Index last);
  /// Batches that a step takes.
  virtual Index batches_per_step() const { return 1; }
  /// What progress shows of a step: a short label and a name in the result.
  virtual std::vector<std::pair<std::string, std::string>> headline() const;

 protected:
  /// A number of this step, for progress, logs and callbacks; the mean of all that are noted under one name in a step.
  void note(std::string_view name, double value) { result_.note(name, value); }
  void note(std::string_view name) { result_.note(name); }
  /// Samples of this step, for pictures: each [n, ...]. Keeps handles without history.
  void show(const std::vector<Tensor<T>>& samples) {
    shown_.clear();
    for (const Tensor<T>& x : samples) shown_.push_back(x.detach());
  }
  /// planned_steps(), and while fit waits for a pace to plan by, a number beyond all: schedules are at their beginning.
  Index horizon() const { return planned_ == 0 && awaits_plan_ ? Index{1} << 62 : planned_; }
  /// make(), as samples() calls make_samples().
  template <class Make>
  auto sampled(Make make);
  /// Makes the averages fit to sample from; called before they are used and saved, not twice between two steps. What it
  /// changes of anything else must be put back. The running statistics of batch norms in an average are averages
  /// themselves, which a game can do better (FreshStatistics) when it knows what to feed its networks.
  virtual void prepare_averages() {}
  /// What samples() gives: what step() has shown, unless a game makes them when asked.
  virtual std::vector<Tensor<T>> make_samples() { return shown_; }

 private:
  friend class Player<T>;
  friend class Run<T>;

  void join(Player<T>& player);
  NamedTensors<T> state_handles() const;
  void prepare();
  void descend(Player<T>& player, const Tensor<T>& loss);
  void check_reached(const Player<T>& player, const Tensor<T>& leaf) const;

  std::vector<Player<T>*> players_;
  std::unordered_map<const void*, const Player<T>*> owners_;  // of parameters, by their nodes
  GradientHooks<T> hooks_;
  StepResult result_;
  std::vector<Tensor<T>> shown_;
  Index steps_ = 0, planned_ = 0;
  Index prepared_ = -1;  // the step after which averages are prepared
  bool awaits_plan_ = false;
};

template <std::floating_point T>
bool Game<T>::needs_plan() const {
  return std::any_of(players_.begin(), players_.end(),
                     [](const Player<T>* player) { return player->options().schedule.whole_run(); });
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
Player<T>& Game<T>::player(std::string_view name) const {
  std::string names;
  for (Player<T>* player : players_) {
    if (player->name() == name) return *player;
    names += (names.empty() ? "" : ", ") + player->name();
  }
  fail("game: no player is named \"", name, "\", expected one of: ", names);
}

template <std::floating_point T>
void Game<T>::check_reached(const Player<T>& player, const Tensor<T>& leaf) const {
  const std::string name = leaf.label().empty() ? "unnamed tensor" : leaf.label();
  if (const auto owner = owners_.find(leaf.node_pointer().get()); owner != owners_.end())
    fail("player \"", player.name_, "\": its loss reaches \"", name, "\" of player \"", owner->second->name(),
         "\": keep `const auto frozen = ", owner->second->name(), ".freeze();` while that loss is computed");
  fail("player \"", player.name_, "\": \"", name, "\" ", leaf.shape(),
       " received a gradient from its loss and belongs to no player: declare it as a Parameter of one of its networks, "
       "before the player is made");
}

template <std::floating_point T>
void Game<T>::descend(Player<T>& player, const Tensor<T>& loss) {
  const Index number = steps_ + 1;
  check(loss.defined() && loss.size() == 1, "player \"", player.name_, "\": loss ",
        loss.defined() ? loss.shape() : Shape{}, ", expected a scalar");
  check_loss(player.name_, loss, number);
  auto& optimizer = *player.optimizer_;
  optimizer.zero_grad();  // what a step that threw, or the caller's own backward, has left
  for (const Tensor<T>& leaf : backward(loss))
    if (!optimizer.owns(leaf)) check_reached(player, leaf);
  hooks_.call({player.name_, number, player.parameters()});
  const double norm = checked_norm(player.name_, player.parameters(), number);
  const auto& options = player.options_;
  if (options.clip_gradient_norm > 0 && norm > options.clip_gradient_norm)
    scale_gradients(player.parameters(), options.clip_gradient_norm / norm);
  if (options.schedule)
    optimizer.set_learning_rate(player.base_rate() *
                                value_at(player.schedule_name_, options.schedule, steps_, horizon()));
  optimizer.step();
  optimizer.zero_grad();
  if (player.average_) player.average_->update();
  for (auto& average : player.power_averages_) average->update();
  for (auto& buffers : player.buffers_) buffers.take();
  result_.note(player.loss_name_, static_cast<double>(loss.item()));
  result_.note(player.gradient_name_, norm);
}

template <std::floating_point T>
const StepResult& Game<T>::advance(Source<T>& in) {
  if (!this->training()) this->train();
  const GradMode recording(true);
  for (Player<T>* player : players_)
    for (auto& buffers : player->buffers_) buffers.take();
  result_.begin(steps_ + 1);
  try {
    step(in);
  } catch (...) {
    for (Player<T>* player : players_)
      for (auto& buffers : player->buffers_) buffers.put_back();
    throw;
  }
  ++steps_;
  return result_;
}

template <std::floating_point T>
std::vector<Tensor<T>> Game<T>::samples() {
  return sampled([this] { return make_samples(); });
}

template <std::floating_point T>
template <class Make>
auto Game<T>::sampled(Make make) {
  prepare();
  const NoGrad no_grad;
  const Evaluate<T> mode(*this);
  std::vector<std::unique_ptr<typename StateAverage<T>::Swap>> averages;
  for (Player<T>* player : players_)
    if (player->average_) averages.push_back(std::make_unique<typename StateAverage<T>::Swap>(*player->average_));
  const Trial<T> trial(*this);
  this->rng().set_state({0, 0x73616d706c65, 0});
  return make();
}

template <std::floating_point T>
void Game<T>::rehearse(const Source<T>&, Index last) {
  for (const Player<T>* player : players_)
    check_schedule(player->schedule_name_, player->options().schedule, steps_, last - 1, horizon());
}

template <std::floating_point T>
std::vector<std::pair<std::string, std::string>> Game<T>::headline() const {
  std::vector<std::pair<std::string, std::string>> all;
  for (const Player<T>* player : players_) all.push_back({player->name(), player->loss_name_});
  return all;
}

template <std::floating_point T>
void Game<T>::prepare() {
  if (prepared_ == steps_) return;
  const NoGrad no_grad;
  const auto before = this->rng().state();
  prepare_averages();
  this->rng().set_state(before);
  prepared_ = steps_;
}

template <std::floating_point T>
NamedTensors<T> Game<T>::training_state() {
  prepare();
  return state_handles();
}

template <std::floating_point T>
NamedTensors<T> Game<T>::state_handles() const {
  NamedTensors<T> all = this->state();
  for (const Player<T>* player : players_) {
    if (player->average())
      for (const auto& [name, tensor] : player->average()->state())
        all.push_back({player->name() + "_average." + name, tensor});
    for (std::size_t i = 0; i < player->power_averages().size(); ++i)
      for (const auto& [name, tensor] : player->power_averages()[i]->state())
        all.push_back({power_average_name(player->name(), i) + "." + name, tensor});
    for (const auto& [name, tensor] : player->optimizer().state())
      all.push_back({player->name() + "_optimizer." + name, tensor});
  }
  return all;
}

template <std::floating_point T>
OptionTexts Game<T>::option_texts() const {
  OptionTexts all = settings();
  for (const Player<T>* player : players_)
    for (auto& text : player->option_texts()) all.push_back(std::move(text));
  for (const auto* child : this->children()) all.push_back({child->name() + "_network", structure_text<T>(*child)});
  return all;
}

template <std::floating_point T>
std::map<std::string, std::string> Game<T>::metadata() const {
  std::map<std::string, std::string> all{{"step", std::to_string(steps_)},
                                         {"planned_steps", std::to_string(planned_)},
                                         {"engine", engine()},
                                         {"matmul_precision", to_string(matmul_precision())},
                                         {"rng", to_text(this->rng().state())}};
  for (const Player<T>* player : players_) {
    all[player->name() + "_optimizer_steps"] = std::to_string(player->optimizer().steps());
    all[player->name() + "_rate_bits"] = rate_bits(player->optimizer().learning_rate());
    if (player->average()) all[player->name() + "_average_updates"] = std::to_string(player->average()->updates());
    for (std::size_t i = 0; i < player->power_averages().size(); ++i)
      all[power_average_name(player->name(), i) + "_updates"] = std::to_string(player->power_averages()[i]->updates());
  }
  for (auto& [name, value] : option_texts()) all.emplace(name, std::move(value));
  return all;
}

template <std::floating_point T>
void Game<T>::load(const NamedTensors<T>& state, const std::map<std::string, std::string>& metadata,
                   const std::string& what, const ResumeOptions& resume) {
  struct Counters {
    Index steps, updates;
    double rate;
    std::vector<Index> power_updates;
  };
  const MetadataReader read(what, metadata);
  const Index steps = read.count("step"), planned = read.count("planned_steps");
  const RngState rng = read.rng("rng");
  std::vector<Counters> counters;
  for (const Player<T>* player : players_) {
    counters.push_back({read.count(player->name() + "_optimizer_steps"),
                        player->average() ? read.count(player->name() + "_average_updates") : 0,
                        read.rate(player->name() + "_rate_bits"),
                        {}});
    for (std::size_t i = 0; i < player->power_averages().size(); ++i)
      counters.back().power_updates.push_back(read.count(power_average_name(player->name(), i) + "_updates"));
  }
  const auto warn_of_other = [&](const char* key, const std::string& here) {
    const auto saved = metadata.find(key);
    if (saved != metadata.end() && saved->second != here)
      warn_once(what + ": \"" + key + "\" was \"" + saved->second + "\", here \"" + here +
                "\": the run goes on with other roundings");
  };
  const NamedTensors<T> before = state_handles();
  std::set<std::string> changed;
  try {
    this->expect(state, "");
    check_values(what.c_str(), state, state_handles());
    changed = compare_options(what, option_texts(), metadata, resume);
    for (const auto& [name, tensor] : state)
      check(all_finite(tensor), what, ": \"", name, "\" holds numbers that are not finite");
  } catch (...) {
    this->expect(before, "");
    copy_values(what.c_str(), before, state_handles());
    throw;
  }
  copy_values(what.c_str(), state, state_handles());
  prepared_ = -1;
  warn_of_other("engine", engine());
  warn_of_other("matmul_precision", to_string(matmul_precision()));
  for (std::size_t i = 0; i < players_.size(); ++i) {
    const std::string& name = players_[i]->name();
    auto& optimizer = players_[i]->optimizer();
    optimizer.load_state(optimizer.state(), counters[i].steps);
    const bool anew = changed.contains(name + "_rate") || changed.contains(name + "_schedule");
    optimizer.set_learning_rate(anew ? players_[i]->base_rate() : counters[i].rate);
    if (auto* average = players_[i]->average()) average->set_updates(counters[i].updates);
    for (std::size_t k = 0; k < counters[i].power_updates.size(); ++k)
      players_[i]->power_averages()[k]->set_updates(counters[i].power_updates[k]);
  }
  steps_ = steps;
  planned_ = planned;
  this->rng().set_state(rng);
}

}  // namespace gan
