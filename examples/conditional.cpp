// A generator that makes the digit it is asked for: labels go into both networks.
//
//   cmake --build build --target conditional && build/examples/conditional
//
// It takes a minute of one core on digits that the library draws, and leaves conditional-run/samples_*.png, a row for
// each digit, and sevens.png. Expect the rows to differ after the first epoch and to be legible from the third on.
#include <cstdio>
#include <exception>
#include <gan/gan.hpp>

using Tensor = gan::Tensor<float>;

struct Writer : gan::Generator<float> {  // z [n, 64] and labels -> [n, 28, 28, 1]
  gan::Embedding<float> label{this, "label", 10, 64};
  gan::Dense<float> hidden{this, "hidden", 128, 512}, output{this, "output", 512, 784};
  gan::BatchNorm<float> norm{this, "norm", 512};
  explicit Writer(gan::Rng& rng) : Generator(rng, {.latent = 64, .classes = 10}) {}
  Tensor forward(const Tensor& z) override {
    const Tensor wanted = gan::concatenate({z, label(condition().labels)}, 1);
    return gan::reshape(gan::tanh(output(norm(gan::leaky_relu(hidden(wanted))))), {-1, 28, 28, 1});
  }
};

struct Judge : gan::Discriminator<float> {  // projection (Miyato & Koyama, 2018)
  gan::Dense<float> hidden{this, "hidden", 784, 512}, score{this, "score", 512, 1};
  gan::Embedding<float> label{this, "label", 10, 512};
  explicit Judge(gan::Rng& rng) : Discriminator(rng) {}
  Tensor forward(const Tensor& x) override {
    const Tensor h = gan::leaky_relu(hidden(gan::flatten(x)));
    return score(h) + gan::sum(h * label(condition().labels), {1}, true);
  }
};

int main() try {
  gan::Rng rng(1);
  Writer generator(rng);
  Judge discriminator(rng);
  gan::Loader<float> digits(gan::digits_dataset<float>(20000, 1), {.batch = 128, .seed = 1});
  gan::Trainer trainer(generator, discriminator, {.penalty = gan::R1{.gamma = 1, .every = 16}, .samples = 100});
  trainer.fit(digits, {.epochs = 10}, gan::ProgressBar(),
              gan::SampleGrid({.folder = "conditional-run", .grid = {.columns = 10}}));
  gan::write_grid("conditional-run/sevens.png", generator.sample(rng, 64, 7));
} catch (const std::exception& error) {
  std::fprintf(stderr, "conditional: %s\n", error.what());
  return 1;
}
