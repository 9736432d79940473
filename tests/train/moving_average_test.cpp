#include "gan/train/moving_average.hpp"

#include <Eigen/SVD>
#include <cmath>

#include "gan/nn/conv2d.hpp"
#include "support/catch.hpp"
#include "support/networks.hpp"

namespace {

using gan::MovingAverage;

}  // namespace

TEST_CASE("the average is the weighted sum of all values it took in") {
  for (const bool warm_up : {false, true}) {
    SmallPair<double> pair(1, {.batch_norm = true});
    auto& module = pair.generator;
    MovingAverage<double> average(module, {.decay = 0.6, .warm_up = warm_up});
    CHECK(bits(average.state()) == bits(module.state()));
    const auto live = module.state();
    std::vector<double> weights{1};  // of the first values and of those of each update
    std::vector<gan::NamedTensors<double>> values{copies(live)};
    for (int k = 0; k < 12; ++k) {
      for (auto& [name, tensor] : module.state()) tensor.mutable_values() += 0.1 * (k + 1);
      average.update();
      values.push_back(copies(live));
      // (1 + k) / (10 + k) is below 0.6 until k = 12.5.
      const double decay = warm_up ? (1.0 + k) / (10.0 + k) : 0.6;
      for (double& w : weights) w *= decay;
      weights.push_back(1 - decay);
    }
    CHECK(average.updates() == 12);
    for (std::size_t i = 0; i < live.size(); ++i) {
      Eigen::ArrayXd expected = Eigen::ArrayXd::Zero(live[i].tensor.size());
      for (std::size_t k = 0; k < weights.size(); ++k) expected += weights[k] * values[k][i].tensor.values();
      CHECK((average.state()[i].tensor.values() - expected).abs().maxCoeff() < 1e-13);
      CHECK(average.state()[i].name == live[i].name);
    }
  }
}

TEST_CASE("the warm-up ends where it reaches the decay") {
  SmallPair<double> pair(1);
  MovingAverage<double> average(pair.generator, {.decay = 0.5});
  average.set_updates(1000);  // (1 + 1000) / (10 + 1000) is more than 0.5
  const auto before = copies(average.state());
  auto first = pair.generator.state()[0].tensor;
  first.mutable_values() += 1;
  average.update();
  CHECK((average.state()[0].tensor.values() - before[0].tensor.values() - 0.5).abs().maxCoeff() < 1e-15);
  CHECK(average.updates() == 1001);
}

TEST_CASE("the average has batch norm's statistics") {
  SmallPair<double> pair(1, {.batch_norm = true});
  MovingAverage<double> average(pair.generator);
  bool found = false;
  for (const auto& [name, tensor] : average.state()) found = found || name == "net.norm1.running_variance";
  CHECK(found);
}

TEST_CASE("an average of spectral norm's vectors divides by the largest singular value") {
  class Net : public gan::Generator<double> {
   public:
    Net(gan::Rng& rng, gan::Index in, gan::Index out)
        : Generator(rng, {.latent = in}), dense(this, "dense", in, out, {.bias = false, .spectral_norm = true}) {}
    gan::Tensor<double> forward(const gan::Tensor<double>& z) override { return dense(z); }
    gan::Dense<double> dense;
  };
  gan::Rng rng(3);
  const auto largest = [](const gan::Tensor<double>& weight) {
    return Eigen::MatrixXd(weight.matrix()).jacobiSvd().singularValues()[0];
  };
  {
    // u turns by a right angle: the average is (1/2, 1/2).
    Net net(rng, 1, 2);
    gan::Tensor<double> weight = net.dense.weight();
    const gan::Tensor<double> one({1, 1}, {1});
    weight.mutable_values() << 1, 0;
    net(one);
    MovingAverage<double> average(net, {.decay = 0.5, .warm_up = false});
    weight.mutable_values() << 0, 1;
    net(one);
    average.update();
    CHECK(average.state().back().tensor.values().matrix().norm() == Approx(std::sqrt(0.5)));
    const MovingAverage<double>::Swap scope(average);
    const auto y = net.sample(one);
    CHECK(y.data()[0] == Approx(std::sqrt(0.5)));
    CHECK(y.data()[1] == Approx(std::sqrt(0.5)));
  }
  // A weight whose first singular vectors turn slowly.
  Net net(rng, 6, 5);
  gan::Tensor<double> weight = net.dense.weight();
  const auto a = gan::normal<double>(rng, {6, 5}), b = gan::normal<double>(rng, {6, 5});
  const auto z = gan::normal<double>(rng, {7, 6});
  MovingAverage<double> average(net, {.decay = 0.98});
  for (int step = 0; step < 400; ++step) {
    weight.mutable_values() = std::cos(0.01 * step) * a.values() + std::sin(0.01 * step) * b.values();
    net(z);
    average.update();
  }
  CHECK(average.state().back().tensor.values().matrix().norm() < 0.95);  // or the test shows nothing
  const MovingAverage<double>::Swap scope(average);
  const auto y = net.sample(z), expected = gan::matmul(z, weight) / largest(weight);
  CHECK((y.values() - expected.values()).abs().maxCoeff() < 0.03 * expected.values().abs().maxCoeff());
}

