// Games of several stages: progressive growing.
#include "games/games.hpp"

using namespace games;

namespace {

/// Growing (Karras et al., 2018): pictures of 7 pixels a side first; then a further block of each network, which `fade`
/// brings in from 0 to 1.
struct Grower : gan::Generator<float> {
  gan::Dense<float> project{this, "project", 16, 49 * 8};
  gan::Conv2d<float> small{this, "small", 8, 1, {.kernel = 1}};
  std::unique_ptr<gan::Conv2d<float>> block, large;
  gan::Buffer<float> fade{this, "fade", {}, gan::init::zeros()};
  Grower(gan::Rng& rng, bool grown) : Generator(rng, {.latent = 16}) {
    if (!grown) return;
    const gan::Conv2dOptions same{.kernel = 3, .padding = gan::Padding::same()};
    block = std::make_unique<gan::Conv2d<float>>(this, "block", 8, 8, same);
    large = std::make_unique<gan::Conv2d<float>>(this, "large", 8, 1, gan::Conv2dOptions{.kernel = 1});
  }
  Tensor forward(const Tensor& z) override {
    const Tensor x = gan::relu(gan::reshape(project(z), {-1, 7, 7, 8}));
    if (!block) return gan::tanh(small(x));
    const Tensor up = gan::upsample_nearest(x, 2), a = gan::tanh((*large)(gan::relu((*block)(up))));
    return fade * a + (1 - fade) * gan::tanh(small(up));
  }
};

struct GrowingJudge : gan::Discriminator<float> {
  gan::Conv2d<float> small{this, "small", 1, 8, {.kernel = 1}};
  gan::Dense<float> score{this, "score", 49 * 8, 1};
  std::unique_ptr<gan::Conv2d<float>> block, large;
  gan::Buffer<float> fade{this, "fade", {}, gan::init::zeros()};
  GrowingJudge(gan::Rng& rng, bool grown) : Discriminator(rng) {
    if (!grown) return;
    const gan::Conv2dOptions same{.kernel = 3, .padding = gan::Padding::same()};
    large = std::make_unique<gan::Conv2d<float>>(this, "large", 1, 8, gan::Conv2dOptions{.kernel = 1});
    block = std::make_unique<gan::Conv2d<float>>(this, "block", 8, 8, same);
  }
  Tensor forward(const Tensor& x) override {
    Tensor h = gan::leaky_relu(small(block ? gan::avg_pool2d(x, {.kernel = 2}) : x));
    if (block) {
      const Tensor a = gan::leaky_relu((*block)(gan::leaky_relu((*large)(x))));
      h = fade * gan::avg_pool2d(a, {.kernel = 2}) + (1 - fade) * h;
    }
    return score(gan::flatten(h));
  }
};

struct Growing : gan::Trainer<float> {
  Grower& generator;
  GrowingJudge& judge;
  Growing(Grower& g, GrowingJudge& d) : Trainer(g, d, {.penalty = gan::R1{.gamma = 0.1}}), generator(g), judge(d) {}
  void step(gan::Source<float>& in) override {
    const float share = std::min(1.0f, static_cast<float>(steps()) / 4);
    generator.fade.mutable_values() = judge.fade.mutable_values() = share;
    Trainer::step(in);
  }
};

struct Stage {
  explicit Stage(bool grown, const Stage* before = nullptr)
      : generator(rng, grown),
        judge(rng, grown),
        game(generator, judge),
        source(digits(48, grown ? 14 : 7), {.batch = 12}) {
    if (!before) return;
    const auto left = gan::copy_matching(before->game.state(), game.state()).unfilled;
    CHECK(left == std::vector<std::string>{"generator.block.weight", "generator.block.bias", "generator.large.weight",
                                           "generator.large.bias", "discriminator.large.weight",
                                           "discriminator.large.bias", "discriminator.block.weight",
                                           "discriminator.block.bias"});
  }
  gan::Rng rng{7};
  Grower generator;
  GrowingJudge judge;
  Growing game;
  gan::Loader<float> source;
};

}  // namespace

TEST_CASE("progressive growing: the first stage's networks begin the second, which resumes") {
  Stage first(false);
  for (int i = 0; i < 3; ++i) first.game.advance(first.source);
  // With a fade of 0 the grown generator makes the small one's pictures, enlarged.
  Stage grown(true, &first);
  const Tensor z = first.generator.draw(first.rng, 3);
  const Tensor small = gan::upsample_nearest(first.generator.sample(z), 2), large = grown.generator.sample(z);
  grown.generator.fade.mutable_values() = 0;
  CHECK((grown.generator.sample(z).values() - small.values()).abs().maxCoeff() < 1e-5f);
  resumed_is_uninterrupted([&] { return std::make_unique<Stage>(true, &first); }, 2, 6);
}
