#include "gan/train/trainer.hpp"

#include <cmath>
#include <functional>
#include <limits>

#include "gan/loss/clip_weights.hpp"
#include "gan/loss/gradient_penalty.hpp"
#include "gan/loss/r1_r2.hpp"
#include "gan/loss/relativistic.hpp"
#include "gan/loss/wasserstein.hpp"
#include "gan/optim/sgd.hpp"
#include "support/catch.hpp"
#include "support/networks.hpp"
#include "support/warnings.hpp"

namespace {

using gan::Index;
using gan::Shape;
using gan::Tensor;
using G = gan::MlpGenerator<double>;
using D = gan::MlpDiscriminator<double>;
using Trainer = gan::Trainer<double>;
using Options = gan::TrainerOptions<double>;

/// Plain gradient descent on both sides, at these rates.
Options sgd(Options options = {}, double generator_rate = 0.01, double discriminator_rate = 0.01) {
  options.generator_optimizer = gan::SgdOptions{.learning_rate = generator_rate};
  options.discriminator_optimizer = gan::SgdOptions{.learning_rate = discriminator_rate};
  return options;
}

/// One dense layer that keeps what it was shown.
class Spy : public gan::Discriminator<double> {
 public:
  Spy(gan::Rng& rng, Index in, bool mixes = false) : Discriminator(rng), score_(this, "score", in, 1), mixes_(mixes) {}
  Tensor<double> forward(const Tensor<double>& x) override {
    seen.push_back(x.detach().clone());
    return score_(gan::reshape(x, {x.shape()[0], -1}));
  }
  bool mixes_batch() const override { return mixes_; }

  std::vector<Tensor<double>> seen;

 private:
  gan::Dense<double> score_;
  bool mixes_;
};

gan::Rng rng_of(const Trainer& trainer) {
  const auto metadata = trainer.metadata();
  return gan::Rng(gan::MetadataReader("trainer", metadata).rng("rng"));
}

/// One step of plain gradient descent. The norm of all gradients.
double descend(const gan::NamedTensors<double>& parameters, const Tensor<double>& loss, double rate) {
  std::vector<Tensor<double>> xs;
  for (const auto& p : parameters) xs.push_back(p.tensor);
  const auto gradients = gan::grad(loss, xs);
  double squares = 0;
  for (std::size_t i = 0; i < xs.size(); ++i) {
    xs[i].mutable_values() -= rate * gradients[i].values();
    squares += gradients[i].values().square().sum();
  }
  return std::sqrt(squares);
}

bool any_gradient(const gan::NamedTensors<double>& parameters) {
  for (const auto& p : parameters)
    if (p.tensor.grad().defined()) return true;
  return false;
}

bool all_require_gradients(const gan::NamedTensors<double>& parameters, bool wanted) {
  for (const auto& p : parameters)
    if (p.tensor.requires_grad() != wanted) return false;
  return true;
}

double norm_of_change(const gan::NamedTensors<double>& a, const gan::NamedTensors<double>& b) {
  double squares = 0;
  for (std::size_t i = 0; i < a.size(); ++i) squares += (a[i].tensor.values() - b[i].tensor.values()).square().sum();
  return std::sqrt(squares);
}

/// Trains three steps, each against one written out here: two updates by plain gradient descent.
template <class Objective>
void compare_with_steps_by_hand(double real_label,
                                std::function<Tensor<double>(const Tensor<double>&)> generator_loss) {
  SmallPair<double> pair(1), hand(2);
  hand.generator.load_state(pair.generator.state());
  hand.discriminator.load_state(pair.discriminator.state());
  Trainer trainer(pair.generator, pair.discriminator,
                  sgd({.objective = Objective{.real_label = real_label}}, 0.3, 0.2));
  for (std::uint64_t step = 0; step < 3; ++step) {
    const auto real = real_batch<double>(6, step);
    gan::Rng rng = rng_of(trainer);
    const auto result = trainer.step(real);

    const auto fake = hand.generator(hand.generator.draw(rng, 6));
    const auto real_logits = hand.discriminator(real), fake_logits = hand.discriminator(fake.detach());
    const auto real_loss = gan::mean(gan::softplus(real_logits) - real_label * real_logits);
    const auto fake_loss = gan::mean(gan::softplus(fake_logits)), d_loss = real_loss + fake_loss;
    CHECK(result["real_loss"] == Approx(real_loss.item()).epsilon(1e-12));
    CHECK(result["fake_loss"] == Approx(fake_loss.item()).epsilon(1e-12));
    CHECK(result["real_accuracy"] == Approx(static_cast<double>((real_logits.values() > 0).count()) / 6));
    CHECK(result["fake_accuracy"] == Approx(static_cast<double>((fake_logits.values() < 0).count()) / 6));
    CHECK(result["discriminator_loss"] == Approx(d_loss.item()).epsilon(1e-12));
    CHECK(result["real_score"] == Approx(gan::mean(gan::sigmoid(real_logits)).item()).epsilon(1e-12));
    CHECK(result["fake_score"] == Approx(gan::mean(gan::sigmoid(fake_logits)).item()).epsilon(1e-12));
    CHECK(result.step == static_cast<Index>(step) + 1);
    CHECK(result["discriminator_gradient"] ==
          Approx(descend(hand.discriminator.parameters(), d_loss, 0.2)).epsilon(1e-12));
    const auto g_loss = generator_loss(hand.discriminator(fake));
    CHECK(result["generator_loss"] == Approx(g_loss.item()).epsilon(1e-12));
    CHECK(result["generator_gradient"] == Approx(descend(hand.generator.parameters(), g_loss, 0.3)).epsilon(1e-12));

    CHECK(distance(pair.generator.state(), hand.generator.state()) < 1e-12);
    CHECK(distance(pair.discriminator.state(), hand.discriminator.state()) < 1e-12);
  }
}

}  // namespace

