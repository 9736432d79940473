// The pairs of networks of ../pairs.hpp in libtorch, channels-last; see torch_pairs.py.
#pragma once

#include <torch/torch.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

namespace nn = torch::nn;
using torch::Tensor;

enum class Loss { non_saturating, wasserstein, relativistic };
enum class Penalty { none, gradient, r1, r1_r2 };

struct Pair {
  nn::Sequential generator, discriminator;  // of noise, and to scores or features
  std::vector<long> sample;
  long latent = 100, classes = 0;
  Loss loss = Loss::non_saturating;
  Penalty penalty = Penalty::none;
  double weight = 0, rate = 2e-4, average = 0;
  long every = 1;
  bool mixes_batch = false;
  nn::Embedding label{nullptr}, projection{nullptr};
  nn::Linear score{nullptr};

  Tensor generate(const Tensor& z, const Tensor& labels) {
    return generator->forward(label ? torch::cat({z, label->forward(labels)}, 1) : z);
  }
  Tensor judge(const Tensor& x, const Tensor& labels) {
    const Tensor h = discriminator->forward(x);
    return (projection ? score->forward(h) + (projection->forward(labels) * h).sum(1, true) : h).to(torch::kFloat);
  }
  std::vector<Tensor> parameters(bool of_generator) const {
    auto all = (of_generator ? generator : discriminator)->parameters();
    const auto add = [&](const std::vector<Tensor>& more) { all.insert(all.end(), more.begin(), more.end()); };
    if (label && of_generator) add(label->parameters());
    if (projection && !of_generator) add(projection->parameters()), add(score->parameters());
    return all;
  }
};

inline nn::LeakyReLU leaky() { return nn::LeakyReLU(nn::LeakyReLUOptions().negative_slope(0.2)); }

/// [n, h w c] -> [n, c, h, w] and back, channels-last in memory without a copy.
inline nn::Functional to_map(long h, long w, long c) {
  return nn::Functional([=](const Tensor& x) { return x.view({-1, h, w, c}).permute({0, 3, 1, 2}); });
}
inline nn::Functional to_row() {
  return nn::Functional([](const Tensor& x) { return x.permute({0, 2, 3, 1}).flatten(1); });
}

/// Appends a channel: the deviation within groups of 4.
inline Tensor append_deviation(const Tensor& x) {
  const long n = x.size(0), c = x.size(1), h = x.size(2), w = x.size(3), groups = std::max(1L, n / 4);
  const auto deviation =
      (x.reshape({n / groups, groups, c, h, w}).var(0, /*unbiased=*/false) + 1e-8).sqrt().mean({1, 2, 3});
  return torch::cat({x, deviation.repeat({n / groups}).to(x.dtype()).view({n, 1, 1, 1}).expand({n, 1, h, w})}, 1);
}

inline nn::Sequential dense_chain(const std::vector<long>& sizes, bool normed) {
  nn::Sequential net;
  for (std::size_t i = 0; i + 1 < sizes.size(); ++i) {
    net->push_back(nn::Linear(sizes[i], sizes[i + 1]));
    if (i + 2 == sizes.size()) break;
    net->push_back(leaky());
    if (normed) net->push_back(nn::BatchNorm1d(sizes[i + 1]));
  }
  return net;
}

inline nn::Sequential up(long latent, long side, const std::vector<long>& channels, const std::vector<long>& strides,
                         long kernel, long colors) {
  const long first = side * side * channels[0], padding = (kernel - 1) / 2;
  nn::Sequential net(nn::Linear(nn::LinearOptions(latent, first).bias(false)), nn::BatchNorm1d(first), leaky(),
                     to_map(side, side, channels[0]));
  for (std::size_t i = 0; i < channels.size(); ++i) {
    const bool last = i + 1 == channels.size();
    const long out = last ? colors : channels[i + 1];
    net->push_back(nn::ConvTranspose2d(nn::ConvTranspose2dOptions(channels[i], out, kernel)
                                           .stride(strides[i])
                                           .padding(padding)
                                           .output_padding(strides[i] - kernel + 2 * padding)
                                           .bias(false)));
    if (last) break;
    net->push_back(nn::BatchNorm2d(out));
    net->push_back(leaky());
  }
  net->push_back(nn::Tanh());
  return net;
}

inline nn::Sequential down(long colors, const std::vector<long>& channels, long kernel, double dropout, bool normed) {
  nn::Sequential net;
  for (std::size_t i = 0; i < channels.size(); ++i) {
    const bool norm = normed && i > 0;
    net->push_back(nn::Conv2d(nn::Conv2dOptions(i == 0 ? colors : channels[i - 1], channels[i], kernel)
                                  .stride(2)
                                  .padding((kernel - 1) / 2)
                                  .bias(!norm)));
    if (norm) net->push_back(nn::BatchNorm2d(channels[i]));
    net->push_back(leaky());
    if (dropout > 0) net->push_back(nn::Dropout(dropout));
  }
  return net;
}

inline Pair make_pair(const std::string& net) {
  Pair p;
  if (net == "mlp") {
    p.generator = dense_chain({100, 256, 512, 1024, 784}, true);
    p.generator->push_back(nn::Tanh());
    p.discriminator = dense_chain({784, 512, 256, 1}, false);
    p.sample = {784};
  } else if (net == "ring") {
    p.generator = dense_chain({16, 128, 128, 2}, false);
    p.discriminator = dense_chain({2, 128, 128, 1}, false);
    p.sample = {2};
    p.latent = 16;
  } else if (net == "dcgan" || net == "wgan-gp") {
    p.generator = up(100, 7, {256, 128, 64}, {1, 2, 2}, 5, 1);
    p.discriminator = down(1, {64, 128}, 5, net == "dcgan" ? 0.3 : 0, false);
    p.discriminator->push_back(to_row());
    p.discriminator->push_back(nn::Linear(7 * 7 * 128, 1));
    p.sample = {1, 28, 28};
    if (net == "wgan-gp") p.loss = Loss::wasserstein, p.penalty = Penalty::gradient, p.weight = 10;
  } else if (net == "dcgan64") {
    p.generator = up(100, 4, {512, 256, 128, 64}, {2, 2, 2, 2}, 4, 3);
    p.discriminator = down(3, {64, 128, 256, 512}, 4, 0, true);
    p.discriminator->push_back(to_row());
    p.discriminator->push_back(nn::Linear(4 * 4 * 512, 1));
    p.sample = {3, 64, 64};
    p.mixes_batch = true;
  } else if (net == "dcgan-small" || net == "r1r2") {
    p.generator = up(128, 7, {128, 64}, {2, 2}, 4, 1);
    p.discriminator = down(1, {32, 64}, 4, 0, false);
    p.discriminator->push_back(nn::Functional(append_deviation));
    p.discriminator->push_back(to_row());
    p.discriminator->push_back(nn::Linear(7 * 7 * 65, 256));
    p.discriminator->push_back(leaky());
    p.label = nn::Embedding(10, 64);
    p.projection = nn::Embedding(10, 256);
    p.score = nn::Linear(256, 1);
    p.sample = {1, 28, 28};
    p.latent = 64, p.classes = 10, p.rate = 7e-4, p.average = 0.998, p.mixes_batch = true;
    if (net == "r1r2")
      p.loss = Loss::relativistic, p.penalty = Penalty::r1_r2, p.weight = 1;
    else
      p.penalty = Penalty::r1, p.weight = 0.2, p.every = 16;
  } else {
    throw std::invalid_argument("no pair is named " + net);
  }
  return p;
}
