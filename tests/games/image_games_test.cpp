// Games from images to images: CycleGAN, pix2pix, SRGAN, progressive growing.
#include "games/games.hpp"

using namespace games;

namespace {

struct Translator : gan::Layer<float> {  // x [n, h, w, 1] -> [n, h, w, 1]
  gan::Conv2d<float> in{this, "in", 1, 8, {.kernel = 3, .padding = gan::Padding::same()}};
  gan::Conv2d<float> out{this, "out", 8, 1, {.kernel = 3, .padding = gan::Padding::same()}};
  using Layer::Layer;
  Tensor forward(const Tensor& x) override { return gan::tanh(x + out(gan::relu(in(x)))); }
};

struct Patch : gan::Layer<float> {  // x [n, h, w, c] -> logits of patches [n, h', w', 1]
  gan::Conv2d<float> in, out{this, "out", 8, 1, {.kernel = 4}};
  Patch(gan::Module<float>* parent, std::string name, Index channels = 1)
      : Layer(parent, std::move(name)), in(this, "in", channels, 8, {.kernel = 4, .stride = 2}) {}
  Tensor forward(const Tensor& x) override { return out(gan::leaky_relu(in(x))); }
};

/// The least-squares game (Mao et al., 2017), as CycleGAN plays it.
Tensor tell_apart(const Tensor& real, const Tensor& fake) {
  return 0.5 * (gan::mean(gan::square(real - 1)) + gan::mean(gan::square(fake)));
}
Tensor fool(const Tensor& fake) { return gan::mean(gan::square(fake - 1)); }

/// Unpaired image-to-image translation (Zhu et al., 2017).
struct CycleGan : gan::Game<float> {
  Translator ab{this, "ab"}, ba{this, "ba"};
  Patch da{this, "da"}, db{this, "db"};
  gan::ImagePool<float> old_a{this, "old_a", 20}, old_b{this, "old_b", 20};
  gan::Player<float> g{this, "g", {&ab, &ba}, gan::AdamOptions{.beta1 = 0.5}};
  gan::Player<float> d{this, "d", {&da, &db}, gan::AdamOptions{.beta1 = 0.5}};
  explicit CycleGan(gan::Rng& rng) : Game(rng) {}
  void step(gan::Source<float>& in) override {
    const auto [a, b] = in.two();
    const Tensor fake_b = ab(a), fake_a = ba(b);
    d.descend(tell_apart(da(a), da(old_a(fake_a))) + tell_apart(db(b), db(old_b(fake_b))));
    const auto frozen = d.freeze();
    g.descend({{"fool", fool(da(fake_a)) + fool(db(fake_b))},
               {"cycle", 10 * (gan::l1(ba(fake_b), a) + gan::l1(ab(fake_a), b))},
               {"identity", 5 * (gan::l1(ab(b), b) + gan::l1(ba(a), a))}});
    show({a, fake_b});
  }
};

/// Image-to-image translation with conditional adversarial networks (Isola et al., 2017).
struct Pix2Pix : gan::Game<float> {
  Translator translator{this, "translator"};
  Patch patch{this, "patch", 2};
  gan::Player<float> g{this, "g", {&translator}}, d{this, "d", {&patch}};
  explicit Pix2Pix(gan::Rng& rng) : Game(rng) {}
  void step(gan::Source<float>& in) override {
    const auto [target, input] = in.two();
    const auto beside = [&, &x = input](const Tensor& y) { return patch(gan::concatenate({x, y}, -1)); };
    const Tensor y = translator(input);
    d.descend(gan::bce_with_logits(beside(target), 1.0) + gan::bce_with_logits(beside(y.detach()), 0.0));
    const auto frozen = d.freeze();
    g.descend({{"fool", gan::bce_with_logits(beside(y), 1.0)}, {"l1", 100 * gan::l1(y, target)}});
    show({input, y, target});
  }
};

struct Enlarger : gan::Layer<float> {  // x [n, 7, 7, 1] -> [n, 14, 14, 1]
  gan::Conv2d<float> in{this, "in", 1, 8, {.kernel = 3, .padding = gan::Padding::same()}};
  gan::Conv2d<float> out{this, "out", 8, 4, {.kernel = 3, .padding = gan::Padding::same()}};
  using Layer::Layer;
  Tensor forward(const Tensor& x) override { return gan::tanh(gan::pixel_shuffle(out(gan::relu(in(x))), 2)); }
};

/// Photo-realistic single image super-resolution (Ledig et al., 2017): a content loss in the features of a network that
/// stays as it is, and a thousandth of the adversarial one.
struct SrGan : gan::Game<float> {
  Enlarger enlarger{this, "enlarger"};
  Patch patch{this, "patch"};
  gan::Conv2d<float> features{this, "features", 1, 8, {.kernel = 3}};
  gan::Player<float> g{this, "g", {&enlarger}}, d{this, "d", {&patch}};
  explicit SrGan(gan::Rng& rng) : Game(rng) { features.freeze(); }
  void step(gan::Source<float>& in) override {
    const Tensor sharp = in.next().samples, small = gan::avg_pool2d(sharp, {.kernel = 2});
    const Tensor large = enlarger(small);
    d.descend(gan::bce_with_logits(patch(sharp), 1.0) + gan::bce_with_logits(patch(large.detach()), 0.0));
    const auto frozen = d.freeze();
    g.descend({{"content", gan::mse(features(large), features(sharp))},
               {"fool", 1e-3 * gan::bce_with_logits(patch(large), 1.0)}});
    show({large, sharp});
  }
};

template <class G>
struct Single {
  Single() : source(digits(48, 14), {.batch = 8, .seed = 3}) {}
  gan::Rng rng{7};
  G game{rng};
  gan::Loader<float> source;
};

struct Unpaired {
  Unpaired()
      : a(digits(48, 14, 1), {.batch = 8, .seed = 3}), b(digits(40, 14, 2), {.batch = 8, .seed = 4}), source(a, b) {}
  gan::Rng rng{7};
  CycleGan game{rng};
  gan::Loader<float> a, b;
  gan::Together<float> source;
};

/// The negative of each digit beside it.
struct Negatives {
  static gan::Dataset<float> negative() {
    const auto plain = digits(48, 14);
    std::vector<Index> all(48);
    for (Index i = 0; i < 48; ++i) all[static_cast<std::size_t>(i)] = i;
    const Tensor x = -plain.gather(all);
    return gan::Dataset<float>::from({14, 14, 1}, {x.data(), x.data() + x.size()});
  }
  gan::Rng rng{7};
  Pix2Pix game{rng};
  gan::Zip<float> source{digits(48, 14), negative(), {.batch = 8, .seed = 3}};
};

}  // namespace

TEST_CASE("a CycleGAN resumes, with its pool half full and full") {
  for (const Index stop : {1, 4}) resumed_is_uninterrupted([] { return std::make_unique<Unpaired>(); }, stop, 6);
}

TEST_CASE("an SRGAN resumes") {
  resumed_is_uninterrupted([] { return std::make_unique<Single<SrGan>>(); }, 2, 4);
}

TEST_CASE("a pix2pix resumes, and learns the pairs") {
  resumed_is_uninterrupted([] { return std::make_unique<Negatives>(); }, 2, 4);
  Negatives run;
  const double before = run.game.advance(run.source)["g_l1"];
  for (int i = 0; i < 150; ++i) run.game.advance(run.source);
  CHECK(run.game.advance(run.source)["g_l1"] < 0.8 * before);
}
