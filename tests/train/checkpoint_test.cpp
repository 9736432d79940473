#include "gan/train/checkpoint.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <limits>
#include <optional>

#include "gan/loss/gradient_penalty.hpp"
#include "gan/optim/rms_prop.hpp"
#include "gan/optim/sgd.hpp"
#include "gan/train/callbacks/checkpoint.hpp"
#include "gan/train/callbacks/every_steps.hpp"
#include "gan/train/callbacks/stop_when_not_finite.hpp"
#include "support/catch.hpp"
#include "support/networks.hpp"
#include "support/temporary_folder.hpp"
#include "support/warnings.hpp"

namespace {

using gan::Index;
using gan::Tensor;
using G = gan::MlpGenerator<float>;
using D = gan::MlpDiscriminator<float>;
const SmallPairOptions difficult = {.batch_norm = true, .dropout = 0.2};

/// Networks, loader and trainer with everything that has a state, as a program makes them anew after a restart.
struct Session {
  explicit Session(const gan::AnyOptimizer<float>& optimizer = {}, std::uint64_t seed = 1,
                   const SmallPairOptions& options = difficult)
      : pair(seed, options),
        loader(ring_data<float>(50), {.batch = 4, .seed = seed}),
        trainer(pair.generator, pair.discriminator,
                {.objective = gan::NonSaturating{.real_label = 0.9, .flip = 0.2},
                 .penalty = gan::GradientPenalty{},
                 .generator_optimizer = optimizer,
                 .discriminator_optimizer = optimizer,
                 .generator_schedule = gan::schedule::cosine(30),
                 .discriminator_steps = 2,
                 .instance_noise = gan::schedule::linear(30),
                 .average = gan::MovingAverageOptions{.decay = 0.9},
                 .samples = 5,
                 .seed = seed}) {}

  std::string train(int steps) {
    std::string losses;
    for (int i = 0; i < steps; ++i) {
      const auto r = trainer.step([&] { return loader.next().samples; });
      for (const auto& name : r.names()) losses += std::to_string(std::bit_cast<std::uint64_t>(r[name])) + " ";
    }
    return losses;
  }
  std::string all() {
    std::string text = everything(trainer) + bits(trainer.samples());
    for (const auto& [name, value] : loader.state()) text += " " + name + "=" + value;
    return text;
  }

  SmallPair<float> pair;
  gan::Loader<float> loader;
  gan::Trainer<float> trainer;
};

/// 20 steps straight, against 10, a checkpoint, new objects of another seed, and 10 more.
void check_resume(const gan::AnyOptimizer<float>& options) {
  const TemporaryFolder folder;
  Session straight(options);
  const auto first = straight.train(10), second = straight.train(10);
  {
    Session before(options);
    CHECK(before.train(10) == first);
    CHECK(before.loader.position() == 8);  // in the middle of the second epoch
    gan::save_checkpoint(folder / "c", before.trainer, &before.loader);
  }
  Session after(options, 99);
  gan::load_checkpoint(folder / "c", after.trainer, &after.loader);
  CHECK(after.trainer.steps() == 10);
  CHECK(after.train(10) == second);
  CHECK(after.all() == straight.all());
  CHECK(after.all() != Session(options).all());
}

/// What loading that file says; checks that it changes nothing.
std::string refusal(const std::filesystem::path& path, Session& session) {
  const auto before = session.all();
  std::string message = "no error";
  try {
    gan::load_checkpoint(path, session.trainer, &session.loader);
  } catch (const gan::Error& error) {
    message = error.what();
  }
  CHECK(session.all() == before);
  return message;
}

}  // namespace

TEST_CASE("a resumed run is the run that never stopped, bit for bit, with every optimizer") {
  check_resume(gan::AdamOptions{.learning_rate = 0.01, .weight_decay = 0.01});
  check_resume(gan::AdamWOptions{.learning_rate = 0.01});
  check_resume(gan::SgdOptions{.learning_rate = 0.005, .momentum = 0.9});
  check_resume(gan::RmsPropOptions{.learning_rate = 0.01, .momentum = 0.5, .centered = true});
}