TEST_CASE("a step is the two updates of the paper") {
  compare_with_steps_by_hand<gan::NonSaturating>(1,
                                                 [](const auto& s) { return gan::mean(gan::softplus(gan::neg(s))); });
  compare_with_steps_by_hand<gan::Minimax>(1, [](const auto& s) { return gan::neg(gan::mean(gan::softplus(s))); });
}

TEST_CASE("label smoothing touches the real side of the discriminator's loss only") {
  compare_with_steps_by_hand<gan::NonSaturating>(0.8,
                                                 [](const auto& s) { return gan::mean(gan::softplus(gan::neg(s))); });
}

TEST_CASE("each update changes one network and takes gradients of that one alone") {
  SmallPair<double> pair(1);
  Trainer trainer(pair.generator, pair.discriminator, sgd({.generator_steps = 2}));
  const auto g = pair.generator.parameters(), d = pair.discriminator.parameters();
  d[0].tensor.node_pointer()->requires_grad = false;  // frozen by its owner
  const auto g_before = copies(g), d_before = copies(d);
  std::string order, d_after;
  trainer.add_gradient_hook([&](const gan::GradientEvent<double>& event) {
    order += event.player[0];
    CHECK(event.step == 1);
    if (event.player == "discriminator") {
      CHECK(bits(g) == bits(g_before));
      CHECK(bits(d) == bits(d_before));
      CHECK_FALSE(any_gradient(g));
      for (const auto& [name, parameter] : event.parameters)
        CHECK(parameter.grad().defined() == (name != "discriminator." + d[0].name));
    } else {
      if (order == "dg") CHECK(bits(g) == bits(g_before));
      if (d_after.empty()) d_after = bits(d);
      CHECK(bits(d) == d_after);
      CHECK_FALSE(any_gradient(d));
      CHECK(all_require_gradients(d, false));
      for (const auto& p : event.parameters) CHECK(p.tensor.grad().defined());
    }
  });
  trainer.step(real_batch<double>(4));
  CHECK(order == "dgg");
  CHECK(d_after != bits(d_before));
  CHECK(bits(d) == d_after);
  CHECK(bits(g) != bits(g_before));
  CHECK_FALSE((any_gradient(g) || any_gradient(d)));
  CHECK_FALSE(d[0].tensor.requires_grad());
  CHECK(all_require_gradients({d.begin() + 1, d.end()}, true));
}

