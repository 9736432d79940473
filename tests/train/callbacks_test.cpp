// What the callbacks write: CSV, pictures, progress.
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <limits>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "gan/data/loader.hpp"
#include "gan/train/callbacks/checkpoint.hpp"
#include "gan/train/callbacks/csv_log.hpp"
#include "gan/train/callbacks/every_steps.hpp"
#include "gan/train/callbacks/progress_bar.hpp"
#include "gan/train/callbacks/sample_grid.hpp"
#include "support/catch.hpp"
#include "support/networks.hpp"
#include "support/temporary_folder.hpp"
#include "support/warnings.hpp"

namespace {

using gan::Index;
using Pairf = SmallPair<float>;
using Trainer = gan::Trainer<float>;

/// 20 pictures [4, 4, 1] in batches of 4: 5 steps an epoch.
struct Session {
  explicit Session(const gan::Shape& item = {4, 4, 1}) : pair(1, {.item = item}) {
    const auto values = real_batch<float>(20, 1, {16});
    loader.emplace(gan::Dataset<float>::from({16}, {values.data(), values.data() + values.size()}),
                   gan::LoaderOptions{.batch = 4});
    trainer.emplace(pair.generator, pair.discriminator, Trainer::Options{.samples = 5});
  }
  template <class... Callbacks>
  gan::FitResult fit(const gan::FitOptions& options, Callbacks&&... callbacks) {
    return trainer->fit(*loader, options, callbacks...);
  }
  Pairf pair;
  std::optional<gan::Loader<float>> loader;
  std::optional<Trainer> trainer;
};

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> all;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) all.push_back(line);
  return all;
}

std::vector<std::string> cells(const std::string& row) {
  std::vector<std::string> all;
  std::istringstream in(row);
  for (std::string cell; std::getline(in, cell, ',');) all.push_back(cell);
  return all;
}

/// All that was written to it.
class Pipe {
 public:
  ~Pipe() { std::fclose(file); }
  std::string text() const {
    std::string all;
    std::rewind(file);
    for (int c; (c = std::fgetc(file)) != EOF;) all += static_cast<char>(c);
    return all;
  }
  std::FILE* file = std::tmpfile();
};

/// Calls f(run) after each step, when all was recorded and saved.
class Afterwards : public gan::Callback<float> {
 public:
  explicit Afterwards(std::function<void(gan::Run<float>&)> f) : f_(std::move(f)) {}
  gan::Phase phase() const override { return gan::Phase::show; }
  void on_step(gan::Run<float>& run) override { f_(run); }

 private:
  std::function<void(gan::Run<float>&)> f_;
};

std::pair<int, int> png_size(const std::filesystem::path& path) {
  const std::string bytes = contents(path);
  REQUIRE(bytes.starts_with("\x89PNG\r\n"));
  const auto number = [&](std::size_t at) {
    int n = 0;
    for (std::size_t i = at; i < at + 4; ++i) n = 256 * n + static_cast<unsigned char>(bytes[i]);
    return n;
  };
  return {number(16), number(20)};
}

}  // namespace

TEST_CASE("the CSV log has a row a step with what the step returned") {
  const TemporaryFolder folder;
  const auto path = folder / "deep" / "losses.csv";
  Session s;
  std::vector<gan::StepResult> results;
  s.fit({.epochs = 2}, gan::CsvLog({.path = path}), Afterwards([&](auto& run) {
          results.push_back(run.result);
          CHECK(lines(contents(path)).size() == results.size() + 1);  // on the disk at once, should the run be killed
        }));
  const auto rows = lines(contents(path));
  REQUIRE(rows.size() == 11);
  const auto columns = cells(rows[0]);
  REQUIRE(columns.size() == 2 + results[0].names().size());
  CHECK((columns[0] == "step" && columns[1] == "epoch"));
  for (const char* name : {"discriminator_loss", "generator_loss", "penalty", "real_score", "fake_score",
                           "discriminator_gradient", "generator_gradient"})
    CHECK(std::count(columns.begin(), columns.end(), name) == 1);
  for (std::size_t i = 0; i < 10; ++i) {
    const auto row = cells(rows[i + 1]);
    REQUIRE(row.size() == columns.size());
    CHECK(row[0] == std::to_string(i + 1));
    CHECK(row[1] == (i < 5 ? "1" : "2"));
    for (std::size_t k = 2; k < row.size(); ++k) {
      INFO(columns[k]);
      CHECK(std::stod(row[k]) == Approx(results[i][columns[k]]).epsilon(1e-8));
      if (columns[k] == "penalty") CHECK(row[k] == "0");
    }
  }
}

