// Conditions on their way through the trainer.
#include <cmath>
#include <memory>
#include <vector>

#include "gan/loss/gradient_penalty.hpp"
#include "gan/loss/wasserstein.hpp"
#include "gan/models/ensemble.hpp"
#include "gan/nn/conditional_batch_norm.hpp"
#include "gan/nn/projection_head.hpp"
#include "gan/nn/residual.hpp"
#include "gan/nn/sequential.hpp"
#include "gan/optim/sgd.hpp"
#include "gan/train/trainer.hpp"
#include "support/catch.hpp"
#include "support/networks.hpp"

namespace {

using gan::Condition;
using gan::Index;
using gan::Shape;
using gan::Tensor;
using D = Tensor<double>;

/// Conditional batch norm inside a Residual inside a Sequential.
struct Writer : gan::Generator<double> {
  gan::Sequential<double> net{this, "net"};
  explicit Writer(gan::Rng& rng, Index classes = 3) : Generator(rng, {.latent = 4, .classes = classes}) {
    net.add<gan::Dense>("in", 4, 6);
    auto& body = net.add<gan::Residual>("block").body();
    body.template add<gan::ConditionalBatchNorm>("norm", Index{3}, Index{6});
    body.template add<gan::Dense>("dense", 6, 6);
    net.add<gan::Dense>("out", 6, 2);
  }
  D forward(const D& z) override { return gan::tanh(net(z)); }
};

struct Critic : gan::Discriminator<double> {  // packs of 2 points [n, 4]
  gan::Dense<double> hidden{this, "hidden", 4, 8};
  gan::ProjectionHead<double> head{this, "head", 8, 3, {.pack = 2}};
  explicit Critic(gan::Rng& rng) : Discriminator(rng) {}
  D forward(const D& x) override { return head(gan::tanh(hidden(x))); }
};

Condition<double> labels_of(Index n, std::uint64_t seed) {
  Condition<double> condition{.classes = 3};
  gan::Rng rng(seed);
  for (Index i = 0; i < n; ++i) condition.labels.push_back(rng.integer(0, 3));
  return condition;
}

void descend(const gan::NamedTensors<double>& parameters, const D& loss, double rate) {
  std::vector<D> xs;
  for (const auto& p : parameters) xs.push_back(p.tensor);
  const auto gradients = gan::grad(loss, xs);
  for (std::size_t i = 0; i < xs.size(); ++i) xs[i].mutable_values() -= rate * gradients[i].values();
}

}  // namespace

TEST_CASE("a conditional WGAN-GP of packs of 2 is the loop that one would write by hand") {
  gan::Rng rng(1), other(2);
  Writer generator(rng), hand_generator(other);
  Critic critic(rng), hand_critic(other);
  hand_generator.load_state(generator.state());
  hand_critic.load_state(critic.state());
  gan::Trainer<double> trainer(generator, critic,
                               {.objective = gan::Wasserstein(),
                                .penalty = gan::GradientPenalty{.weight = 10},
                                .generator_optimizer = gan::SgdOptions{.learning_rate = 0.1},
                                .discriminator_optimizer = gan::SgdOptions{.learning_rate = 0.05},
                                .pack = 2});
  for (std::uint64_t step = 0; step < 3; ++step) {
    const D real = real_batch<double>(6, step);
    const Condition<double> condition = labels_of(6, step);
    const auto metadata = trainer.metadata();
    gan::Rng draws(gan::MetadataReader("trainer", metadata).rng("rng"));
    const gan::StepResult result = trainer.step(real, condition);

    const D z = generator.draw(draws, 6);
    const D fake = hand_generator(z, condition);
    const Condition<double> pairs{.labels = condition.labels, .classes = 3, .pack = 2};
    const auto packed = [](const D& x) { return gan::reshape(x, Shape{3, 4}); };
    const auto judge = [&](const D& x) { return hand_critic(x, pairs); };
    const D real_pack = packed(real), fake_pack = packed(fake.detach());
    const D share = gan::uniform<double>(draws, {3, 1}, 0, 1);
    const D between = (fake_pack + share * (real_pack - fake_pack)).detach().set_requires_grad();
    const D slope = gan::grad(gan::sum(judge(between)), between, {.create_graph = true});
    const D norm = gan::sqrt(gan::sum(gan::square(slope), {1}) + gan::GradientPenalty().epsilon);
    const D penalty = 10 * gan::mean(gan::square(norm - 1));
    const D critic_loss = gan::mean(judge(fake_pack)) - gan::mean(judge(real_pack)) + penalty;
    CHECK(result["penalty"] == Approx(penalty.item()).epsilon(1e-10));
    CHECK(result["discriminator_loss"] == Approx(critic_loss.item()).epsilon(1e-10));
    descend(hand_critic.parameters(), critic_loss, 0.05);
    descend(hand_generator.parameters(), -gan::mean(judge(packed(fake))), 0.1);
    CHECK(distance(critic.state(), hand_critic.state()) < 1e-12);
    CHECK(distance(generator.state(), hand_generator.state()) < 1e-12);
  }
}

