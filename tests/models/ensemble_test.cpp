// Ensembles: several generators or discriminators that the same trainer drives as one.
#include "gan/models/ensemble.hpp"

#include <cmath>
#include <limits>
#include <numeric>

#include "gan/loss/any_objective.hpp"
#include "gan/loss/any_penalty.hpp"
#include "gan/loss/gradient_penalty.hpp"
#include "gan/loss/least_squares.hpp"
#include "gan/loss/relativistic.hpp"
#include "gan/metrics/sliced_wasserstein.hpp"
#include "gan/train/checkpoint.hpp"
#include "support/catch.hpp"
#include "support/networks.hpp"
#include "support/temporary_folder.hpp"

namespace {

using gan::Index;
using gan::Rng;
using gan::Shape;
using gan::Tensor;
template <class T>
using Generators = gan::GeneratorEnsemble<T>;
template <class T>
using Discriminators = gan::DiscriminatorEnsemble<T>;

template <class T = float>
gan::MlpGeneratorOptions<T> generator_options(Index hidden = 8, bool batch_norm = false, double dropout = 0) {
  return {.latent = 3,
          .distribution = gan::latent::uniform(),
          .item = {2},
          .hidden = {hidden},
          .batch_norm = batch_norm,
          .dropout = dropout,
          .output_activation = gan::activation::identity()};
}
template <class T = float>
gan::MlpDiscriminatorOptions<T> discriminator_options(Index hidden = 8, double dropout = 0) {
  return {.item = {2}, .hidden = {hidden}, .dropout = dropout};
}

/// Makes members of that class and those options.
template <class Network, class Options>
auto maker(Options options) {
  return [options](Rng& rng) { return std::make_unique<Network>(rng, options); };
}
template <class T>
auto generator_maker(const gan::MlpGeneratorOptions<T>& options = generator_options<T>()) {
  return maker<gan::MlpGenerator<T>>(options);
}
template <class T>
auto discriminator_maker(const gan::MlpDiscriminatorOptions<T>& options = discriminator_options<T>()) {
  return maker<gan::MlpDiscriminator<T>>(options);
}

template <class T>
Tensor<T> rows_of(const Tensor<T>& x, Index first, Index stride) {
  std::vector<Index> rows;
  for (Index i = first; i < x.shape()[0]; i += stride) rows.push_back(i);
  return gan::gather(x, std::move(rows));
}

template <class T>
double largest_gradient(const gan::Module<T>& module) {
  double largest = 0;
  for (const auto& [name, parameter] : module.parameters())
    if (parameter.grad().defined())
      largest = std::max(largest, static_cast<double>(parameter.grad().values().abs().maxCoeff()));
  return largest;
}

}  // namespace

TEST_CASE("a module adopts a network, which takes names, mode and random numbers from it") {
  Rng rng(1);
  Generators<float> parent(rng, 1, generator_maker<float>());
  gan::MlpGenerator<float> child(rng, generator_options(8, true, 0.5));
  parent.eval();
  parent.adopt(child, "extra");
  CHECK(child.path() == "extra");
  CHECK_FALSE(child.training());
  CHECK(&child.rng() == &parent.rng());
  for (const auto& [name, tensor] : child.state()) CHECK(tensor.label() == "extra." + name);
  CHECK(parent.parameter_count() == child.parameter_count() + parent.member(0).parameter_count());
  CHECK(parent.mixes_batch());

  const auto before = bits(parent.state());
  REQUIRE_THROWS_WITH(parent.adopt(child, "again"), ContainsSubstring("\"extra\", which has a parent already"));
  REQUIRE_THROWS_WITH(child.adopt(parent, "loop"), ContainsSubstring("root of its own tree"));
  REQUIRE_THROWS_WITH(parent.adopt(parent, "self"), ContainsSubstring("root of its own tree"));
  gan::MlpGenerator<float> other(rng, generator_options());
  for (const char* name : {"extra", "member0", "", "a.b"}) CHECK_THROWS_AS(parent.adopt(other, name), gan::Error);
  CHECK(other.path().empty());
  CHECK(bits(parent.state()) == before);
  {
    gan::MlpGenerator<float> brief(rng, generator_options());
    parent.adopt(brief, "brief");
  }
  CHECK(bits(parent.state()) == before);
}

