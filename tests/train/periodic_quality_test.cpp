// PeriodicQuality: when it measures, what it keeps, when it stops, what it refuses.
#include "gan/train/callbacks/periodic_quality.hpp"

#include <limits>
#include <vector>

#include "support/catch.hpp"
#include "support/networks.hpp"
#include "support/temporary_folder.hpp"

using gan::Index;
using gan::Tensor;

namespace {

struct Session {
  SmallPair<float> pair{1};
  gan::Loader<float> loader{ring_data<float>(256), {.batch = 16}};
  gan::Trainer<float> trainer{pair.generator, pair.discriminator, {.average = gan::MovingAverageOptions{}}};
};

/// Gives these numbers, one after the other, and the last one for ever.
auto numbers(std::vector<double> values) {
  return
      [values, i = std::size_t{0}](const Tensor<float>&) mutable { return values[std::min(i++, values.size() - 1)]; };
}

}  // namespace

TEST_CASE("it measures at the start, every so often and at the end, and keeps the best", "[train]") {
  TemporaryFolder folder;
  Session s;
  gan::PeriodicQuality<float> quality({.measure = numbers({9, 5, 3, 4, 6}), .every = 4, .best = folder / "best"});
  s.trainer.fit(s.loader, {.steps = 14}, quality);
  std::vector<Index> steps;
  for (const auto& m : quality.history()) steps.push_back(m.step);
  CHECK(steps == std::vector<Index>{0, 4, 8, 12, 14});
  CHECK(quality.best().step == 8);
  CHECK(quality.best().value == 3);
  Session kept;
  gan::load_checkpoint(folder / "best", kept.trainer, &kept.loader);
  CHECK(kept.trainer.steps() == 8);
  // A run that goes on from there does not forget what was best.
  gan::PeriodicQuality<float> later({.measure = numbers({8}), .every = 4, .best = folder / "best"});
  kept.trainer.fit(kept.loader, {.steps = 12}, later);
  CHECK(later.best().value == 3);
  Session same;
  same.trainer.fit(same.loader, {.steps = 14});
  CHECK(everything(same.trainer) == everything(s.trainer));  // measuring changes nothing
  Session begun;
  CHECK_THROWS_WITH(begun.trainer.fit(begun.loader, {.steps = 1}, later), ContainsSubstring("best of an earlier run"));
}

TEST_CASE("it stops when nothing improves", "[train]") {
  Session s;
  gan::PeriodicQuality<float> quality({.measure = numbers({9, 5, 7, 5, 6}), .every = 1, .patience = 3});
  const auto result = s.trainer.fit(s.loader, {.steps = 100}, quality);
  CHECK(result.steps == 4);
  CHECK_THAT(result.reason, ContainsSubstring("no better samples in 3 measurements"));
}

TEST_CASE("left to the clock it takes its share of the time and no more", "[train]") {
  Session s;
  double taken = 0;
  gan::PeriodicQuality<float> quality(
      {.measure =
           [&taken](const Tensor<float>& x) {
             CHECK(x.shape() == gan::Shape{1000, 2});
             const auto start = std::chrono::steady_clock::now();
             std::this_thread::sleep_for(std::chrono::milliseconds(5));
             taken += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
             return 1.0;
           },
       .share = 0.2});
  const auto result = s.trainer.fit(s.loader, {.seconds = 0.4}, quality);
  CHECK(quality.history().size() >= 3);
  CHECK(taken <= 0.2 * result.seconds + 0.03);  // but for the measurement at the end
}

TEST_CASE("the default measure is a distance to held-out items", "[train]") {
  Session s;
  gan::Rng rng(3);
  const Tensor<float> held_out({500, 2}, gan::gaussian_ring<float>(rng, 500));
  gan::PeriodicQuality<float> quality({.held_out = held_out, .every = 1000});
  s.trainer.fit(s.loader, {.steps = 1}, quality);
  gan::Rng noise(0, 0x7175616c697479), directions(0, 0x776173736572);
  const auto x = s.trainer.sample(s.pair.generator.draw(noise, 1000));
  CHECK(quality.history().back().value == gan::sliced_wasserstein(directions, held_out, x));
  gan::PeriodicQuality<float> of_source({.every = 1000});
  s.trainer.fit(s.loader, {.steps = 2}, of_source);
  CHECK(of_source.history().back().value > 0);
}

TEST_CASE("what cannot be measured ends the run before a step", "[train]") {
  Session s;
  gan::PeriodicQuality<float> nan({.measure = numbers({std::numeric_limits<double>::quiet_NaN()})});
  CHECK_THROWS_WITH(s.trainer.fit(s.loader, {.steps = 3}, nan), ContainsSubstring("is NaN after step 0"));
  TemporaryFolder folder;
  std::ofstream(folder / "file") << "no folder";
  gan::PeriodicQuality<float> nowhere({.measure = numbers({1}), .best = folder / "file/best"});
  CHECK_THROWS_WITH(s.trainer.fit(s.loader, {.steps = 3}, nowhere), ContainsSubstring("file"));
  CHECK(s.trainer.steps() == 0);
  using Quality = gan::PeriodicQuality<float>;
  CHECK_THROWS_WITH(Quality({.samples = 1}), ContainsSubstring("1 samples"));
  CHECK_THROWS_WITH(Quality({.share = 0}), ContainsSubstring("share 0"));
  CHECK_THROWS_WITH(Quality({.patience = -1}), ContainsSubstring("patience -1"));
}