TEST_CASE("ensembles that know classes are the loop that one would write by hand, too") {
  using Generators = gan::GeneratorEnsemble<double>;
  using Critics = gan::DiscriminatorEnsemble<double>;
  const auto write = [](gan::Rng& r) { return std::make_unique<Writer>(r); };
  const auto judge = [](gan::Rng& r) { return std::make_unique<Critic>(r); };
  gan::Rng rng(1), other(2);
  Generators generator(rng, 2, write), hand_generator(other, 2, write);
  Critics critic(rng, 2, judge), hand_critic(other, 2, judge);
  hand_generator.load_state(generator.state());
  hand_critic.load_state(critic.state());
  gan::Trainer<double> trainer(generator, critic,
                               {.objective = gan::Wasserstein(),
                                .penalty = gan::MemberPenalty(critic, gan::GradientPenalty{.weight = 10}),
                                .generator_optimizer = gan::SgdOptions{.learning_rate = 0.1},
                                .discriminator_optimizer = gan::SgdOptions{.learning_rate = 0.05},
                                .pack = 2});
  for (std::uint64_t step = 0; step < 3; ++step) {
    const D real = real_batch<double>(8, step);
    const Condition<double> condition = labels_of(8, step);
    const auto metadata = trainer.metadata();
    gan::Rng draws(gan::MetadataReader("trainer", metadata).rng("rng"));
    const gan::StepResult result = trainer.step(real, condition);

    // Row i is made by member i modulo 2, for the label of that row.
    const D z = generator.draw(draws, 8);
    const std::vector<Index> even{0, 2, 4, 6}, odd{1, 3, 5, 7};
    const D evens = hand_generator.member(0)(gan::gather(z, even), gan::gather(condition, even));
    const D odds = hand_generator.member(1)(gan::gather(z, odd), gan::gather(condition, odd));
    const D fake = gan::gather(gan::concatenate<double>({evens, odds}, 0), {0, 4, 1, 5, 2, 6, 3, 7});
    const Condition<double> pairs{.labels = condition.labels, .classes = 3, .pack = 2};
    const auto packed = [](const D& x) { return gan::reshape(x, Shape{4, 4}); };
    const D real_pack = packed(real), fake_pack = packed(fake.detach());
    D critic_loss = D::scalar(0), generator_loss = D::scalar(0);
    for (Index m = 0; m < 2; ++m) {
      const auto score = [&](const D& x) { return hand_critic.member(m)(x, pairs); };
      const D share = gan::uniform<double>(draws, {4, 1}, 0, 1);
      const D between = (fake_pack + share * (real_pack - fake_pack)).detach().set_requires_grad();
      const D slope = gan::grad(gan::sum(score(between)), between, {.create_graph = true});
      const D norm = gan::sqrt(gan::sum(gan::square(slope), {1}) + gan::GradientPenalty().epsilon);
      const D penalty = 10 * gan::mean(gan::square(norm - 1));
      critic_loss = critic_loss + (gan::mean(score(fake_pack)) - gan::mean(score(real_pack)) + penalty) / 2;
    }
    CHECK(result["discriminator_loss"] == Approx(critic_loss.item()).epsilon(1e-10));
    descend(hand_critic.parameters(), critic_loss, 0.05);
    for (Index m = 0; m < 2; ++m)
      generator_loss = generator_loss - gan::mean(hand_critic.member(m)(packed(fake), pairs)) / 2;
    descend(hand_generator.parameters(), generator_loss, 0.1);
    CHECK(distance(critic.state(), hand_critic.state()) < 1e-12);
    CHECK(distance(generator.state(), hand_generator.state()) < 1e-12);
  }
}

