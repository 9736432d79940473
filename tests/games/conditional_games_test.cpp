// Games with labels, each as its paper has it: conditional GAN, projection, AC-GAN, InfoGAN, semi-supervised GAN.
#include "games/games.hpp"

using namespace games;

namespace {

/// Conditional generative adversarial nets (Mirza and Osindero, 2014): labels beside the noise and beside the samples.
struct ConditionalGenerator : gan::Generator<float> {
  gan::Embedding<float> label{this, "label", 10, 8};
  gan::Dense<float> hidden{this, "hidden", 24, 64}, image{this, "image", 64, 49};
  explicit ConditionalGenerator(gan::Rng& rng) : Generator(rng, {.latent = 16}) {}
  Tensor forward(const Tensor& z) override {
    const Tensor wanted = gan::concatenate({z, label(condition().labels)}, 1);
    return gan::reshape(gan::tanh(image(gan::relu(hidden(wanted)))), {-1, 7, 7, 1});
  }
};

struct ConditionalDiscriminator : gan::Discriminator<float> {
  gan::Embedding<float> label{this, "label", 10, 8};
  gan::Dense<float> hidden{this, "hidden", 57, 64}, score{this, "score", 64, 1};
  explicit ConditionalDiscriminator(gan::Rng& rng) : Discriminator(rng) {}
  Tensor forward(const Tensor& x) override {
    return score(gan::leaky_relu(hidden(gan::concatenate({gan::flatten(x), label(condition().labels)}, 1))));
  }
};

/// cGANs with projection discriminator (Miyato and Koyama, 2018).
struct ProjectionDiscriminator : gan::Discriminator<float> {
  gan::Dense<float> hidden{this, "hidden", 49, 64}, score{this, "score", 64, 1};
  gan::Embedding<float> label{this, "label", 10, 64};
  explicit ProjectionDiscriminator(gan::Rng& rng) : Discriminator(rng) {}
  Tensor forward(const Tensor& x) override {
    const Tensor h = gan::leaky_relu(hidden(gan::flatten(x)));
    return score(h) + gan::sum(h * label(condition().labels), {1}, true);
  }
};

/// The score and `extra` further outputs from one trunk: AC-GAN's classes, InfoGAN's codes.
struct TwoHeads : gan::Discriminator<float> {
  gan::Dense<float> hidden{this, "hidden", 49, 64}, outputs;
  TwoHeads(gan::Rng& rng, Index extra)
      : Discriminator(rng, {.extra = extra}), outputs(this, "outputs", 64, 1 + extra) {}
  Tensor forward(const Tensor& x) override { return outputs(gan::leaky_relu(hidden(gan::flatten(x)))); }
};

/// Conditional image synthesis with auxiliary classifier GANs (Odena et al., 2017).
gan::TrainerOptions<float> ac_gan() {
  using Pass = gan::Pass<float>;
  return {.generator_optimizer = gan::AdamOptions{.learning_rate = 2e-3},
          .discriminator_optimizer = gan::AdamOptions{.learning_rate = 2e-3},
          .generator_terms = {{"class",
                               [](const Pass& p) { return gan::cross_entropy(p.fake_extra, p.condition.labels); }}},
          .discriminator_terms = {{"class", [](const Pass& p) {
                                     return gan::cross_entropy(p.real_extra, p.condition.labels) +
                                            gan::cross_entropy(p.fake_extra, p.condition.labels);
                                   }}}};
}

/// InfoGAN (Chen et al., 2016): of the noise [n, 16], the last 10 are one class and the 2 before are uniform, and the
/// discriminator's further outputs name them.
struct InfoGenerator : gan::Generator<float> {
  gan::Dense<float> hidden{this, "hidden", 16, 64}, image{this, "image", 64, 49};
  explicit InfoGenerator(gan::Rng& rng) : Generator(rng, {.latent = 16, .distribution = codes()}) {}
  static gan::LatentDistribution codes() {
    return []<class T>(gan::Rng& rng, Index length, std::span<T> rows) {
      for (; !rows.empty(); rows = rows.subspan(static_cast<std::size_t>(length))) {
        rng.normal(rows.first(4));
        rng.uniform(rows.subspan(4, 2), T(-1), T(1));
        std::fill_n(rows.begin() + 6, 10, T(0));
        rows[static_cast<std::size_t>(6 + rng.integer(0, 10))] = 1;
      }
    };
  }
  Tensor forward(const Tensor& z) override {
    return gan::reshape(gan::tanh(image(gan::relu(hidden(z)))), {-1, 7, 7, 1});
  }
};

gan::TrainerOptions<float> info_gan() {
  const auto information = [](const gan::Pass<float>& p) {
    const Tensor kind = gan::log_softmax(gan::slice(p.fake_extra, 1, 0, 10));
    const Tensor missed = gan::slice(p.fake_extra, 1, 10, 12) - gan::slice(p.z, 1, 4, 6);
    return -1.0 * gan::mean(gan::sum(kind * gan::slice(p.z, 1, 6, 16), {1})) + 0.1 * gan::mean(gan::square(missed));
  };
  return {.generator_optimizer = gan::AdamOptions{.learning_rate = 2e-3},
          .discriminator_optimizer = gan::AdamOptions{.learning_rate = 2e-3},
          .generator_terms = {{"information", information}},
          .discriminator_terms = {{"information", information}}};
}

/// Improved techniques for training GANs (Salimans et al., 2016): k classes whose logits also tell real from fake, by
/// log sum exp; the generator matches features.
struct SemiSupervised : gan::Game<float> {
  InfoGenerator generator{rng()};
  gan::Dense<float> hidden{this, "hidden", 49, 64}, classes{this, "classes", 64, 10};
  gan::Player<float> g, d{this, "d", {&hidden, &classes}};
  explicit SemiSupervised(gan::Rng& rng) : Game(rng), g((adopt(generator, "generator"), this), "g", {&generator}) {}
  Tensor features(const Tensor& x) { return gan::leaky_relu(hidden(gan::flatten(x))); }
  static Tensor evidence(const Tensor& logits) {
    return gan::reshape(gan::slice(logits - gan::log_softmax(logits), 1, 0, 1), {-1});
  }
  void step(gan::Source<float>& in) override {
    const auto [labeled, condition] = in.next();
    const Tensor fake = generator(generator.draw(rng(), labeled.shape()[0]));
    d.descend({{"class", gan::cross_entropy(classes(features(labeled)), condition.labels)},
               {"real", gan::mean(gan::softplus(-evidence(classes(features(condition.values)))))},
               {"fake", gan::mean(gan::softplus(evidence(classes(features(fake.detach())))))}});
    const auto frozen = d.freeze();
    const auto center = [&](const Tensor& x) { return gan::mean(features(x), {0}); };
    g.descend(gan::mse(center(fake), center(condition.values)));
    show({fake});
  }
};

template <class G, class D>
struct PairRun {
  explicit PairRun(gan::TrainerOptions<float> options, auto... extra)
      : generator(rng), discriminator(rng, extra...), game(generator, discriminator, std::move(options)) {}
  gan::Rng rng{7};
  G generator;
  D discriminator;
  gan::Trainer<float> game;
  gan::Loader<float> source{digits(60, 7), {.batch = 20, .seed = 3}};
};

struct SemiRun {
  gan::Rng rng{7};
  SemiSupervised game{rng};
  gan::Loader<float> labeled{digits(20, 7, 1), {.batch = 10}}, others{digits(50, 7, 2), {.batch = 10}};
  gan::Together<float> source{labeled, others};
};

}  // namespace

