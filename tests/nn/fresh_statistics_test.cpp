// FreshStatistics: running statistics as the plain mean over batches, in any mode, and nothing else changed.
#include "gan/nn/fresh_statistics.hpp"

#include <limits>

#include "gan/nn/conditional_batch_norm.hpp"
#include "gan/nn/module_scopes.hpp"
#include "support/catch.hpp"

using gan::Index;
using gan::Rng;
using gan::Tensor;

namespace {

struct Net : gan::Layer<double> {
  explicit Net(Rng& rng) : Layer(rng) {}
  Tensor<double> forward(const Tensor<double>& x) override { return second(first(x)); }
  gan::BatchNorm<double> first{this, "first", 2};
  gan::ConditionalBatchNorm<double> second{this, "second", 3, 2};  // has one deeper down
};

}  // namespace

TEST_CASE("running statistics become the mean of the batches' and are used afterwards", "[nn]") {
  Rng rng(1);
  Net net(rng);
  const gan::Condition<double> condition{.labels = {0, 1, 2, 0}, .classes = 3};
  for (int i = 0; i < 5; ++i) net(gan::normal<double>(rng, {4, 2}, 7, 3), condition);  // what will be forgotten
  std::vector<Tensor<double>> batches;
  Tensor<double> mean = Tensor<double>::zeros({2}), variance = Tensor<double>::zeros({2});
  for (int i = 0; i < 3; ++i) {
    batches.push_back(gan::normal<double>(rng, {4, 2}, 1 + i, 2));
    const auto m = gan::mean(batches.back(), {0});
    mean = mean + m / 3;
    variance = variance + gan::sum(gan::square(batches.back() - m), {0}) / 3 / 3;  // unbiased, of 4
  }
  const bool training = GENERATE(true, false);
  net.train(training);
  {
    const gan::FreshStatistics<double> fresh(net);
    CHECK_FALSE(fresh.empty());
    for (const auto& x : batches) {
      const auto y = net.first(x);  // normalized by the batch, in evaluation mode too
      CHECK(std::abs(gan::mean(y).item()) < 1e-12);
    }
    for (const auto& x : batches) net.second(net.first(x), condition);  // the same ones again: the same mean
  }
  const auto buffers = net.buffers();
  REQUIRE(buffers[0].name == "first.running_mean");
  CHECK((buffers[0].tensor.values() - mean.values()).abs().maxCoeff() < 1e-12);
  CHECK((buffers[1].tensor.values() - variance.values()).abs().maxCoeff() < 1e-12);
  CHECK(buffers[2].name == "second.norm.running_mean");
  CHECK(buffers[2].tensor.values().abs().maxCoeff() < 1e-12);  // of what the first has normalized
  CHECK(net.training() == training);
  net.train();
  net(batches[0], condition);  // and the momentum is back
  CHECK((net.buffers()[0].tensor.values() - 0.9 * mean.values() - 0.1 * gan::mean(batches[0], {0}).values())
            .abs()
            .maxCoeff() < 1e-12);
}

TEST_CASE("a batch that is not finite does not count, and a network without batch norm has nothing to take", "[nn]") {
  Rng rng(1);
  Net net(rng);
  const auto x = gan::normal<double>(rng, {4, 2});
  {
    const gan::FreshStatistics<double> fresh(net);
    net.first(Tensor<double>::full({4, 2}, std::numeric_limits<double>::quiet_NaN()));
    net.first(x);
  }
  CHECK((net.buffers()[0].tensor.values() - gan::mean(x, {0}).values()).abs().maxCoeff() < 1e-12);
  struct Plain : gan::Layer<double> {
    explicit Plain(Rng& r) : Layer(r) {}
    Tensor<double> forward(const Tensor<double>& y) override { return y; }
  } plain(rng);
  CHECK(gan::FreshStatistics<double>(plain).empty());
}