TEST_CASE("a run that goes on keeps the log's rows up to its step") {
  const TemporaryFolder folder;
  const auto path = folder / "losses.csv";
  Session s;
  s.fit({.epochs = 0, .steps = 3}, gan::CsvLog({.path = path}));
  const auto three = contents(path);
  put(path, three + "4,1,9,9,9,9,9\n5,1,9,9,9,9,9\n6,1,9,9");  // of a run that was killed later than it saved
  s.fit({.epochs = 0, .steps = 5}, gan::CsvLog({.path = path}));
  const auto rows = lines(contents(path));
  REQUIRE(rows.size() == 6);
  CHECK(contents(path).starts_with(three));
  CHECK(rows[4].starts_with("4,1,"));
  CHECK(rows[4] != "4,1,9,9,9,9,9");
  CHECK(rows[5].starts_with("5,1,"));

  Session fresh;
  const auto earlier = contents(path);
  CHECK_THROWS_WITH(
      fresh.fit({.steps = 4}, gan::CsvLog({.path = path, .every = 2})),
      ContainsSubstring(path.string() + ": holds the rows of an earlier run") && ContainsSubstring(".replace = true"));
  CHECK(contents(path) == earlier);
  put(folder / "other.csv", "name,price\nx,1\n");
  CHECK_THROWS_WITH(s.fit({.steps = 6}, gan::CsvLog({.path = folder / "other.csv"})),
                    ContainsSubstring("is not a log of losses"));
  CHECK(contents(folder / "other.csv") == "name,price\nx,1\n");
  fresh.fit({.epochs = 0, .steps = 4}, gan::CsvLog({.path = path, .every = 2, .replace = true}));
  const auto anew = lines(contents(path));
  REQUIRE(anew.size() == 3);
  CHECK(anew[1].starts_with("2,"));
  CHECK(anew[2].starts_with("4,"));
  CHECK_THROWS_WITH(gan::CsvLog({.path = path, .every = 0}), ContainsSubstring("every 0"));
}

namespace {

/// Notes a number at each step, one at every other step, and one that it begins with late.
struct Notes : gan::Game<float> {
  Notes() : Game(1) {}
  void step(gan::Source<float>& in) override {
    in.next();
    note("each", 0.5);
    steps() % 2 == 1 ? note("odd", 7) : note("odd");
    if (steps() >= 2) note("late", 9);
  }
};

}  // namespace

TEST_CASE("a log keeps the columns it began with, and a cell is empty where a step has no number") {
  const TemporaryFolder folder;
  const auto path = folder / "log.csv";
  Session s;
  Notes notes;
  notes.fit(*s.loader, {.steps = 3}, gan::CsvLog({.path = path}));
  CHECK(contents(path) == "step,epoch,each,odd\n1,1,0.5,\n2,1,0.5,7\n3,1,0.5,\n");
  notes.fit(*s.loader, {.steps = 6}, gan::CsvLog({.path = path}));
  CHECK(contents(path) == "step,epoch,each,odd\n1,1,0.5,\n2,1,0.5,7\n3,1,0.5,\n4,1,0.5,7\n5,1,0.5,\n6,2,0.5,7\n");
}

TEST_CASE("piped progress is a plain line an epoch with both losses and the time left") {
  Pipe pipe;
  Session s;
  gan::StepResult fifth;
  s.fit({.epochs = 2, .steps = 7}, gan::ProgressBar({.out = pipe.file}),
        gan::every_steps(5, [&](auto& run) { fifth = run.result; }));
  const auto rows = lines(pipe.text());
  REQUIRE(rows.size() == 2);
  char losses[64];
  std::snprintf(losses, sizeof losses, "D %.3f  G %.3f  D(x) %.2f  D(G(z)) %.2f", fifth["discriminator_loss"],
                fifth["generator_loss"], fifth["real_score"], fifth["fake_score"]);
  CHECK_THAT(rows[0], ContainsSubstring("epoch 1/2 step 5 [") && ContainsSubstring("samples/s") &&
                          ContainsSubstring(" s left") && ContainsSubstring(losses) && ContainsSubstring(" 71 %"));
  CHECK_THAT(rows[1], ContainsSubstring("epoch 2/2 step 7 [====================] 100 %"));
  CHECK(pipe.text().find_first_of("\r\033") == std::string::npos);
}

