// A program outside the library, with a network of its own.
#if __has_include(<gan/gan.hpp>)
#include <gan/gan.hpp>
#else
#include <gan/models/generator.hpp>
#include <gan/nn/dense.hpp>
#include <gan/ops/elementwise.hpp>
#endif
#include <iostream>

#ifndef EXPECTED_ENGINE
#define EXPECTED_ENGINE "eigen"
#endif

class TinyGenerator : public gan::Generator<float> {
 public:
  explicit TinyGenerator(gan::Rng& rng) : Generator{rng, {.latent = 4}} {}
  gan::Tensor<float> forward(const gan::Tensor<float>& z) override { return gan::tanh(output_(z)); }

 private:
  gan::Dense<float> output_{this, "output", 4, 6};
};

int main() {
  gan::Rng rng{1};
  TinyGenerator generator{rng};
  const gan::Tensor<float> samples = generator.sample(rng, 3);
  std::cout << "consumer: samples " << samples.shape() << '\n';
  std::cout << "consumer: products by " << gan::engine() << '\n';
  return samples.shape() == gan::Shape{3, 6} && gan::engine() == EXPECTED_ENGINE ? 0 : 1;
}
