// Networks of your own: a generator with a skip connection and a discriminator, both written by hand, trained on
// handwritten-looking digits that the library draws.
//
//   cmake --build build --target custom_gan && build/examples/custom_gan
//
// It takes 80 seconds of one core, shows how far it is, and leaves a picture of the same 64 samples after every
// epoch in custom-gan-run/. Expect blots in the first, strokes in the third, and digits you can read from the tenth on.
#include <cstdio>
#include <exception>
#include <gan/gan.hpp>

using Tensor = gan::Tensor<float>;

// z [n, 64] -> images [n, 28, 28, 1] in [-1, 1]. Only the way forward is written: gradients, saving and sampling
// follow.
class SkipGenerator : public gan::Generator<float> {
 public:
  explicit SkipGenerator(gan::Rng& rng) : Generator(rng, {.latent = 64}) {}

  Tensor forward(const Tensor& z) override {
    const Tensor a = norm1_(gan::leaky_relu(dense1_(z), 0.2));
    const Tensor b = norm2_(gan::leaky_relu(dense2_(a), 0.2));
    const Tensor c = a + b;  // the skip connection
    return gan::reshape(gan::tanh(output_(c)), {z.shape()[0], 28, 28, 1});
  }

 private:
  // A layer registers itself, and its parameters, with the network it is declared in.
  gan::Dense<float> dense1_{this, "dense1", 64, 512};
  gan::BatchNorm<float> norm1_{this, "norm1", 512};
  gan::Dense<float> dense2_{this, "dense2", 512, 512};
  gan::BatchNorm<float> norm2_{this, "norm2", 512};
  gan::Dense<float> output_{this, "output", 512, 784};
};

// Images [n, 28, 28, 1] -> logits [n, 1], positive for "real".
class SmallDiscriminator : public gan::Discriminator<float> {
 public:
  explicit SmallDiscriminator(gan::Rng& rng) : Discriminator(rng) {}

  Tensor forward(const Tensor& x) override {
    const Tensor flat = gan::reshape(x, {x.shape()[0], 784});
    const Tensor a = dropout_(gan::leaky_relu(dense1_(flat), 0.2));
    return output_(gan::leaky_relu(dense2_(a), 0.2));
  }

 private:
  gan::Dense<float> dense1_{this, "dense1", 784, 512};
  gan::Dropout<float> dropout_{this, "dropout", 0.3};
  gan::Dense<float> dense2_{this, "dense2", 512, 256};
  gan::Dense<float> output_{this, "output", 256, 1};
};

int main() try {
  gan::Rng rng(1);  // initial weights
  SkipGenerator generator(rng);
  SmallDiscriminator discriminator(rng);
  std::printf("%s\n%s\n", generator.summary().c_str(), discriminator.summary({28, 28, 1}).c_str());

  gan::Loader<float> digits(gan::digits_dataset<float>(20000, 1), {.batch = 128, .seed = 1});
  gan::Trainer trainer(generator, discriminator,
                       {.objective = gan::NonSaturating{.real_label = 0.9},
                        .average = gan::MovingAverageOptions{.decay = 0.99},
                        .seed = 1});
  trainer.fit(digits, {.epochs = 20}, gan::SampleGrid({.folder = "custom-gan-run"}), gan::ProgressBar());

  // Fresh samples, in rows of ten.
  gan::write_grid("custom-gan-run/digits.png", trainer.sample(generator.draw(rng, 100)), {.columns = 10});
  std::puts("Look at custom-gan-run/digits.png.");
} catch (const std::exception& error) {
  std::fprintf(stderr, "custom_gan: %s\n", error.what());
  return 1;
}
