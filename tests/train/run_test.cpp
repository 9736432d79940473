#include "gan/train/run.hpp"

#include <csignal>
#include <limits>

#include "gan/train/callbacks.hpp"
#include "gan/train/checkpoint.hpp"
#include "support/catch.hpp"
#include "support/temporary_folder.hpp"
#include "train/pair.hpp"

namespace {

using gan::Index;
using Pairf = Pair<float>;
using Trainer = gan::Trainer<Pairf::G, Pairf::D>;

/// 20 points in batches of 4: 5 steps an epoch.
struct Session {
  explicit Session(const Trainer::Options& options = {}) : trainer(pair.generator, pair.discriminator, options) {}
  Pairf pair{1};
  gan::Loader<float> loader{ring_data<float>(20), {.batch = 4}};
  Trainer trainer;
};

/// Notes the hooks that are called.
struct Recorder {
  std::string name;
  std::string& log;

  void on_start(auto&) { log += name + "start "; }
  bool on_step(auto& run) {
    CHECK(run.result.step == run.trainer.steps());
    CHECK(run.result.discriminator_loss > 0);
    log += name + "step" + std::to_string(run.result.step) + " ";
    return false;
  }
  void on_epoch(auto& run) { log += name + "epoch" + std::to_string(run.epochs()) + " "; }
  void on_end(auto&) { log += name + "end "; }
};

struct StopAtStep {
  Index at;
  bool on_step(auto& run) {
    if (run.trainer.steps() < at) return false;
    run.reason = "enough";
    return true;
  }
};
struct StopAtEpoch {
  bool on_epoch(auto&) { return true; }
};
struct StopAtStart {
  bool on_start(auto&) { return true; }
};

}  // namespace

TEST_CASE("hooks are called in order, callback by callback") {
  Session s;
  std::string log;
  Recorder a{"a", log};
  const auto result = s.trainer.fit(s.loader, {.epochs = 2, .steps = 6}, a, Recorder{"b", log});
  CHECK(log ==
        "astart bstart astep1 bstep1 astep2 bstep2 astep3 bstep3 astep4 bstep4 astep5 bstep5 aepoch1 bepoch1 "
        "astep6 bstep6 aend bend ");
  CHECK(result.steps == 6);
  CHECK(result.seconds > 0);
  CHECK_FALSE(result.stopped);
  CHECK(result.reason.empty());
}

TEST_CASE("epochs and steps are limits in all, also of a run that goes on") {
  Session s;
  CHECK(s.trainer.fit(s.loader, {}).steps == 5);
  CHECK(s.trainer.fit(s.loader, {}).steps == 0);
  CHECK(s.trainer.fit(s.loader, {.epochs = 3}).steps == 10);
  CHECK(s.trainer.fit(s.loader, {.epochs = 0, .steps = 18}).steps == 3);
  CHECK(s.trainer.fit(s.loader, {.epochs = 4}).steps == 2);
  CHECK(s.trainer.fit(s.loader, {.epochs = 9, .steps = 21}).steps == 1);
  CHECK(s.trainer.steps() == 21);
  CHECK_THROWS_WITH(s.trainer.fit(s.loader, {.epochs = -1}), ContainsSubstring("-1 epochs"));

  const TemporaryFolder folder;
  gan::save_checkpoint(folder / "c", s.trainer, &s.loader);
  Session resumed;
  gan::load_checkpoint(folder / "c", resumed.trainer, &resumed.loader);
  CHECK(resumed.trainer.fit(resumed.loader, {.epochs = 5}).steps == 4);
}

TEST_CASE("an epoch may end in the middle of a step of several batches") {
  Session s({.discriminator_steps = 2});
  std::string log;
  s.trainer.fit(s.loader, {.epochs = 2}, Recorder{"", log});
  CHECK(log == "start step1 step2 step3 epoch1 step4 step5 epoch2 end ");
}

TEST_CASE("a hook that returns true ends the run after the others had their turn") {
  Session s;
  std::string log;
  const auto result = s.trainer.fit(s.loader, {.epochs = 9}, StopAtStep{2}, Recorder{"", log});
  CHECK(log == "start step1 step2 end ");
  CHECK(result.stopped);
  CHECK(result.reason == "enough");
  CHECK(s.trainer.fit(s.loader, {.epochs = 9}, StopAtEpoch{}).steps == 3);

  CHECK(s.trainer.fit(s.loader, {.epochs = 9}, StopAtStart{}).steps == 0);
  const auto last = s.trainer.fit(s.loader, {.epochs = 0, .steps = 6}, StopAtStep{6});
  CHECK_FALSE(last.stopped);  // all was done anyway
}

