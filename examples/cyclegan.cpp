// Two domains without pairs: black digits on white become white digits on black, and back (CycleGAN).
//
//   cmake --build build --target cyclegan && build/examples/cyclegan
//
// It takes a minute of one core on digits that the library draws, and leaves cyclegan-run/samples_*.png: a digit of the
// first domain beside its translation.
#include <cstdio>
#include <exception>
#include <gan/gan.hpp>
#include <vector>

using Tensor = gan::Tensor<float>;

struct Translator : gan::Layer<float> {  // [n, 28, 28, 1] -> [n, 28, 28, 1]
  gan::Conv2d<float> in{this, "in", 1, 16, {.kernel = 5, .padding = gan::Padding::same()}};
  gan::Conv2d<float> out{this, "out", 16, 1, {.kernel = 5, .padding = gan::Padding::same()}};
  using Layer::Layer;
  Tensor forward(const Tensor& x) override { return gan::tanh(out(gan::relu(in(x)))); }
};

struct Patch : gan::Layer<float> {  // [n, 28, 28, 1] -> logits of patches [n, h, w, 1]
  gan::Conv2d<float> in{this, "in", 1, 16, {.kernel = 4, .stride = 2}}, out{this, "out", 16, 1, {.kernel = 4}};
  using Layer::Layer;
  Tensor forward(const Tensor& x) override { return out(gan::leaky_relu(in(x))); }
};

struct CycleGan : gan::Game<float> {  // Zhu et al., 2017
  Translator ab{this, "ab"}, ba{this, "ba"};
  Patch da{this, "da"}, db{this, "db"};
  gan::ImagePool<float> old_a{this, "old_a", 50}, old_b{this, "old_b", 50};
  gan::Player<float> g{this, "g", {&ab, &ba}, gan::AdamOptions{.learning_rate = 1e-3}};
  gan::Player<float> d{this, "d", {&da, &db}};
  explicit CycleGan(gan::Rng& rng) : Game(rng) {}
  void step(gan::Source<float>& in) override {
    const auto [a, b] = in.two();
    const Tensor fake_b = ab(a), fake_a = ba(b);
    const gan::LeastSquares game;
    d.descend(game.discriminator_loss(da(a), da(old_a(fake_a))).sum() +
              game.discriminator_loss(db(b), db(old_b(fake_b))).sum());
    const auto frozen = d.freeze();
    g.descend({{"fool", game.generator_loss(da(fake_a)) + game.generator_loss(db(fake_b))},
               {"cycle", 10 * (gan::l1(ba(fake_b), a) + gan::l1(ab(fake_a), b))}});
    show({a, fake_b});
  }
};

int main() try {
  gan::Rng rng(1);
  CycleGan game(rng);
  gan::Loader<float> white(gan::digits_dataset<float>(4000, 1), {.batch = 16});
  gan::Loader<float> black(gan::digits_dataset<float>(3000, 2), {.batch = 16},
                           {[](gan::Rng&, Tensor& x) { x.mutable_values() *= -1.0f; }});
  auto both = gan::together(white, black);
  game.fit(both, {.epochs = 2}, gan::ProgressBar(), gan::SampleGrid({.folder = "cyclegan-run"}));
} catch (const std::exception& error) {
  std::fprintf(stderr, "cyclegan: %s\n", error.what());
  return 1;
}
