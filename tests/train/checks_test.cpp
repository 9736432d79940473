#include "gan/train/checks.hpp"

#include <cmath>
#include <limits>

#include "gan/core/metadata.hpp"
#include "gan/loss/gradient_penalty.hpp"
#include "gan/loss/least_squares.hpp"
#include "gan/loss/r1_r2.hpp"
#include "gan/loss/relativistic.hpp"
#include "gan/loss/wasserstein.hpp"
#include "gan/ops/batch_norm.hpp"
#include "gan/train/callbacks/stop_when_not_finite.hpp"
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

const double no_number = std::numeric_limits<double>::quiet_NaN();

/// A dense layer behind which a function of its own stands.
class Custom : public gan::Discriminator<double> {
 public:
  using Function = std::function<Tensor<double>(Custom&, const Tensor<double>&)>;
  Custom(gan::Rng& rng, Function function, bool mixes = false, Index in = 2)
      : Discriminator(rng),
        hidden(this, "hidden", in, 4),
        score(this, "score", 4, 1),
        function_(std::move(function)),
        mixes_(mixes) {}
  Tensor<double> forward(const Tensor<double>& x) override { return score(function_(*this, hidden(x))); }
  bool mixes_batch() const override { return mixes_; }

  gan::Dense<double> hidden, score;

 private:
  Function function_;
  bool mixes_;
};

Tensor<double> own_batch_norm(Custom&, const Tensor<double>& h) {
  return (h - gan::mean(h, {0}, true)) / gan::sqrt(gan::variance(h, {0}, true) + 1e-5);
}

struct Started : gan::Callback<double> {
  explicit Started(bool& started) : flag(started) {}
  void on_start(gan::Run<double>&) override { flag = true; }
  bool& flag;
};