TEST_CASE("each discriminator step gets a real batch and fakes of its own") {
  SmallPair<double> pair(1);
  Spy spy(pair.rng, 2);
  Trainer trainer(pair.generator, spy, sgd({.discriminator_steps = 3, .joint_pass = false}));
  std::uint64_t calls = 0;
  const auto result = trainer.step([&] { return real_batch<double>(4, calls++); });
  CHECK(calls == 3);
  REQUIRE(spy.seen.size() == 7);  // three times real and fake, and the generator's
  for (std::uint64_t i = 0; i < 3; ++i) CHECK(bits(spy.seen[2 * i]) == bits(real_batch<double>(4, i)));
  CHECK(bits(spy.seen[1]) != bits(spy.seen[3]));
  CHECK(bits(spy.seen[3]) != bits(spy.seen[5]));
  CHECK(bits(spy.seen[5]) == bits(spy.seen[6]));  // the last fakes train the generator
  CHECK((result["real_score"] > 0 && result["real_score"] < 1));
  REQUIRE_THROWS_WITH(trainer.step(real_batch<double>(4)), ContainsSubstring("one real batch for 3"));
}

TEST_CASE("a joint pass changes nothing but the number of passes") {
  for (const bool needs_real : {false, true}) {
    const auto run = [&](auto objective, bool joint) {
      SmallPair<double> pair(1);
      Trainer trainer(pair.generator, pair.discriminator,
                      sgd({.objective = objective, .discriminator_steps = 2, .joint_pass = joint}));
      double sum = 0;
      for (int i = 0; i < 5; ++i) {
        const auto result = trainer.step([&] { return real_batch<double>(6); });
        sum += result["discriminator_loss"] + 3 * result["generator_loss"];
      }
      return std::pair(sum, copies(trainer.training_state()));
    };
    const auto both = [&](bool joint) {
      return needs_real ? run(gan::RelativisticPairing{}, joint) : run(gan::NonSaturating{}, joint);
    };
    const auto joint = both(true), separate = both(false);
    CHECK(joint.first == Approx(separate.first).epsilon(1e-13));
    CHECK(distance(joint.second, separate.second) < 1e-13);
  }
}

TEST_CASE("a discriminator that mixes its batch never sees real and fake samples together") {
  for (const bool mixes : {false, true}) {
    SmallPair<double> pair(1);
    Spy spy(pair.rng, 2, mixes);
    Trainer trainer(pair.generator, spy, sgd());
    trainer.step(real_batch<double>(4));
    spy.seen.clear();  // the first step looks at both ways
    trainer.step(real_batch<double>(4));
    REQUIRE(spy.seen.size() == (mixes ? 3u : 2u));
    CHECK(spy.seen[0].shape() == Shape{mixes ? 4 : 8, 2});
    CHECK(bits(spy.seen[0]).starts_with(bits(real_batch<double>(4))));
  }
  SmallPair<double> pair(1, {.discriminator_batch_norm = true});
  CHECK(pair.discriminator.mixes_batch());
}

TEST_CASE("each network has its own rate and schedule") {
  SmallPair<double> pair(1);
  Trainer trainer(pair.generator, pair.discriminator,
                  sgd({.generator_schedule = gan::schedule::step(2, 0.5),
                       .discriminator_schedule = gan::schedule::linear_warmup(4)},
                      0.1, 0.4));
  std::vector<double> g, d;
  for (int i = 0; i < 5; ++i) {
    trainer.step(real_batch<double>(4));
    g.push_back(trainer.generator_optimizer().learning_rate());
    d.push_back(trainer.discriminator_optimizer().learning_rate());
  }
  for (std::size_t i = 0; i < 5; ++i) {
    CHECK(g[i] == Approx(0.1 * std::pow(0.5, static_cast<double>(i / 2))));
    CHECK(d[i] == Approx(0.4 * std::min(1.0, 0.25 * static_cast<double>(i + 1))));
  }
}

