// The pairs of networks whose training step is timed, by name. peers/ has the same ones for other libraries.
#pragma once

#include <gan/gan.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "benchmarks/layer_costs.hpp"
#include "mnist_pair.hpp"

namespace gan::bench {

/// mlp, dcgan: those of `mnist --model`, without labels. wgan-gp: dcgan's without dropout, Wasserstein and gradient
/// penalty, one critic update a step. ring: small, in the plane, where the cost of an operation is what counts.
/// default: what `mnist train` trains. dcgan-small: that model of it; r1r2: its networks with the relativistic pairing
/// loss, R1 and R2 at each step.
/// dcgan64: the paper's for 64 x 64 x 3.
inline const std::vector<std::string> pair_names = {"mlp",  "dcgan",   "wgan-gp",     "r1r2",
                                                    "ring", "default", "dcgan-small", "dcgan64"};

struct Pair {
  Networks networks;
  Shape sample;
  TrainerOptions<float> options{};
  StepKind kind{};
};

/// Throws for a name that is not in pair_names.
inline Pair make_pair(Rng& rng, const std::string& name) {
  using gan::activation::identity;
  if (name == "mlp")
    return {{std::make_unique<MlpGenerator<float>>(rng), std::make_unique<MlpDiscriminator<float>>(rng)}, {28, 28, 1}};
  if (name == "ring")
    return {{std::make_unique<MlpGenerator<float>>(rng, MlpGeneratorOptions<float>{.latent = 16,
                                                                                   .item = {2},
                                                                                   .hidden = {128, 128},
                                                                                   .batch_norm = false,
                                                                                   .output_activation = identity()}),
             std::make_unique<MlpDiscriminator<float>>(
                 rng, MlpDiscriminatorOptions<float>{.item = {2}, .hidden = {128, 128}})},
            {2}};
  if (name == "dcgan" || name == "wgan-gp") {
    const bool critic = name == "wgan-gp";
    Pair pair{{std::make_unique<DcganGenerator<float>>(
                   rng, DcganGeneratorOptions<float>{.channels = {256, 128, 64}, .strides = {1, 2, 2}}),
               std::make_unique<DcganDiscriminator<float>>(
                   rng, DcganDiscriminatorOptions<float>{.channels = {64, 128}, .dropout = critic ? 0 : 0.3})},
              {28, 28, 1}};
    if (critic) {
      pair.options.objective = Wasserstein{};
      pair.options.penalty = GradientPenalty{.weight = 10};
      pair.kind.penalized_between = 1;
    }
    return pair;
  }
  if (name == "dcgan64")
    return {
        {std::make_unique<DcganGenerator<float>>(rng, DcganGeneratorOptions<float>{.image = {64, 64, 3}, .kernel = 4}),
         std::make_unique<DcganDiscriminator<float>>(
             rng, DcganDiscriminatorOptions<float>{.image = {64, 64, 3}, .kernel = 4, .batch_norm = true})},
        {64, 64, 3}};
  check(name == "default" || name == "dcgan-small" || name == "r1r2", "no pair is named \"", name, "\"");
  PairOptions mnist;
  if (name != "default") mnist.model = "dcgan-small";
  set_defaults(mnist);
  Pair pair{make_networks(rng, mnist), {28, 28, 1}, trainer_options(mnist, 1)};
  if (name == "r1r2") {
    pair.options.objective = RelativisticPairing{};
    pair.options.penalty = combine(R1{.gamma = 1}, R2{.gamma = 1});
    pair.kind = {.generator_needs_real = true, .penalized = 2};
  } else if (name == "dcgan-small") {
    check(mnist.penalty.starts_with("lazy-r1:") && mnist.penalty.find('+') == std::string::npos,
          "the penalty of mnist is ", mnist.penalty, ", whose arithmetic is not counted here");
    pair.kind = {.penalized = 1, .every = 16};
  }
  return pair;
}

}  // namespace gan::bench
