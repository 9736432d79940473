#include "gan/train/fit.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <functional>
#include <limits>
#include <thread>

#include "gan/data/loader.hpp"
#include "gan/train/callbacks/checkpoint.hpp"
#include "gan/train/callbacks/every_steps.hpp"
#include "gan/train/callbacks/stop_on_interrupt.hpp"
#include "gan/train/callbacks/stop_when_not_finite.hpp"
#include "gan/train/checkpoint.hpp"
#include "support/catch.hpp"
#include "support/networks.hpp"
#include "support/temporary_folder.hpp"
#include "support/warnings.hpp"

namespace {

using gan::Index;
using Pairf = SmallPair<float>;
using Trainer = gan::Trainer<float>;
using Run = gan::Run<float>;

/// 20 points in batches of 4: 5 steps an epoch.
struct Session {
  explicit Session(const Trainer::Options& options = {}) : trainer(pair.generator, pair.discriminator, options) {}
  Pairf pair{1};
  gan::Loader<float> loader{ring_data<float>(20), {.batch = 4}};
  Trainer trainer;
};

/// Notes the hooks that are called.
class Recorder : public gan::Callback<float> {
 public:
  Recorder(std::string name, std::string& log) : name_(std::move(name)), log_(log) {}

  void on_start(Run&) override { log_ += name_ + "start "; }
  void on_step(Run& run) override {
    CHECK(run.result.step == run.game.steps());
    CHECK(run.result["discriminator_loss"] > 0);
    log_ += name_ + "step" + std::to_string(run.result.step) + " ";
  }
  void on_epoch(Run& run) override { log_ += name_ + "epoch" + std::to_string(run.epochs()) + " "; }
  void on_end(Run&) override { log_ += name_ + "end "; }

 private:
  std::string name_;
  std::string& log_;
};

class StopAtStep : public gan::Callback<float> {
 public:
  explicit StopAtStep(Index at) : at_(at) {}
  void on_step(Run& run) override {
    if (run.game.steps() < at_) return;
    run.stop("enough");
    run.stop("more than enough");  // the first reason counts
  }