TEST_CASE("permuted labels and noise make permuted samples, and labels matter") {
  gan::Rng rng(1);
  Writer generator(rng);
  for (auto& p : generator.parameters())
    p.tensor.mutable_values() += gan::normal<double>(rng, p.tensor.shape(), 0, 0.3).values();
  const D z = generator.draw(rng, 4);
  const Condition<double> condition{.labels = {2, 0, 1, 1}, .classes = 3};
  const std::vector<Index> order{3, 1, 0, 2};
  const D samples = generator.sample(z, condition),
          permuted = generator.sample(gan::gather(z, order), gan::gather(condition, order));
  CHECK((permuted.values() - gan::gather(samples, order).values()).abs().maxCoeff() < 1e-14);
  const D others = generator.sample(z, {.labels = {0, 0, 1, 1}, .classes = 3});
  CHECK((others.values().head(2) != samples.values().head(2)).all());
  CHECK((others.values().tail(6) == samples.values().tail(6)).all());
}

TEST_CASE("without a label a generator draws the data's own frequencies, which are saved with it") {
  gan::Rng rng(1);
  Writer generator(rng), loaded(rng);
  generator.set_class_frequencies({1, 0, 3});
  CHECK(generator.class_frequencies() == std::vector<double>{0.25, 0, 0.75});
  std::vector<Index> counts(3);
  for (const Index label : generator.draw_condition(rng, 4000).labels) ++counts[static_cast<std::size_t>(label)];
  CHECK(counts[1] == 0);
  CHECK(counts[0] == Approx(1000).margin(100));
  loaded.load_state(generator.state());
  CHECK(loaded.class_frequencies() == generator.class_frequencies());
  CHECK(generator.sample(rng, 5).shape() == Shape{5, 2});
  CHECK(generator.sample(rng, 5, 2).shape() == Shape{5, 2});
  CHECK_THROWS_WITH(generator.sample(rng, 5, 3), ContainsSubstring("label 3 of sample 0, expected [0, 3)"));
  CHECK_THROWS_WITH(generator.set_class_frequencies({1, 2}), ContainsSubstring("2 class frequencies for 3 classes"));
}

TEST_CASE("conditions that do not fit are errors with numbers, and nothing changes") {
  gan::Rng rng(1);
  Writer generator(rng);
  Critic critic(rng);
  gan::Trainer<double> trainer(generator, critic, {.pack = 2});
  const auto before = bits(trainer.training_state());
  const D real = real_batch<double>(4);
  CHECK_THROWS_WITH(trainer.step(real), ContainsSubstring("ConditionalBatchNorm \"generator.net.block.body.norm\"") ||
                                            ContainsSubstring("asks for a condition, and none was given"));
  CHECK_THROWS_WITH(trainer.step(real, {.labels = {0, 1, 2}, .classes = 3}),
                    ContainsSubstring("3 labels for 4 samples"));
  CHECK_THROWS_WITH(trainer.step(real, {.labels = {0, 1, 2, 3}, .classes = 3}),
                    ContainsSubstring("label 3 of sample 3, expected [0, 3)"));
  CHECK_THROWS_WITH(trainer.step(real, {.labels = {0, 1, 2, 0}}),
                    ContainsSubstring("4 labels without a number of classes"));
  CHECK_THROWS_WITH(trainer.step(real, {.labels = {0, 1, 2, 4}, .classes = 5}),
                    ContainsSubstring("the generator is one of 3 classes, the data has 5"));
  CHECK_THROWS_WITH(trainer.step(real, {.values = D({3, 1})}), ContainsSubstring("condition [3, 1] for 4 samples"));
  CHECK((bits(trainer.training_state()) == before));
}

TEST_CASE("a term that gives a matrix and an undeclared output are errors") {
  SmallPair<double> pair(1), second(2);
  gan::Trainer<double> trainer(
      pair.generator, pair.discriminator,
      {.generator_terms = {{"spread", [](const gan::Pass<double>& pass) { return pass.fake; }}}});
  CHECK_THROWS_WITH(trainer.step(real_batch<double>(4)),
                    ContainsSubstring("player \"generator\": term \"spread\" is [4, 2], expected a scalar"));
  struct Many : gan::Discriminator<double> {
    gan::Dense<double> out{this, "out", 2, 10};
    explicit Many(gan::Rng& root) : Discriminator(root) {}
    D forward(const D& x) override { return out(x); }
  } many(second.rng);
  gan::Trainer<double> undeclared(second.generator, many);
  CHECK_THROWS_WITH(undeclared.step(real_batch<double>(4)),
                    ContainsSubstring("discriminator gives") && ContainsSubstring("DiscriminatorOptions::extra"));
}