TEST_CASE("members are children with names of their own, and differ") {
  Rng rng(1);
  Generators<float> g(rng, 3, generator_maker<float>(generator_options(8, true)));
  CHECK(g.size() == 3);
  CHECK(g.latent() == 3);
  CHECK(g.parameter_count() == 3 * g.member(0).parameter_count());
  CHECK(g.parameters()[0].name == "member0.net.dense1.weight");
  CHECK(g.parameters().back().name == "member2.net.output.bias");
  CHECK(g.parameters().back().tensor.label() == "member2.net.output.bias");
  CHECK(g.mixes_batch());
  CHECK(bits(g.member(0).parameters()) != bits(g.member(1).parameters()));
  Rng noise(2);
  const auto z = g.draw(noise, 200);
  CHECK(z.values().abs().maxCoeff() < 1);  // the members' distribution, uniform
  CHECK_THAT(g.summary(), ContainsSubstring("member0.net.dense1") && ContainsSubstring("member2.net.dense1"));

  Discriminators<float> d(rng, 2, discriminator_maker<float>());
  CHECK(d.parameters().back().name == "member1.net.output.bias");
  CHECK_FALSE(d.mixes_batch());
  CHECK_THAT(d.summary({2}), ContainsSubstring("member1.net.output"));

  Rng other(9);
  Generators<float> copy(other, 3, generator_maker<float>(generator_options(8, true)));
  CHECK(bits(copy.sample(z)) != bits(g.sample(z)));
  copy.load_state(g.state());
  CHECK(bits(copy.sample(z)) == bits(g.sample(z)));
}

TEST_CASE("in training row i is made by member i modulo their number, whatever the number of rows") {
  Rng rng(1);
  Generators<double> g(rng, 3, generator_maker<double>());
  for (const Index n : {3, 4, 8, 12}) {
    Rng noise(4);
    const auto z = g.draw(noise, n), x = g(z);
    REQUIRE(x.shape() == Shape{n, 2});
    for (Index i = 0; i < std::min<Index>(3, n); ++i)
      CHECK(bits(rows_of(x, i, 3)) == bits(g.member(i).sample(rows_of(z, i, 3))));
  }
}

namespace {

/// Samples [n, 1] that are all the number of the member.
class Numbered : public gan::Generator<float> {
 public:
  Numbered(Rng& rng, float number, Index latent, const gan::LatentDistribution& distribution)
      : Generator(rng, {.latent = latent, .distribution = distribution}), number_(number) {}
  Tensor<float> forward(const Tensor<float>& z) override { return Tensor<float>::full({z.shape()[0], 1}, number_); }

 private:
  float number_;
};

}  // namespace

TEST_CASE("samples are the even mixture of the members, drawn at once, in threes or one by one") {
  constexpr Index members = 4, n = 3000;
  const auto distributions = {gan::latent::normal(), gan::latent::uniform(), gan::latent::sphere(),
                              gan::latent::truncated_normal(1)};
  for (const Index latent : {1, 2, 64})
    for (const auto& distribution : distributions) {
      if (latent == 1 && &distribution == distributions.begin() + 2) continue;  // two points only
      Rng rng(1);
      float number = 0;
      Generators<float> g(rng, members,
                          [&](Rng& r) { return std::make_unique<Numbered>(r, number++, latent, distribution); });
      Rng noise(7);
      const auto z = g.draw(noise, n), at_once = g.sample(z);
      std::vector<double> counts(members, 0);
      for (Index i = 0; i < n; ++i) ++counts[static_cast<std::size_t>(at_once.data()[i])];
      double chi_square = 0;
      for (const double count : counts) chi_square += std::pow(count - n / members, 2) / (n / members);
      INFO("latent " << latent << ": " << counts[0] << " " << counts[1] << " " << counts[2] << " " << counts[3]);
      CHECK(chi_square < 21.1);  // with 3 degrees of freedom once in 10,000
      for (const Index part : {1, 3, 7}) {
        Index differing = 0;
        for (Index begin = 0; begin < 300; begin += part) {
          const Index end = std::min<Index>(300, begin + part);
          const auto x = g.sample(gan::slice(z, 0, begin, end));
          for (Index i = begin; i < end; ++i) differing += x.data()[i - begin] != at_once.data()[i];
        }
        CHECK(differing == 0);
      }
      // Neighbors have nothing to do with each other: as many equal pairs as chance makes.
      double equal = 0;
      for (Index i = 1; i < n; ++i) equal += at_once.data()[i] == at_once.data()[i - 1];
      CHECK(std::abs(equal - n / 4.0) < 4.5 * std::sqrt(n * 3.0 / 16));
    }
}

