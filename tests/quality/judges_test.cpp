// The judges of tests/benchmarks on drawn digits: they learn, come back from their file, order what is spoiled by how
// much it is, and see what is wrong with samples.
#include <fstream>

#include "benchmarks/figures.hpp"
#include "benchmarks/spoil.hpp"
#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

namespace {

using namespace gan::bench;
using gan::Dataset;
using gan::Index;

const JudgeData& drawn() {
  static const JudgeData data = [] {
    JudgeData made{gan::digits_dataset<float>(3000, 1), gan::digits_dataset<float>(600, 2), "drawn digits"};
    made.unseen = gan::digits_dataset<float>(3600, 3);  // a floor of more images costs no training
    return made;
  }();
  return data;
}

}  // namespace

TEST_CASE("judges see what is wrong with samples", "[quality]") {
  TemporaryFolder folder;
  const std::string build = GENERATE("lenet", "residual");
  INFO(build);
  const JudgeOptions options{.build = build, .epochs = 4};
  Judge judge(options, drawn(), folder.path());
  CHECK(judge.accuracy() > 0.9);
  const Judge again(options, drawn(), folder.path());  // from its file
  CHECK(again.accuracy() == judge.accuracy());

  const Reference reference(judge, drawn());
  const Index n = 600;
  const auto floor = measure_floor(reference, drawn(), n);
  CHECK(floor.images == 3600);
  CHECK(measure_floor(reference, drawn(), n).mean == floor.mean);  // from its file
  const auto good = spoil::unlabelled(drawn().unseen.subset(range(0, n)));
  const auto off = [&](const Dataset<float>& images, const char* figure) {
    const auto f = reference.measure({images, "spoiled"});
    return (f.at(figure) - floor.mean.at(figure)) / standard_error(floor, figure, n, 10);
  };
  // Few samples tell little by LeNet's distance, noise of 0.1 no more than other images do; twins and others see more.
  const bool residual = build == "residual";
  double before = residual ? 3 : 0;
  for (const double noise : {0.1, 0.2, 0.4}) {
    const double distance = off(spoil::noisy(good, noise, 1), "frechet");
    CHECK(distance > before);
    before = distance;
  }
  CHECK(before > 5);
  CHECK(off(spoil::shifted(good, 2), "frechet") > 5);
  CHECK(off(spoil::turned(good, 20), "frechet") > 5);
  CHECK(off(spoil::blurred(good, 2), "frechet") > 5);
  CHECK(off(spoil::chosen(drawn().unseen, n, [](Index i) { return drawn().unseen.label(i) != 3; }), "divergence") > 5);
  CHECK(off(spoil::repeated(good, n, 50), "apart") < -5);
  CHECK(off(spoil::repeated(good, n, 50), "recall") < -5);
  CHECK(off(spoil::some_blank(good, 0.1), "frechet") > (residual ? 5 : 1));
  CHECK(off(spoil::some_blank(good, 0.1), "twins") > 5);
  CHECK(std::abs(off(good, "frechet")) < 5);

  JudgeData bare = drawn();  // of one class, say, whose labels say nothing
  bare.test = spoil::unlabelled(bare.test);
  CHECK(Reference(judge, bare).measure({good, "compared with bare images"}).at("divergence") ==
        Approx(reference.measure({good, "good"}).at("divergence")));

  const auto labelled = drawn().unseen.subset(range(0, n));
  auto figures = reference.measure({labelled, "labelled"});
  CHECK(figures.at("asked") > 0.9);
  std::vector<Index> rows = range(0, n), wrong;
  for (Index i = 0; i < n; ++i) wrong.push_back((labelled.label(i) + 1) % 10);
  std::vector<float> values(static_cast<std::size_t>(n * 784));
  const auto x = labelled.gather(rows);
  std::copy_n(x.data(), x.size(), values.begin());
  figures = reference.measure({Dataset<float>::from({28, 28, 1}, values, wrong), "labelled wrongly"});
  CHECK(figures.at("asked") < 0.1);
  CHECK(figures.at("within") > 5 * floor.mean.at("within"));
}

TEST_CASE("samples that repeat training images are found", "[quality]") {
  const auto& data = drawn();
  const auto fresh = gan::digits_dataset<float>(400, 77);
  const auto honest = measure_memorizing({fresh, "fresh"}, data.training, data.test);
  CHECK(honest.expected == Approx(3000.0 / 3600));
  CHECK(std::abs(honest.nearer - honest.expected) < 4 * honest.error);
  const auto copied = measure_memorizing({data.training.subset(range(5, 405)), "copied"}, data.training, data.test);
  CHECK(copied.nearer == Approx(1));
  CHECK(copied.training[0] == copied.sample[0] + 5);
}

TEST_CASE("what judges refuse", "[quality]") {
  TemporaryFolder folder;
  const JudgeOptions options{.build = "lenet", .epochs = 1};
  const JudgeData small{gan::digits_dataset<float>(450, 1), gan::digits_dataset<float>(200, 2), "a few digits"};
  Judge judge(options, small, folder.path());
  const Reference reference(judge, small);
  CHECK_THROWS_WITH(reference.measure({small.test.subset(range(0, 50)), "few"}), ContainsSubstring("few: 50 samples"));
  CHECK_THROWS_WITH(reference.measure({Dataset<float>::from({2, 2, 1}, std::vector<float>(400)), "tiny"}),
                    ContainsSubstring("tiny: images [2, 2, 1], expected [28, 28, 1]"));
  CHECK_THROWS_WITH(measure_floor(reference, small, 200), ContainsSubstring("too few for a floor of 200"));
  CHECK_THROWS_WITH(Judge({.build = "oracle"}, small, folder.path()), ContainsSubstring("oracle"));
  measure_floor(reference, small, 100);
  std::filesystem::path file;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path()))
    if (entry.path().extension() == ".json") file = entry.path();
  REQUIRE_FALSE(file.empty());
  std::ofstream(file) << "{\"images\": 2, ";
  CHECK_THROWS_WITH(measure_floor(reference, small, 100), ContainsSubstring("spoiled"));
  // A file of that name that was made from other data.
  const JudgeData other{gan::digits_dataset<float>(450, 9), small.test, "other digits"};
  Judge stranger(options, other, folder.path());
  std::filesystem::copy_file(stranger.path(), judge.path(), std::filesystem::copy_options::overwrite_existing);
  CHECK_THROWS_WITH(Judge(options, small, folder.path()),
                    ContainsSubstring("was trained on other data than a few digits"));
  CHECK_THROWS_WITH(load_judge_data(folder.path()), ContainsSubstring("holds neither"));
}
