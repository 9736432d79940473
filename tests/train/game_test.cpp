// What a game and its players refuse, and that they stay as they were.
#include "gan/train/game.hpp"

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "gan/data/function_source.hpp"
#include "gan/nn/dense.hpp"
#include "gan/ops/reduce.hpp"
#include "gan/train/checkpoint.hpp"
#include "support/catch.hpp"
#include "support/networks.hpp"
#include "support/temporary_folder.hpp"

namespace {

using gan::Tensor;

struct Net : gan::Layer<float> {
  gan::Dense<float> out{this, "out", 2, 2};
  Net(gan::Module<float>* parent, std::string name) : Layer(parent, std::move(name)) {}
  Tensor<float> forward(const Tensor<float>& x) override { return out(x); }
};

/// Two networks and whatever a test does with them.
struct Two : gan::Game<float> {
  Net a{this, "a"}, b{this, "b"};
  std::function<void(Two&, const Tensor<float>&)> play;
  explicit Two(gan::Rng& rng) : Game(rng) {}
  void step(gan::Source<float>& in) override { play(*this, in.next().samples); }
  void run(std::function<void(Two&, const Tensor<float>&)> what) {
    play = std::move(what);
    gan::FunctionSource<float> source([] { return gan::Batch<float>{real_batch<float>(4)}; });
    advance(source);
  }
};

}  // namespace

TEST_CASE("players that share parameters, a name or nothing with the game are errors") {
  gan::Rng rng(1);
  Two game(rng);
  gan::Player<float> one(&game, "one", {&game.a});
  CHECK_THROWS_WITH(gan::Player<float>(&game, "two", {&game.b, &game.a}),
                    ContainsSubstring("\"a.out.weight\" belongs to the players \"one\" and \"two\""));
  CHECK_THROWS_WITH(gan::Player<float>(&game, "one", {&game.b}), ContainsSubstring("two players are named \"one\""));
  gan::Player<float> two(&game, "two", {&game.b});  // what failed has left nothing behind
  CHECK(game.players().size() == 2);
  CHECK_THROWS_WITH(game.player("three"), ContainsSubstring("no player is named \"three\", expected one of: one, two"));

  Two other(rng);
  CHECK_THROWS_WITH(gan::Player<float>(&other, "far", {&game.a}),
                    ContainsSubstring("Module \"a\" is no part of the game"));
  CHECK_THROWS_WITH(gan::Player<float>(&other, "whole", {&other}), ContainsSubstring("is no part of the game"));
  CHECK_THROWS_WITH(gan::Player<float>(nullptr, "lost", {&game.a}), ContainsSubstring("player \"lost\": no game"));
}

TEST_CASE("a loss that is no scalar, reaches another player or nobody is an error, and nothing changes") {
  gan::Rng rng(1);
  Two game(rng);
  gan::Player<float> one(&game, "one", {&game.a}), two(&game, "two", {&game.b});
  const auto before = bits(game.training_state());
  CHECK_THROWS_WITH(game.run([&](Two& g, const auto& x) { one.descend(g.a(x)); }),
                    ContainsSubstring("player \"one\": loss [4, 2], expected a scalar"));
  CHECK_THROWS_WITH(game.run([&](Two& g, const auto& x) { one.descend(gan::mean(g.b(g.a(x)))); }),
                    ContainsSubstring("its loss reaches \"b.out.bias\" of player \"two\": keep `const auto frozen = "
                                      "two.freeze();`"));
  CHECK_THROWS_WITH(game.run([&](Two&, const auto&) { one.descend(std::vector<gan::Term<float>>{{"none"}}); }),
                    ContainsSubstring("player \"one\": no term has a value"));
  Tensor<float> stray({2});
  stray.set_requires_grad();
  CHECK_THROWS_WITH(game.run([&](Two& g, const auto& x) { one.descend(gan::mean(g.a(x) * stray)); }),
                    ContainsSubstring("belongs to no player"));
  CHECK(bits(game.training_state()) == before);
  CHECK(game.steps() == 0);
  game.run([&](Two& g, const auto& x) {
    const auto frozen = two.freeze();
    one.descend(gan::mean(g.b(g.a(x))));
  });
  CHECK(game.steps() == 1);
  CHECK(bits(game.training_state()) != before);
}

TEST_CASE("a game that was saved with other players is refused, and nothing changes") {
  TemporaryFolder folder;
  gan::Rng rng(1);
  Two saved(rng), other(rng), fewer(rng);
  gan::Player<float> one(&saved, "one", {&saved.a}), two(&saved, "two", {&saved.b});
  gan::save_checkpoint(folder / "a", saved);
  gan::Player<float> three(&other, "three", {&other.a, &other.b}), both(&fewer, "one", {&fewer.a});
  for (auto* game : {&other, &fewer}) {
    const auto before = everything(*game);
    CHECK_THROWS_WITH(gan::load_checkpoint(folder / "a", *game), ContainsSubstring((folder / "a").string()));
    CHECK(everything(*game) == before);
  }
  CHECK_THROWS_WITH(gan::load_checkpoint(folder / "a", other), ContainsSubstring("three"));
  CHECK_THROWS_WITH(gan::load_checkpoint(folder / "a", fewer), ContainsSubstring("two"));
}