TEST_CASE("gradients are clipped to their global norm after the hooks") {
  for (const double factor : {1.0, 1e3, 1e-6}) {
    SmallPair<double> pair(1);
    Trainer trainer(pair.generator, pair.discriminator, sgd({.clip_gradient_norm = 0.01}, 1, 1));
    double norms[2];
    trainer.add_gradient_hook([&](const gan::GradientEvent<double>& event) {
      for (const auto& p : event.parameters) p.tensor.grad().mutable_values() *= factor;
      norms[event.player[0] == 'g'] =
          gan::clip_by_global_norm(event.parameters, std::numeric_limits<double>::infinity());
    });
    const auto g = copies(pair.generator.parameters()), d = copies(pair.discriminator.parameters());
    trainer.step(real_batch<double>(4));
    CHECK(norm_of_change(d, pair.discriminator.parameters()) == Approx(std::min(0.01, norms[0])));
    CHECK(norm_of_change(g, pair.generator.parameters()) == Approx(std::min(0.01, norms[1])));
    CHECK((factor < 1 ? norms[1] < 0.01 : norms[1] > 0.01));
  }
}

TEST_CASE("a gradient hook may change what the optimizer sees") {
  SmallPair<double> pair(1);
  Trainer trainer(pair.generator, pair.discriminator, sgd());
  trainer.add_gradient_hook([&](const gan::GradientEvent<double>& event) {
    if (event.player == "generator")
      for (const auto& p : event.parameters) p.tensor.grad().mutable_values().setZero();
  });
  const auto g = bits(pair.generator.state()), d = bits(pair.discriminator.state());
  trainer.step(real_batch<double>(4));
  CHECK(bits(pair.generator.state()) == g);
  CHECK(bits(pair.discriminator.state()) != d);
}

TEST_CASE("gradients left by others and scopes without history do not matter to a step") {
  const auto run = [](bool disturb) {
    SmallPair<double> pair(1);
    Trainer trainer(pair.generator, pair.discriminator, sgd({.generator_steps = 2}));
    if (disturb) {
      gan::backward(gan::mean(pair.discriminator(pair.generator(pair.generator.draw(pair.rng, 4)))));
      pair.generator.eval();
      int calls = 0;
      trainer.add_gradient_hook([calls](const auto&) mutable { gan::check(++calls > 1, "not now"); });
      const auto before = copies(trainer.training_state());
      const auto metadata = trainer.metadata();
      CHECK_THROWS_WITH(trainer.step(real_batch<double>(4)), "not now");
      trainer.load(before, metadata);
    }
    const gan::GradMode mode(!disturb);
    trainer.step(real_batch<double>(4));
    CHECK(gan::grad_enabled() == !disturb);
    return everything(trainer);
  };
  CHECK(run(true) == run(false));
}

