// The same update as torch_step.py in libtorch's C++ front end, timed: what Python costs PyTorch is the difference.
//
//   libtorch_step --net mlp --batch 128 --threads 1 --reps 40 [--bf16] [--joint]
//
// Networks and losses are those of ../pairs.hpp, channels-last, with the discriminator frozen in the generator's step;
// --bf16: forward passes under autocast to bfloat16; --joint: real and generated samples in one pass, where the
// discriminator does not mix its batch. Its Adam is not fused: the C++ front end has no such option. Built by the
// CMakeLists.txt beside this file.
#include <ATen/autocast_mode.h>
#include <torch/torch.h>
#include <torch/version.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "libtorch_pairs.hpp"

namespace {

struct Options {
  std::string net = "mlp";
  long batch = 128, reps = 40;
  int threads = 1;
  bool bf16 = false, joint = false;
};

class Autocast {
 public:
  explicit Autocast(bool on) : on_(on) {
    if (!on_) return;
    at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
    at::autocast::set_autocast_enabled(at::kCPU, true);
  }
  ~Autocast() {
    if (!on_) return;
    at::autocast::set_autocast_enabled(at::kCPU, false);
    at::autocast::clear_cache();
  }

 private:
  bool on_;
};

class Step {
 public:
  explicit Step(const Options& o)
      : o_(o),
        pair_(make_pair(o.net)),
        g_values_(pair_.parameters(true)),
        d_values_(pair_.parameters(false)),
        g_adam_(g_values_, torch::optim::AdamOptions(pair_.rate).betas({0.5, 0.999})),
        d_adam_(d_values_, torch::optim::AdamOptions(pair_.rate).betas({0.5, 0.999})) {
    for (auto* values : {&g_values_, &d_values_})
      for (auto& w : *values)
        if (w.dim() == 4) w.set_data(w.data().contiguous(at::MemoryFormat::ChannelsLast));
    auto shape = pair_.sample;
    shape.insert(shape.begin(), o.batch);
    real_ = torch::rand(shape) * 2 - 1;
    if (real_.dim() == 4) real_ = real_.contiguous(at::MemoryFormat::ChannelsLast);
    if (pair_.classes > 0) labels_ = torch::arange(o.batch) % pair_.classes;
    averaged_ = g_values_;
    for (const auto& b : pair_.generator->buffers())
      if (b.is_floating_point()) averaged_.push_back(b);
    if (pair_.average > 0)
      for (const auto& v : averaged_) average_.push_back(v.detach().clone());
  }

  long period() const { return pair_.every; }

  void operator()(long number) {
    Tensor fake, loss;
    {
      const Autocast scope(o_.bf16);
      fake = pair_.generate(torch::randn({o_.batch, pair_.latent}), labels_);
      loss = discriminator_loss(fake.detach(), number % pair_.every == 0);
    }
    d_adam_.zero_grad();
    torch::autograd::backward({loss}, {}, {}, false, d_values_);
    d_adam_.step();
    for (auto& v : d_values_) v.set_requires_grad(false);
    {
      const Autocast scope(o_.bf16);
      loss = generator_loss(fake);
    }
    g_adam_.zero_grad();
    loss.backward();
    g_adam_.step();
    for (auto& v : d_values_) v.set_requires_grad(true);
    const torch::NoGradGuard no_grad;
    for (std::size_t i = 0; i < average_.size(); ++i) average_[i].lerp_(averaged_[i], 1 - pair_.average);
  }

 private:
  Tensor scores(const Tensor& x) { return pair_.judge(x, labels_); }

  Tensor squared_norms(const Tensor& scores, const Tensor& x) {
    const auto gradient = torch::autograd::grad({scores.sum()}, {x}, {}, true, true)[0];
    return gradient.to(torch::kFloat).square().flatten(1).sum(1);
  }

