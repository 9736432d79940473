// Games with an encoder, each as its paper has it: VAE, VAE-GAN, BiGAN, f-AnoGAN.
#include "games/games.hpp"

using namespace games;

namespace {

struct Encoder : gan::Layer<float> {  // x [n, 14, 14, 1] -> mean and log variance [n, 2 latent]
  gan::Dense<float> hidden{this, "hidden", 196, 64}, code{this, "code", 64, 16};
  using Layer::Layer;
  Tensor forward(const Tensor& x) override { return code(gan::leaky_relu(hidden(gan::flatten(x)))); }
};

struct Decoder : gan::Layer<float> {  // z [n, 8] -> [n, 14, 14, 1]
  gan::Dense<float> hidden{this, "hidden", 8, 64}, image{this, "image", 64, 196};
  using Layer::Layer;
  Tensor forward(const Tensor& z) override {
    return gan::reshape(gan::tanh(image(gan::leaky_relu(hidden(z)))), {-1, 14, 14, 1});
  }
};

Tensor mean_of(const Tensor& code) { return gan::slice(code, 1, 0, 8); }
Tensor log_variance_of(const Tensor& code) { return gan::slice(code, 1, 8, 16); }
Tensor drawn(gan::Rng& rng, const Tensor& code) {
  return mean_of(code) + gan::exp(0.5 * log_variance_of(code)) * gan::normal<float>(rng, {code.shape()[0], 8});
}
/// KL(N(mean, variance) | N(0, 1)), the mean of the batch.
Tensor divergence(const Tensor& code) {
  const Tensor m = mean_of(code), v = log_variance_of(code);
  return (-0.5 / static_cast<double>(code.shape()[0])) * gan::sum(1 + v - gan::square(m) - gan::exp(v));
}

/// Auto-encoding variational Bayes (Kingma and Welling, 2013).
struct Vae : gan::Game<float> {
  Encoder encoder{this, "encoder"};
  Decoder decoder{this, "decoder"};
  gan::Player<float> both{this, "both", {&encoder, &decoder}, gan::AdamOptions{.learning_rate = 1e-3, .beta1 = 0.9}};
  explicit Vae(gan::Rng& rng) : Game(rng) {}
  void step(gan::Source<float>& in) override {
    const Tensor x = in.next().samples, code = encoder(x), y = decoder(drawn(rng(), code));
    const double n = static_cast<double>(x.shape()[0]);
    both.descend({{"reconstruction", gan::sum(gan::square(y - x)) / (2 * n)}, {"divergence", divergence(code)}});
    show({x, y});
  }
};

struct Judge : gan::Layer<float> {  // x [n, 14, 14, 1] -> logit [n, 1]
  gan::Dense<float> hidden{this, "hidden", 196, 64}, score{this, "score", 64, 1};
  using Layer::Layer;
  Tensor features(const Tensor& x) { return gan::leaky_relu(hidden(gan::flatten(x))); }
  Tensor forward(const Tensor& x) override { return score(features(x)); }
};

Tensor real(const Tensor& logits) { return gan::bce_with_logits(logits, 1.0); }
Tensor fake(const Tensor& logits) { return gan::bce_with_logits(logits, 0.0); }

/// Autoencoding beyond pixels using a learned similarity metric (Larsen et al., 2016).
struct VaeGan : gan::Game<float> {
  Encoder encoder{this, "encoder"};
  Decoder decoder{this, "decoder"};
  Judge judge{this, "judge"};
  gan::Player<float> e{this, "e", {&encoder}}, d{this, "d", {&decoder}}, j{this, "j", {&judge}};
  explicit VaeGan(gan::Rng& rng) : Game(rng) {}
  void step(gan::Source<float>& in) override {
    const Tensor x = in.next().samples;
    const Tensor prior = gan::normal<float>(rng(), {x.shape()[0], 8});
    Tensor code = encoder(x);
    const Tensor z = drawn(rng(), code).detach();
    j.descend(real(judge(x)) + fake(judge(decoder(z).detach())) + fake(judge(decoder(prior).detach())));
    const auto frozen = j.freeze();
    const Tensor features = judge.features(x);
    const auto similar = [&](const Tensor& y) { return gan::mse(judge.features(y), features); };
    {
      const auto kept = d.freeze();
      e.descend({{"divergence", 1e-2 * divergence(code)}, {"similar", similar(decoder(drawn(rng(), code)))}});
    }
    const Tensor again = decoder(z);
    d.descend({{"fool", real(judge(again)) + real(judge(decoder(prior)))}, {"similar", 0.1 * similar(again)}});
    show({x, again});
  }
};

struct PairJudge : gan::Layer<float> {  // x [n, 14, 14, 1], and z [n, 8] as the condition -> logit [n, 1]
  gan::Dense<float> hidden{this, "hidden", 204, 64}, score{this, "score", 64, 1};
  using Layer::Layer;
  Tensor forward(const Tensor& x) override {
    return score(gan::leaky_relu(hidden(gan::concatenate({gan::flatten(x), condition().values}, 1))));
  }
};

/// Adversarial feature learning (Donahue et al., 2017).
struct BiGan : gan::Game<float> {
  Encoder encoder{this, "encoder"};
  Decoder decoder{this, "decoder"};
  PairJudge judge{this, "judge"};
  gan::Player<float> g{this, "g", {&encoder, &decoder}}, d{this, "d", {&judge}};
  explicit BiGan(gan::Rng& rng) : Game(rng) {}
  void step(gan::Source<float>& in) override {
    const Tensor x = in.next().samples, z = gan::normal<float>(rng(), {x.shape()[0], 8});
    const Tensor code = mean_of(encoder(x)), y = decoder(z);
    d.descend(real(judge(x, {.values = code.detach()})) + fake(judge(y.detach(), {.values = z})));
    const auto frozen = d.freeze();
    g.descend(fake(judge(x, {.values = code})) + real(judge(y, {.values = z})));
    show({x, y});
  }
};

/// f-AnoGAN's second stage (Schlegl et al., 2019): an encoder to a generator and a discriminator that are trained and
/// stay as they are, by izi_f: the residual of images and of the discriminator's features.
struct FAnoGan : gan::Game<float> {
  Encoder encoder{this, "encoder"};
  gan::Player<float> e{this, "e", {&encoder}, gan::AdamOptions{.learning_rate = 2e-3}};
  Decoder& decoder;
  Judge& judge;
  FAnoGan(gan::Rng& rng, Decoder& trained, Judge& trained_judge) : Game(rng), decoder(trained), judge(trained_judge) {}
  Tensor residual(const Tensor& x, const Tensor& y) {
    return gan::mse(y, x) + gan::mse(judge.features(y), judge.features(x));
  }
  void step(gan::Source<float>& in) override {
    const gan::Freeze<float> a(decoder), b(judge);
    const Tensor x = in.next().samples, y = decoder(gan::tanh(mean_of(encoder(x))));
    e.descend(residual(x, y));
    show({x, y});
  }
};

template <class G>
struct Run {
  Run() : source(digits(48, 14), {.batch = 16, .seed = 3}) {}
  gan::Rng rng{7};
  G game{rng};
  gan::Loader<float> source;
};

template <class G>
auto make() {
  return [] { return std::make_unique<Run<G>>(); };
}

struct Stages {  // the first stage is a VAE-GAN here: what counts is that its networks are taken over
  Stages() : source(digits(48, 14), {.batch = 16, .seed = 3}) {}
  gan::Rng rng{7};
  VaeGan first{rng};
  FAnoGan game{rng, first.decoder, first.judge};
  gan::Loader<float> source;
};

}  // namespace

