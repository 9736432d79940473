#include "gan/data/source.hpp"

#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "gan/data/together.hpp"
#include "gan/data/zip.hpp"
#include "gan/tensor/random.hpp"
#include "support/catch.hpp"

using gan::Batch;
using gan::Index;
using Source = gan::Source<double>;

namespace {

/// A source of one's own: points of two clusters, drawn without end, with the numbers of their clusters.
class Clusters : public Source {
 public:
  Batch<double> next() override { return draw(batch(), made_++); }
  Index epoch() const override { return made_ == 0 ? 0 : (made_ - 1) / batches_per_epoch(); }
  Index position() const override { return made_ == 0 ? 0 : (made_ - 1) % batches_per_epoch() + 1; }
  Index batches_per_epoch() const override { return 3; }
  Index batch() const override { return 4; }
  Texts state() const override { return {{"made", std::to_string(made_)}}; }
  void set_state(const Texts& state) override { made_ = gan::MetadataReader("clusters", state).count("made"); }
  Batch<double> reference(Index n) const override {
    gan::check(n >= 1 && n <= items(), "clusters: a reference of ", n, " points, expected 1 to ", items());
    return draw(n, -1);
  }
  Index classes() const override { return 2; }
  std::vector<double> class_frequencies() const override { return {0.5, 0.5}; }

 private:
  static Batch<double> draw(Index n, Index number) {
    gan::Rng rng(0, static_cast<std::uint64_t>(number));  // batch i is a function of i
    Batch<double> batch{gan::normal<double>(rng, {n, 2}), {std::vector<Index>(static_cast<std::size_t>(n)), 2}};
    rng.integers(batch.condition.labels, 0, 2);
    for (Index i = 0; i < n; ++i)
      batch.samples.mutable_data()[2 * i] += batch.condition.labels[static_cast<std::size_t>(i)] == 0 ? -5 : 5;
    return batch;
  }
  Index made_ = 0;
};

std::vector<double> values(const gan::Tensor<double>& x) {
  if (!x.defined()) return {};
  return {x.data(), x.data() + x.size()};
}

void check_equal(const Batch<double>& a, const Batch<double>& b) {
  CHECK(a.samples.shape() == b.samples.shape());
  CHECK(values(a.samples) == values(b.samples));
  CHECK(values(a.condition.values) == values(b.condition.values));
  CHECK(a.condition.labels == b.condition.labels);
}

/// What Source says of every source; make() gives one in its first state.
template <class Make>
void check_contract(const Make& make) {
  const std::unique_ptr<Source> source = make();
  const Index batches = source->batches_per_epoch();
  REQUIRE(batches >= 1);
  CHECK((source->last_batch() >= 1 && source->last_batch() <= source->batch()));
  CHECK(source->items() >= source->batch());
  CHECK(source->epoch() == 0);
  CHECK(source->position() == 0);
  const auto frequencies = source->class_frequencies();
  CHECK(static_cast<Index>(frequencies.size()) == source->classes());
  if (source->classes() > 0) CHECK(std::accumulate(frequencies.begin(), frequencies.end(), 0.0) == Approx(1));
  const auto reference = source->reference(source->items());
  CHECK(reference.samples.shape()[0] == source->items());

  for (Index made = 0; made <= 2 * batches; ++made) {
    const std::unique_ptr<Source> other = make();
    other->next();
    other->set_state(source->state());
    CHECK(other->state() == source->state());
    CHECK(other->epoch() == source->epoch());
    CHECK(other->position() == source->position());
    for (Index i = 0; i < batches + 1; ++i)
      check_equal(other->next(), [&] {
        const std::unique_ptr<Source> straight = make();
        for (Index k = 0; k < made + i; ++k) straight->next();
        return straight->next();
      }());
    const auto before = source->state();
    CHECK_THROWS_AS(source->set_state({}), gan::Error);
    CHECK(source->state() == before);

    check_equal(source->reference(source->items()), reference);
    const auto batch = source->next();
    CHECK(source->epoch() == made / batches);
    CHECK(source->position() == made % batches + 1);
    const Index size = source->position() == batches ? source->last_batch() : source->batch();
    CHECK(batch.samples.shape()[0] == size);
    CHECK(batch.condition.classes == source->classes());
    CHECK_NOTHROW(batch.condition.check_rows("batch", size));
  }
  CHECK_THROWS_AS(source->reference(0), gan::Error);
  CHECK_THROWS_AS(source->reference(source->items() + 1), gan::Error);
}

gan::Dataset<double> numbers(Index count, double first) {
  std::vector<double> numbers(static_cast<std::size_t>(2 * count));
  std::iota(numbers.begin(), numbers.end(), first);
  std::vector<Index> labels(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<Index>(i * i % 3);
  return gan::Dataset<double>::from({1, 2, 1}, numbers, labels);
}

}  // namespace

TEST_CASE("a source of one's own keeps the contract") {
  check_contract([] { return std::make_unique<Clusters>(); });
  Clusters clusters;
  const auto batch = clusters.next();
  for (Index i = 0; i < 4; ++i)
    CHECK((batch.samples.at({i, 0}) > 0) == (batch.condition.labels[static_cast<std::size_t>(i)] == 1));
  CHECK(clusters.settings().empty());
  CHECK(clusters.items() == 12);
  clusters.resume({{"made", "7"}}, {{"batch", "9"}});  // by itself what set_state() does
  CHECK(clusters.epoch() == 2);
  CHECK(clusters.position() == 1);
  CHECK_THROWS_WITH(clusters.two(), ContainsSubstring("its batches hold one"));
}

TEST_CASE("the library's sources keep the contract") {
  const std::vector<gan::Augmentation<double>> flip{gan::augment::flip_horizontal()};
  for (const bool drop_last : {true, false})
    for (const bool shuffle : {true, false}) {
      const gan::LoaderOptions options{.batch = 3, .seed = 2, .shuffle = shuffle, .drop_last = drop_last};
      check_contract([&] { return std::make_unique<gan::Loader<double>>(numbers(10, 1), options, flip); });
      check_contract(
          [&] { return std::make_unique<gan::Zip<double>>(numbers(10, 1), numbers(10, 101), options, flip); });
    }
  check_contract([&] {
    return std::make_unique<gan::Loader<double>>(numbers(10, 1), gan::LoaderOptions{.batch = 3, .balanced = true});
  });
  check_contract([&] {
    return std::make_unique<gan::Loader<double>>(numbers(2, 1), gan::LoaderOptions{.batch = 3, .drop_last = false});
  });
  for (const Index more : {6, 20})
    check_contract([&] {
      return std::make_unique<gan::Together<double>>(
          gan::together(numbers(12, 1), numbers(more, 101), {.batch = 3, .seed = 1}, flip));
    });
}

TEST_CASE("a source of one's own stands beside a loader") {
  gan::Loader<double> loader(numbers(15, 1), {.batch = 4});
  Clusters clusters;
  auto both = gan::together(clusters, loader);
  const auto batch = both.next();
  check_equal({batch.samples, {batch.condition.labels}},
              {Clusters().next().samples, {Clusters().next().condition.labels}});
  CHECK(batch.condition.values.shape() == gan::Shape{4, 1, 2, 1});
  CHECK(both.state().at("a_made") == "1");
  CHECK(both.state().at("b_position") == "1");
}