template <class F>
std::string message_of(F&& f) {
  try {
    f();
  } catch (const gan::Error& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("a gradient that is not finite is found before the optimizer steps") {
  SmallPair<double> pair(1, {.batch_norm = true});
  bool bad = false;
  // |h| as a root: its gradient at 0 is 0 / 0.
  Custom rooted(pair.rng,
                [&bad](Custom&, const Tensor<double>& h) { return bad ? h + gan::sqrt(gan::square(h * 0.0)) : h; });
  Trainer trainer(pair.generator, rooted, {.joint_pass = false});
  trainer.step(real_batch<double>(4));
  const auto before = bits(trainer.training_state());
  bad = true;
  CHECK(message_of([&] { trainer.step(real_batch<double>(4)); }) ==
        "player \"discriminator\": the gradient of \"discriminator.hidden.weight\" is not finite at step 2");
  CHECK((bits(trainer.training_state()) == before));
  bad = false;
  trainer.step(real_batch<double>(4));
  CHECK(trainer.steps() == 2);

  // A hook that ruins the gradients of the generator: the discriminator has made its step, the generator none.
  auto hook = trainer.add_gradient_hook([](const gan::GradientEvent<double>& event) {
    if (event.player == "generator")
      event.parameters[2].tensor.grad().mutable_data()[1] = -std::numeric_limits<double>::infinity();
  });
  const auto g = bits(pair.generator.state());
  CHECK_THAT(message_of([&] { trainer.step(real_batch<double>(4)); }),
             ContainsSubstring("gradient of \"generator.net.") && ContainsSubstring("at step 3"));
  CHECK((bits(pair.generator.state()) == g));
  hook.remove();
  trainer.step(real_batch<double>(4));
  CHECK(bits(pair.generator.state()) != g);
}

TEST_CASE("a bad batch leaves the running statistics of both networks as they were") {
  SmallPair<double> pair(1, {.batch_norm = true, .discriminator_batch_norm = true});
  Trainer trainer(pair.generator, pair.discriminator);
  trainer.step(real_batch<double>(4));
  const auto before = bits(trainer.training_state());
  auto bad = real_batch<double>(4);
  bad.mutable_data()[3] = no_number;
  CHECK_THAT(message_of([&] { trainer.step(bad); }),
             ContainsSubstring("player \"discriminator\": its loss is nan at step 2"));
  CHECK((bits(trainer.training_state()) == before));
}

TEST_CASE("hooks are removed by their handles") {
  SmallPair<double> pair(1);
  gan::HookHandle outlives;
  int first = 0, second = 0;
  {
    Trainer trainer(pair.generator, pair.discriminator);
    auto handle = trainer.add_gradient_hook([&](const auto&) { ++first; });
    outlives = trainer.add_gradient_hook([&](const auto&) {
      ++second;
      outlives.remove();  // from within
    });
    trainer.step(real_batch<double>(4));
    CHECK((first == 2 && second == 1));
    handle.remove();
    handle.remove();
    trainer.step(real_batch<double>(4));
    CHECK((first == 2 && second == 1));
  }
  CHECK_FALSE(outlives.active());
  outlives.remove();
  gan::HookHandle().remove();

  gan::GradientHooks<double> hooks;
  const std::string name = "generator";
  for (int i = 0; i < 1000; ++i) {
    hooks.add([](const auto&) {}).remove();
    hooks.call({name, 1, {}});
  }
  CHECK(hooks.size() <= 1);
}

TEST_CASE("real samples of another layout are refused, not scrambled") {
  const auto layout = [](const Shape& real, const Shape& samples) {
    const auto x = real_batch<double>(real.size()).view({2, real.size()});
    return gan::in_layout(
               Tensor<double>(real, std::span<const double>(x.data(), static_cast<std::size_t>(real.size()))), samples)
        .shape();
  };
  for (const auto& [real, samples] : {std::pair<Shape, Shape>{{4, 6}, {4, 3, 2, 1}},
                                      {{4, 3, 2, 1}, {4, 6}},
                                      {{4, 3, 2}, {4, 3, 2, 1}},
                                      {{4, 1, 6}, {4, 6, 1}},
                                      {{1, 3, 2}, {1, 3, 2, 1}},
                                      {{4, 3, 2}, {4, 3, 2}}})
    CHECK(layout(real, samples) == samples);
  for (const auto& [real, samples] : {std::pair<Shape, Shape>{{4, 3, 8, 8}, {4, 8, 8, 3}},
                                      {{4, 4, 8, 1}, {4, 8, 4, 1}},
                                      {{4, 6}, {2, 12}},
                                      {{4, 2, 3}, {2, 2, 6}},
                                      {{4, 6}, {4, 5}},
                                      {{1, 6}, {6, 1}}})
    CHECK_THAT(message_of([&real = real, &samples = samples, &layout] { layout(real, samples); }),
               ContainsSubstring("channels-last"));
  CHECK(message_of([&] {
          layout({4, 3, 8, 8}, {4, 8, 8, 3});
        }) ==
        "trainer: generated samples [4, 8, 8, 3] do not match real samples [4, 3, 8, 8], expected one shape, "
        "channels-last: [n, h, w, c]");
}

TEST_CASE("a discriminator that mixes its batch and does not say so is found at the first step") {
  SmallPair<double> pair(1, {.batch_norm = true});
  Custom mixing(pair.rng, own_batch_norm);
  {
    Trainer trainer(pair.generator, mixing);
    const auto before = bits(trainer.training_state());
    CHECK_THAT(message_of([&] { trainer.step(real_batch<double>(6)); }),
               ContainsSubstring("depend on the other samples") && ContainsSubstring("mixes_batch()") &&
                   ContainsSubstring("joint_pass = false"));
    CHECK((bits(trainer.training_state()) == before));
  }

  Custom says_so(pair.rng, own_batch_norm, true);
  Trainer(pair.generator, says_so).step(real_batch<double>(6));
  Trainer(pair.generator, mixing, {.joint_pass = false}).step(real_batch<double>(6));

  // With noise of its own in training mode it is judged in evaluation mode; with noise in both, not at all.
  const auto noise = [](Custom& d, const Tensor<double>& h) { return h + gan::normal<double>(d.rng(), h.shape()); };
  Custom noisy_mixing(pair.rng, [noise](Custom& d, const Tensor<double>& h) {
    return own_batch_norm(d, d.training() ? noise(d, h) : h);
  });
  CHECK_THAT(message_of([&] { Trainer(pair.generator, noisy_mixing).step(real_batch<double>(6)); }),
             ContainsSubstring("mixes_batch()"));
  Custom noisy(pair.rng, noise);
  Trainer(pair.generator, noisy).step(real_batch<double>(6));
}

TEST_CASE("looking for mixed batches changes no bit of a run") {
  class Normed : public gan::Discriminator<float> {
   public:
    explicit Normed(gan::Rng& rng) : Discriminator(rng) {
      net_.add<gan::Dense>("hidden", 2, 16, gan::DenseOptions{.spectral_norm = true});
      net_.add<gan::Dropout>("dropout", 0.5);
      net_.add<gan::Dense>("score", 16, 1);
    }
    Tensor<float> forward(const Tensor<float>& x) override { return net_(x); }

   private:
    gan::Sequential<float> net_{this, "net"};
  };
  const auto run = [](bool again) {
    SmallPair<float> pair(1, {.batch_norm = true, .dropout = 0.2});
    Normed normed(pair.rng);
    gan::Trainer trainer(pair.generator, normed);
    for (std::uint64_t i = 0; i < 4; ++i) {
      if (again) gan::check_joint_pass<float>(normed, real_batch<float>(5), real_batch<float>(7, 9), {});
      trainer.step(real_batch<float>(6, i));
    }
    return everything(trainer);
  };
  CHECK(run(false) == run(true));
}

TEST_CASE("what cannot be trained is refused before the first step") {
  const auto refusal = [](auto& trainer, gan::Loader<double>& loader, const gan::FitOptions& options = {}) {
    const auto before = everything(trainer);
    bool started = false;
    const auto message = message_of([&] { trainer.fit(loader, options, Started(started)); });
    CHECK_FALSE(started);
    CHECK(everything(trainer) == before);
    CHECK(loader.position() == 0);
    return message;
  };
  SmallPair<double> normed(1, {.batch_norm = true});
  Trainer trainer(normed.generator, normed.discriminator);
  gan::Loader<double> one_left(ring_data<double>(65), {.batch = 32, .drop_last = false});
  CHECK_THAT(refusal(trainer, one_left), ContainsSubstring("65 items in batches of 32, the last of 1") &&
                                             ContainsSubstring("drop_last = true") &&
                                             ContainsSubstring("one value a channel"));

  SmallPair<double> judge(1, {.discriminator_batch_norm = true});
  Trainer judged(judge.generator, judge.discriminator);
  CHECK_THAT(refusal(judged, one_left),
             ContainsSubstring("the last of 1") && ContainsSubstring("BatchNorm \"discriminator."));

  SmallPair<double> plain(1), unpacked(1);
  SmallPair<double>::D packed(plain.rng, {.item = {4}, .hidden = {8}});
  Trainer packing(unpacked.generator, packed, {.pack = 2});
  CHECK_THAT(refusal(packing, one_left), ContainsSubstring("the last of 1") && ContainsSubstring("packs of 2"));
  gan::Loader<double> odd(ring_data<double>(66), {.batch = 33});
  CHECK_THAT(refusal(packing, odd), ContainsSubstring("66 items in batches of 33") && ContainsSubstring("packs of 2"));

  SmallPair<double> another(1);
  SmallPair<double>::D wide(another.rng, {.item = {4}, .hidden = {8}});
  Trainer small(another.generator, wide);  // takes items of 4
  gan::Loader<double> even(ring_data<double>(64), {.batch = 32});
  CHECK_THAT(refusal(small, even), ContainsSubstring("[32, 2]") && ContainsSubstring("[4, 8]"));
  gan::Loader<double> other(gan::Dataset<double>::from({3}, std::vector<double>(300)), {.batch = 10});
  SmallPair<double> third(1);
  Trainer fine(third.generator, third.discriminator);
  CHECK_THAT(refusal(fine, other), ContainsSubstring("[10, 2]") && ContainsSubstring("[10, 3]"));
  gan::Loader<double> grows(ring_data<double>(64), {.batch = 32}, {[](gan::Rng&, Tensor<double>& batch) {
                              batch = gan::concatenate<double>({batch, batch}, 1);
                            }});
  CHECK_THAT(refusal(fine, grows), ContainsSubstring("[32, 2]") && ContainsSubstring("[32, 4]"));

  const auto with = [&](const Options& options, const gan::FitOptions& limits) {
    Trainer scheduled(plain.generator, plain.discriminator, options);
    return refusal(scheduled, even, limits);
  };
  const auto falls = [](Index step) { return 1 - 0.02 * static_cast<double>(step); };
  CHECK_THAT(with({.generator_schedule = falls}, {.epochs = 30}),
             ContainsSubstring("player \"generator\": schedule is -0.1") && ContainsSubstring("at step 60"));
  CHECK_THAT(with({.discriminator_schedule = falls}, {.steps = 100}), ContainsSubstring("at step 100"));
  CHECK_THAT(with({.instance_noise = [](Index) { return no_number; }}, {}), ContainsSubstring("instance_noise is nan"));
  Trainer(plain.generator, plain.discriminator, {.generator_schedule = falls}).fit(even, {.epochs = 2});
}

TEST_CASE("a run of no steps says why") {
  SmallPair<double> pair(1), second(2);
  gan::Loader<double> loader(ring_data<double>(64), {.batch = 32});
  CHECK(Trainer(pair.generator, pair.discriminator).fit(loader, {.epochs = 2}).reason.empty());
  const auto result = Trainer(second.generator, second.discriminator).fit(loader, {.epochs = 2});
  CHECK(result.steps == 0);
  CHECK_THAT(result.reason, ContainsSubstring("0 steps: the source has completed 2 epochs"));
}

TEST_CASE("schedules and options that are no numbers are errors") {
  SmallPair<double> pair(1);
  const auto step = [&](const Options& options) {
    Trainer trainer(pair.generator, pair.discriminator, options);
    return message_of([&] { trainer.step(real_batch<double>(4)); });
  };
  CHECK(step({.instance_noise = [](Index) { return -1.0; }}) ==
        "trainer: instance_noise is -1 at step 1, expected a finite number, 0 or more");
  CHECK_THAT(step({.instance_noise = [](Index) { return no_number; }}), ContainsSubstring("instance_noise is nan"));
  CHECK_THAT(step({.generator_schedule = [](Index) { return no_number; }}),
             ContainsSubstring("player \"generator\": schedule is nan"));
  CHECK_THAT(step({.discriminator_schedule = [](Index) { return -2.0; }}),
             ContainsSubstring("player \"discriminator\": schedule is -2 at step 1"));
  CHECK_THAT(message_of([&] { step({.clip_gradient_norm = no_number}); }), ContainsSubstring("limit nan"));
  CHECK_THAT(message_of([&] { step({.generator_optimizer = gan::AdamOptions{.learning_rate = no_number}}); }),
             ContainsSubstring("nan"));
  CHECK_THAT(message_of([&] { step({.average = gan::MovingAverageOptions{.decay = no_number}}); }),
             ContainsSubstring("nan"));
}

TEST_CASE("scores are counted without the joint pass, too") {
  class One : public gan::Discriminator<double> {
   public:
    explicit One(gan::Rng& rng) : Discriminator(rng) {}
    Tensor<double> forward(const Tensor<double>& x) override { return gan::mean(dense_(x), {0}); }

   private:
    gan::Dense<double> dense_{this, "dense", 2, 1};
  };
  SmallPair<double> pair(1);
  One one(pair.rng);
  Trainer trainer(pair.generator, one, {.joint_pass = false});
  CHECK(message_of([&] { trainer.step(real_batch<double>(4)); }) ==
        "trainer: discriminator gives [1] for 4 samples, expected [4, 1]: 1 score and 0 further outputs "
        "(DiscriminatorOptions::extra)");
}

TEST_CASE("what can hardly be meant is told once") {
  const auto warnings = [](const D::Options& discriminator, const G::Options& generator, auto objective, auto penalty,
                           const Tensor<double>& real) {
    const gan::test::CollectWarnings collected;
    gan::Rng rng(1);
    G g(rng, generator);
    D d(rng, discriminator);
    Trainer trainer(g, d, {.objective = objective, .penalty = penalty});
    for (int i = 0; i < 2; ++i) trainer.step(real);
    std::string all;
    for (const auto& text : collected.texts())
      if (text.starts_with("trainer")) all += text + "\n";
    return all;
  };
  const D::Options d{.item = {2}, .hidden = {8}};
  const G::Options g{.item = {2}, .hidden = {8}};
  auto sigmoid = d, normed = d, spectral = d;
  sigmoid.output_activation = gan::activation::sigmoid();
  normed.batch_norm = true;
  spectral.spectral_norm = true;
  const auto real = real_batch<double>(16);
  const gan::NoPenalty none;

  CHECK(warnings(d, g, gan::NonSaturating{}, gan::R1{}, real).empty());
  CHECK_THAT(warnings(sigmoid, g, gan::NonSaturating{}, none, real),
             ContainsSubstring("ends in a sigmoid") && ContainsSubstring("takes logits"));
  CHECK(warnings(sigmoid, g, gan::LeastSquares{}, none, real).empty());

  CHECK_THAT(warnings(d, g, gan::Wasserstein{}, none, real), ContainsSubstring("nothing bounds the slope"));
  CHECK(warnings(spectral, g, gan::Wasserstein{}, none, real).empty());
  CHECK(warnings(d, g, gan::Wasserstein{}, gan::ClipWeights{}, real).empty());
  CHECK(warnings(d, g, gan::Wasserstein{}, gan::combine(none, gan::GradientPenalty{}), real).empty());

  CHECK_THAT(warnings(normed, g, gan::NonSaturating{}, gan::R1{}, real),
             ContainsSubstring("\"r1 gamma=10 every=1\"") && ContainsSubstring("batch norm"));
  CHECK(warnings(normed, g, gan::NonSaturating{}, none, real).empty());

  auto bytes = real_batch<double>(16), positive = bytes.clone();
  bytes.mutable_values() = (bytes.values().abs() * 100).min(255.0);
  positive.mutable_values() = positive.values().abs().min(1.0);
  positive.mutable_data()[0] = 0;
  auto probability = g;
  probability.output_activation = gan::activation::sigmoid();
  CHECK_THAT(warnings(d, g, gan::NonSaturating{}, none, bytes), ContainsSubstring("tanh, which gives [-1, 1]"));
  CHECK_THAT(warnings(d, g, gan::NonSaturating{}, none, positive),
             ContainsSubstring("in [0, ") && ContainsSubstring("minus_one_to_one"));
  CHECK(warnings(d, probability, gan::NonSaturating{}, none, positive).empty());
  CHECK_THAT(warnings(d, probability, gan::NonSaturating{}, none, real), ContainsSubstring("zero_to_one"));
  auto free = g;
  free.output_activation = gan::activation::identity();
  CHECK(warnings(d, free, gan::NonSaturating{}, none, bytes).empty());
}

TEST_CASE("real samples draw their noise before generated ones") {
  // The generator's loss sees both: with the order of arguments left to the compiler, bits would be its choice.
  SmallPair<double> pair(1);
  std::vector<Tensor<double>> seen;
  class Spy : public gan::Discriminator<double> {
   public:
    Spy(gan::Rng& root, std::vector<Tensor<double>>& list) : Discriminator(root), seen_(list) {}
    Tensor<double> forward(const Tensor<double>& x) override {
      seen_.push_back(x.detach().clone());
      return dense_(x);
    }

   private:
    std::vector<Tensor<double>>& seen_;
    gan::Dense<double> dense_{this, "dense", 2, 1};
  };
  Spy spy(pair.rng, seen);
  Trainer trainer(
      pair.generator, spy,
      {.objective = gan::RelativisticPairing(), .instance_noise = gan::schedule::constant(), .joint_pass = false});
  const auto metadata = trainer.metadata();
  gan::Rng rng(gan::MetadataReader("trainer", metadata).rng("rng"));
  const auto real = real_batch<double>(4);
  trainer.step(real);
  REQUIRE(seen.size() == 4);
  pair.generator.draw(rng, 4);
  for (int i = 0; i < 2; ++i) {
    gan::normal<double>(rng, real.shape());  // of the discriminator's update
  }
  const auto noise = gan::normal<double>(rng, real.shape());
  CHECK(bits(seen[2]) == bits(real + noise));
}
