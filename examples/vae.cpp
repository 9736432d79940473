// A variational autoencoder (Kingma and Welling, 2013): pictures as points of a small space, and back.
//
//   vae train --data DIR --epochs 10                 pictures, losses.csv and a checkpoint in vae-run/
//   vae sample --model vae-run/checkpoint.safetensors --count 100 --out digits.png
//   vae encode --model vae-run/checkpoint.safetensors --data DIR --out latents.npy       the test images' places
//   vae train --latent 2 --out flat && vae map --model flat/checkpoint.safetensors       a picture of that plane
//
// The encoder says for an image x a normal distribution q(z | x) of latents, the decoder draws an image p(x | z), and
// both learn to lessen the negative ELBO, in nats:
//
//   E_q[-log p(x | z)] + beta KL(q(z | x) || N(0, 1))
//
// Expect 105.7 nats of MNIST's test images after 10 epochs, a minute of one core, and blurred digits.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <gan/gan.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "digits_data.hpp"
#include "run_options.hpp"

namespace fs = std::filesystem;
using gan::Index;
using Tensor = gan::Tensor<float>;

namespace {

constexpr Index pixels = 28 * 28;

struct Encoder : gan::Layer<float> {  // images [n, 28, 28, 1] -> mean and log variance [n, 2 latent]
  gan::Dense<float> hidden, code;
  Encoder(gan::Module<float>* parent, const char* name, Index width, Index latent)
      : Layer(parent, name), hidden(this, "hidden", pixels, width), code(this, "code", width, 2 * latent) {}
  Tensor forward(const Tensor& x) override { return code(gan::relu(hidden(gan::flatten(x)))); }
};

struct Decoder : gan::Generator<float> {  // z [n, latent] -> images [n, 28, 28, 1]
  gan::Dense<float> hidden, output;
  Decoder(gan::Module<float>* parent, const char* name, Index width, Index latent)
      : Generator(parent, name, {.latent = latent}),
        hidden(this, "hidden", latent, width),
        output(this, "output", width, pixels) {}
  /// Of each pixel being white, [n, 784].
  Tensor logits(const Tensor& z) { return output(gan::relu(hidden(z))); }
  Tensor forward(const Tensor& z) override { return gan::reshape(2 * gan::sigmoid(logits(z)) - 1, {-1, 28, 28, 1}); }
};

struct NetworkOptions {
  Index width = 400, latent = 20;
  double beta = 1, rate = 1e-3;
  std::string players = "one";
};

class Vae : public gan::Game<float> {
 public:
  Vae(std::uint64_t seed, const NetworkOptions& o)
      : Game(seed),
        encoder(this, "encoder", o.width, o.latent),
        decoder(this, "decoder", o.width, o.latent),
        latent_(o.latent),
        beta_(o.beta) {
    const gan::AdamOptions adam{.learning_rate = o.rate, .beta1 = 0.9};
    const gan::PlayerOptions falling{.schedule = gan::schedule::cosine(gan::schedule::whole_run, 0.05)};
    if (o.players == "one") {
      turns_.push_back(std::make_unique<gan::Player<float>>(
          this, "vae", gan::Player<float>::Networks{&encoder, &decoder}, adam, falling));
    } else {
      turns_.push_back(
          std::make_unique<gan::Player<float>>(this, "encoder", gan::Player<float>::Networks{&encoder}, adam, falling));
      turns_.push_back(
          std::make_unique<gan::Player<float>>(this, "decoder", gan::Player<float>::Networks{&decoder}, adam, falling));
    }
  }

  struct Bound {
    Tensor reconstruction, divergence, mean, z;  ///< scalars in nats a sample; [n, latent]
  };
  /// The two parts of the negative ELBO of images x.
  Bound bound(const Tensor& x) {
    const Tensor code = encoder(x), mean = gan::slice(code, 1, 0, latent_),
                 log_variance = gan::slice(code, 1, latent_, 2 * latent_);
    const Tensor z = gan::reparameterize(rng(), mean, log_variance), target = (gan::flatten(x) + 1) * 0.5;
    const double n = static_cast<double>(x.shape()[0]);
    return {gan::bce_with_logits(decoder.logits(z), target, gan::Reduction::sum) * (1 / n),
            gan::kl_to_standard_normal(mean, log_variance), mean, z};
  }

