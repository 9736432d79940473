// Trainings in one process, each on a thread of its own, do not touch one another: each is the lone one, bit for bit.
// Built with -fsanitize=thread, this test also shows that nothing is shared without a lock.
#include <array>
#include <exception>
#include <string>
#include <thread>

#include "gan/data/loader.hpp"
#include "gan/train/callbacks/checkpoint.hpp"
#include "gan/train/callbacks/collapse_watch.hpp"
#include "gan/train/callbacks/csv_log.hpp"
#include "gan/train/checkpoint.hpp"
#include "gan/train/moving_average.hpp"
#include "support/catch.hpp"
#include "support/networks.hpp"
#include "support/temporary_folder.hpp"

namespace {

struct Session {
  SmallPair<float> pair{3, {.batch_norm = true, .dropout = 0.2}};
  gan::Loader<float> loader{ring_data<float>(96), {.batch = 16}};
  gan::Trainer<float> trainer{pair.generator, pair.discriminator, {.average = gan::MovingAverageOptions{.decay = 0.9}}};

  void fit(const std::filesystem::path& folder, gan::Index steps) {
    gan::CollapseWatch watch({.every = 4, .out = nullptr});
    trainer.fit(loader, {.epochs = 0, .steps = steps}, gan::CsvLog({.path = folder / "losses.csv"}),
                gan::Checkpoint({.path = folder / "checkpoint.safetensors", .every = 5}), watch);
  }
};

/// Trains, saves, loads what was saved into fresh networks and goes on. All that the next step would depend on.
std::string train(const std::filesystem::path& folder) {
  Session().fit(folder, 12);
  Session resumed;
  gan::load_checkpoint(folder / "checkpoint.safetensors", resumed.trainer, &resumed.loader);
  resumed.fit(folder, 20);
  return everything(resumed.trainer) + bits(resumed.trainer.samples());
}

}  // namespace

TEST_CASE("four trainings at once are each the lone one, bit for bit", "[train]") {
  const TemporaryFolder folder;
  const std::string alone = train(folder / "alone");
  REQUIRE(!alone.empty());
  std::array<std::string, 4> states, errors;
  {
    std::array<std::thread, 4> threads;
    for (std::size_t i = 0; i < threads.size(); ++i)
      threads[i] = std::thread([&, i] {
        try {
          states[i] = train(folder / ("run" + std::to_string(i)));
        } catch (const std::exception& e) {
          errors[i] = e.what();
        }
      });
    for (auto& thread : threads) thread.join();
  }
  for (std::size_t i = 0; i < states.size(); ++i) {
    CAPTURE(i, errors[i]);
    CHECK(states[i] == alone);
    CHECK(contents(folder / ("run" + std::to_string(i)) / "losses.csv").size() > 100);
  }
}