TEST_CASE("progress and remaining time are those of this run") {
  Session s;
  s.trainer.fit(s.loader, {});
  std::vector<double> shares;
  s.trainer.fit(s.loader, {.epochs = 2}, gan::every_steps(1, [&](auto& run) {
                  shares.push_back(run.progress());
                  const double done = run.progress() - 0.5, rest = 1 - run.progress();
                  const double before = run.seconds(), left = run.remaining(), after = run.seconds();
                  CHECK(left >= before * rest / done * (1 - 1e-9));
                  CHECK(left <= after * rest / done * (1 + 1e-9));
                }));
  REQUIRE(shares.size() == 5);
  for (std::size_t i = 0; i < 5; ++i) CHECK(shares[i] == Approx(0.6 + 0.1 * static_cast<double>(i)));
}

TEST_CASE("exceptions of hooks leave fit") {
  Session s;
  CHECK_THROWS_WITH(s.trainer.fit(s.loader, {}, gan::every_steps(3, [](auto&) { gan::fail("mine"); })), "mine");
  CHECK(s.trainer.steps() == 3);
}

TEST_CASE("every_steps counts the trainer's steps and may stop the run") {
  Session s;
  std::string log;
  const auto result = s.trainer.fit(s.loader, {.epochs = 9}, gan::every_steps(3, [&](auto& run) {
                                      log += std::to_string(run.result.step) + " ";
                                      return run.result.step == 9;
                                    }));
  CHECK(log == "3 6 9 ");
  CHECK(result.stopped);
  CHECK_THROWS_WITH(gan::every_steps(0, [](auto&) {}), ContainsSubstring("every_steps: 0"));
}

TEST_CASE("a time budget ends the run") {
  Session s;
  const auto result = s.trainer.fit(s.loader, {.epochs = 0}, gan::TimeBudget{0.05});
  CHECK(result.stopped);
  CHECK(result.seconds >= 0.05);
  CHECK(result.steps > 0);
  CHECK(result.reason == "the time is up");
}

TEST_CASE("an interrupt ends the run in order and saves") {
  const TemporaryFolder folder;
  for (const int signal : {SIGINT, SIGTERM}) {
    Session s;
    const auto mine = [](int) {};
    const auto before = std::signal(signal, mine);
    gan::StopOnInterrupt interrupt;
    const auto result = s.trainer.fit(s.loader, {.epochs = 0}, interrupt, gan::Checkpoint{.path = folder / "c"},
                                      gan::every_steps(4, [&](auto&) { std::raise(signal); }));
    CHECK(result.steps == 5);  // the hook came after the callback that looks
    CHECK(result.stopped);
    CHECK(result.reason == "interrupted");
    CHECK(std::signal(signal, before) == static_cast<void (*)(int)>(mine));
    CHECK(gan::load_safetensors<float>(folder / "c").metadata.at("step") == "5");
    const auto again = s.trainer.fit(s.loader, {.epochs = 0, .steps = 8}, interrupt);
    CHECK(again.steps == 3);  // the earlier signal is forgotten
  }
}

TEST_CASE("a loss that is not finite leaves fit as an exception or ends it in order") {
  const auto ruin = gan::every_steps(3, [](auto& run) {
    run.trainer.discriminator().parameters()[0].tensor.mutable_data()[0] = std::numeric_limits<float>::quiet_NaN();
  });
  Session s;
  std::string log;
  CHECK_THROWS_AS(s.trainer.fit(s.loader, {}, gan::EverySteps(ruin), Recorder{"", log}), gan::NotFinite);
  CHECK(log == "start step1 step2 step3 ");
  Session t;
  log.clear();
  const auto result = t.trainer.fit(t.loader, {}, gan::EverySteps(ruin), gan::StopWhenNotFinite{}, Recorder{"", log});
  CHECK(log == "start step1 step2 step3 end ");
  CHECK(result.stopped);
  CHECK(result.reason == "trainer: the loss of the discriminator is nan at step 4");
  CHECK(t.trainer.steps() == 3);
}