TEST_CASE("a leaf that no optimizer owns is an error") {
  class Loose : public gan::Generator<double> {
   public:
    explicit Loose(gan::Rng& rng) : Generator(rng, {.latent = 3}) { scale_.set_requires_grad(); }
    Tensor<double> forward(const Tensor<double>& z) override { return dense_(z) * scale_; }

   private:
    gan::Dense<double> dense_{this, "dense", 3, 2};
    Tensor<double> scale_ = Tensor<double>::ones({2});
  };
  SmallPair<double> pair(1);
  Loose loose(pair.rng);
  gan::Trainer trainer(loose, pair.discriminator);
  REQUIRE_THROWS_WITH(trainer.step(real_batch<double>(4)), ContainsSubstring("[2]") &&
                                                               ContainsSubstring("player \"generator\"") &&
                                                               ContainsSubstring("belongs to no player"));

  class LateDiscriminator : public gan::Discriminator<double> {
   public:
    explicit LateDiscriminator(gan::Rng& rng) : Discriminator(rng) { net_.add<gan::Dense>("first", 2, 3); }
    Tensor<double> forward(const Tensor<double>& x) override { return net_(x); }
    void grow() { net_.add<gan::Dense>("second", 3, 1); }

   private:
    gan::Sequential<double> net_{this, "net"};
  };
  LateDiscriminator late(pair.rng);
  SmallPair<double> other(1);
  gan::Trainer another(other.generator, late);
  late.grow();
  REQUIRE_THROWS_WITH(another.step(real_batch<double>(4)),
                      ContainsSubstring("discriminator.net.second") && ContainsSubstring("player \"discriminator\""));
}

namespace {

struct InfiniteForGenerator : gan::NonSaturating {
  template <class T>
  Tensor<T> generator_loss(const Tensor<T>&, const Tensor<T>& fake) const {
    return gan::mean(fake) + std::numeric_limits<double>::infinity();
  }
};

}  // namespace

TEST_CASE("a loss that is not finite is found before its network changes") {
  SmallPair<double> pair(1);
  {
    Trainer trainer(pair.generator, pair.discriminator, sgd());
    trainer.step(real_batch<double>(4));
    const auto before = bits(trainer.training_state());
    auto bad = real_batch<double>(4);
    bad.mutable_data()[3] = std::numeric_limits<double>::quiet_NaN();
    try {
      trainer.step(bad);
      FAIL("no exception");
    } catch (const gan::NotFinite& error) {
      CHECK(error.what() == std::string("player \"discriminator\": its loss is nan at step 2"));
    }
    CHECK(bits(trainer.training_state()) == before);
    CHECK(trainer.steps() == 1);
    trainer.step(real_batch<double>(4));  // and goes on
    CHECK(trainer.steps() == 2);
  }
  Trainer second(pair.generator, pair.discriminator, sgd({.objective = InfiniteForGenerator()}));
  const auto g = bits(pair.generator.state());
  try {
    second.step(real_batch<double>(4));
    FAIL("no exception");
  } catch (const gan::NotFinite& error) {
    CHECK(error.what() == std::string("player \"generator\": its loss is inf at step 1"));
  }
  CHECK(bits(pair.generator.state()) == g);
  CHECK(second.steps() == 0);
}

TEST_CASE("packing shows the discriminator several samples at once, joined along the channels") {
  SmallPair<double> pair(1, {.item = {3, 2, 2}});
  Spy spy(pair.rng, 3 * 2 * 2 * 2);
  Trainer trainer(pair.generator, spy, sgd({.pack = 2, .joint_pass = false}));
  const auto real = real_batch<double>(6, 1, {3, 2, 2});
  trainer.step(real);
  REQUIRE(spy.seen.size() == 3);
  for (const auto& seen : spy.seen) REQUIRE(seen.shape() == Shape{3, 3, 2, 4});
  for (Index n = 0; n < 3; ++n)
    for (Index h = 0; h < 3; ++h)
      for (Index w = 0; w < 2; ++w)
        for (Index c = 0; c < 4; ++c) REQUIRE(spy.seen[0].at({n, h, w, c}) == real.at({2 * n + c / 2, h, w, c % 2}));
  REQUIRE_THROWS_WITH(trainer.step(real_batch<double>(5, 1, {3, 2, 2})), ContainsSubstring("packs of 2"));

  SmallPair<double> flat(1);
  Spy flat_spy(flat.rng, 6);
  Trainer flat_trainer(flat.generator, flat_spy, sgd({.pack = 3}));
  const auto points = real_batch<double>(6);
  flat_trainer.step(points);
  REQUIRE(flat_spy.seen[0].shape() == Shape{4, 6});
  CHECK(bits(flat_spy.seen[0]).starts_with(bits(points)));  // neighbors already lie one after the other
}

