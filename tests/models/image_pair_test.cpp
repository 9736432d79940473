// The image pair: sizes, layers, what its start is like, mistakes, and a training that resumes bit for bit.
#include "gan/models/image_pair.hpp"

#include <cmath>

#include "gan/train/image_recipe.hpp"
#include "support/catch.hpp"
#include "support/networks.hpp"

using gan::Index;
using gan::Rng;
using gan::Shape;

namespace {

gan::Condition<float> labels_of(Index n, Index classes) {
  gan::Condition<float> condition{.classes = classes};
  for (Index i = 0; i < n; ++i) condition.labels.push_back(i % classes);
  return condition;
}

}  // namespace

TEST_CASE("images of any size that halves twice, with and without classes", "[models]") {
  Rng rng(1);
  for (const Shape& image : {Shape{28, 28, 1}, Shape{32, 32, 3}, Shape{8, 12, 2}, Shape{4, 4, 1}, Shape{48, 24, 3}})
    for (const Index classes : {0, 3}) {
      INFO(image << ", " << classes << " classes");
      gan::ImageGenerator<float> generator(rng, {.image = image, .classes = classes, .latent = 5, .width = 4});
      gan::ImageDiscriminator<float> discriminator(rng, {.image = image, .classes = classes, .width = 4, .hidden = 6});
      const auto condition = classes > 0 ? labels_of(4, classes) : gan::Condition<float>();
      const auto x = generator(generator.draw(rng, 4), condition);
      CHECK(x.shape() == image.inserted(0, 4));
      CHECK(discriminator(x, condition).shape() == Shape{4, 1});
      CHECK_FALSE(discriminator.mixes_batch());
      CHECK(generator.summary().find("block1.conv1") != std::string::npos);
    }
  gan::ImageDiscriminator<float> names(rng, {.classes = 10, .class_head = gan::ClassHead::auxiliary, .width = 4});
  CHECK(names(gan::normal<float>(rng, {2, 28, 28, 1}), labels_of(2, 10)).shape() == Shape{2, 11});
}

TEST_CASE("for 28 x 28 digits with classes it is the pair that was searched for", "[models]") {
  Rng rng(1);
  gan::ImageGenerator<float> generator(rng, {.classes = 10});
  gan::ImageDiscriminator<float> discriminator(rng, {.classes = 10});
  CHECK(generator.parameter_count() == 366625);
  CHECK(discriminator.parameter_count() == 634593);
  double normed = 0;
  for (const auto& [name, tensor] : discriminator.buffers()) normed += name.ends_with(".u") ? 1 : 0;
  CHECK(normed == 6);  // three convolutions, the dense layer, score and embedding
  // The first images are dark, and weights begin within 1 / sqrt(n).
  const auto x = generator(generator.draw(rng, 64), labels_of(64, 10));
  CHECK(gan::mean(x).item() < -0.5f);
  for (const auto& [name, tensor] : generator.parameters()) {
    if (name == "net.project.weight") CHECK(tensor.values().abs().maxCoeff() <= 1 / std::sqrt(74.0f));
    if (name == "net.up1.weight") CHECK(tensor.values().abs().maxCoeff() <= 1 / std::sqrt(512.0f));
    if (name == "net.up1.weight") CHECK(tensor.values().abs().maxCoeff() > 0.99 / std::sqrt(512.0f));
    if (name == "net.output.weight") CHECK(tensor.values().abs().maxCoeff() <= 0.5f / 4);
    if (name == "net.output.bias") CHECK(tensor.item() == -0.7f);
  }
}

TEST_CASE("sizes that do not fit are named", "[models]") {
  Rng rng(1);
  using G = gan::ImageGenerator<float>;
  using D = gan::ImageDiscriminator<float>;
  CHECK_THROWS_WITH(G(rng, {.image = {30, 28, 1}}), ContainsSubstring("image [30, 28, 1]"));
  CHECK_THROWS_WITH(D(rng, {.image = {28, 28}}), ContainsSubstring("image discriminator: image [28, 28]"));
  CHECK_THROWS_WITH(G(rng, {.width = 0}), ContainsSubstring("width 0"));
  CHECK_THROWS_WITH(G(rng, {.blocks = -1}), ContainsSubstring("-1 blocks"));
  CHECK_THROWS_WITH(D(rng, {.hidden = 0}), ContainsSubstring("0 outputs"));
  CHECK_THROWS_WITH(D(rng, {.classes = -2}), ContainsSubstring("-2 classes"));
}

TEST_CASE("trained as it is meant to be, it resumes bit for bit, average and statistics included", "[models]") {
  struct Session {
    Rng rng{2};
    gan::ImageGenerator<float> generator{rng, {.image = {8, 8, 1}, .classes = 2, .latent = 4, .width = 4}};
    gan::ImageDiscriminator<float> discriminator{rng, {.image = {8, 8, 1}, .classes = 2, .width = 4, .hidden = 8}};
    gan::Trainer<float> trainer{generator, discriminator, gan::image_recipe<float>(3)};
    Rng data{7};
    void steps(int n) {
      trainer.plan_steps(40);
      for (int i = 0; i < n; ++i)
        trainer.step(gan::uniform<float>(data, {6, 8, 8, 1}, -1, 1), {.labels = {0, 1, 0, 1, 1, 0}, .classes = 2});
    }
  } whole, begun, resumed;
  whole.steps(9);
  begun.steps(5);
  const auto data = begun.data.state();
  begun.trainer.samples();  // measures nothing that a later step sees
  resumed.trainer.load(begun.trainer.training_state(), begun.trainer.metadata());
  resumed.data.set_state(data);
  resumed.steps(4);
  CHECK(everything(resumed.trainer) == everything(whole.trainer));
  CHECK(bits(resumed.trainer.samples()) == bits(whole.trainer.samples()));
}