TEST_CASE("progress prints in between, knows a time limit, and says why a run stopped") {
  Pipe often, limited, endless;
  Session s;
  s.fit({.epochs = 1}, gan::ProgressBar({.out = often.file, .seconds = 0}));
  CHECK(lines(often.text()).size() >= 5);
  s.fit({.seconds = 0.02}, gan::ProgressBar({.out = limited.file}));
  const auto rows = lines(limited.text());
  REQUIRE(rows.size() >= 2);
  CHECK_THAT(rows[rows.size() - 2],
             ContainsSubstring("[====================] 100 %") && ContainsSubstring(" 0 s left"));
  CHECK(rows.back() == "stopped: the time is up");
  s.fit({.epochs = 0}, gan::every_steps(1, [](auto& run) { run.stop("enough"); }),
        gan::ProgressBar({.out = endless.file}));
  CHECK_THAT(endless.text(), ContainsSubstring("samples/s") && !ContainsSubstring("left") && !ContainsSubstring("["));
}

namespace {

/// A terminal of that many columns, and what was written to it; file is null where there is none to be had.
struct Terminal {
  explicit Terminal(unsigned columns) : master(posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK)) {
    if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0) return;
    file = std::fopen(ptsname(master), "w");
    winsize size{};
    size.ws_col = static_cast<unsigned short>(columns);
    if (file) ioctl(fileno(file), TIOCSWINSZ, &size);
  }
  ~Terminal() {
    if (file) std::fclose(file);
    close(master);
  }
  /// Waits for that many lines, since what was written arrives in parts.
  std::string text(std::ptrdiff_t lines) {
    std::string all, part(4096, '\0');
    for (int tries = 0; tries < 300 && std::count(all.begin(), all.end(), '\n') < lines; ++tries) {
      const auto length = read(master, part.data(), part.size());
      if (length > 0)
        all.append(part, 0, static_cast<std::size_t>(length));
      else
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    std::erase(all, '\r');
    return all;
  }
  int master;
  std::FILE* file = nullptr;
};

/// What stands behind each "clear this line".
std::vector<std::string> drawings(const std::string& text) {
  std::vector<std::string> all;
  const std::string clear = "\033[K";
  for (std::size_t at = text.find(clear); at != std::string::npos;) {
    const std::size_t next = text.find(clear, at + 1);
    std::string drawn = text.substr(at + clear.size(), next - at - clear.size());
    std::erase(drawn, '\n');
    all.push_back(drawn);
    at = next;
  }
  return all;
}

}  // namespace

TEST_CASE("on a terminal progress is one line that is drawn again and fits the width") {
  for (const unsigned columns : {0u, 20u, 40u, 80u, 140u}) {
    INFO(columns);
    Terminal terminal(columns);
    if (!terminal.file) {
      WARN("no pseudo-terminal to be had: skipped");
      return;
    }
    Session s;
    s.fit({.epochs = 2, .steps = 7}, gan::ProgressBar({.out = terminal.file}));
    const std::string text = terminal.text(2);
    CHECK(lines(text).size() == 2);  // the first epoch's, and the last
    const auto drawn = drawings(text);
    REQUIRE(drawn.size() == 2);
    for (const auto& line : drawn) CHECK(line.size() < (columns == 0 ? 80 : columns));
    CHECK_THAT(drawn[0], ContainsSubstring("epoch 1/2 step 5"));
    CHECK_THAT(drawn[1], ContainsSubstring("epoch 2/2 step 7"));
    if (columns != 20) CHECK_THAT(drawn[1], ContainsSubstring(" 100 %") && ContainsSubstring("0 s left"));
    const bool wide = columns == 140;
    CHECK((drawn[1].find("[====================]") != std::string::npos) == wide);
    CHECK((drawn[1].find("samples/s") != std::string::npos) == wide);
    CHECK((drawn[1].find("  D ") != std::string::npos) == (columns != 20 && columns != 40));
  }
}

