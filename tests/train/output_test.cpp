// What the callbacks write: CSV, pictures, progress.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "gan/train/callbacks.hpp"
#include "gan/train/csv_log.hpp"
#include "gan/train/progress.hpp"
#include "gan/train/sample_grid.hpp"
#include "support/catch.hpp"
#include "support/temporary_folder.hpp"
#include "train/pair.hpp"

#ifndef _WIN32
#include <fcntl.h>
#include <unistd.h>
#endif

namespace {

using gan::Index;
using Pairf = Pair<float>;
using Trainer = gan::Trainer<Pairf::G, Pairf::D>;

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
  s.fit({.epochs = 2}, gan::CsvLog(path), gan::every_steps(1, [&](auto& run) {
          results.push_back(run.result);
          CHECK(lines(contents(path)).size() == results.size() + 1);  // on the disk at once, should the run be killed
        }));
  const auto rows = lines(contents(path));
  REQUIRE(rows.size() == 11);
  CHECK(rows[0] == "step,epoch,discriminator_loss,generator_loss,penalty,real_score,fake_score");
  for (std::size_t i = 0; i < 10; ++i) {
    std::istringstream row(rows[i + 1]);
    std::vector<double> values;
    for (std::string value; std::getline(row, value, ',');) values.push_back(std::stod(value));
    const auto& r = results[i];
    REQUIRE(values.size() == 7);
    CHECK(values[0] == static_cast<double>(i + 1));
    CHECK(values[1] == (i < 5 ? 1 : 2));
    CHECK(values[2] == Approx(r.discriminator_loss).epsilon(1e-8));
    CHECK(values[3] == Approx(r.generator_loss).epsilon(1e-8));
    CHECK(values[4] == 0);
    CHECK(values[5] == Approx(r.real_score).epsilon(1e-8));
    CHECK(values[6] == Approx(r.fake_score).epsilon(1e-8));
  }
}

TEST_CASE("a run that goes on keeps the log's rows up to its step") {
  const TemporaryFolder folder;
  const auto path = folder / "losses.csv";
  Session s;
  s.fit({.epochs = 0, .steps = 3}, gan::CsvLog(path));
  const auto three = contents(path);
  put(path, three + "4,1,9,9,9,9,9\n5,1,9,9,9,9,9\n6,1,9,9");  // of a run that was killed later than it saved
  s.fit({.epochs = 0, .steps = 5}, gan::CsvLog(path));
  const auto rows = lines(contents(path));
  REQUIRE(rows.size() == 6);
  CHECK(contents(path).starts_with(three));
  CHECK(rows[4].starts_with("4,1,"));
  CHECK(rows[4] != "4,1,9,9,9,9,9");
  CHECK(rows[5].starts_with("5,1,"));

  Session fresh;
  fresh.fit({.epochs = 0, .steps = 4}, gan::CsvLog(path, 2));
  const auto anew = lines(contents(path));
  REQUIRE(anew.size() == 3);
  CHECK(anew[1].starts_with("2,"));
  CHECK(anew[2].starts_with("4,"));
  CHECK_THROWS_WITH(gan::CsvLog(path, 0), ContainsSubstring("every 0"));
}

TEST_CASE("piped progress is a plain line an epoch with both losses and the time left") {
  Pipe pipe;
  Session s;
  gan::StepResult fifth;
  s.fit({.epochs = 2, .steps = 7}, gan::ProgressBar(pipe.file),
        gan::every_steps(5, [&](auto& run) { fifth = run.result; }));
  const auto rows = lines(pipe.text());
  REQUIRE(rows.size() == 2);
  char losses[64];
  std::snprintf(losses, sizeof losses, "D %.3f  G %.3f  D(x) %.2f  D(G(z)) %.2f", fifth.discriminator_loss,
                fifth.generator_loss, fifth.real_score, fifth.fake_score);
  CHECK_THAT(rows[0], ContainsSubstring("epoch 1/2 step 5 [") && ContainsSubstring("images/s") &&
                          ContainsSubstring(" s left") && ContainsSubstring(losses) && ContainsSubstring(" 71 %"));
  CHECK_THAT(rows[1], ContainsSubstring("epoch 2/2 step 7 [====================] 100 %"));
  CHECK(pipe.text().find_first_of("\r\033") == std::string::npos);
}

