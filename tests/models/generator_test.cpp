// The bases that users derive from: only `forward` is written, everything else works by itself.
#include "gan/models/generator.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <type_traits>

#include "gan/models/discriminator.hpp"
#include "gan/nn/batch_norm.hpp"
#include "gan/nn/dense.hpp"
#include "gan/nn/dropout.hpp"
#include "gan/ops/concatenate.hpp"
#include "gan/ops/elementwise.hpp"
#include "gan/ops/slice.hpp"
#include "support/layercheck.hpp"

using gan::Index;
using gan::Rng;
using gan::Shape;
using gan::Tensor;

namespace {

/// A generator with a skip connection: the noise goes to the output layer too.
template <class T>
class SkipGenerator : public gan::Generator<T> {
 public:
  explicit SkipGenerator(Rng& rng) : gan::Generator<T>(rng, {.latent = 4}) {}
  Tensor<T> forward(const Tensor<T>& z) override {
    const auto hidden = gan::leaky_relu(norm_(hidden_(z)), 0.2);
    return gan::tanh(output_(gan::concatenate<T>({hidden, z}, 1)));
  }

 private:
  gan::Dense<T> hidden_{this, "hidden", 4, 16, {.bias = false}};
  gan::BatchNorm<T> norm_{this, "norm", 16};
  gan::Dense<T> output_{this, "output", 20, 2};
};

/// As the design's page writes it.
class TinyGenerator : public gan::Generator<float> {
 public:
  explicit TinyGenerator(gan::Rng& rng) : Generator{rng, {.latent = 64}} {}
  gan::Tensor<float> forward(const gan::Tensor<float>& z) override {
    return gan::tanh(output_(gan::leaky_relu(hidden_(z), 0.2f)));
  }

 private:
  gan::Dense<float> hidden_{this, "hidden", 64, 256};
  gan::Dense<float> output_{this, "output", 256, 784};
};

class Critic : public gan::Discriminator<double> {
 public:
  explicit Critic(Rng& rng) : Discriminator(rng) {}
  Tensor<double> forward(const Tensor<double>& x) override { return output_(gan::relu(hidden_(x)) + x); }

 private:
  gan::Dense<double> hidden_{this, "hidden", 2, 2}, output_{this, "output", 2, 1};
};

template <class T>
bool equal(const Tensor<T>& a, const Tensor<T>& b) {
  return a.shape() == b.shape() && (a.values() == b.values()).all();
}

}  // namespace

static_assert(!std::is_copy_constructible_v<TinyGenerator> && !std::is_move_constructible_v<TinyGenerator>);
static_assert(std::is_abstract_v<gan::Generator<float>> && std::is_abstract_v<gan::Discriminator<float>>);
static_assert(std::is_same_v<TinyGenerator::Scalar, float> && std::is_same_v<Critic::Scalar, double>);

TEST_CASE("a derived generator has parameters, state, samples and a table", "[models]") {
  Rng rng(1), noise(2);
  TinyGenerator generator(rng);
  REQUIRE(generator.latent() == 64);
  REQUIRE(generator.parameters().size() == 4);
  REQUIRE(generator.parameters()[3].name == "output.bias");
  REQUIRE(generator.sample(noise, 3).shape() == Shape{3, 784});
  REQUIRE(generator.sample(noise, 0).shape() == Shape{0, 784});
  REQUIRE_THAT(generator.summary(), ContainsSubstring("hidden (Dense)  [n, 256]           16640\n"));
  REQUIRE_THROWS_WITH(generator.sample(Tensor<float>({3, 63})),
                      ContainsSubstring("Dense \"hidden\": x [3, 63] does not match weight [64, 256]"));
  REQUIRE_THROWS_WITH(generator.sample(noise, -1), ContainsSubstring("-1"));
  class None : public gan::Generator<float> {
   public:
    explicit None(Rng& r) : Generator(r, {.latent = 0}) {}
    Tensor<float> forward(const Tensor<float>& z) override { return z; }
  };
  REQUIRE_THROWS_WITH(None(rng), ContainsSubstring("latent length 0"));
}

TEST_CASE("many samples are made in parts of bounded memory, from one stream of noise", "[models]") {
  class Wide : public gan::Generator<float> {
   public:
    explicit Wide(Rng& r) : Generator(r, {.latent = 3}) {}
    Tensor<float> forward(const Tensor<float>& z) override {
      largest = std::max(largest, z.shape()[0]);
      const auto hidden = gan::tanh(first(z));
      memory = std::max(memory, gan::BufferCache::instance().statistics().bytes_in_use);
      return second(hidden);
    }
    Index largest = 0;
    std::size_t memory = 0;
    gan::Dense<float> first{this, "first", 3, 2000}, second{this, "second", 2000, 2};
  };
  Rng rng(1);
  Wide generator(rng);
  constexpr Index n = 3 * Wide::sample_rows + 17;
  Rng a(2), b(2), c(2);
  const auto z = generator.draw(b, n);
  const auto before = gan::BufferCache::instance().statistics().bytes_in_use;
  const auto x = generator.sample(a, n);
  const auto used = generator.memory - before;
  REQUIRE(x.shape() == Shape{n, 2});
  REQUIRE(generator.largest == Wide::sample_rows);
  REQUIRE(used < std::size_t(2 * Wide::sample_rows * 2000) * sizeof(float));  // of 3 times as many at once
  REQUIRE(a.state() == b.state());
  // The noise is that of one call, and each part is what a call with its rows gives, bit for bit.
  for (Index begin = 0; begin < n; begin += Wide::sample_rows) {
    const Index end = std::min(n, begin + Wide::sample_rows);
    REQUIRE(equal(gan::slice(x, 0, begin, end), generator.sample(gan::slice(z, 0, begin, end))));
  }
  REQUIRE(equal(gan::slice(x, 0, 0, 100), gan::slice(generator.sample(c, 200), 0, 0, 100)));
  const gan::NoGrad no_grad;
  REQUIRE((generator(z).values() - x.values()).abs().maxCoeff() < 1e-5f);

  class Halving : public gan::Generator<float> {
   public:
    explicit Halving(Rng& r) : Generator(r, {.latent = 3}) {}
    Tensor<float> forward(const Tensor<float>& noise) override { return gan::slice(noise, 0, 0, noise.shape()[0] / 2); }
  };
  Halving halving(rng);
  REQUIRE_THROWS_WITH(halving.sample(a, 1000), ContainsSubstring("gives [128, 3] for 256 rows of noise"));
}