TEST_CASE("instance noise follows its schedule on real samples and fakes") {
  SmallPair<double> pair(1);
  Spy spy(pair.rng, 2);
  Trainer trainer(
      pair.generator, spy,
      sgd({.instance_noise = [](Index step) { return step < 2 ? 0.5 - 0.25 * static_cast<double>(step) : 0; },
           .joint_pass = false}));
  const auto real = real_batch<double>(2000);
  for (int i = 0; i < 3; ++i) trainer.step(real);
  REQUIRE(spy.seen.size() == 9);
  for (std::size_t step = 0; step < 3; ++step) {
    const double expected = 0.5 - 0.25 * static_cast<double>(step);
    const auto on_real = spy.seen[3 * step].values() - real.values();
    CHECK(std::sqrt(on_real.square().mean()) == Approx(expected).epsilon(0.05).margin(1e-15));
    // The generator's pass sees the same fakes under other noise.
    const auto on_fake = spy.seen[3 * step + 1].values() - spy.seen[3 * step + 2].values();
    CHECK(std::sqrt(on_fake.square().mean()) == Approx(expected * std::sqrt(2.0)).epsilon(0.05).margin(1e-15));
  }
}

TEST_CASE("each of several generator steps has fakes of its own and counts for the average") {
  SmallPair<double> pair(1);
  Spy spy(pair.rng, 2);
  Trainer trainer(pair.generator, spy,
                  sgd({.generator_steps = 3, .average = gan::MovingAverageOptions{}, .joint_pass = false}));
  trainer.step(real_batch<double>(4));
  REQUIRE(spy.seen.size() == 5);
  CHECK(bits(spy.seen[2]) != bits(spy.seen[3]));
  CHECK(bits(spy.seen[3]) != bits(spy.seen[4]));
  CHECK(trainer.metadata().at("generator_average_updates") == "3");
}

TEST_CASE("samples come from the moving average, in evaluation mode") {
  SmallPair<double> pair(1, {.batch_norm = true, .dropout = 0.3}), average(2, {.batch_norm = true, .dropout = 0.3});
  Trainer trainer(pair.generator, pair.discriminator,
                  sgd({.average = gan::MovingAverageOptions{.decay = 0.9}, .samples = 10}, 0.5));
  for (std::uint64_t i = 0; i < 5; ++i) trainer.step(real_batch<double>(8, i));
  const auto before = everything(trainer);
  const auto samples = trainer.samples();
  CHECK(samples.shape() == Shape{10, 2});
  CHECK_FALSE(samples.requires_grad());
  CHECK(bits(trainer.samples()) == bits(samples));
  CHECK(everything(trainer) == before);
  CHECK(pair.generator.training());

  const std::string prefix = "generator_average.generator.";
  gan::NamedTensors<double> state;
  Tensor<double> noise;
  for (const auto& [name, tensor] : trainer.training_state()) {
    if (name.starts_with(prefix)) state.push_back({name.substr(prefix.size()), tensor});
    if (name == "fixed_noise") noise = tensor;
  }
  average.generator.load_state(state);
  CHECK(bits(average.generator.sample(noise)) == bits(samples));
  CHECK(bits(pair.generator.sample(noise)) != bits(samples));
}

