// What the tests of games share: drawn data, small networks, and the proof that a resumed game is the uninterrupted
// one.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "gan/gan.hpp"
#include "support/catch.hpp"

namespace games {

using gan::Index;
using gan::Shape;
using Tensor = gan::Tensor<float>;

/// Drawn digits [n, side, side, 1] in [-1, 1] with labels: 28 pixels a side, or 14, 7 by averaging.
inline gan::Dataset<float> digits(Index count, Index side = 28, std::uint64_t seed = 1) {
  const auto full = gan::digits_dataset<float>(count, seed);
  if (side == 28) return full;
  std::vector<Index> all(static_cast<std::size_t>(count));
  for (Index i = 0; i < count; ++i) all[static_cast<std::size_t>(i)] = i;
  const Tensor small = gan::avg_pool2d(full.gather(all), {.kernel = 28 / side});
  return gan::Dataset<float>::from({side, side, 1}, {small.data(), small.data() + small.size()},
                                   {full.labels().begin(), full.labels().end()});
}

struct Saved {
  gan::NamedTensors<float> state;
  std::map<std::string, std::string> metadata, source;
};

template <class Game>
Saved save(Game& game, const gan::Source<float>& source) {
  Saved saved{{}, game.metadata(), source.state()};
  for (const auto& [name, tensor] : game.training_state()) saved.state.push_back({name, tensor.clone()});
  return saved;
}

/// Trains `steps` steps without a stop, and again with a stop after `stop` steps and a new game that is loaded; make()
/// returns a new game and a new source, as a struct {game, source}. All tensors must have the same bits.
template <class Make>
void resumed_is_uninterrupted(Make make, Index stop, Index steps) {
  auto whole = make();
  gan::StepResult last;
  for (Index i = 0; i < steps; ++i) last = whole->game.advance(whole->source);
  for (const auto& name : last.names()) {
    INFO(name);
    CHECK(gan::is_finite(last[name]));
  }
  auto first = make();
  for (Index i = 0; i < stop; ++i) first->game.advance(first->source);
  const Saved saved = save(first->game, first->source);
  auto second = make();
  second->game.load(saved.state, saved.metadata);
  second->source.set_state(saved.source);
  for (Index i = stop; i < steps; ++i) second->game.advance(second->source);
  CHECK(second->game.metadata() == whole->game.metadata());
  const auto expected = whole->game.training_state(), found = second->game.training_state();
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    INFO(expected[i].name);
    REQUIRE(found[i].name == expected[i].name);
    REQUIRE(found[i].tensor.shape() == expected[i].tensor.shape());
    CHECK(
        std::equal(found[i].tensor.data(), found[i].tensor.data() + found[i].tensor.size(), expected[i].tensor.data()));
  }
}

}  // namespace games
