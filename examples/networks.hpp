// What a training program makes by the name of a model.
#pragma once

#include <gan/gan.hpp>
#include <memory>

struct Networks {
  std::unique_ptr<gan::Generator<float>> generator;
  std::unique_ptr<gan::Discriminator<float>> discriminator;
};
