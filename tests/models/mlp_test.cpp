// The MLP pair: structure by its options, sizes of the default network, gradients, reproducibility.
#include "gan/models/mlp.hpp"

#include <string>
#include <vector>

#include "support/layercheck.hpp"

using gan::MlpDiscriminator;
using gan::MlpGenerator;
using gan::Rng;
using gan::Shape;
using gan::Tensor;

namespace {

/// A table without its rules, and with one space where there are more.
std::string squeezed(const std::string& table) {
  std::string out;
  for (const char c : table) {
    if (c == ' ' && out.ends_with(' ')) continue;
    if (c == '-' && (out.empty() || out.ends_with('\n') || out.ends_with('-'))) {
      out.push_back(c);
      continue;
    }
    if (c == '\n' && out.ends_with('-')) {
      out.resize(out.find_last_not_of('-') + 1);
      continue;
    }
    out.push_back(c);
  }
  return out;
}

}  // namespace

TEST_CASE("the default generator is 100-256-512-1024-784", "[models]") {
  Rng rng(1), noise(2);
  MlpGenerator<float> generator(rng);
  REQUIRE(generator.latent() == 100);
  REQUIRE(squeezed(generator.summary()) ==
          "Layer (kind) Output shape Parameters\n"
          "net.dense1 (Dense) [n, 256] 25856\n"
          "net.activation1 (LeakyReLU) [n, 256] 0\n"
          "net.norm1 (BatchNorm) [n, 256] 512\n"
          "net.dense2 (Dense) [n, 512] 131584\n"
          "net.activation2 (LeakyReLU) [n, 512] 0\n"
          "net.norm2 (BatchNorm) [n, 512] 1024\n"
          "net.dense3 (Dense) [n, 1024] 525312\n"
          "net.activation3 (LeakyReLU) [n, 1024] 0\n"
          "net.norm3 (BatchNorm) [n, 1024] 2048\n"
          "net.output (Dense) [n, 784] 803600\n"
          "net.output_activation (Tanh) [n, 784] 0\n"
          "net.reshape (Reshape) [n, 28, 28, 1] 0\n"
          "Parameters: 1489936 (1489936 trainable), other state: 3584\n");
  const auto x = generator.sample(noise, 2);
  REQUIRE(x.shape() == Shape{2, 28, 28, 1});
  REQUIRE(x.values().abs().maxCoeff() <= 1);
  REQUIRE(generator.mixes_batch());
  REQUIRE(generator.kind() == "MlpGenerator");
}

TEST_CASE("the default discriminator is 784-512-256-1 and gives logits", "[models]") {
  Rng rng(1);
  MlpDiscriminator<float> discriminator(rng);
  REQUIRE(discriminator.parameter_count() == 785 * 512 + 513 * 256 + 257);
  const auto logits = discriminator(gan::normal<float>(rng, {5, 28, 28, 1}, 0, 30));
  REQUIRE(logits.shape() == Shape{5, 1});
  REQUIRE(logits.values().abs().maxCoeff() > 1);
  REQUIRE_FALSE(discriminator.mixes_batch());
  REQUIRE(discriminator.kind() == "MlpDiscriminator");
  REQUIRE_THROWS_WITH(discriminator(Tensor<float>({5, 27, 28, 1})),
                      ContainsSubstring("Dense \"net.dense1\": x [5, 756] does not match weight [784, 512]"));
}

TEST_CASE("options build the network they say", "[models]") {
  Rng rng(1);
  MlpGenerator<double> generator(rng, {.latent = 3,
                                       .item = {2},
                                       .hidden = {5, 4},
                                       .activation = gan::activation::elu(),
                                       .batch_norm = false,
                                       .dropout = 0.25,
                                       .output_activation = gan::activation::sigmoid()});
  REQUIRE(squeezed(generator.summary()) ==
          "Layer (kind) Output shape Parameters\n"
          "net.dense1 (Dense) [n, 5] 20\n"
          "net.activation1 (ELU) [n, 5] 0\n"
          "net.dropout1 (Dropout) [n, 5] 0\n"
          "net.dense2 (Dense) [n, 4] 24\n"
          "net.activation2 (ELU) [n, 4] 0\n"
          "net.dropout2 (Dropout) [n, 4] 0\n"
          "net.output (Dense) [n, 2] 10\n"
          "net.output_activation (Sigmoid) [n, 2] 0\n"
          "net.reshape (Reshape) [n, 2] 0\n"
          "Parameters: 54 (54 trainable), other state: 0\n");
  MlpDiscriminator<double> discriminator(rng, {.item = {2}, .hidden = {4}, .batch_norm = true});
  REQUIRE(discriminator.mixes_batch());
  REQUIRE(discriminator.parameters()[2].name == "net.norm1.scale");
  MlpDiscriminator<double> linear(rng, {.item = {2}, .hidden = {}});
  REQUIRE(linear.parameter_count() == 3);
  REQUIRE_THROWS_WITH(MlpGenerator<double>(rng, {.latent = 0}), ContainsSubstring("latent length 0"));
  REQUIRE_THROWS_WITH(MlpGenerator<double>(rng, {.hidden = {8, 0}}),
                      ContainsSubstring("dense \"net.dense2\": 8 inputs and 0 outputs"));
  REQUIRE_THROWS_WITH(MlpDiscriminator<double>(rng, {.dropout = 1}), ContainsSubstring("rate 1"));
  REQUIRE_THROWS_WITH(MlpGenerator<double>(rng, {.dropout = -0.5}), ContainsSubstring("rate -0.5"));
  REQUIRE_THROWS_WITH(MlpGenerator<double>(rng, {.dropout = std::nan("")}), ContainsSubstring("rate nan"));
}

TEST_CASE("gradients through the pair in both orders", "[models]") {
  Rng rng(2);
  MlpGenerator<double> generator(rng, {.latent = 2, .item = {1, 2, 1}, .hidden = {3, 3}, .dropout = 0.2});
  gan::test::check_layer(generator, gan::test::random_tensor(rng, {4, 2}), 1e-5);
  MlpDiscriminator<double> discriminator(rng, {.item = {1, 2, 1}, .hidden = {4}});
  gan::test::check_layer(discriminator, gan::test::random_tensor(rng, {3, 1, 2, 1}), 1e-5);
}

TEST_CASE("one seed gives one network, and its state moves to another", "[models]") {
  Rng a(3), b(3), c(4), noise(5);
  const gan::MlpGeneratorOptions<float> options{.latent = 4, .item = {3}, .hidden = {6}};
  MlpGenerator<float> first(a, options), second(b, options), other(c, options);
  const auto z = first.draw(noise, 8);
  REQUIRE((first.sample(z).values() == second.sample(z).values()).all());
  REQUIRE((first.sample(z).values() != other.sample(z).values()).any());
  first(gan::normal<float>(noise, {8, 4}));  // moves running statistics, which are part of the state
  REQUIRE((first.sample(z).values() != second.sample(z).values()).any());
  other.load_state(first.state());
  REQUIRE((first.sample(z).values() == other.sample(z).values()).all());
  MlpGenerator<float> wider(c, {.latent = 4, .item = {3}, .hidden = {7}});
  REQUIRE_THROWS_WITH(wider.load_state(first.state()),
                      ContainsSubstring("MlpGenerator: \"net.dense1.weight\" has shape [4, 6], expected [4, 7]"));
}