 private:
  Index at_;
};
struct StopAtEpoch : gan::Callback<float> {
  void on_epoch(Run& run) override { run.stop("an epoch"); }
};
struct StopAtStart : gan::Callback<float> {
  void on_start(Run& run) override { run.stop("at once"); }
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
  gan::save_checkpoint<float>(folder / "c", s.trainer, &s.loader);
  Session resumed;
  gan::load_checkpoint<float>(folder / "c", resumed.trainer, &resumed.loader);
  CHECK(resumed.trainer.fit(resumed.loader, {.epochs = 5}).steps == 4);
}

TEST_CASE("an epoch may end in the middle of a step of several batches") {
  Session s({.discriminator_steps = 2});
  std::string log;
  s.trainer.fit(s.loader, {.epochs = 2}, Recorder{"", log});
  CHECK(log == "start step1 step2 step3 epoch1 step4 step5 epoch2 end ");
}

TEST_CASE("a hook that stops the run ends it after the others had their turn") {
  Session s;
  std::string log;
  const auto result = s.trainer.fit(s.loader, {.epochs = 9}, StopAtStep{2}, Recorder{"", log});
  CHECK(log == "start step1 step2 end ");
  CHECK(result.stopped);
  CHECK(result.reason == "enough");
  CHECK(s.trainer.fit(s.loader, {.epochs = 9}, StopAtEpoch{}).steps == 3);

  const auto none = s.trainer.fit(s.loader, {.epochs = 9}, StopAtStart{});
  CHECK(none.steps == 0);
  CHECK(none.stopped);
  CHECK(none.reason == "at once");
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

namespace {

/// Notes its hooks in its phase, and throws or stops where it is told to.
template <gan::Phase when>
class Actor : public gan::Callback<float> {
 public:
  /// `throws` is the hook that throws.
  Actor(std::string name, std::string& log, std::string throws = {})
      : name_(std::move(name)), log_(log), throws_(std::move(throws)) {}

  gan::Phase phase() const override { return when; }
  void on_start(Run&) override { note("start"); }
  void on_step(Run&) override { note("step"); }
  void on_epoch(Run&) override { note("epoch"); }
  void on_end(Run&) override { note("end"); }

 private:
  void note(const std::string& hook) {
    log_ += name_ + hook + " ";
    gan::check(hook != throws_, name_, " failed in ", hook);
  }

  std::string name_;
  std::string& log_;
  std::string throws_;
};
using Act = Actor<gan::Phase::act>;
using Record = Actor<gan::Phase::record>;
using Save = Actor<gan::Phase::save>;
using Show = Actor<gan::Phase::show>;

std::string saved_step(const std::filesystem::path& path) {
  return std::filesystem::exists(path) ? gan::load_safetensors<float>(path).metadata.at("step") : "none";
}

}  // namespace

TEST_CASE("callbacks have their turns by phase, whatever the order of the arguments") {
  const std::string expected =
      "S:start R:start A:start V:start A:step R:step S:step V:step A:step A:epoch R:step R:epoch S:step S:epoch V:step "
      "V:epoch S:end R:end A:end V:end ";
  for (const bool reversed : {false, true}) {
    Session s;
    gan::Loader<float> two(ring_data<float>(8), {.batch = 4});
    std::string log;
    Act act{"A:", log};
    Record record{"R:", log};
    Save save{"S:", log};
    Show show{"V:", log};
    if (reversed)
      s.trainer.fit(two, {}, show, save, record, act);
    else
      s.trainer.fit(two, {}, act, record, save, show);
    CHECK(log == expected);
  }
}

TEST_CASE("an exception ends the run in order: all are told, the checkpoint is saved, then it leaves fit") {
  for (const std::string hook : {"step", "epoch", "end"})
    for (const bool last : {false, true}) {
      INFO(hook << last);
      const TemporaryFolder folder;
      Session s;
      std::string log, other;
      Act bad{"bad:", log, hook};
      Show display{"V:", other};
      gan::Checkpoint checkpoint({.path = folder / "c"});
      const auto fit = [&] {
        if (last)
          s.trainer.fit(s.loader, {}, checkpoint, display, bad);
        else
          s.trainer.fit(s.loader, {}, bad, display, checkpoint);
      };
      REQUIRE_THROWS_WITH(fit(), "bad: failed in " + hook);
      CHECK(saved_step(checkpoint.path()) == std::to_string(s.trainer.steps()));
      CHECK(s.trainer.steps() == (hook == "step" ? 1 : 5));
      CHECK(other.ends_with("V:end "));
      CHECK(log.ends_with("bad:end "));
    }
}

TEST_CASE("an exception of a step ends the run in order too") {
  const TemporaryFolder folder;
  Session s;
  gan::Checkpoint checkpoint({.path = folder / "c"});
  gan::Loader<float> broken(ring_data<float>(20), {.batch = 4},
                            {[&s](gan::Rng&, gan::Tensor<float>&) { gan::check(s.trainer.steps() < 3, "no more"); }});
  CHECK_THROWS_WITH(s.trainer.fit(broken, {}, checkpoint), "no more");
  CHECK(saved_step(checkpoint.path()) == "3");
}

TEST_CASE("who only records or shows never ends a run") {
  const gan::test::CollectWarnings warnings;
  for (const std::string hook : {"step", "epoch", "end"}) {
    Session s;
    std::string log;
    CHECK(s.trainer.fit(s.loader, {.epochs = 2}, Record{"R:", log, hook}, Show{"V:", log, hook}).steps == 10);
    CHECK(log.ends_with("R:end V:end "));
    CHECK(warnings.count("R: failed in " + hook) == 1);
    CHECK(warnings.count("V: failed in " + hook) == 1);
  }
}

TEST_CASE("a start that fails costs nothing, and ends what had started") {
  for (const bool last : {false, true}) {
    Session s;
    std::string log, none;
    Show bad{"bad:", none, "start"};
    Save save{"S:", log};
    const auto before = everything(s.trainer);
    const auto fit = [&] { last ? s.trainer.fit(s.loader, {}, save, bad) : s.trainer.fit(s.loader, {}, bad, save); };
    CHECK_THROWS_WITH(fit(), "bad: failed in start");
    CHECK(log == "S:start S:end ");
    CHECK(none == "bad:start ");
    CHECK(everything(s.trainer) == before);
  }
}

TEST_CASE("two failures: the first leaves fit, the other is told") {
  const gan::test::CollectWarnings warnings;
  Session s;
  std::string log;
  CHECK_THROWS_WITH(s.trainer.fit(s.loader, {}, Save{"S:", log, "end"}, Act{"A:", log, "step"}), "A: failed in step");
  CHECK(warnings.count("S: failed in end") == 1);
}

TEST_CASE("a run without a step to make says why") {
  Session s, other;
  CHECK(s.trainer.fit(s.loader, {.epochs = 2}).reason.empty());
  const auto again = other.trainer.fit(s.loader, {.epochs = 2});  // a second game on the same source
  CHECK(again.steps == 0);
  CHECK_FALSE(again.stopped);
  CHECK(again.reason ==
        "0 steps: the source has completed 2 epochs and the game 0 steps, which is all that was asked for");
  CHECK_THAT(s.trainer.fit(s.loader, {.steps = 7}).reason, ContainsSubstring("the game 10 steps"));
}

TEST_CASE("impossible numbers are errors before the first step") {
  Session s;
  CHECK_THROWS_WITH(gan::every_steps(1, std::function<void(Run&)>()),
                    ContainsSubstring("every_steps: 1") && ContainsSubstring("function"));
  CHECK_THROWS_WITH(s.trainer.fit(s.loader, {.steps = -3}), ContainsSubstring("-3 steps"));
  CHECK_THROWS_WITH(s.trainer.fit(s.loader, {.seconds = -5}), ContainsSubstring("fit: -5 seconds"));
  CHECK_THROWS_WITH(s.trainer.fit(s.loader, {.seconds = std::numeric_limits<double>::quiet_NaN()}),
                    ContainsSubstring("fit: nan seconds"));
  CHECK(s.trainer.steps() == 0);
  CHECK(s.trainer.fit(s.loader, {.epochs = 1, .seconds = std::numeric_limits<double>::infinity()}).steps == 5);
}

TEST_CASE("every_steps counts the game's steps and may stop the run") {
  Session s;
  std::string log;
  const auto result = s.trainer.fit(s.loader, {.epochs = 9}, gan::every_steps(3, [&](auto& run) {
                                      log += std::to_string(run.result.step) + " ";
                                      if (run.result.step == 9) run.stop("nine");
                                    }));
  CHECK(log == "3 6 9 ");
  CHECK(result.stopped);
  CHECK(result.reason == "nine");
  CHECK_THROWS_WITH(gan::every_steps(0, [](auto&) {}), ContainsSubstring("every_steps: 0"));
}

TEST_CASE("a limit of time ends the run, and is one of this run") {
  Session s;
  std::vector<double> shares;
  const auto result = s.trainer.fit(s.loader, {.seconds = 0.05}, gan::every_steps(1, [&](auto& run) {
                                      shares.push_back(run.progress());
                                      const double before = run.seconds(), left = run.remaining();
                                      CHECK(left <= std::max(0.0, 0.05 - before));
                                      CHECK(left >= 0.05 - run.seconds());
                                    }));
  CHECK(result.stopped);
  CHECK(result.seconds >= 0.05);
  CHECK(result.steps > 0);
  CHECK(result.reason == "the time is up");
  CHECK((shares.front() > 0 && shares.back() <= 1));
  CHECK(std::is_sorted(shares.begin(), shares.end()));
  CHECK(s.trainer.fit(s.loader, {.epochs = s.loader.epoch() + 2, .seconds = 60}).reason.empty());
  CHECK(s.trainer.fit(s.loader, {.seconds = 0.01}).steps > 0);
}

TEST_CASE("a schedule of the whole run goes by the limit, and a resumed run is the uninterrupted one") {
  TemporaryFolder folder;
  const Trainer::Options options{.generator_schedule = gan::schedule::cosine(gan::schedule::whole_run),
                                 .instance_noise = gan::schedule::linear(gan::schedule::whole_run)};
  Session whole(options), begun(options), resumed(options);
  const double rate = whole.trainer.generator_optimizer().learning_rate();
  whole.trainer.fit(whole.loader, {.epochs = 4});
  CHECK(whole.trainer.planned_steps() == 20);
  CHECK(whole.trainer.generator_optimizer().learning_rate() ==
        Approx(rate * gan::schedule::cosine(15)(14)).epsilon(1e-12));  // 5 stand still
  begun.trainer.fit(begun.loader, {.epochs = 4}, StopAtStep(7));
  gan::save_checkpoint(folder / "a", begun.trainer, &begun.loader);
  gan::load_checkpoint(folder / "a", resumed.trainer, &resumed.loader);
  CHECK(resumed.trainer.planned_steps() == 20);
  resumed.trainer.fit(resumed.loader, {.steps = 20});
  CHECK(everything(resumed.trainer) == everything(whole.trainer));

  Session endless(options);
  CHECK_THROWS_WITH(endless.trainer.fit(endless.loader, {.epochs = 0}), ContainsSubstring("which has no end"));
  CHECK_THROWS_WITH(endless.trainer.step(real_batch<float>(4)), ContainsSubstring("call plan_steps"));
  endless.trainer.plan_steps(3);
  endless.trainer.step(real_batch<float>(4));
}

TEST_CASE("time becomes a saved number of steps where a schedule goes by the whole run") {
  TemporaryFolder folder;
  const Trainer::Options options{.generator_schedule = gan::schedule::linear(gan::schedule::whole_run)};
  Session one(options), two(options), three(options);
  // The clock says how many there are, and no more than that: each step takes 2 ms at least.
  auto pause = gan::every_steps(1, [](auto&) { std::this_thread::sleep_for(std::chrono::milliseconds(2)); });
  const auto result = one.trainer.fit(one.loader, {.seconds = 0.2}, pause);
  CHECK_FALSE(result.stopped);
  CHECK(one.trainer.steps() == one.trainer.planned_steps());
  CHECK(one.trainer.steps() >= 15);
  CHECK(one.trainer.steps() <= 100);
  Session stepped(options);  // that number of steps makes the same bits
  stepped.trainer.fit(stepped.loader, {.steps = one.trainer.planned_steps()});
  CHECK(everything(stepped.trainer) == everything(one.trainer));

  two.trainer.fit(two.loader, {.seconds = 3600}, StopAtStep(5));  // before the pace is known
  CHECK(two.trainer.planned_steps() == 0);
  CHECK(two.trainer.generator_optimizer().learning_rate() == one.trainer.player("generator").base_rate());
  two.trainer.fit(two.loader, {.seconds = 0.2}, pause);
  CHECK(two.trainer.steps() == two.trainer.planned_steps());

  gan::save_checkpoint(folder / "a", one.trainer, &one.loader);
  gan::load_checkpoint(folder / "a", three.trainer, &three.loader);
  CHECK(three.trainer.fit(three.loader, {.seconds = 3600}).steps == 0);  // it is at its end
  CHECK(everything(three.trainer) == everything(one.trainer));
}

TEST_CASE("an interrupt ends the run in order and saves") {
  const TemporaryFolder folder;
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) {
    Session s;
    const auto mine = [](int) {};
    const auto before = std::signal(signal, mine);
    gan::StopOnInterrupt interrupt;
    const auto result =
        s.trainer.fit(s.loader, {.epochs = 0}, interrupt, gan::Checkpoint({.path = folder / std::to_string(signal)}),
                      gan::every_steps(4, [&](auto&) { std::raise(signal); }));
    CHECK(result.steps == 5);  // the hook came after the callback that looks
    CHECK(result.stopped);
    CHECK(result.reason == "interrupted");
    CHECK(std::signal(signal, before) == static_cast<void (*)(int)>(mine));
    CHECK(saved_step(folder / std::to_string(signal)) == "5");
    const auto again = s.trainer.fit(s.loader, {.epochs = 0, .steps = 8}, interrupt);
    CHECK(again.steps == 3);  // the earlier signal is forgotten
  }
}

TEST_CASE("an interrupt ends the runs of all threads, and handlers come back in any order") {
  const auto mine = [](int) {};
  const auto before = std::signal(SIGTERM, mine);
  std::atomic<int> running{0};
  const auto run = [&](gan::Index least) {
    Session s;
    gan::StopOnInterrupt interrupt;
    return s.trainer
        .fit(s.loader, {.epochs = 0}, interrupt,
             gan::every_steps(1,
                              [&](auto& r) {
                                if (r.steps() == 1) ++running;
                                std::this_thread::sleep_for(std::chrono::milliseconds(1));
                                if (r.steps() > least + 2000) r.stop("the signal was missed");
                              }))
        .reason;
  };
  std::string first, second;
  std::thread a([&] { first = run(0); }), b([&] { second = run(100); });
  while (running < 2) std::this_thread::yield();
  std::raise(SIGTERM);
  a.join();
  b.join();
  CHECK(first == "interrupted");
  CHECK(second == "interrupted");
  CHECK(std::signal(SIGTERM, before) == static_cast<void (*)(int)>(mine));
}

TEST_CASE("signals that were ignored stay ignored") {  // as under nohup
  for (const int signal : {SIGHUP, SIGPIPE}) {
    const auto before = std::signal(signal, SIG_IGN);
    Session s;
    gan::StopOnInterrupt interrupt;
    CHECK(s.trainer.fit(s.loader, {}, gan::every_steps(2, [&](auto&) { std::raise(signal); }), interrupt).steps == 5);
    CHECK(std::signal(signal, before) == SIG_IGN);
  }
}

namespace {

/// Its first parameter is not finite from here on.
void spoil(const gan::Player<float>& player) {
  gan::Tensor<float> parameter = player.parameters()[0].tensor;
  parameter.mutable_data()[0] = std::numeric_limits<float>::quiet_NaN();
}

}  // namespace

TEST_CASE("a loss that is not finite leaves fit as an exception or ends it in order") {
  auto ruin = gan::every_steps(3, [](auto& run) { spoil(run.game.player("discriminator")); });
  Session s;
  std::string log;
  CHECK_THROWS_AS(s.trainer.fit(s.loader, {}, ruin, Recorder{"", log}), gan::NotFinite);
  CHECK(log == "start step1 step2 step3 end ");
  Session t;
  log.clear();
  const auto result = t.trainer.fit(t.loader, {}, ruin, gan::StopWhenNotFinite{}, Recorder{"", log});
  CHECK(log == "start step1 step2 step3 end ");
  CHECK(result.stopped);
  CHECK(result.reason == "player \"discriminator\": its loss is nan at step 4");
  CHECK(t.trainer.steps() == 3);
}

TEST_CASE("what is not finite at the very end is given to on_not_finite too") {
  const TemporaryFolder folder;
  const auto ruin = [](Index at) {
    return gan::every_steps(at, [](auto& run) { spoil(run.game.player("generator")); });
  };
  Session s;
  std::string log;
  gan::Checkpoint checkpoint({.path = folder / "c", .every = 0});
  const auto result = s.trainer.fit(s.loader, {}, gan::StopWhenNotFinite{}, checkpoint, ruin(5), Recorder{"", log});
  CHECK_THAT(result.reason, ContainsSubstring("not saved") && ContainsSubstring("\"generator.net.dense1.weight\""));
  CHECK(log.ends_with("end "));
  CHECK(saved_step(checkpoint.path()) == "none");
  Session t;
  CHECK_THROWS_AS(t.trainer.fit(t.loader, {}, checkpoint, ruin(5)), gan::NotFinite);
  CHECK(saved_step(checkpoint.path()) == "none");
}
