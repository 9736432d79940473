// Power-function averages, and what is made of their snapshots.
#include "gan/train/power_average.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "gan/train/checkpoint.hpp"
#include "support/catch.hpp"
#include "support/networks.hpp"
#include "support/temporary_folder.hpp"

using namespace gan;
using D = Tensor<double>;

namespace {

struct Net : Module<double> {
  explicit Net(Rng& rng) : Module<double>(rng) {}
  Parameter<double> weight{this, "weight", {3}, init::normal(0, 1)};
  Buffer<double> statistic{this, "statistic", {1}, init::zeros()};

  // A path through the values that a training run of `steps` updates might take.
  void move(Index t, Index steps) {
    const double x = static_cast<double>(t) / static_cast<double>(steps);
    weight.mutable_values() << std::log(1 + 10 * x), std::sin(6 * x), 3;
    statistic.mutable_values() << x * x;
  }
};

}  // namespace

TEST_CASE("a relative width stands for an exponent", "[power_average]") {
  for (const double gamma : {0.0, 1.0, 6.94, 16.97, 200.0}) {
    const double sigma = std::sqrt((gamma + 1) / (gamma + 3)) / (gamma + 2);
    REQUIRE(power_exponent(sigma) == Approx(gamma).margin(1e-9));
  }
  REQUIRE(power_exponent(0.05) == Approx(16.97).epsilon(1e-3));  // the paper's
  REQUIRE(power_exponent(0.10) == Approx(6.94).epsilon(1e-3));
  REQUIRE_THROWS_WITH(power_exponent(0.3), ContainsSubstring("power average: relative width 0.3"));
  REQUIRE_THROWS_WITH(power_exponent(0), ContainsSubstring("relative width 0,"));
}

TEST_CASE("weights of a power average rise with a power of time", "[power_average]") {
  Rng rng(1);
  Net net(rng);
  PowerAverage<double> average(net, {.relative_width = 0.15}), uniform(net, {.relative_width = std::sqrt(1.0 / 12)});
  const Index steps = 50;
  const double g = average.exponent() + 1;
  double expected = 0, mean = 0;
  for (Index t = 1; t <= steps; ++t) {
    net.move(t, steps);
    average.update();
    uniform.update();
    const double share = (std::pow(double(t), g) - std::pow(double(t - 1), g)) / std::pow(double(steps), g);
    expected += share * net.statistic.at({0});
    mean += net.statistic.at({0}) / double(steps);
  }
  REQUIRE(average.updates() == steps);
  REQUIRE(average.state().size() == 2);
  REQUIRE(average.state()[1].tensor.at({0}) == Approx(expected).epsilon(1e-12));
  REQUIRE(average.state()[0].tensor.at({2}) == Approx(3).epsilon(1e-12));
  REQUIRE(uniform.state()[1].tensor.at({0}) == Approx(mean).epsilon(1e-9));
  const double last = net.weight.at({0}), averaged = average.state()[0].tensor.at({0});
  {
    const PowerAverage<double>::Swap swap(average);
    REQUIRE(net.weight.at({0}) == averaged);
    REQUIRE(average.state()[0].tensor.at({0}) == last);
  }
  REQUIRE(net.weight.at({0}) == last);

  // Stopped and resumed, bit for bit.
  Net other(rng);
  PowerAverage<double> whole(other), stopped(other);
  for (Index t = 1; t <= 20; ++t) {
    other.move(t, 20);
    whole.update();
    if (t <= 10) stopped.update();
  }
  PowerAverage<double> resumed(other);
  copy_values("average", stopped.state(), resumed.state());
  resumed.set_updates(stopped.updates());
  for (Index t = 11; t <= 20; ++t) {
    other.move(t, 20);
    resumed.update();
  }
  for (Index i = 0; i < 3; ++i) REQUIRE(resumed.state()[0].tensor.at({i}) == whole.state()[0].tensor.at({i}));
}

