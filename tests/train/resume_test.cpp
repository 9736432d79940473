#include <limits>

#include "gan/loss/any_objective.hpp"
#include "gan/loss/any_penalty.hpp"
#include "gan/loss/gradient_penalty.hpp"
#include "gan/train/callbacks/sample_grid.hpp"
#include "gan/train/checkpoint.hpp"
#include "support/catch.hpp"
#include "support/networks.hpp"
#include "support/temporary_folder.hpp"
#include "support/warnings.hpp"

namespace {

using gan::Index;
using gan::Shape;
using gan::Tensor;
using D = gan::MlpDiscriminator<float>;
const Shape image{2, 2, 1};

/// Draws in evaluation mode, too.
class Noisy : public gan::Generator<float> {
 public:
  explicit Noisy(gan::Rng& rng) : Generator(rng, {.latent = 3}) {}
  Tensor<float> forward(const Tensor<float>& z) override {
    const auto x = norm_(dense_(z));
    return gan::reshape(gan::tanh(x + gan::normal<float>(rng(), x.shape(), 0, 0.3)), image.inserted(0, z.shape()[0]));
  }

 private:
  gan::Dense<float> dense_{this, "dense", 3, 4};
  gan::BatchNorm<float> norm_{this, "norm", 4};
};

gan::Dataset<float> images(Index n, std::uint64_t seed = 1) {
  std::vector<float> values(static_cast<std::size_t>(4 * n));
  gan::Rng rng(seed);
  rng.uniform<float>(values, -1, 1);
  return gan::Dataset<float>::from(image, std::move(values));
}

/// A run of a noisy generator, with all that its options say.
struct Setup {
  gan::LoaderOptions loader{.batch = 4, .seed = 3};
  gan::AdamOptions generator{}, discriminator{};
  gan::TrainerOptions<float> trainer{.samples = 4};
  gan::Dataset<float> data = images(20);
  std::vector<gan::Augmentation<float>> augmentations{};
  bool normed = false;
};

struct Session {
  explicit Session(const Setup& setup = {})
      : rng(1),
        generator(rng),
        discriminator(rng, {.item = image, .hidden = {8}, .batch_norm = setup.normed}),
        loader(setup.data, setup.loader, setup.augmentations),
        trainer(generator, discriminator, with_rates(setup)) {}

  static gan::TrainerOptions<float> with_rates(const Setup& setup) {
    auto options = setup.trainer;
    options.generator_optimizer = setup.generator;
    options.discriminator_optimizer = setup.discriminator;
    return options;
  }
  std::string all() {
    std::string text = everything(trainer);
    for (const auto& [name, value] : loader.state()) text += " " + name + "=" + value;
    return text;
  }

