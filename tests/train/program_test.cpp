// What programs need around runs: folders to put them in, and options that a resumed run takes from its checkpoint.
#include <chrono>
#include <cstdint>
#include <string>

#include "gan/core/shape.hpp"
#include "gan/train/run_folder.hpp"
#include "gan/train/stored_options.hpp"
#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

namespace fs = std::filesystem;

TEST_CASE("a program takes the next free folder, and goes on with the newest") {
  const TemporaryFolder folder;
  const fs::path base = folder / "deep" / "run";
  CHECK_THROWS_WITH(gan::newest_folder(base), ContainsSubstring(base.string() + ": holds no checkpoint.safetensors"));
  CHECK(gan::free_folder(base) == base);
  CHECK(gan::free_folder(base) == base);  // still empty
  put(base / "checkpoint.safetensors", "1");
  const fs::path second = gan::free_folder(base);
  CHECK(second == folder / "deep" / "run-2");
  CHECK(gan::newest_folder(base) == base);  // where there is something to go on with
  put(second / "checkpoint.safetensors", "2");
  CHECK(gan::free_folder(base) == folder / "deep" / "run-3");
  const auto now = fs::last_write_time(base / "checkpoint.safetensors");
  fs::last_write_time(second / "checkpoint.safetensors", now + std::chrono::hours(1));
  CHECK(gan::newest_folder(base) == second);
  fs::last_write_time(second / "checkpoint.safetensors", now - std::chrono::hours(1));
  CHECK(gan::newest_folder(base) == base);
  put(folder / "file", "x");
  CHECK(gan::free_folder(folder / "file") == folder / "file-2");
  CHECK_THROWS_WITH(gan::free_folder(folder / "file" / "run"), ContainsSubstring("cannot make it"));
}

namespace {

struct Options {
  std::string model = "mlp";
  double rate = 2e-4;
  gan::Index batch = 32;
  std::uint64_t seed = 18446744073709551615u;
  bool flip = false;
  fs::path data = "a b/ä";
  gan::StoredOptions stored{};

  Options() {
    stored.add("model", model)
        .add("rate", rate)
        .add("batch", batch)
        .add("seed", seed)
        .add("flip", flip)
        .add("data", data);
  }
  Options(const Options&) = delete;
};

}  // namespace

TEST_CASE("a resumed run takes its options from its notes") {
  Options saved;
  saved.model = "dcgan";
  saved.rate = 0.1 + 0.2;
  saved.flip = true;
  const auto notes = saved.stored.notes();
  CHECK(notes.at("--model") == "dcgan");
  CHECK(notes.at("--seed") == "18446744073709551615");

  Options o;
  o.data = "elsewhere";
  o.seed = 3;
  o.stored.resume(notes, {}, {}, "c");
  CHECK(o.model == "dcgan");
  CHECK(o.rate == 0.1 + 0.2);
  CHECK(o.seed == saved.seed);
  CHECK(o.flip);
  CHECK(o.data == saved.data);
  CHECK(o.stored.notes() == notes);
}

TEST_CASE("an option that differs from the run's is an error with both values, unless it is to change") {
  const auto notes = Options().stored.notes();
  Options o;
  o.model = "dcgan";
  o.rate = 1e-3;
  CHECK_THROWS_WITH(o.stored.resume(notes, {"batch", "model"}, {}, "c"),
                    "c: its run had --model \"mlp\", asked for now is \"dcgan\": leave the option away, or add "
                    "--change model");
  CHECK(o.model == "dcgan");
  CHECK_THROWS_WITH(o.stored.resume(notes, {"rate"}, {}, "c"), ContainsSubstring("\"0.0002\"") &&
                                                                   ContainsSubstring("\"0.001\"") &&
                                                                   ContainsSubstring("--change rate"));
  CHECK_THROWS_WITH(o.stored.resume(notes, {}, {"rat"}, "c"),
                    ContainsSubstring("no option \"rat\"") && ContainsSubstring("model, rate, batch"));
  o.stored.resume(notes, {"rate", "batch"}, {"rate"}, "c");
  CHECK(o.model == "mlp");
  CHECK(o.rate == 1e-3);

  auto broken = notes;
  for (const char* wrong : {"", "x", "1x", "0,5"}) {
    broken["--rate"] = wrong;
    o.model = "dcgan";
    CHECK_THROWS_WITH(o.stored.resume(broken, {}, {}, "c"), ContainsSubstring("\"--rate\" is \""));
    CHECK(o.model == "dcgan");
    CHECK(o.rate == 1e-3);
  }
  broken.erase("--rate");
  CHECK_THROWS_WITH(o.stored.resume(broken, {}, {}, "c"), ContainsSubstring("\"--rate\" is missing"));
}