TEST_CASE("progress prints in between, knows a time limit, and says why a run stopped") {
  Pipe often, limited, endless;
  Session s;
  gan::TimeBudget budget{0.02};
  s.fit({.epochs = 1}, gan::ProgressBar(often.file, 0));
  CHECK(lines(often.text()).size() >= 5);
  s.fit({.epochs = 0}, budget, gan::ProgressBar(limited.file).limit(budget.seconds));
  const auto rows = lines(limited.text());
  REQUIRE(rows.size() >= 2);
  CHECK_THAT(rows[rows.size() - 2],
             ContainsSubstring("[====================] 100 %") && ContainsSubstring(" 0 s left"));
  CHECK(rows.back() == "stopped: the time is up");
  s.fit({.epochs = 0}, gan::TimeBudget{0}, gan::ProgressBar(endless.file));
  CHECK_THAT(endless.text(), ContainsSubstring("images/s") && !ContainsSubstring("left") && !ContainsSubstring("["));
}

#ifndef _WIN32
TEST_CASE("on a terminal progress is one line an epoch that is drawn again") {
  const int master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
  if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0) {
    WARN("no pseudo-terminal to be had: skipped");
    return;
  }
  std::FILE* const terminal = std::fopen(ptsname(master), "w");
  REQUIRE(terminal != nullptr);
  Session s;
  s.fit({.epochs = 2, .steps = 7}, gan::ProgressBar(terminal));
  std::string text, part(4096, '\0');
  for (int tries = 0; tries < 300 && std::count(text.begin(), text.end(), '\n') < 2;
       ++tries) {  // what was written arrives in parts
    const auto length = read(master, part.data(), part.size());
    if (length > 0)
      text.append(part, 0, static_cast<std::size_t>(length));
    else
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  std::fclose(terminal);
  close(master);
  CHECK(lines(text).size() == 2);
  CHECK(text.starts_with("\r\033[Kepoch 1/2 step 5 ["));
  CHECK_THAT(text, ContainsSubstring("\n\r\033[Kepoch 2/2 step 7 ["));
}
#endif

TEST_CASE("durations are written for people") {
  CHECK(gan::detail::duration_text(41.6) == "42 s");
  CHECK(gan::detail::duration_text(187) == "3:07 min");
  CHECK(gan::detail::duration_text(3725) == "1:02 h");
  CHECK(gan::detail::duration_text(-1) == "0 s");
}

TEST_CASE("the sample grid writes a picture an epoch, or every few steps, and the last") {
  const TemporaryFolder folder;
  Session s;
  gan::SampleGrid grid{.folder = folder / "epochs"};
  s.fit({.epochs = 9, .steps = 12}, grid);
  CHECK(std::distance(std::filesystem::directory_iterator(grid.folder), {}) == 3);
  for (const char* name : {"samples_0001.png", "samples_0002.png", "samples_step_0000012.png"}) {
    INFO(name);
    CHECK(png_size(grid.folder / name) == std::pair(3 * 6 + 2, 2 * 6 + 2));  // 5 samples of 4 x 4 with their padding
  }
  CHECK(grid.last == grid.folder / "samples_step_0000012.png");
  gan::write_grid(folder / "expected.png", s.trainer->samples());
  CHECK(contents(grid.last) == contents(folder / "expected.png"));
  CHECK(contents(grid.folder / "samples_0001.png") != contents(grid.last));

  Session t;
  gan::SampleGrid often{.folder = folder / "steps", .every = 3, .grid = {.columns = 5, .padding = 0}};
  t.fit({.epochs = 0, .steps = 6}, often);
  CHECK(std::distance(std::filesystem::directory_iterator(often.folder), {}) == 2);
  CHECK(png_size(often.folder / "samples_step_0000006.png") == std::pair(20, 4));
}

TEST_CASE("flat samples need the shape of a picture, which is found before training") {
  const TemporaryFolder folder;
  Session s({16});
  CHECK_THROWS_WITH(s.fit({}, gan::SampleGrid{.folder = folder.path()}),
                    ContainsSubstring("samples [5, 16] are no pictures"));
  CHECK_THROWS_AS(s.fit({}, gan::SampleGrid{.folder = folder.path(), .image = {5, 4, 1}}), gan::Error);
  CHECK(s.trainer->steps() == 0);
  gan::SampleGrid grid{.folder = folder.path(), .image = {4, 4, 1}};
  s.fit({}, grid);
  CHECK(png_size(folder / "samples_0001.png") == std::pair(20, 14));
}

TEST_CASE("a place that cannot be written to is found before training") {
  const TemporaryFolder folder;
  put(folder / "file", "x");
  Session s;
  const auto before = everything(*s.trainer);
  CHECK_THROWS_WITH(s.fit({}, gan::SampleGrid{.folder = folder / "file"}), ContainsSubstring("file"));
  CHECK_THROWS_WITH(s.fit({}, gan::CsvLog(folder / "file" / "x.csv")), ContainsSubstring("file"));
  CHECK_THROWS_WITH(s.fit({}, gan::CsvLog(folder.path())), ContainsSubstring(folder.path().string()));
  CHECK(everything(*s.trainer) == before);
  CHECK(contents(folder / "file") == "x");
}