  gan::Rng rng;
  Noisy generator;
  D discriminator;
  gan::Loader<float> loader;
  gan::Trainer<float> trainer;
};

/// Halves a rate by hand every 3 steps.
struct Halve : gan::Callback<float> {
  void on_step(gan::Run<float>& run) override {
    auto& optimizer = run.game.player("generator").optimizer();
    if (run.game.steps() % 3 == 0) optimizer.set_learning_rate(optimizer.learning_rate() / 1.9);
  }
};

/// One of one's own, which does not describe itself.
struct Mine {
  static constexpr bool generator_needs_real = false;
  gan::DiscriminatorLoss<float> discriminator_loss(const Tensor<float>& real, const Tensor<float>& fake) const {
    return {-gan::mean(real), gan::mean(fake)};
  }
  Tensor<float> generator_loss(const Tensor<float>&, const Tensor<float>& fake) const { return gan::mean(fake); }
};

/// What taking that file up says; checks that an error changes nothing.
std::string resumed(const std::filesystem::path& path, Session& session, const gan::ResumeOptions& resume = {}) {
  const auto before = session.all();
  try {
    gan::load_checkpoint(path, session.trainer, &session.loader, resume);
  } catch (const gan::Error& error) {
    CHECK(session.all() == before);
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a resumed run is the uninterrupted one: pictures, a rate set by hand, noise in evaluation") {
  const TemporaryFolder folder;
  const auto run = [&](Session& session, Index steps, bool grids) {
    if (grids)
      session.trainer.fit(session.loader, {.steps = steps}, Halve(),
                          gan::SampleGrid({.folder = folder / "pictures", .every = 2}));
    else
      session.trainer.fit(session.loader, {.steps = steps}, Halve());
  };
  for (const bool averaged : {false, true}) {
    Setup setup;
    if (averaged) setup.trainer.average = gan::MovingAverageOptions{};
    Session straight(setup), plain(setup), before(setup), after(setup);
    run(straight, 14, true);
    run(plain, 14, false);
    CHECK(straight.all() == plain.all());  // looking at samples changes nothing
    run(before, 7, true);
    gan::save_checkpoint(folder / "c", before.trainer, &before.loader);
    REQUIRE(resumed(folder / "c", after) == "");
    CHECK(after.trainer.generator_optimizer().learning_rate() == before.trainer.generator_optimizer().learning_rate());
    const auto samples = bits(after.trainer.samples());
    CHECK(samples == bits(before.trainer.samples()));
    CHECK(samples == bits(after.trainer.samples()));
    run(after, 14, true);
    CHECK(after.all() == straight.all());
  }
}

TEST_CASE("a run goes on with the options it had, or says which differ") {
  const TemporaryFolder folder;
  const auto path = folder / "c";
  Session original;
  original.trainer.fit(original.loader, {.steps = 3});
  gan::save_checkpoint(path, original.trainer, &original.loader);

  struct Case {
    const char* option;
    const char* change;
    const char* values;  // "saved", here "given"
    std::function<void(Setup&)> difference;
  };
  using S = Setup;
  const Case cases[] = {
      {"objective", "objective", "\"non-saturating real_label=1 flip=0\", here \"hinge\"",
       [](S& s) { s.trainer.objective = gan::objective_named<float>("hinge"); }},
      {"objective", "objective", "here \"non-saturating real_label=0.9 flip=0\"",
       [](S& s) { s.trainer.objective = gan::objective_named<float>("non-saturating", 0.9); }},
      {"penalty", "penalty", "\"none\", here \"r1 gamma=0.5 every=1\"",
       [](S& s) { s.trainer.penalty = gan::penalty_named<float>("r1:0.5"); }},
      {"generator_rate", "rate", "\"0.0002\", here \"0.0003\"", [](S& s) { s.generator.learning_rate = 0.0003; }},
      {"discriminator_rate", "discriminator_rate", "\"0.0002\", here \"0.1\"",
       [](S& s) { s.discriminator.learning_rate = 0.1; }},
      {"generator_optimizer", "optimizer", "beta1=0.5", [](S& s) { s.generator.beta1 = 0; }},
      {"generator_schedule", "schedule", "\"none\", here \"custom\"",
       [](S& s) { s.trainer.generator_schedule = gan::schedule::constant(); }},
      {"instance_noise", "instance_noise", "\"none\", here \"custom\"",
       [](S& s) { s.trainer.instance_noise = gan::schedule::constant(); }},
      {"discriminator_steps", "steps", "\"1\", here \"2\"", [](S& s) { s.trainer.discriminator_steps = 2; }},
      {"generator_steps", "generator_steps", "\"1\", here \"2\"", [](S& s) { s.trainer.generator_steps = 2; }},
      {"generator_clip", "clip", "\"0\", here \"1.5\"", [](S& s) { s.trainer.clip_gradient_norm = 1.5; }},
      {"joint_pass", "joint_pass", "\"yes\", here \"no\"", [](S& s) { s.trainer.joint_pass = false; }},
      {"source_batch", "batch", "\"4\", here \"5\"", [](S& s) { s.loader.batch = 5; }},
      {"source_shuffle", "shuffle", "\"yes\", here \"no\"", [](S& s) { s.loader.shuffle = false; }},
      {"source_drop_last", "drop_last", "\"yes\", here \"no\"", [](S& s) { s.loader.drop_last = false; }},
      {"source_data", "data", "here", [](S& s) { s.data = images(20, 2); }},
      {"source_augmentations", "augmentations", "\"0\", here \"1\"",
       [](S& s) { s.augmentations.push_back(gan::augment::flip_horizontal()); }},
  };
  for (const auto& c : cases) {
    CAPTURE(c.option, c.values);
    Setup setup;
    c.difference(setup);
    Session session(setup);
    CHECK_THAT(resumed(path, session), ContainsSubstring(path.string()) &&
                                           ContainsSubstring("\"" + std::string(c.option) + "\" is ") &&
                                           ContainsSubstring(c.values) && ContainsSubstring("ResumeOptions::change"));
    CHECK(resumed(path, session, {.change = {c.change}}) == "");
    CHECK(session.trainer.steps() == 3);
  }

  // A set of other items.
  Setup more;
  more.data = images(24);
  Session session(more);
  CHECK_THAT(resumed(path, session, {.change = {"data"}}),
             ContainsSubstring("\"source_items\" is \"20\", here \"24\""));
  CHECK(resumed(path, session, {.change = {"data", "items"}}) == "");
  CHECK(session.loader.state() ==
        std::map<std::string, std::string>{
            {"seed", "3"}, {"epoch", "0"}, {"position", "0"}});  // the epoch under way begins again

  CHECK_THAT(resumed(path, session, {.change = {"rat"}}), ContainsSubstring("no option is named \"rat\"") &&
                                                              ContainsSubstring("generator_rate") &&
                                                              ContainsSubstring("source_batch"));
  Session same;
  CHECK(resumed(path, same) == "");
}

TEST_CASE("an accepted rate counts from now on, and any other stays as it was") {
  const TemporaryFolder folder;
  Session original;
  original.trainer.fit(original.loader, {.steps = 3}, Halve());
  const double by_hand = original.trainer.generator_optimizer().learning_rate();
  gan::save_checkpoint(folder / "c", original.trainer, &original.loader);
  Setup setup;
  setup.discriminator.learning_rate = 0.5;
  Session session(setup);
  REQUIRE(resumed(folder / "c", session, {.change = {"rate"}}) == "");
  CHECK(session.trainer.discriminator_optimizer().learning_rate() == 0.5);
  CHECK(session.trainer.generator_optimizer().learning_rate() == by_hand);
}

TEST_CASE("numbers that are not finite and counters that run over are refused") {
  const TemporaryFolder folder;
  Setup setup;
  setup.trainer.average = gan::MovingAverageOptions{};
  Session session(setup);
  gan::save_checkpoint(folder / "c", session.trainer, &session.loader);
  const auto file = gan::load_safetensors<float>(folder / "c");
  for (const auto& [name, tensor] : file.tensors) {
    if (tensor.size() == 0) continue;
    auto tensors = copies(file.tensors);
    for (auto& [other, values] : tensors)
      if (other == name) values.mutable_data()[values.size() - 1] = std::numeric_limits<float>::quiet_NaN();
    gan::save_safetensors(folder / "c", tensors, file.metadata, {.checksum = true});
    CHECK_THAT(resumed(folder / "c", session), ContainsSubstring("\"" + name + "\" holds numbers that are not finite"));
  }
  for (const char* key : {"step", "generator_optimizer_steps", "generator_average_updates", "source_state_epoch"}) {
    auto metadata = file.metadata;
    metadata[key] = "9223372036854775807";
    gan::save_safetensors(folder / "c", file.tensors, metadata, {.checksum = true});
    CHECK_THAT(resumed(folder / "c", session),
               ContainsSubstring((folder / "c").string()) && ContainsSubstring("2^62") &&
                   ContainsSubstring(std::string(key).starts_with("source") ? "epoch" : key));
  }
  auto metadata = file.metadata;
  metadata["generator_rate_bits"] = gan::rate_bits(std::numeric_limits<double>::infinity());
  gan::save_safetensors(folder / "c", file.tensors, metadata, {.checksum = true});
  CHECK_THAT(resumed(folder / "c", session), ContainsSubstring("generator_rate_bits"));
}

TEST_CASE("a generator loaded with other layers or latents is told of") {
  const TemporaryFolder folder;
  const auto make = [](gan::Rng& rng, gan::LatentDistribution distribution, double slope_or_relu) {
    gan::MlpGenerator<float>::Options options{.latent = 3, .distribution = std::move(distribution), .hidden = {4}};
    if (slope_or_relu == 0) options.activation = gan::activation::relu();
    options.item = {2};
    return std::make_unique<gan::MlpGenerator<float>>(rng, options);
  };
  gan::Rng rng(1);
  const auto trained = make(rng, gan::latent::uniform(), 1);
  D discriminator(rng, {.item = {2}, .hidden = {4}});
  gan::Trainer trainer(*trained, discriminator);
  gan::save_checkpoint(folder / "c", trainer);
  const auto told = [&](auto&& distribution, double relu) {
    const gan::test::CollectWarnings warnings;
    gan::load_generator(folder / "c", *make(rng, distribution, relu));
    return warnings.texts().empty() ? std::string() : warnings.texts().front();
  };
  CHECK(told(gan::latent::uniform(), 1).empty());
  CHECK_THAT(told(gan::latent::normal(), 1), ContainsSubstring("\"uniform\" in training, here \"normal\""));
  CHECK(told(gan::latent::truncated_normal(0.5), 1).empty());
  CHECK_THAT(told(gan::latent::uniform(), 0), ContainsSubstring("LeakyReLU") && ContainsSubstring(" ReLU"));
}

TEST_CASE("a run that goes on with another engine or precision is told of") {
  TemporaryFolder folder;
  Session session;
  {
    const gan::MatmulPrecision scope(gan::Precision::medium);
    gan::save_checkpoint(folder / "c", session.trainer, &session.loader);
    const gan::test::CollectWarnings warnings;
    CHECK(resumed(folder / "c", session).empty());
    CHECK(warnings.texts().empty());
  }
  const gan::test::CollectWarnings warnings;
  CHECK(resumed(folder / "c", session).empty());
  CHECK(warnings.count("\"matmul_precision\" was \"medium\", here \"highest\"") == 1);
  CHECK(warnings.count("\"engine\"") == 0);
  auto file = gan::load_safetensors<float>(folder / "c");
  file.metadata["engine"] = "another";
  gan::save_safetensors(folder / "d", file.tensors, file.metadata, {.checksum = true});
  CHECK(resumed(folder / "d", session).empty());
  CHECK(warnings.count("\"engine\" was \"another\", here \"" + gan::engine() + "\"") == 1);
}

TEST_CASE("objectives and penalties call themselves what programs call them") {
  const auto names = [](std::string_view list) {
    std::vector<std::string> all;
    for (std::size_t begin = 0, end = 0; end != std::string_view::npos; begin = end + 2) {
      end = list.find(", ", begin);
      all.emplace_back(list.substr(begin, end == std::string_view::npos ? end : end - begin));
    }
    return all;
  };
  for (const auto& name : names(gan::objective_names)) {
    CAPTURE(name);
    CHECK((gan::objective_named<float>(name).describe() + " ").starts_with(name + " "));
    CHECK(gan::objective_named<float>(name).takes_logits == (name != "least-squares"));
    CHECK(gan::objective_named<float>(name).needs_bounded_slope == (name == "wasserstein"));
  }
  for (const auto& name : names(gan::penalty_names)) {
    CAPTURE(name);
    const auto penalty = gan::penalty_named<float>(name);
    const bool lazy = name.starts_with("lazy-"), one_sided = name.starts_with("one-sided-");
    CHECK((penalty.describe() + " ").starts_with(name.substr(lazy ? 5 : one_sided ? 10 : 0) + " "));
    CHECK(penalty.bounds_slope() == (name != "none"));
    CHECK(penalty.of_gradients() == (name != "none" && name != "clip"));
  }
  auto both = gan::penalty_named<float>("r1:0.5+clip");
  CHECK(both.describe() == "r1 gamma=0.5 every=1 + clip limit=0.01");
  CHECK(both.scale_by(gan::schedule::constant()).describe().ends_with(" by a schedule"));
  CHECK(gan::describe(gan::combine(gan::NoPenalty{}, gan::R2{})) == "r2 gamma=10 every=1");

  CHECK(gan::AnyObjective<float>(Mine{}).describe() == "custom");
}