TEST_CASE("penalties are part of the discriminator's loss") {
  const gan::test::CollectWarnings silent;  // a critic without a bound
  SmallPair<double> pair(1), plain(1);
  SmallPair<double> bounded(1);
  Trainer trainer(pair.generator, pair.discriminator,
                  sgd({.objective = gan::Wasserstein(), .penalty = gan::R1{.gamma = 4, .every = 2}}));
  Trainer without(plain.generator, plain.discriminator, sgd({.objective = gan::Wasserstein()}));
  const auto real = real_batch<double>(6);
  const auto x = real.clone().set_requires_grad();
  const auto slopes = gan::grad(gan::sum(pair.discriminator(x)), x);
  const gan::StepResult result = trainer.step(real);
  CHECK(result["penalty"] == Approx(2 * 4 / 2.0 * slopes.values().square().sum() / 6));
  CHECK(result["discriminator_loss"] == Approx(without.step(real)["discriminator_loss"] + result["penalty"]));
  CHECK(trainer.step(real)["penalty"] == 0);
  CHECK(trainer.step(real)["penalty"] > 0);

  Trainer clipped(bounded.generator, bounded.discriminator,
                  sgd({.objective = gan::Wasserstein(), .penalty = gan::ClipWeights{.limit = 0.02}}));
  clipped.step(real);
  double largest = 0;
  for (const auto& p : bounded.discriminator.parameters())
    largest = std::max(largest, p.tensor.values().abs().maxCoeff());
  CHECK(largest == Approx(0.02));
}

TEST_CASE("options and batches that cannot be are errors") {
  SmallPair<double> pair(1);
  const auto make = [&](const Options& options) { Trainer(pair.generator, pair.discriminator, options); };
  CHECK_THROWS_WITH(make({.discriminator_steps = 0}), ContainsSubstring("0 discriminator steps"));
  CHECK_THROWS_WITH(make({.generator_steps = -1}), ContainsSubstring("-1 generator steps"));
  CHECK_THROWS_WITH(make({.pack = 0}), ContainsSubstring("packs of 0"));
  CHECK_THROWS_WITH(make({.samples = 0}), ContainsSubstring("0 samples"));
  CHECK_THROWS_WITH(make({.clip_gradient_norm = -2}), ContainsSubstring("-2"));
  CHECK_THROWS_WITH(make({.average = gan::MovingAverageOptions{.decay = 1}}), ContainsSubstring("decay 1"));
  Trainer trainer(pair.generator, pair.discriminator, sgd());
  CHECK_THROWS_WITH(trainer.step(real_batch<double>(4, 1, {3})),
                    ContainsSubstring("[4, 2]") && ContainsSubstring("[4, 3]"));
  CHECK_THROWS_AS(trainer.step(Tensor<double>::zeros({0, 2})), gan::Error);
}

TEST_CASE("the same seed gives the same bits") {
  const auto run = [](std::uint64_t seed) {
    SmallPair<float> pair(seed, {.batch_norm = true, .dropout = 0.2});
    gan::Trainer trainer(pair.generator, pair.discriminator,
                         {.objective = gan::NonSaturating{.real_label = 0.9, .flip = 0.1},
                          .penalty = gan::GradientPenalty(),
                          .average = gan::MovingAverageOptions{},
                          .seed = seed});
    for (std::uint64_t i = 0; i < 10; ++i) trainer.step(real_batch<float>(16, i));
    return everything(trainer) + bits(trainer.samples());
  };
  CHECK(run(3) == run(3));
  CHECK(run(3) != run(4));
}

TEST_CASE("thousands of steps take no more memory than the first few") {
  SmallPair<float> pair(1, {.batch_norm = true, .dropout = 0.2});
  SmallPair<float>::D packed(pair.rng, {.item = {4}, .hidden = {8}, .dropout = 0.2});
  gan::Trainer trainer(pair.generator, packed,
                       {.clip_gradient_norm = 1,
                        .instance_noise = gan::schedule::linear(100),
                        .pack = 2,
                        .average = gan::MovingAverageOptions{}});
  const auto real = real_batch<float>(8);
  for (int i = 0; i < 5; ++i) trainer.step(real);
  const auto warm = gan::BufferCache::instance().statistics();
  for (int i = 0; i < 5000; ++i) trainer.step(real);
  const auto end = gan::BufferCache::instance().statistics();
  CHECK(end.system_allocations == warm.system_allocations);
  CHECK(end.bytes_in_use == warm.bytes_in_use);
  CHECK(end.peak_bytes_in_use == warm.peak_bytes_in_use);
}
