// Damage anywhere in a checkpoint is refused, and nothing is changed by it.
#include <random>

#include "gan/data/loader.hpp"
#include "gan/train/checkpoint.hpp"
#include "support/catch.hpp"
#include "support/networks.hpp"
#include "support/temporary_folder.hpp"

TEST_CASE("2,000 flipped bits all over a checkpoint are all refused, with the trainer as it was") {
  const TemporaryFolder folder;
  const auto path = folder / "c";
  SmallPair<float> pair(1);
  gan::Trainer<float> trainer(pair.generator, pair.discriminator);
  gan::Loader<float> loader(ring_data<float>(50), {.batch = 4, .seed = 1});
  trainer.step(loader.next().samples);
  gan::save_checkpoint<float>(path, trainer, &loader, {{"model", "a note"}});
  const std::string good = contents(path);
  trainer.step(loader.next().samples);
  const std::string before = everything(trainer) + loader.state().at("position");

  std::mt19937_64 random(1);
  int refused = 0;
  for (int i = 0; i < 2000; ++i) {
    std::string bad = good;
    // Half of them in the header, which is the smaller part
    const std::size_t header = good.find("net.") + 200, at = random() % (i % 2 == 0 ? header : good.size());
    bad[at] = static_cast<char>(bad[at] ^ 1 << random() % 8);
    put(path, bad);
    try {
      i % 4 < 2 ? gan::load_checkpoint<float>(path, trainer, &loader) : gan::load_generator(path, pair.generator);
    } catch (const gan::Error& error) {
      refused += std::string(error.what()).find(path.string()) == 0 ? 1 : 0;
    }
  }
  CHECK(refused == 2000);
  CHECK(everything(trainer) + loader.state().at("position") == before);
  put(path, good);
  CHECK_NOTHROW(gan::load_checkpoint<float>(path, trainer, &loader));

  const auto file = gan::load_safetensors<float>(path);
  gan::save_safetensors(path, file.tensors, file.metadata);
  REQUIRE_THROWS_WITH(gan::load_checkpoint<float>(path, trainer, &loader), ContainsSubstring("has no check sum"));
  REQUIRE_THROWS_WITH(gan::load_generator(path, pair.generator), ContainsSubstring("has no check sum"));
}