TEST_CASE("snapshots reconstruct averages of other widths", "[power_average]") {
  Rng rng(2);
  Net net(rng);
  const Index steps = 1600;
  PowerAverage<double> narrow(net, {.relative_width = 0.05}), wide(net, {.relative_width = 0.1});
  PowerAverage<double> between(net, {.relative_width = 0.075}), wider(net, {.relative_width = 0.14});
  std::vector<PowerSnapshot<double>> snapshots;
  NamedTensors<double> halfway;
  for (Index t = 1; t <= steps; ++t) {
    net.move(t, steps);
    for (auto* average : {&narrow, &wide, &between, &wider}) average->update();
    if (t == steps / 2) halfway = snapshot(between).state;
    if (t % (steps / 100) != 0) continue;
    snapshots.push_back(snapshot(narrow));
    snapshots.push_back(snapshot(wide));
  }
  const auto worst = [](const NamedTensors<double>& found, const NamedTensors<double>& expected) {
    double error = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      REQUIRE(found[i].name == expected[i].name);
      for (Index j = 0; j < expected[i].tensor.size(); ++j)
        error = std::max(error, std::abs(found[i].tensor.data()[j] - expected[i].tensor.data()[j]));
    }
    return error;
  };
  REQUIRE(worst(reconstruct(snapshots, 0.1), wide.state()) < 1e-6);  // a stored one
  REQUIRE(worst(reconstruct(snapshots, 0.075), between.state()) < 1e-6);
  REQUIRE(worst(reconstruct(snapshots, 0.14), wider.state()) < 1e-6);
  REQUIRE(worst(reconstruct(snapshots, 0.075, steps / 2), halfway) < 1e-5);  // made of half as many

  REQUIRE_THROWS_WITH(reconstruct(std::vector<PowerSnapshot<double>>{}, 0.1), ContainsSubstring("no snapshots"));
  REQUIRE_THROWS_WITH(reconstruct(snapshots, 0.1, steps + 1), ContainsSubstring("after 1601 updates"));
  REQUIRE_THROWS_WITH(reconstruct(snapshots, 0.4), ContainsSubstring("relative width 0.4"));
  snapshots[1].state[0].name = "other";
  REQUIRE_THROWS_WITH(reconstruct(snapshots, 0.1),
                      ContainsSubstring("snapshots differ in \"weight\" [3], \"other\" [3]"));
}

TEST_CASE("a trainer keeps power averages, saves them, and goes on with them", "[power_average]") {
  TemporaryFolder folder;
  const TrainerOptions<float> options{.average = MovingAverageOptions{}, .power_averages = {0.05, 0.1}, .seed = 3};
  SmallPair<float> one(1), two(2);
  Trainer whole(one.generator, one.discriminator, options), resumed(two.generator, two.discriminator, options);
  for (int i = 0; i < 20; ++i) whole.step(real_batch<float>(4, static_cast<std::uint64_t>(i)));
  save_checkpoint(folder / "a", whole);
  load_checkpoint(folder / "a", resumed);
  CHECK(everything(resumed) == everything(whole));

  const auto snapshots = power_snapshots<float>(folder / "a", "generator");
  REQUIRE(snapshots.size() == 2);
  CHECK(snapshots[1].updates == 20);
  CHECK(snapshots[1].relative_width == 0.1);
  const auto made = reconstruct(snapshots, 0.05);
  const auto& kept = whole.player("generator").power_averages()[0]->state();
  REQUIRE(made.size() == kept.size());
  for (std::size_t i = 0; i < made.size(); ++i) {
    CHECK("generator." + made[i].name == kept[i].name);
    for (Index j = 0; j < made[i].tensor.size(); ++j)
      REQUIRE(made[i].tensor.data()[j] == Approx(kept[i].tensor.data()[j]).margin(1e-5));
  }
  copy_values("generator", made, two.generator.state());  // it samples from that one

  load_checkpoint(folder / "a", resumed);
  for (int i = 0; i < 5; ++i)
    for (auto* trainer : {&whole, &resumed}) trainer->step(real_batch<float>(4, static_cast<std::uint64_t>(50 + i)));
  CHECK(everything(resumed) == everything(whole));

  SmallPair<float> other(4);
  Trainer less(other.generator, other.discriminator, {.average = MovingAverageOptions{}, .seed = 3});
  CHECK_THROWS_WITH(load_checkpoint(folder / "a", less), ContainsSubstring("generator_power0"));
  save_checkpoint(folder / "b", less);
  CHECK_THROWS_WITH(power_snapshots<float>(folder / "b", "generator"), ContainsSubstring("no power averages"));
  SmallPair<float> third(5);
  CHECK_THROWS_WITH(Trainer(third.generator, third.discriminator, {.power_averages = {0.4}}),
                    ContainsSubstring("relative width 0.4"));
}