  Tensor discriminator_loss(Tensor fake, bool due) {
    const auto penalty = due ? pair_.penalty : Penalty::none;
    Tensor real = real_;
    if (penalty == Penalty::r1 || penalty == Penalty::r1_r2) real = real.detach().requires_grad_();
    if (penalty == Penalty::r1_r2) fake.requires_grad_();
    Tensor r, f;
    if (o_.joint) {
      const auto both = scores(torch::cat({real, fake})).split(o_.batch);
      r = both[0], f = both[1];
    } else {
      r = scores(real), f = scores(fake);
    }
    Tensor loss;
    if (pair_.loss == Loss::wasserstein)
      loss = f.mean() - r.mean();
    else if (pair_.loss == Loss::relativistic)
      loss = torch::softplus(f - r).mean();
    else
      loss = torch::softplus(-r).mean() + torch::softplus(f).mean();
    if (penalty == Penalty::gradient) {
      const auto u = torch::rand({o_.batch, 1, 1, 1});
      const auto x = torch::lerp(fake.to(torch::kFloat), real, u).requires_grad_();
      return loss + pair_.weight * ((squared_norms(scores(x), x) + 1e-12).sqrt() - 1).square().mean();
    }
    const double factor = 0.5 * pair_.weight * static_cast<double>(pair_.every);
    if (penalty != Penalty::none) loss = loss + factor * squared_norms(r, real).mean();
    if (penalty == Penalty::r1_r2) loss = loss + factor * squared_norms(f, fake).mean();
    return loss;
  }

  Tensor generator_loss(const Tensor& fake) {
    const Tensor f = scores(fake);
    if (pair_.loss == Loss::wasserstein) return -f.mean();
    if (pair_.loss == Loss::non_saturating) return torch::softplus(-f).mean();
    const torch::NoGradGuard no_grad;
    const Tensor r = scores(real_);
    const torch::AutoGradMode with_grad(true);
    return torch::softplus(r - f).mean();
  }

  Options o_;
  Pair pair_;
  std::vector<Tensor> g_values_, d_values_;
  torch::optim::Adam g_adam_, d_adam_;
  Tensor real_, labels_;
  std::vector<Tensor> averaged_, average_;
};

Options parse(int argc, char** argv) {
  Options o;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (name == "--bf16") {
      o.bf16 = true;
    } else if (name == "--joint") {
      o.joint = true;
    } else {
      if (i + 1 == argc) throw std::invalid_argument(name + " wants a value");
      const std::string value = argv[++i];
      if (name == "--net")
        o.net = value;
      else if (name == "--batch")
        o.batch = std::stol(value);
      else if (name == "--threads")
        o.threads = std::stoi(value);
      else if (name == "--reps")
        o.reps = std::stol(value);
      else
        throw std::invalid_argument(name + " is not an option");
    }
  }
  if (o.batch < 8 || o.batch % 4 != 0 || o.threads < 1 || o.reps < 1)
    throw std::invalid_argument("expected --batch of 8 or more that 4 divides, --threads and --reps of 1 or more");
  if (make_pair(o.net).mixes_batch && o.joint)
    throw std::invalid_argument("--joint: the discriminator mixes its batch");
  return o;
}

double median_ms(Step& step, long reps) {
  for (long i = 0; i < 3; ++i) step(i);
  std::vector<double> ms;
  for (long i = 0; i < reps; ++i) {
    const auto start = std::chrono::steady_clock::now();
    for (long s = 0; s < step.period(); ++s) step(s);
    const std::chrono::duration<double, std::milli> taken = std::chrono::steady_clock::now() - start;
    ms.push_back(taken.count() / static_cast<double>(step.period()));
  }
  std::sort(ms.begin(), ms.end());
  return ms[ms.size() / 2];
}

}  // namespace

int main(int argc, char** argv) try {
  const Options o = parse(argc, argv);
  torch::set_num_threads(o.threads);
  torch::manual_seed(1);
  Step step(o);
  const double ms = median_ms(step, o.reps);
  std::printf("libtorch %s %s %s%s batch %ld threads %d median_ms %.3f\n", TORCH_VERSION, o.net.c_str(),
              o.bf16 ? "bf16" : "frozen", o.joint ? "-joint" : "", o.batch, o.threads, ms);
} catch (const std::exception& error) {
  std::fprintf(stderr, "libtorch_step: %s\n", error.what());
  return 1;
}