TEST_CASE("short epochs are not printed one by one, nor pictured") {
  const TemporaryFolder folder;
  Terminal terminal(80u);
  Pipe pipe;
  Session s;
  gan::SampleGrid grid({.folder = folder.path()});
  gan::ProgressBar onto({.out = terminal.file ? terminal.file : stderr});
  const auto result = s.fit({.epochs = 300}, gan::ProgressBar({.out = pipe.file, .seconds = 0.5}), grid, onto);
  CHECK(s.trainer->steps() == 1500);
  CHECK(static_cast<double>(lines(pipe.text()).size()) <= 2 + result.seconds / 0.5);
  CHECK(static_cast<double>(folder.entries()) <= 12 + result.seconds);
  CHECK(grid.last() == folder / (result.seconds < 280 ? "samples_step_0001500.png" : "samples_0300.png"));
  if (!terminal.file) return;
  const std::string text = terminal.text(2);
  CHECK(static_cast<double>(lines(text).size()) <= 2 + result.seconds);
  CHECK(static_cast<double>(drawings(text).size()) <= 3 + 11 * result.seconds);
}

TEST_CASE("a progress bar needs a number of seconds") {
  CHECK_THROWS_WITH(gan::ProgressBar({.seconds = std::numeric_limits<double>::quiet_NaN()}),
                    ContainsSubstring("every nan"));
  CHECK_THROWS_WITH(gan::ProgressBar({.seconds = -1}), ContainsSubstring("every -1 seconds"));
  CHECK_THROWS_WITH(gan::ProgressBar({.out = nullptr}), ContainsSubstring("a file to print to"));
}

TEST_CASE("a place to print that is full is told once and ends nothing") {
  std::FILE* const full = std::fopen("/dev/full", "w");
  if (!full) {
    WARN("no /dev/full: skipped");
    return;
  }
  const gan::test::CollectWarnings warnings;
  Session s;
  CHECK(s.fit({.epochs = 2}, gan::ProgressBar({.out = full, .seconds = 0})).steps == 10);
  CHECK(warnings.count("progress cannot be printed: No space left on device; the run goes on") == 1);
  std::fclose(full);
}

TEST_CASE("rows that the disk refuses are written when there is room, or counted, and the run is saved") {
  for (const bool room : {true, false}) {
    INFO(room);
    const TemporaryFolder folder;
    const gan::test::CollectWarnings warnings;
    Session s;
    gan::CsvLog log({.path = folder / "losses.csv"});
    gan::Checkpoint checkpoint({.path = folder / "c", .every = 200});
    std::optional<FileSizeLimit> full(std::in_place, std::size_t{1} << 14);  // more than the checkpoint takes
    auto free = gan::every_steps(350, [&](auto&) {
      if (room) full.reset();
    });
    CHECK(s.fit({.steps = 400}, log, checkpoint, free).steps == 400);
    full.reset();
    const auto rows = lines(contents(folder / "losses.csv"));
    const std::size_t whole = rows.size() - 1 - (contents(folder / "losses.csv").ends_with('\n') ? 0 : 1);
    CHECK(whole + static_cast<std::size_t>(log.lost()) == 400);
    for (std::size_t i = 1; i <= whole; ++i) REQUIRE(rows[i].starts_with(std::to_string(i) + ","));
    CHECK((log.lost() == 0) == room);
    CHECK(warnings.count("File too large; its rows wait until there is room") == 1);
    CHECK(warnings.count(std::to_string(log.lost()) + " rows could not be written") == (room ? 0 : 1));
    CHECK(gan::load_safetensors<float>(folder / "c").metadata.at("step") == "400");
  }
}

TEST_CASE("a picture that cannot be written is told, and the next one is tried") {
  const TemporaryFolder folder;
  const gan::test::CollectWarnings warnings;
  Session s;
  const auto pictures = folder / "pictures";
  gan::SampleGrid grid({.folder = pictures});
  auto away = gan::every_steps(1, [&](auto& run) {
    if (run.game.steps() == 1) std::filesystem::remove(pictures);
    if (run.game.steps() == 7) std::filesystem::create_directory(pictures);
  });
  CHECK(s.fit({.epochs = 3}, away, grid).steps == 15);
  CHECK(warnings.count("samples_0001.png: cannot create a file in its folder: No such file") == 1);
  CHECK_FALSE(std::filesystem::exists(pictures / "samples_0001.png"));
  CHECK(std::filesystem::exists(pictures / "samples_0002.png"));
  CHECK(grid.last() == pictures / "samples_0003.png");
}