TEST_CASE("a noise vector has one sample, whatever comes with it") {
  Rng rng(1);
  Generators<double> g(rng, 3, generator_maker<double>(generator_options<double>(8, true)));
  Rng noise(4);
  const auto z = g.draw(noise, 40), x = g.sample(z);
  for (Index i = 0; i < 40; ++i) {
    const auto row = gan::slice(z, 0, i, i + 1), alone = g.sample(row);
    CHECK((alone.values() - x.matrix().row(i).transpose().array()).abs().maxCoeff() < 1e-12);
    Index makers = 0;
    for (Index k = 0; k < 3; ++k) makers += bits(g.member(k).sample(row)) == bits(alone);
    CHECK(makers == 1);
  }
  const auto state = bits(g.state());
  const auto random = g.rng().state();
  g.sample(z);
  CHECK(bits(g.state()) == state);
  CHECK(g.rng().state() == random);
}

TEST_CASE("gradients of a generator ensemble are those of each member on its rows") {
  Rng rng(1);
  Generators<double> g(rng, 3, generator_maker<double>());
  Rng noise(4);
  const auto z = g.draw(noise, 7);
  const auto weights = gan::normal<double>(noise, {7, 2});
  gan::backward(gan::sum(g(z) * weights));
  std::vector<Tensor<double>> joint;
  for (const auto& p : g.parameters()) joint.push_back(p.tensor.grad().clone());
  g.zero_grad();
  for (Index i = 0; i < 3; ++i) gan::backward(gan::sum(g.member(i)(rows_of(z, i, 3)) * rows_of(weights, i, 3)));
  std::size_t k = 0;
  for (const auto& p : g.parameters()) CHECK((joint[k++].values() - p.tensor.grad().values()).abs().maxCoeff() < 1e-12);
  for (Index i = 0; i < 3; ++i) CHECK(largest_gradient(g.member(i)) > 1e-3);
}

TEST_CASE("the loss of a discriminator ensemble is the mean of its members' losses, with every objective") {
  Rng rng(1);
  Discriminators<double> d(rng, 3, discriminator_maker<double>());
  const auto real = real_batch<double>(5, 1), fake = real_batch<double>(5, 2);
  REQUIRE(d(real).shape() == Shape{5, 3});
  std::string_view names = gan::objective_names;
  while (!names.empty()) {
    const auto name = names.substr(0, names.find(','));
    names.remove_prefix(std::min(names.size(), name.size() + 2));
    INFO(name);
    const auto objective = gan::objective_named<double>(name);
    double discriminator = 0, generator = 0;
    for (Index i = 0; i < 3; ++i) {
      const auto real_scores = d.member(i)(real), fake_scores = d.member(i)(fake);
      discriminator += objective.discriminator_loss(rng, real_scores, fake_scores).sum().item() / 3;
      generator += objective.generator_loss(real_scores, fake_scores).item() / 3;
    }
    d.zero_grad();
    const auto loss = objective.discriminator_loss(rng, d(real), d(fake)).sum();
    CHECK(loss.item() == Approx(discriminator).epsilon(1e-12));
    CHECK(objective.generator_loss(d(real), d(fake)).item() == Approx(generator).epsilon(1e-12));
    gan::backward(loss);
    for (Index i = 0; i < 3; ++i) CHECK(largest_gradient(d.member(i)) > 1e-4);
  }
}

TEST_CASE("a member penalty is the mean of the penalties of the members") {
  Rng rng(1);
  Discriminators<double> d(rng, 3, discriminator_maker<double>());
  const auto real = real_batch<double>(5, 1), fake = real_batch<double>(5, 2);
  const auto unused = [](const Tensor<double>& x) { return x; };
  const gan::MemberPenalty penalty(d, gan::R1{.gamma = 2});
  double expected = 0;
  for (Index i = 0; i < 3; ++i)
    expected += gan::R1{.gamma = 2}(
                    rng, [&](const auto& x) { return d.member(i)(x); }, real, fake, 0)
                    .item() /
                3;
  const auto value = penalty(rng, unused, real, fake, 0);
  CHECK(value.item() == Approx(expected).epsilon(1e-12));
  gan::backward(value);
  for (Index i = 0; i < 3; ++i) CHECK(largest_gradient(d.member(i)) > 1e-4);

  CHECK_FALSE(gan::MemberPenalty(d, gan::R1{.every = 4})(rng, unused, real, fake, 3).defined());
  const gan::MemberPenalty clip(d, gan::ClipWeights{0.01});
  clip.after_step(d.parameters());
  for (const auto& p : d.parameters()) CHECK(p.tensor.values().abs().maxCoeff() <= 0.01);
  gan::AnyPenalty<double> any;
  any.add(gan::MemberPenalty(d, gan::GradientPenalty{}));
  CHECK(any(rng, unused, real, fake, 0).item() > 0);
  const gan::MemberPenalty<double, gan::R1> none;
  REQUIRE_THROWS_WITH(none(rng, unused, real, fake, 0), ContainsSubstring("without an ensemble"));
}