TEST_CASE("a swap lends the averages and gives the values back bit for bit") {
  SmallPair<float> pair(1, {.batch_norm = true});
  MovingAverage<float> average(pair.generator, {.decay = 0.9});
  for (auto& [name, tensor] : pair.generator.state()) tensor.mutable_values() += 0.3f;
  average.update();
  const auto live = bits(pair.generator.state()), averaged = bits(average.state());
  CHECK(live != averaged);
  try {
    const MovingAverage<float>::Swap scope(average);
    CHECK(bits(pair.generator.state()) == averaged);
    CHECK(bits(average.state()) == live);
    gan::fail("leaving");
  } catch (const gan::Error&) {
  }
  CHECK(bits(pair.generator.state()) == live);
  CHECK(bits(average.state()) == averaged);
}

TEST_CASE("a decay outside [0, 1) is an error") {
  SmallPair<float> pair(1);
  for (const double decay : {-0.1, 1.0, 2.0, std::nan("")})
    CHECK_THROWS_WITH(MovingAverage<float>(pair.generator, {.decay = decay}), ContainsSubstring("expected [0, 1)"));
}

TEST_CASE("a pair samples from a power average where that is asked for", "[train]") {
  struct Session {
    explicit Session(std::optional<gan::AverageOptions> average)
        : pair(1), trainer(pair.generator, pair.discriminator, {.average = average, .power_averages = {0.2}}) {
      for (int i = 0; i < 6; ++i) trainer.step(real_batch<double>(8));
    }
    SmallPair<double> pair;
    gan::Trainer<double> trainer;
  } power(gan::PowerAverageOptions{.relative_width = 0.2}), moving(gan::MovingAverageOptions{.decay = 0.5});
  auto& player = power.trainer.player("generator");
  CHECK(bits(player.average()->state()) == bits(player.power_averages()[0]->state()));
  CHECK(bits(moving.trainer.player("generator").average()->state()) != bits(player.average()->state()));
  const auto texts = power.trainer.metadata();
  CHECK(texts.at("generator_average").find("0.2") != std::string::npos);
  CHECK_THROWS_WITH(moving.trainer.load(power.trainer.training_state(), texts), ContainsSubstring("generator_average"));
}

TEST_CASE("statistics of an averaged generator are those of its own samples", "[train]") {
  SmallPair<double> pair(1, {.batch_norm = true});
  gan::Trainer<double> trainer(pair.generator, pair.discriminator,
                               {.generator_optimizer = gan::AdamOptions{.learning_rate = 0.05},
                                .average = gan::MovingAverageOptions{.decay = 0.9}});
  for (int i = 0; i < 30; ++i) trainer.step(real_batch<double>(16));
  const auto rng = trainer.rng().state();
  const auto live = copies(pair.generator.buffers());
  const auto state = trainer.training_state();
  CHECK(trainer.rng().state() == rng);
  CHECK(bits(live) == bits(pair.generator.buffers()));
  // A generator with the averaged weights in training mode: its batches have the statistics that were saved.
  SmallPair<double> other(2, {.batch_norm = true});
  gan::NamedTensors<double> own;
  const std::string prefix = "generator_average.generator.";
  for (const auto& [name, tensor] : state)
    if (name.starts_with(prefix)) own.push_back({name.substr(prefix.size()), tensor});
  gan::copy_values("test", own, other.generator.state());
  const auto saved = copies(other.generator.buffers());
  {
    const gan::NoGrad no_grad;
    const gan::FreshStatistics<double> fresh(other.generator);
    gan::Rng noise(9);
    for (int i = 0; i < 40; ++i) other.generator(other.generator.draw(noise, 256));
  }
  const auto found = other.generator.buffers();
  for (std::size_t i = 0; i < found.size(); ++i) {
    INFO(found[i].name);
    const auto scale = saved[i].tensor.values().abs().maxCoeff() + 0.1;
    CHECK((found[i].tensor.values() - saved[i].tensor.values()).abs().maxCoeff() < 0.1 * scale);
  }
  // Those of the network in training are others: its weights are.
  double apart = 0;
  for (std::size_t i = 0; i < found.size(); ++i)
    apart = std::max(apart, (live[i].tensor.values() - saved[i].tensor.values()).abs().maxCoeff());
  CHECK(apart > 0.05);
}