TEST_CASE("a folder that is removed during the run is made again by the checkpoint, and the log goes on in it") {
  const TemporaryFolder folder;
  Session s;
  const auto away = [&](auto&) {
    if (std::filesystem::exists(folder / "run" / "losses.csv")) std::filesystem::remove_all(folder / "run");
  };
  s.fit({.steps = 7}, gan::CsvLog({.path = folder / "run" / "losses.csv"}), gan::every_steps(3, away),
        gan::Checkpoint({.path = folder / "run" / "c"}));
  CHECK(gan::load_safetensors<float>(folder / "run" / "c").metadata.at("step") == "7");
  const auto rows = lines(contents(folder / "run" / "losses.csv"));
  REQUIRE(rows.size() == 6);
  CHECK(rows[1].starts_with("3,"));
}

TEST_CASE("a log is not touched by a run that does not start") {
  const TemporaryFolder folder;
  Session s;
  s.fit({.steps = 3}, gan::CsvLog({.path = folder / "losses.csv"}));
  const auto before = contents(folder / "losses.csv");
  Session fresh;
  put(folder / "file", "x");
  CHECK_THROWS_AS(fresh.fit({}, gan::CsvLog({.path = folder / "losses.csv", .replace = true}),
                            gan::SampleGrid({.folder = folder / "file"})),
                  gan::Error);
  CHECK(contents(folder / "losses.csv") == before);
}

TEST_CASE("durations are written for people") {
  CHECK(gan::detail::duration_text(41.6) == "42 s");
  CHECK(gan::detail::duration_text(187) == "3:07 min");
  CHECK(gan::detail::duration_text(3725) == "1:02 h");
  CHECK(gan::detail::duration_text(-1) == "0 s");
}

TEST_CASE("the sample grid writes a picture an epoch, or every few steps, and the last") {
  const TemporaryFolder folder;
  Session s;
  const auto epochs = folder / "epochs", steps = folder / "steps";
  gan::SampleGrid grid({.folder = epochs});
  s.fit({.epochs = 9, .steps = 12}, grid);
  CHECK(std::distance(std::filesystem::directory_iterator(epochs), {}) == 3);
  for (const char* name : {"samples_0001.png", "samples_0002.png", "samples_step_0000012.png"}) {
    INFO(name);
    CHECK(png_size(epochs / name) == std::pair(3 * 6 + 2, 2 * 6 + 2));  // 5 samples of 4 x 4 with their padding
  }
  CHECK(grid.last() == epochs / "samples_step_0000012.png");
  CHECK(grid.count() == 3);
  gan::write_grid(folder / "expected.png", s.trainer->samples());
  CHECK(contents(grid.last()) == contents(folder / "expected.png"));
  CHECK(contents(epochs / "samples_0001.png") != contents(grid.last()));

  Session t;
  gan::SampleGrid often({.folder = steps, .every = 3, .grid = {.columns = 5, .padding = 0}});
  t.fit({.epochs = 0, .steps = 6}, often);
  CHECK(std::distance(std::filesystem::directory_iterator(steps), {}) == 2);
  CHECK(png_size(steps / "samples_step_0000006.png") == std::pair(20, 4));
}

TEST_CASE("flat samples need the shape of a picture, which is found before training") {
  const TemporaryFolder folder;
  Session s({16});
  CHECK_THROWS_WITH(s.fit({}, gan::SampleGrid({.folder = folder.path()})),
                    ContainsSubstring("samples [5, 16] are no pictures"));
  CHECK_THROWS_AS(s.fit({}, gan::SampleGrid({.folder = folder.path(), .image = {5, 4, 1}})), gan::Error);
  CHECK(s.trainer->steps() == 0);
  gan::SampleGrid grid({.folder = folder.path(), .image = {4, 4, 1}});
  s.fit({}, grid);
  CHECK(png_size(folder / "samples_0001.png") == std::pair(20, 14));
}

TEST_CASE("a place that cannot be written to is found before training") {
  const TemporaryFolder folder;
  put(folder / "file", "x");
  Session s;
  const auto before = everything(*s.trainer);
  CHECK_THROWS_WITH(s.fit({}, gan::SampleGrid({.folder = folder / "file"})), ContainsSubstring("file"));
  CHECK_THROWS_WITH(s.fit({}, gan::CsvLog({.path = folder / "file" / "x.csv"})), ContainsSubstring("file"));
  CHECK_THROWS_WITH(s.fit({}, gan::CsvLog({.path = folder.path()})), ContainsSubstring(folder.path().string()));
  CHECK(everything(*s.trainer) == before);
  CHECK(contents(folder / "file") == "x");
}