namespace {

/// Members of other shapes: `make(x)` is what they put out.
template <class F>
class Odd : public gan::Discriminator<double> {
 public:
  Odd(Rng& rng, F make) : Discriminator(rng), make_(make) {}
  Tensor<double> forward(const Tensor<double>& x) override { return make_(x); }

 private:
  F make_;
};

template <class F>
std::string refusal(F first, const Shape& samples = {4, 2}) {
  Rng rng(1);
  Discriminators<double>::Members members;
  members.push_back(std::make_unique<gan::MlpDiscriminator<double>>(rng, discriminator_options<double>()));
  members.push_back(std::make_unique<Odd<F>>(rng, first));
  Discriminators<double> d(rng, std::move(members));
  try {
    d(Tensor<double>::ones(samples));
  } catch (const gan::Error& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("ensembles that cannot work are errors with numbers") {
  Rng rng(1);
  REQUIRE_THROWS_WITH(Generators<float>(rng, 0, generator_maker<float>()), ContainsSubstring("0 members"));
  REQUIRE_THROWS_WITH(Discriminators<float>(rng, -2, discriminator_maker<float>()), ContainsSubstring("-2 members"));
  REQUIRE_THROWS_WITH(Generators<float>(rng, {}), ContainsSubstring("no members"));
  REQUIRE_THROWS_WITH(Discriminators<float>(rng, {}), ContainsSubstring("no members"));
  REQUIRE_THROWS_WITH(Generators<float>(rng, 2, [](Rng&) { return std::unique_ptr<gan::Generator<float>>(); }),
                      ContainsSubstring("member 0 is null"));
  Index latent = 3;
  const auto growing = [&latent](Rng& r) {
    return std::make_unique<gan::MlpGenerator<float>>(r,
                                                      gan::MlpGeneratorOptions<float>{.latent = latent++, .item = {2}});
  };
  REQUIRE_THROWS_WITH(Generators<float>(rng, 2, growing),
                      ContainsSubstring("member 1 takes noise of length 4 and 0 classes, and member 0 of length 3"));

  Index item = 2;
  Generators<float> uneven(rng, 2, [&item](Rng& r) {
    return std::make_unique<gan::MlpGenerator<float>>(r,
                                                      gan::MlpGeneratorOptions<float>{.latent = 3, .item = {item++}});
  });
  REQUIRE_THROWS_WITH(uneven(Tensor<float>::ones({4, 3})),
                      ContainsSubstring("member 1 gives samples [2, 3], member 0 [2, 2]"));
  Generators<float> g(rng, 3, generator_maker<float>());
  REQUIRE_THROWS_WITH(g(Tensor<float>::ones({2, 3})), ContainsSubstring("2 rows for 3 members"));
  REQUIRE_THROWS_WITH(g(Tensor<float>::ones({3, 4})), ContainsSubstring("z [3, 4], expected [n, 3]"));
  REQUIRE_THROWS_WITH(g(Tensor<float>::ones({3})), ContainsSubstring("z [3]"));
  REQUIRE_THROWS_WITH(g.member(3), ContainsSubstring("member 3, expected [0, 3)"));
  REQUIRE_THROWS_WITH(g.member(-1), ContainsSubstring("member -1"));

  CHECK_THAT(refusal([](const auto& x) { return gan::mean(x, {1}); }), ContainsSubstring("member1 gives [4] for"));
  CHECK_THAT(refusal([](const auto& x) { return x; }), ContainsSubstring("member1 gives [4, 2] for"));
  CHECK_THAT(refusal([](const auto& x) {
               return gan::mean(x, {0, 1}, true);
             }),
             ContainsSubstring("member1 gives [1, 1] for samples [4, 2]"));
  CHECK_THAT(refusal([](const auto& x) {
               return gan::reshape(gan::slice(x, 1, 0, 1), Shape{4, 1, 1});
             }),
             ContainsSubstring("member1 gives [4, 1, 1]") && ContainsSubstring("one shape for all members"));
}

namespace {

/// Three generators against two discriminators with all that has a state, as a program makes them after a restart.
struct Session {
  explicit Session(std::uint64_t seed = 1, Index hidden = 8)
      : rng(seed),
        generator(rng, 3, generator_maker<float>(generator_options(hidden, true, 0.2))),
        discriminator(rng, 2, discriminator_maker<float>(discriminator_options(hidden, 0.2))),
        loader(ring_data<float>(50), {.batch = 10, .seed = seed}),
        trainer(generator, discriminator,
                {.penalty = gan::MemberPenalty(discriminator, gan::GradientPenalty{.weight = 1}),
                 .average = gan::MovingAverageOptions{},
                 .samples = 7,
                 .seed = seed}) {}

  std::string all() { return everything(trainer) + bits(trainer.samples()); }

  Rng rng;
  Generators<float> generator;
  Discriminators<float> discriminator;
  gan::Loader<float> loader;
  gan::Trainer<float> trainer;
};

}  // namespace

TEST_CASE("a resumed run of ensembles is the run that never stopped, bit for bit") {
  const TemporaryFolder folder;
  Session straight;
  straight.trainer.fit(straight.loader, {.epochs = 0, .steps = 14});
  {
    Session before;
    before.trainer.fit(before.loader, {.epochs = 0, .steps = 7});
    gan::save_checkpoint(folder / "c", before.trainer, &before.loader);
  }
  Session after(99);
  gan::load_checkpoint(folder / "c", after.trainer, &after.loader);
  after.trainer.fit(after.loader, {.epochs = 0, .steps = 14});
  CHECK(after.all() == straight.all());

  gan::save_checkpoint(folder / "c", after.trainer, &after.loader);
  Rng rng(5);
  Generators<float> loaded(rng, 3, generator_maker<float>(generator_options(8, true, 0.2)));
  gan::load_generator(folder / "c", loaded);
  const auto z = loaded.draw(rng, 5);
  CHECK(bits(loaded.sample(z)) == bits(after.trainer.sample(z)));

  Session wide(1, 9);
  REQUIRE_THROWS_WITH(gan::load_checkpoint(folder / "c", wide.trainer, &wide.loader),
                      ContainsSubstring("generator.member0.net.dense1.weight"));
}

TEST_CASE("ensembles train towards the ring, packed too, and every member changes") {
  for (const Index pack : {1, 2}) {
    Rng rng(3);
    auto g_options = generator_options();
    auto options = discriminator_options();
    g_options.hidden = options.hidden = {32, 32};
    options.item = {2 * pack};
    Generators<float> generator(rng, 2, generator_maker<float>(g_options));
    Discriminators<float> discriminator(rng, 2, discriminator_maker<float>(options));
    gan::Trainer trainer(generator, discriminator,
                         {.objective = gan::RelativisticPairing(),
                          .penalty = gan::MemberPenalty(discriminator, gan::R1{.gamma = 0.02}),
                          .generator_optimizer = gan::AdamOptions{.learning_rate = 3e-3},
                          .discriminator_optimizer = gan::AdamOptions{.learning_rate = 3e-3},
                          .pack = pack,
                          .samples = 400});
    gan::Loader<float> loader(ring_data<float>(2000), {.batch = 64});
    std::vector<Index> first(400);
    std::iota(first.begin(), first.end(), Index{0});
    const auto real = loader.dataset().gather(first);
    const auto apart = [&](const Tensor<float>& x) {
      Rng directions(1);
      return gan::sliced_wasserstein(directions, x, real);
    };
    const auto g_before = copies(generator.parameters()), d_before = copies(discriminator.parameters());
    const double before = apart(trainer.samples());
    trainer.fit(loader, {.epochs = 0, .steps = 800});
    const auto samples = trainer.samples();
    INFO("pack " << pack << ": " << before << " to " << apart(samples));
    CHECK(apart(samples) < 0.35 * before);
    Rng noise(6);
    const auto z = generator.draw(noise, 400);
    for (Index i = 0; i < 2; ++i) CHECK(apart(generator.member(i).sample(z)) < before);
    const auto g = generator.parameters(), d = discriminator.parameters();
    for (std::size_t i = 0; i < g.size(); ++i) CHECK(bits(g[i].tensor) != bits(g_before[i].tensor));
    for (std::size_t i = 0; i < d.size(); ++i)
      if (!d[i].name.ends_with("output.bias"))  // pairs do not see it: it drops out of the difference of scores
        CHECK(bits(d[i].tensor) != bits(d_before[i].tensor));
  }
}