TEST_CASE("a VAE resumes, and its bound falls") {
  resumed_is_uninterrupted(make<Vae>(), 2, 5);
  Run<Vae> run;
  const double before = run.game.advance(run.source)["both_loss"];
  for (int i = 0; i < 150; ++i) run.game.advance(run.source);
  CHECK(run.game.advance(run.source)["both_loss"] < 0.75 * before);
}

TEST_CASE("a VAE-GAN resumes") { resumed_is_uninterrupted(make<VaeGan>(), 3, 5); }

TEST_CASE("a BiGAN resumes") { resumed_is_uninterrupted(make<BiGan>(), 1, 4); }

TEST_CASE("the encoder of an f-AnoGAN resumes, and leaves the networks of the first stage alone") {
  resumed_is_uninterrupted([] { return std::make_unique<Stages>(); }, 2, 4);
  Stages stages;
  for (int i = 0; i < 100; ++i) stages.first.advance(stages.source);
  const auto before = save(stages.first, stages.source).state;
  const double first = stages.game.advance(stages.source)["e_loss"];
  for (int i = 1; i < 150; ++i) stages.game.advance(stages.source);
  CHECK(stages.game.advance(stages.source)["e_loss"] < 0.97 * first);
  const auto after = stages.first.training_state();
  for (std::size_t i = 0; i < before.size(); ++i) {
    INFO(before[i].name);
    CHECK((before[i].tensor.values() == after[i].tensor.values()).all());
  }
}
