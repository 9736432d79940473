// The alternating update of train_step in libtorch's C++ front end:
//
//   libtorch_step mlp|dcgan|ring BATCH THREADS REPS [bf16]    prints the median step in milliseconds
//
// bf16: forward passes under autocast to bfloat16. Convolutions are channels-last, and the discriminator takes no
// weight gradients in the generator's step. Against the libraries inside PyPI's PyTorch, T = .../site-packages/torch:
//
//   g++ -std=c++20 -O3 -I$T/include -I$T/include/torch/csrc/api/include libtorch_step.cpp -o libtorch_step \
//     -L$T/lib -Wl,-rpath,$T/lib -Wl,--no-as-needed -ltorch -ltorch_cpu -lc10
#include <ATen/autocast_mode.h>
#include <torch/torch.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

namespace {

namespace nn = torch::nn;

struct Pair {
  nn::Sequential generator, discriminator;
  std::vector<int64_t> item;
  int64_t latent;
};

nn::LeakyReLU leaky() { return nn::LeakyReLU(nn::LeakyReLUOptions().negative_slope(0.2)); }

nn::ConvTranspose2d up(int in, int out, int stride) {
  return nn::ConvTranspose2d(
      nn::ConvTranspose2dOptions(in, out, 5).stride(stride).padding(2).output_padding(stride - 1).bias(false));
}
nn::Conv2d down(int in, int out) { return nn::Conv2d(nn::Conv2dOptions(in, out, 5).stride(2).padding(2)); }

Pair make_pair(const std::string& net) {
  using nn::BatchNorm1d, nn::BatchNorm2d, nn::Linear, nn::Sequential;
  if (net == "mlp")
    return {Sequential(Linear(100, 256), leaky(), BatchNorm1d(256), Linear(256, 512), leaky(), BatchNorm1d(512),
                       Linear(512, 1024), leaky(), BatchNorm1d(1024), Linear(1024, 784), nn::Tanh()),
            Sequential(Linear(784, 512), leaky(), Linear(512, 256), leaky(), Linear(256, 1)),
            {784},
            100};
  if (net == "ring")
    return {Sequential(Linear(16, 128), leaky(), Linear(128, 128), leaky(), Linear(128, 2)),
            Sequential(Linear(2, 128), leaky(), Linear(128, 128), leaky(), Linear(128, 1)),
            {2},
            16};
  return {Sequential(Linear(nn::LinearOptions(100, 7 * 7 * 256).bias(false)), BatchNorm1d(7 * 7 * 256), leaky(),
                     nn::Unflatten(nn::UnflattenOptions(1, {256, 7, 7})), up(256, 128, 1), BatchNorm2d(128), leaky(),
                     up(128, 64, 2), BatchNorm2d(64), leaky(), up(64, 1, 2), nn::Tanh()),
          Sequential(down(1, 64), leaky(), nn::Dropout(0.3), down(64, 128), leaky(), nn::Dropout(0.3), nn::Flatten(),
                     Linear(7 * 7 * 128, 1)),
          {1, 28, 28},
          100};
}

}  // namespace

int main(int argc, char** argv) {
  const std::string net = argc > 1 ? argv[1] : "";
  if (argc < 5 || (net != "mlp" && net != "dcgan" && net != "ring") || (argc > 5 && std::string(argv[5]) != "bf16"))
    return std::fprintf(stderr, "usage: libtorch_step mlp|dcgan|ring BATCH THREADS REPS [bf16]\n"), 2;
  const int batch = std::stoi(argv[2]), threads = std::stoi(argv[3]), reps = std::stoi(argv[4]);
  const bool half = argc > 5;
  torch::set_num_threads(threads);
  torch::manual_seed(1);
  Pair p = make_pair(net);
  std::vector<int64_t> shape(p.item);
  shape.insert(shape.begin(), batch);
  auto real = torch::rand(shape) * 2 - 1;
  if (net == "dcgan") {
    for (auto& q : {p.generator, p.discriminator})
      for (auto& w : q->parameters())
        if (w.dim() == 4) w.set_data(w.data().contiguous(at::MemoryFormat::ChannelsLast));
    real = real.contiguous(at::MemoryFormat::ChannelsLast);
  }
  const auto adam = torch::optim::AdamOptions(2e-4).betas({0.5, 0.999});
  torch::optim::Adam g(p.generator->parameters(), adam), d(p.discriminator->parameters(), adam);
  const auto ones = torch::ones({batch, 1}), zeros = torch::zeros({batch, 1});
  const auto cast = [&](bool on) {
    if (!half) return;
    at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
    at::autocast::set_autocast_enabled(at::kCPU, on);
    if (!on) at::autocast::clear_cache();
  };
  const auto freeze = [&](bool on) {
    for (auto& w : p.discriminator->parameters()) w.set_requires_grad(!on);
  };
  const auto loss = [&](const torch::Tensor& logits, const torch::Tensor& target) {
    return nn::functional::binary_cross_entropy_with_logits(logits.to(torch::kFloat), target);
  };
  const auto step = [&] {
    cast(true);
    const auto fake = p.generator->forward(torch::randn({batch, p.latent}));
    const auto d_loss =
        loss(p.discriminator->forward(real), ones) + loss(p.discriminator->forward(fake.detach()), zeros);
    cast(false);
    d.zero_grad();
    d_loss.backward();
    d.step();
    freeze(true);
    g.zero_grad();
    cast(true);
    const auto g_loss = loss(p.discriminator->forward(fake), ones);
    cast(false);
    g_loss.backward();
    g.step();
    freeze(false);
  };
  for (int i = 0; i < 3; ++i) step();
  std::vector<double> ms;
  for (int i = 0; i < reps; ++i) {
    const auto start = std::chrono::steady_clock::now();
    step();
    ms.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
  }
  std::nth_element(ms.begin(), ms.begin() + reps / 2, ms.end());
  std::printf("libtorch %s%s batch %d threads %d median_ms %.3f\n", net.c_str(), half ? " bf16" : "", batch, threads,
              ms[static_cast<std::size_t>(reps / 2)]);
}