  void step(gan::Source<float>& in) override {
    const Tensor x = in.next().samples;
    if (turns_.size() == 1) {
      const Bound b = bound(x);
      turns_[0]->descend({{"reconstruction", b.reconstruction}, {"divergence", b.divergence * beta_}});
    } else {  // each in its turn, the other one standing still
      {
        const auto frozen = turns_[1]->freeze();
        const Bound b = bound(x);
        turns_[0]->descend({{"reconstruction", b.reconstruction}, {"divergence", b.divergence * beta_}});
      }
      const auto frozen = turns_[0]->freeze();
      turns_[1]->descend({{"reconstruction", bound(x).reconstruction}});
    }
    seen_ = x;
  }

  /// Mean negative ELBO of the images, in nats, with one draw of z each.
  double negative_elbo(const gan::Dataset<float>& images) {
    const gan::NoGrad no_grad;
    const gan::Evaluate<float> mode(*this);
    double sum = 0;
    for (Index begin = 0; begin < images.size(); begin += 500) {
      const Index end = std::min(images.size(), begin + 500);
      std::vector<Index> rows;
      for (Index i = begin; i < end; ++i) rows.push_back(i);
      const Bound b = bound(images.gather(rows));
      sum += static_cast<double>(end - begin) * static_cast<double>((b.reconstruction + b.divergence).item());
    }
    return sum / static_cast<double>(images.size());
  }
  std::string kind() const override { return "Vae"; }
  gan::OptionTexts settings() const override { return {{"beta", gan::number_text(beta_)}}; }

  Encoder encoder;
  Decoder decoder;

 protected:
  /// Images, what becomes of them, and samples.
  std::vector<Tensor> make_samples() override {
    if (!seen_.defined()) return {decoder(decoder.draw(rng(), 64))};
    const Tensor x = gan::slice(seen_, 0, 0, std::min<Index>(64, seen_.shape()[0]));
    return {x, decoder(bound(x).mean), decoder(decoder.draw(rng(), x.shape()[0]))};
  }