TEST_CASE("samples are made in evaluation mode, without history, and modes come back", "[models]") {
  class Noisy : public gan::Generator<float> {
   public:
    explicit Noisy(Rng& r) : Generator(r, {.latent = 3}) {}
    Tensor<float> forward(const Tensor<float>& z) override {
      if (z.size() > 0 && z.data()[0] == 99) gan::fail("refused");
      return dropout(norm(dense(z)));
    }
    gan::Dense<float> dense{this, "dense", 3, 3};
    gan::BatchNorm<float> norm{this, "norm", 3};
    gan::Dropout<float> dropout{this, "dropout", 0.5};
  };
  Rng rng(1), noise(2);
  Noisy generator(rng);
  const auto z = generator.draw(noise, 4);
  const auto a = generator.sample(z);
  REQUIRE(equal(a, generator.sample(z)));
  REQUIRE_FALSE(a.requires_grad());
  REQUIRE(generator.training());
  REQUIRE((generator.buffers()[0].tensor.values() == 0).all());  // running statistics did not move
  // A sample does not depend on its company.
  const auto alone = generator.sample(Tensor<float>({1, 3}, std::span<const float>(z.data() + 3, 3)));
  REQUIRE((alone.matrix().row(0) - a.matrix().row(1)).norm() < 1e-6f);
  generator.norm.eval();
  generator.sample(z);
  REQUIRE(generator.training());
  REQUIRE_FALSE(generator.norm.training());
  generator.norm.train();
  REQUIRE_THROWS_WITH(generator.sample(Tensor<float>::full({1, 3}, 99)), ContainsSubstring("refused"));
  REQUIRE(generator.training());
  REQUIRE(gan::grad_enabled());
  generator.eval();
  generator.sample(z);
  REQUIRE_FALSE(generator.training());
}

TEST_CASE("gradients of the skip generator and the critic, alone and together", "[models]") {
  Rng rng(3);
  SkipGenerator<double> generator(rng);
  Critic critic(rng);
  gan::test::check_layer(generator, gan::test::random_tensor(rng, {5, 4}, -2, 2), 1e-5);
  gan::test::check_layer(critic, gan::test::random_tensor(rng, {4, 2}, -2, 2));
  const auto z = gan::test::random_tensor(rng, {3, 4});
  gan::test::Inputs parameters;
  for (const auto& parameter : generator.parameters()) parameters.push_back(parameter.tensor);
  const gan::Freeze<double> frozen(critic);
  gan::test::check_gradients_of([&] { return gan::softplus(-critic(generator(z))); }, parameters, 1e-5);
  for (const auto& parameter : critic.parameters()) REQUIRE_FALSE(parameter.tensor.grad().defined());
}

TEST_CASE("the skip generator trains by backward", "[models]") {
  Rng rng(4);
  SkipGenerator<double> generator(rng);
  const auto z = generator.draw(rng, 64);
  // A target that is a function of the noise, which the skip connection sees.
  auto target = Tensor<double>::empty({64, 2});
  target.mutable_matrix().col(0) = (0.5 * z.matrix().col(0)).array().tanh();
  target.mutable_matrix().col(1) = (0.5 * z.matrix().col(3)).array().tanh();
  double first = 0, last = 0;
  for (int step = 0; step < 300; ++step) {
    generator.zero_grad();
    const auto loss = gan::mean(gan::square(generator(z) - target));
    gan::backward(loss);
    for (auto& [name, parameter] : generator.parameters()) {
      Tensor<double> handle = parameter;
      REQUIRE(handle.grad().defined());
      handle.mutable_values() -= 0.3 * handle.grad().values();
    }
    (step == 0 ? first : last) = loss.item();
  }
  INFO("loss from " << first << " to " << last);
  REQUIRE(last < 0.05 * first);
}

TEST_CASE("a discriminator's table is asked for by the shape of a sample", "[models]") {
  Rng rng(5);
  Critic critic(rng);
  REQUIRE(critic.kind() == "Discriminator");
  REQUIRE_THAT(critic.summary({2}), ContainsSubstring("output (Dense)  [n, 1]"));
  REQUIRE_THAT(critic.summary({2}), ContainsSubstring("Parameters: 9 (9 trainable)"));
  REQUIRE_THROWS_WITH(critic.summary({3}), ContainsSubstring("Dense \"hidden\": x [1, 3]"));
}