TEST_CASE("a conditional GAN resumes") {
  resumed_is_uninterrupted(
      [] {
        return std::make_unique<PairRun<ConditionalGenerator, ConditionalDiscriminator>>(gan::TrainerOptions<float>{});
      },
      2, 4);
}

TEST_CASE("a GAN with projection resumes") {
  resumed_is_uninterrupted(
      [] {
        return std::make_unique<PairRun<ConditionalGenerator, ProjectionDiscriminator>>(
            gan::TrainerOptions<float>{.objective = gan::Hinge{}, .average = gan::MovingAverageOptions{}});
      },
      1, 4);
}

TEST_CASE("an AC-GAN resumes, and its classifier learns") {
  const auto make = [] { return std::make_unique<PairRun<ConditionalGenerator, TwoHeads>>(ac_gan(), Index{10}); };
  resumed_is_uninterrupted(make, 3, 5);
  const auto run = make();
  const double before = run->game.advance(run->source)["discriminator_class"];
  for (int i = 0; i < 100; ++i) run->game.advance(run->source);
  CHECK(run->game.advance(run->source)["discriminator_class"] < 0.8 * before);
}

TEST_CASE("an InfoGAN resumes, and its codes are recognized") {
  const auto make = [] { return std::make_unique<PairRun<InfoGenerator, TwoHeads>>(info_gan(), Index{12}); };
  resumed_is_uninterrupted(make, 2, 4);
  const auto run = make();
  const double before = run->game.advance(run->source)["generator_information"];
  for (int i = 0; i < 100; ++i) run->game.advance(run->source);
  CHECK(run->game.advance(run->source)["generator_information"] < 0.7 * before);
}

TEST_CASE("a semi-supervised GAN resumes") {
  resumed_is_uninterrupted([] { return std::make_unique<SemiRun>(); }, 2, 4);
}
