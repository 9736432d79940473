// The digits that programs learn from.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <gan/gan.hpp>

/// The folder of MNIST's files is the one given, else GAN_MNIST_DIR; empty without either.
inline void find_folder(std::filesystem::path& data) {
  const char* variable = std::getenv("GAN_MNIST_DIR");
  if (data.empty() && variable) data = variable;
  if (!data.empty()) data = std::filesystem::weakly_canonical(data);
}

/// Training or test digits of that folder, else ones that the library draws.
inline gan::Dataset<float> load_digits(const std::filesystem::path& folder, bool train = true) {
  if (folder.empty()) {
    if (train) std::puts("No MNIST given: training on 60000 embedded digits, drawn by the program.");
    return gan::digits_dataset<float>(train ? 60000 : 10000, train ? 1 : 2);
  }
  auto digits = gan::load_mnist<float>(folder, train);
  if (train)
    std::printf("Training on the %lld MNIST digits in %s.\n", static_cast<long long>(digits.size()), folder.c_str());
  return digits;
}
