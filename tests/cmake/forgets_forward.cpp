// A network without a forward: what the compiler says must name it.
#include <gan/models/generator.hpp>

struct Forgetful : gan::Generator<float> {
  explicit Forgetful(gan::Rng& rng) : Generator(rng, {.latent = 4}) {}
};

int main() {
  gan::Rng rng;
  Forgetful generator(rng);
}