TEST_CASE("loading what does not fit is an error that changes nothing") {
  const TemporaryFolder folder;
  const auto path = folder / "c.safetensors";
  Session session;
  session.train(3);

  Session wide({}, 1, {.hidden = 9, .batch_norm = true, .dropout = 0.2});
  gan::save_checkpoint(path, wide.trainer, &wide.loader);
  const auto other_shape = refusal(path, session);
  CHECK_THAT(other_shape, ContainsSubstring(path.string()) && ContainsSubstring("\"generator.net.dense1.weight\"") &&
                              ContainsSubstring("[3, 9]") && ContainsSubstring("[3, 8]"));

  Session plain({}, 1, {.dropout = 0.2});
  gan::save_checkpoint(path, plain.trainer, &plain.loader);
  CHECK_THAT(refusal(path, session), ContainsSubstring("\"generator.net.norm1.scale\" [8] is missing"));
  gan::save_checkpoint(path, session.trainer, &session.loader);
  CHECK_THAT(refusal(path, plain), ContainsSubstring("norm1") && ContainsSubstring("is not known"));

  Session sgd(gan::SgdOptions{.learning_rate = 0.1, .momentum = 0.5});
  gan::save_checkpoint(path, sgd.trainer, &sgd.loader);
  CHECK_THAT(refusal(path, session), ContainsSubstring("generator_optimizer.first."));

  gan::save_checkpoint(path, session.trainer);
  CHECK_THAT(refusal(path, session), ContainsSubstring("\"source_items\" is missing"));
  const gan::Loader<float> others(ring_data<float>(51), {.batch = 5});
  gan::save_checkpoint(path, session.trainer, &others);
  CHECK_THAT(refusal(path, session), ContainsSubstring("\"source_items\" is \"51\", here \"50\"") &&
                                         ContainsSubstring("\"source_batch\" is \"5\", here \"4\""));

  gan::save_checkpoint(path, session.trainer, &session.loader);
  const auto file = gan::load_safetensors<float>(path);
  for (const auto& [key, value] : file.metadata) {
    const std::string shown = key.starts_with("source_state_") ? key.substr(13) : key;
    if (key == "engine" || key == "matmul_precision") continue;  // another one is told, not refused
    auto metadata = file.metadata;
    metadata.erase(key);
    gan::save_safetensors(path, file.tensors, metadata, {.checksum = true});
    CHECK_THAT(refusal(path, session), ContainsSubstring(path.string()) && ContainsSubstring(shown));
    if (key == "format") continue;
    for (const char* wrong : {"", "x", "-1", "3x", "99999999999999999999", "1 2"}) {
      metadata[key] = wrong;
      gan::save_safetensors(path, file.tensors, metadata, {.checksum = true});
      CHECK_THAT(refusal(path, session), ContainsSubstring("\"" + shown + "\" is \"" + wrong + "\""));
    }
  }
  auto metadata = file.metadata;
  metadata["source_state_position"] = "13";
  gan::save_safetensors(path, file.tensors, metadata, {.checksum = true});
  CHECK_THAT(refusal(path, session), ContainsSubstring("after 13 batches"));

  gan::save_checkpoint(path, session.trainer, &session.loader);
  const std::string whole = contents(path);
  for (const std::size_t length :
       {std::size_t{0}, std::size_t{5}, std::size_t{300}, whole.size() / 2, whole.size() - 1}) {
    put(path, std::string_view(whole).substr(0, length));
    CHECK_THAT(refusal(path, session), ContainsSubstring(path.string()));
  }
  CHECK_THAT(refusal(folder / "none", session), ContainsSubstring("cannot open"));

  put(path, whole);
  session.train(1);
  const auto changed = session.all();
  gan::load_checkpoint(path, session.trainer, &session.loader);
  CHECK(session.all() != changed);
}

TEST_CASE("notes are kept beside the state and never replace it") {
  const TemporaryFolder folder;
  Session session;
  gan::save_checkpoint(folder / "c", session.trainer, &session.loader, {{"model", "mlp"}, {"step", "7"}});
  const auto metadata = gan::load_safetensors<float>(folder / "c").metadata;
  CHECK(metadata.at("model") == "mlp");
  CHECK(metadata.at("step") == "0");
}

TEST_CASE("a generator is loaded by its class alone") {
  const TemporaryFolder folder;
  for (const bool averaged : {true, false}) {
    SmallPair<float> pair(1, difficult), fresh(2, difficult);
    gan::Trainer trainer(pair.generator, pair.discriminator,
                         {.generator_optimizer = gan::AdamOptions{.learning_rate = 0.05},
                          .average = averaged ? std::optional(gan::MovingAverageOptions{}) : std::nullopt});
    for (std::uint64_t i = 0; i < 5; ++i) trainer.step(real_batch<float>(8, i));
    gan::save_checkpoint(folder / "c", trainer);
    gan::load_generator(folder / "c", fresh.generator);
    gan::Rng noise(3);
    const auto z = fresh.generator.draw(noise, 6);
    CHECK(bits(fresh.generator.sample(z)) == bits(trainer.sample(z)));
    CHECK((bits(fresh.generator.sample(z)) == bits(pair.generator.sample(z))) == !averaged);

    SmallPair<float> wide(2, {.hidden = 9, .batch_norm = true});
    const auto before = bits(wide.generator.state());
    REQUIRE_THROWS_WITH(gan::load_generator(folder / "c", wide.generator),
                        ContainsSubstring((folder / "c").string()) && ContainsSubstring("net.dense1.weight"));
    CHECK(bits(wide.generator.state()) == before);
  }
  gan::save_safetensors<float>(folder / "c", {{"discriminator.x", Tensor<float>::ones({2})}}, {}, {.checksum = true});
  SmallPair<float> pair(1);
  REQUIRE_THROWS_WITH(gan::load_generator(folder / "c", pair.generator), ContainsSubstring("holds no generator"));
}

