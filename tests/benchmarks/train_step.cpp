// Times one alternating update of a pair of networks.
//
//   train_step --net mlp --batch 128 --threads 1 --reps 60    one line: median step, samples/s, GFLOP/s, share of peak
//   train_step --net dcgan --profile                          where the time goes, by operation
//   train_step --net dcgan --scaling                          a table of batches 16 ... 1024 and threads 1 ... all
//
// Arithmetic is counted as the least a step needs: no weight gradients of the frozen discriminator, no input gradient
// of a first layer, one forward pass of the generator. A convolution counts all taps, those on padding too. The peak
// comes from a bare loop of fused multiply-adds in the same run.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <gan/gan.hpp>
#include <string>
#include <vector>

#include "benchmarks/peak_gflops.hpp"

namespace {

using gan::Index;

/// Multiplications and additions of each layer's forward pass for one sample.
using LayerCosts = std::vector<double>;

double dense(Index in, Index out) { return 2.0 * static_cast<double>(in * out); }
double convolution(Index taps, Index in, Index out, Index pixels) {
  return 2.0 * static_cast<double>(taps * in * out * pixels);
}

double sum(const LayerCosts& costs) {
  double total = 0;
  for (const double cost : costs) total += cost;
  return total;
}

/// Of one alternating update, for one sample.
double least_arithmetic(const LayerCosts& generator, const LayerCosts& discriminator) {
  const double g = sum(generator), d = sum(discriminator);
  const double generator_pass = g + g + (g - generator[0]);                  // forward, weights, inputs
  const double discriminator_update = 2 * (d + d + (d - discriminator[0]));  // real and fake
  return generator_pass + discriminator_update + d + d;                      // and the generator's way through it
}

struct Timing {
  double median_ms = 0;
  Index batch = 0;
  double flops = 0;  // of a step
};

template <class G, class D>
class Bench {
 public:
  Bench(const typename G::Options& g, const typename D::Options& d, double arithmetic)
      : generator_(rng_, g), discriminator_(rng_, d), trainer_(generator_, discriminator_), arithmetic_(arithmetic) {}

  Timing time(Index batch, int reps) {
    const auto real = gan::uniform<float>(rng_, {batch, 28, 28, 1}, -1, 1);
    for (int i = 0; i < 3; ++i) trainer_.step(real);
    std::vector<double> ms;
    for (int i = 0; i < reps; ++i) {
      const auto start = std::chrono::steady_clock::now();
      trainer_.step(real);
      ms.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
    }
    std::sort(ms.begin(), ms.end());
    return {ms[ms.size() / 2], batch, arithmetic_ * static_cast<double>(batch)};
  }

  void profile(Index batch, int reps) {
    const auto real = gan::uniform<float>(rng_, {batch, 28, 28, 1}, -1, 1);
    for (int i = 0; i < 3; ++i) trainer_.step(real);
    const auto start = std::chrono::steady_clock::now();
    gan::Profile profile;
    for (int i = 0; i < reps; ++i) trainer_.step(real);
    const double total = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    double accounted = 0;
    std::printf("%-28s %10s %12s %10s %8s\n", "operation", "calls/step", "ms/step", "GFLOP/s", "share %");
    for (const auto& row : profile.rows()) {
      accounted += row.seconds;
      std::printf("%-28s %10.1f %12.3f %10.1f %8.1f\n", row.name.c_str(), static_cast<double>(row.calls) / reps,
                  row.seconds / reps * 1e3, row.flops / row.seconds * 1e-9, 100 * row.seconds / total);
    }
    std::printf("%-28s %10s %12.3f %10s %8.1f\n", "everything else", "", (total - accounted) / reps * 1e3, "",
                100 * (total - accounted) / total);
  }

 private:
  gan::Rng rng_{1};
  G generator_;
  D discriminator_;
  gan::Trainer<float> trainer_;
  double arithmetic_;
};

struct Options {
  std::string net = "mlp";
  Index batch = 128;
  int threads = 0, reps = 30;
  bool profile = false, scaling = false;
};

template <class G, class D>
void run(const Options& o, Bench<G, D>& bench) {
  if (o.profile) return bench.profile(o.batch, o.reps);
  if (o.scaling) {
    const int most = gan::threads();
    std::printf("%6s", "batch");
    for (int t = 1; t <= most; ++t) std::printf("   %2d threads: ms  samples/s  speedup", t);
    std::puts("");
    for (Index batch = 16; batch <= 1024; batch *= 2) {
      std::printf("%6lld", static_cast<long long>(batch));
      double one = 0;
      for (int t = 1; t <= most; ++t) {
        gan::set_threads(t);
        const Timing timing = bench.time(batch, o.reps);
        if (t == 1) one = timing.median_ms;
        std::printf("   %14.2f %9.0f %8.2f", timing.median_ms, static_cast<double>(batch) / timing.median_ms * 1e3,
                    one / timing.median_ms);
        std::fflush(stdout);
      }
      std::puts("");
    }
    return;
  }
  const Timing timing = bench.time(o.batch, o.reps);
  const double gflops = timing.flops / timing.median_ms * 1e-6;
  const double peak = gan::bench::peak_gflops(gan::threads());
  std::printf("gan %s batch %lld threads %d median_ms %.3f images_per_s %.0f gflops %.1f peak_percent %.1f\n",
              o.net.c_str(), static_cast<long long>(o.batch), gan::threads(), timing.median_ms,
              static_cast<double>(o.batch) / timing.median_ms * 1e3, gflops, 100 * gflops / peak);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Times one alternating update of a pair of networks."};
  Options o;
  app.add_option("--net", o.net)->check(CLI::IsMember({"mlp", "dcgan"}))->capture_default_str();
  app.add_option("--batch", o.batch)->check(CLI::Range(2, 65536))->capture_default_str();
  app.add_option("--threads", o.threads, "default: all")->check(CLI::Range(1, 1024));
  app.add_option("--reps", o.reps)->check(CLI::Range(1, 1000000))->capture_default_str();
  app.add_flag("--profile", o.profile, "print a table of operations");
  app.add_flag("--scaling", o.scaling, "print a table of batches and threads");
  CLI11_PARSE(app, argc, argv);
  if (o.threads > 0) gan::set_threads(o.threads);
  if (o.net == "mlp") {
    const LayerCosts g{dense(100, 256), dense(256, 512), dense(512, 1024), dense(1024, 784)};
    const LayerCosts d{dense(784, 512), dense(512, 256), dense(256, 1)};
    Bench<gan::MlpGenerator<float>, gan::MlpDiscriminator<float>> bench({}, {}, least_arithmetic(g, d));
    run(o, bench);
  } else {
    const LayerCosts g{dense(100, 7 * 7 * 256), convolution(25, 256, 128, 7 * 7), convolution(25, 128, 64, 7 * 7),
                       convolution(25, 64, 1, 14 * 14)};
    const LayerCosts d{convolution(25, 1, 64, 14 * 14), convolution(25, 64, 128, 7 * 7), dense(7 * 7 * 128, 1)};
    Bench<gan::DcganGenerator<float>, gan::DcganDiscriminator<float>> bench(
        {.channels = {256, 128, 64}, .strides = {1, 2, 2}}, {.channels = {64, 128}, .dropout = 0.3},
        least_arithmetic(g, d));
    run(o, bench);
  }
}