 private:
  Index latent_;
  double beta_;
  std::vector<std::unique_ptr<gan::Player<float>>> turns_;
  Tensor seen_;
};

struct Options : NetworkOptions {
  fs::path data, model, file;
  std::uint64_t seed = 1;
  Index batch = 32, count = 100;
  fs::path out;
  RunOptions run{.out = "vae-run"};
};

void train(Options& o, const CLI::App& app) {
  find_folder(o.data);
  RunOptions& run = o.run;
  run.choose_precision(false);
  gan::StoredOptions stored;
  stored.add("data", o.data).add("seed", o.seed).add("batch", o.batch).add("rate", o.rate).add("beta", o.beta);
  stored.add("latent", o.latent).add("width", o.width).add("players", o.players);
  run.begin(app, stored);
  gan::Loader<float> loader(load_digits(o.data), {.batch = o.batch, .seed = o.seed});
  Vae vae(o.seed, o);
  const auto result = run.fit(vae, loader, {.grid = {.columns = 8}});
  if (result.steps > 0)
    std::printf("Test images: %.2f nats (negative ELBO).\n", vae.negative_elbo(load_digits(o.data, false)));
}

/// The networks of a checkpoint.
std::unique_ptr<Vae> load(Options& o) {
  const auto notes = gan::load_safetensors<float>(o.model).metadata;
  gan::check(notes.contains("--latent") && notes.contains("--players"), o.model.string(),
             ": not a checkpoint of vae train");
  o.latent = std::atoll(notes.at("--latent").c_str());
  o.width = std::atoll(notes.at("--width").c_str());
  auto vae = std::make_unique<Vae>(o.seed, o);
  gan::load_network<float>(o.model, vae->encoder, "encoder");
  gan::load_network<float>(o.model, vae->decoder, "decoder");
  return vae;
}

void sample(Options& o) {
  const auto vae = load(o);
  gan::Rng rng(o.seed);
  gan::write_grid(o.out, vae->decoder.sample(rng, o.count), {.columns = 10});
}

/// Means of q(z | x) of the test images, or of those of an IDX file, [n, latent].
void encode(Options& o) {
  const auto vae = load(o);
  gan::Dataset<float> images = [&] {
    if (o.file.empty()) {
      find_folder(o.data);
      return load_digits(o.data, false);
    }
    auto idx = gan::read_idx(o.file);
    gan::check(idx.shape.rank() == 3 && idx.shape.without(0) == gan::Shape{28, 28}, o.file.string(), ": shape ",
               idx.shape, ", expected [n, 28, 28]");
    return gan::Dataset<float>::from_bytes({28, 28, 1}, std::move(idx.bytes));
  }();
  const gan::NoGrad no_grad;
  const gan::Evaluate<float> mode(*vae);
  std::vector<Tensor> parts;
  for (Index begin = 0; begin < images.size(); begin += 500) {
    std::vector<Index> rows;
    for (Index i = begin; i < std::min(images.size(), begin + 500); ++i) rows.push_back(i);
    parts.push_back(gan::slice(vae->encoder(images.gather(rows)), 1, 0, o.latent));
  }
  gan::write_npy(o.out, gan::concatenate<float>(parts, 0));
}

/// Images of a grid over the plane of latents: 20 x 20, at equal shares of the normal distribution.
void map(Options& o) {
  const auto vae = load(o);
  gan::check(o.latent == 2, o.model.string(), ": latents of length ", o.latent, ", expected 2: vae train --latent 2");
  constexpr Index side = 20;
  std::vector<float> at;
  for (Index i = 0; i < side; ++i) {  // the normal distribution's quantile, by bisection
    const double share = (static_cast<double>(i) + 0.5) / side;
    double low = -5, high = 5;
    for (int k = 0; k < 60; ++k)
      (std::erfc(-(low + high) / 2 / std::sqrt(2.0)) / 2 < share ? low : high) = (low + high) / 2;
    at.push_back(static_cast<float>(low));
  }
  Tensor z({side * side, 2});
  for (Index i = 0; i < side * side; ++i) {
    z.mutable_data()[2 * i] = at[static_cast<std::size_t>(i % side)];
    z.mutable_data()[2 * i + 1] = at[static_cast<std::size_t>(side - 1 - i / side)];
  }
  gan::write_grid(o.out, vae->decoder.sample(z), {.columns = side, .padding = 0});
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Trains a variational autoencoder on digits, and samples, encodes and maps with it."};
  app.require_subcommand(1);
  Options o;
  auto* train_command = app.add_subcommand("train", "Train, and leave pictures, losses.csv and a checkpoint");
  train_command->add_option("--data", o.data, "Folder with MNIST's files (else GAN_MNIST_DIR, else drawn digits)");
  train_command->add_option("--seed", o.seed, "Of weights, noise and order of the data")->capture_default_str();
  train_command->add_option("--latent", o.latent, "Length of a latent")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  train_command->add_option("--width", o.width, "Of the hidden layers")
      ->check(CLI::Range(1, 65536))
      ->capture_default_str();
  train_command->add_option("--beta", o.beta, "Weight of the divergence (beta-VAE, Higgins et al., 2017)")
      ->check(CLI::Range(0.0, 1e4))
      ->capture_default_str();
  train_command
      ->add_option("--players", o.players, "one: an optimizer for both networks; two: one each, which take turns")
      ->check(CLI::IsMember({"one", "two"}))
      ->capture_default_str();
  train_command->add_option("--batch", o.batch, "Images a step")->check(CLI::Range(2, 60000))->capture_default_str();
  train_command->add_option("--rate", o.rate, "Learning rate")->check(CLI::Range(1e-8, 1.0))->capture_default_str();
  o.run.add_to(*train_command);
  const auto add_model = [&o](CLI::App* command, const char* out) {
    command->add_option("--model", o.model, "checkpoint.safetensors of a run")->required();
    command->add_option("--out", o.out, std::string("Default: ") + out);
  };
  auto* sample_command = app.add_subcommand("sample", "Draw digits from a checkpoint");
  add_model(sample_command, "samples.png");
  sample_command->add_option("--count", o.count, "Number of digits")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  sample_command->add_option("--seed", o.seed, "Of the noise")->capture_default_str();
  auto* encode_command = app.add_subcommand("encode", "Write the latents of images, as NumPy reads them");
  encode_command->add_option("file", o.file, "IDX file of images [n, 28, 28] (default: the test images of --data)");
  encode_command->add_option("--data", o.data, "As of train");
  add_model(encode_command, "latents.npy");
  auto* map_command = app.add_subcommand("map", "Draw the plane of latents of a run with --latent 2");
  add_model(map_command, "map.png");
  try {
    app.parse(argc, argv);
    if (o.out.empty()) o.out = *encode_command ? "latents.npy" : *map_command ? "map.png" : "samples.png";
    if (*train_command) train(o, *train_command);
    if (*sample_command) sample(o);
    if (*encode_command) encode(o);
    if (*map_command) map(o);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "vae: %s\n", error.what());
    return 1;
  }
}