TEST_CASE("the callback saves every few steps and at the end, and never what is not finite") {
  const TemporaryFolder folder;
  Session session;
  const auto saved_step = [&](const gan::Checkpoint<float>& c) {
    return gan::load_safetensors<float>(c.path()).metadata.at("step");
  };
  gan::Checkpoint checkpoint({.path = folder / "new" / "c", .every = 4});
  std::string steps;
  session.trainer.fit(session.loader, {.epochs = 0, .steps = 10}, checkpoint, gan::every_steps(1, [&](auto&) {
                        steps += std::filesystem::exists(checkpoint.path()) ? saved_step(checkpoint) : "-";
                      }));
  CHECK(steps == "----444488");
  CHECK(saved_step(checkpoint) == "10");
  const auto good = contents(checkpoint.path());

  const auto ruin = [&](Index at) {
    return gan::every_steps(1, [&session, at](auto& run) {
      if (run.game.steps() == at)
        session.pair.discriminator.parameters()[0].tensor.mutable_data()[0] = std::numeric_limits<float>::quiet_NaN();
    });
  };
  const auto ended =
      session.trainer.fit(session.loader, {.epochs = 0, .steps = 20}, ruin(11), checkpoint, gan::StopWhenNotFinite());
  CHECK(ended.stopped);
  CHECK_THAT(ended.reason, ContainsSubstring("player \"discriminator\": its loss is nan at step 12"));
  CHECK(contents(checkpoint.path()) == good);

  gan::load_checkpoint(checkpoint.path(), session.trainer, &session.loader);
  const auto at_save =
      session.trainer.fit(session.loader, {.epochs = 0, .steps = 20}, checkpoint, ruin(12), gan::StopWhenNotFinite());
  CHECK_THAT(at_save.reason, ContainsSubstring("not saved") && ContainsSubstring("discriminator.net.dense1.weight"));
  CHECK(at_save.steps == 2);
  CHECK(contents(checkpoint.path()) == good);

  gan::load_checkpoint(checkpoint.path(), session.trainer, &session.loader);
  CHECK_THROWS_AS(session.trainer.fit(session.loader, {.epochs = 0, .steps = 20}, ruin(11), checkpoint),
                  gan::NotFinite);
  CHECK(contents(checkpoint.path()) == good);
  CHECK(std::distance(std::filesystem::directory_iterator(checkpoint.path().parent_path()), {}) == 1);
}

TEST_CASE("a folder that cannot be written to is found before training") {
  const TemporaryFolder folder;
  put(folder / "file", "x");
  Session session;
  const auto before = session.all();
  CHECK_THROWS_WITH(session.trainer.fit(session.loader, {}, gan::Checkpoint({.path = folder / "file" / "c"})),
                    ContainsSubstring((folder / "file").string()));
  CHECK_THROWS_WITH(session.trainer.fit(session.loader, {}, gan::Checkpoint({.path = folder / "c", .every = -1})),
                    ContainsSubstring("every -1"));
  CHECK(session.all() == before);
}

TEST_CASE("a fresh run does not destroy an earlier one unasked") {
  const TemporaryFolder folder;
  gan::Checkpoint checkpoint({.path = folder / "c"});
  Session first;
  first.trainer.fit(first.loader, {.steps = 3}, checkpoint);
  const auto earlier = contents(checkpoint.path());

  Session fresh({}, 2);
  const auto before = fresh.all();
  CHECK_THROWS_WITH(fresh.trainer.fit(fresh.loader, {.steps = 2}, checkpoint),
                    ContainsSubstring(checkpoint.path().string() + ": holds an earlier run") &&
                        ContainsSubstring("load_checkpoint") && ContainsSubstring(".replace = true"));
  CHECK(fresh.all() == before);
  CHECK(contents(checkpoint.path()) == earlier);

  gan::load_checkpoint(checkpoint.path(), fresh.trainer, &fresh.loader);
  CHECK(fresh.trainer.fit(fresh.loader, {.steps = 5}, checkpoint).steps == 2);
  CHECK(fresh.trainer.fit(fresh.loader, {.steps = 6}, checkpoint).steps == 1);
  Session other;
  gan::Checkpoint replacing({.path = folder / "c", .replace = true});
  CHECK(other.trainer.fit(other.loader, {.steps = 3}, replacing).steps == 3);
  CHECK(contents(checkpoint.path()) == earlier);
}

TEST_CASE("the newest saves are kept, whole, and no others") {
  const TemporaryFolder folder;
  gan::Checkpoint checkpoint({.path = folder / "c.st", .every = 2, .keep = 3});
  put(checkpoint.kept(90), "of a run that came farther");
  put(folder / "c_step_0000002.st.txt", "not ours");
  put(folder / "c_step_2.st", "not ours");
  Session s;
  s.trainer.fit(s.loader, {.steps = 9}, checkpoint);
  CHECK(checkpoint.kept(1234567) == folder / "c_step_1234567.st");
  for (const Index step : {2, 4, 6, 8, 9}) {
    INFO(step);
    REQUIRE(std::filesystem::exists(checkpoint.kept(step)) == (step >= 6));
    if (step < 6) continue;
    Session back({}, 9);
    gan::load_checkpoint(checkpoint.kept(step), back.trainer, &back.loader);
    CHECK(back.trainer.steps() == step);
  }
  CHECK(contents(checkpoint.kept(9)) == contents(checkpoint.path()));
  CHECK(contents(checkpoint.kept(90)) == "of a run that came farther");
  CHECK(folder.entries() == 7);
  CHECK_THROWS_WITH(s.trainer.fit(s.loader, {}, gan::Checkpoint({.path = folder / "d", .keep = -1})),
                    ContainsSubstring("keep -1"));
}

TEST_CASE("two runs in one folder: the second is refused before it touches anything") {
  const TemporaryFolder folder;
  Session first, second;
  std::string refused;
  first.trainer.fit(first.loader, {.steps = 4}, gan::Checkpoint({.path = folder / "c", .every = 1}),
                    gan::Checkpoint({.path = folder / "best", .every = 2}), gan::every_steps(2, [&](auto&) {
                      const auto before = second.all();
                      try {
                        second.trainer.fit(second.loader, {.steps = 1}, gan::Checkpoint({.path = folder / "d"}));
                      } catch (const gan::Error& error) {
                        refused = error.what();
                      }
                      CHECK(second.all() == before);
                    }));
  CHECK_THAT(refused, ContainsSubstring(folder.path().string()) && ContainsSubstring("in use by another run"));
  CHECK(folder.entries() == 2);
  second.trainer.fit(second.loader, {.steps = 1}, gan::Checkpoint({.path = folder / "d"}));  // it has been given back
}

namespace {

struct Told : gan::Callback<float> {
  explicit Told(bool& flag) : told(flag) {}
  void on_end(gan::Run<float>&) override { told = true; }
  bool& told;
};

}  // namespace

TEST_CASE("a save that fails is tried again, and is an error at the end only") {
  const gan::test::CollectWarnings warnings;
  const TemporaryFolder folder;
  gan::Checkpoint checkpoint({.path = folder / "c", .every = 3});
  std::optional<FileSizeLimit> full;
  const auto disk = [&](Index from, Index until) {
    return gan::every_steps(1, [&full, from, until](auto& run) {
      if (run.game.steps() == from) full.emplace(100);
      if (run.game.steps() == until) full.reset();
    });
  };
  Session s;
  CHECK(s.trainer.fit(s.loader, {.steps = 10}, checkpoint, disk(3, 5)).steps == 10);
  CHECK(warnings.count("cannot write: File too large; the run goes on and saves again in 3 steps") == 1);
  CHECK(gan::load_safetensors<float>(checkpoint.path()).metadata.at("step") == "10");

  bool told = false;
  CHECK_THROWS_WITH(s.trainer.fit(s.loader, {.steps = 12}, checkpoint, disk(11, 99), Told(told)),
                    ContainsSubstring("File too large"));
  full.reset();
  CHECK(told);
  CHECK(gan::load_safetensors<float>(checkpoint.path()).metadata.at("step") == "10");
  CHECK(folder.entries() == 1);
}

TEST_CASE("a program killed while it saves leaves a whole checkpoint") {
  const TemporaryFolder folder;
  const auto path = folder / "c";
  Session straight;
  straight.train(3);
  gan::save_checkpoint(path, straight.trainer, &straight.loader);
  for (int round = 0; round < 5; ++round) {
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      try {
        for (int i = 0; i < 1000; ++i)
          gan::save_checkpoint(path, straight.trainer, &straight.loader, {{"padding", std::string(500000, 'x')}});
      } catch (...) {
        _exit(1);
      }
      _exit(0);
    }
    usleep(static_cast<useconds_t>(7000 + 9100 * round));
    kill(child, SIGKILL);
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status));
    Session resumed({}, 9);
    gan::load_checkpoint(path, resumed.trainer, &resumed.loader);
    CHECK(resumed.all() == straight.all());
  }
}
