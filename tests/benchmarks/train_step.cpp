// Times one alternating update of a pair of networks.
//
//   train_step --net mlp --batch 128 --threads 1 --reps 60    one line, see below
//   train_step --net dcgan --profile                          where the time goes, by operation
//   train_step --net dcgan --scaling                          a table of batches 16 ... 1024 and threads 1 ... all
//   train_step --products                                     GFLOP/s of products by size, engine and precision
//   train_step --overhead                                     what an operation costs beside its arithmetic
//
// --engine and --precision say how products are made. The line has the median step in milliseconds (of a pair whose
// penalty comes every 16th step, of that many steps divided by 16), samples a second, GFLOP/s and their share of the
// peak, and memory in MB (10^6 bytes): state_mb for parameters, gradients, moments and moving average; step_mb, the
// most that tensors take in a step beyond these; and rss_mb, the process's peak beyond what it had before the networks
// were made.
//
// Arithmetic is counted as the least a step needs (layer_costs.hpp). The peak comes from a bare loop of fused
// multiply-adds in the same run.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <gan/gan.hpp>
#include <string>
#include <utility>
#include <vector>

#include "benchmarks/layer_costs.hpp"
#include "benchmarks/overhead.hpp"
#include "benchmarks/pairs.hpp"
#include "benchmarks/peak_gflops.hpp"
#include "benchmarks/products.hpp"
#include "benchmarks/resident_memory.hpp"

namespace {

using gan::Index;

struct Options {
  std::string net = "mlp";
  Index batch = 128;
  int threads = 0, reps = 30;
  std::string engine = gan::engine(), precision = "highest";
  bool profile = false, scaling = false, products = false, overhead = false;
};

class Bench {
 public:
  explicit Bench(const std::string& net)
      : pair_(gan::bench::make_pair(rng_, net)),
        trainer_(*pair_.networks.generator, *pair_.networks.discriminator, pair_.options),
        flops_(count_flops()) {}

  /// Steps that are timed as one, so that each has its share of what happens now and then.
  Index period() const { return pair_.kind.every; }
  /// Of a step, for one sample.
  double flops() const { return flops_; }
  double state_bytes() {
    double values = 0, average = 0;
    for (gan::Module<float>* network : {static_cast<gan::Module<float>*>(pair_.networks.generator.get()),
                                        static_cast<gan::Module<float>*>(pair_.networks.discriminator.get())})
      values += static_cast<double>(network->parameter_count());
    if (pair_.options.average) average = static_cast<double>(pair_.networks.generator->parameter_count());
    return (4 * values + average) * sizeof(float);
  }

  void make_batch(Index batch) {
    trainer_.plan_steps(1000000);  // for schedules that go by the whole run
    real_ = gan::uniform<float>(rng_, pair_.sample.inserted(0, batch), -1, 1);
    condition_ = make_condition(batch);
    for (int i = 0; i < 3; ++i) step();
  }
  void step() { trainer_.step(real_, condition_); }

  double median_ms(int reps) {
    std::vector<double> ms;
    for (int i = 0; i < reps; ++i) {
      const auto start = std::chrono::steady_clock::now();
      for (Index s = 0; s < period(); ++s) step();
      const std::chrono::duration<double, std::milli> taken = std::chrono::steady_clock::now() - start;
      ms.push_back(taken.count() / static_cast<double>(period()));
    }
    std::sort(ms.begin(), ms.end());
    return ms[ms.size() / 2];
  }

 private:
  gan::Condition<float> make_condition(Index n) const {
    gan::Condition<float> condition{.classes = pair_.networks.generator->classes()};
    for (Index i = 0; i < n && condition.classes > 0; ++i) condition.labels.push_back(i % condition.classes);
    return condition;
  }

  double count_flops() {
    const Index n = 4;
    gan::Rng rng(1);
    auto& [generator, discriminator] = pair_.networks;
    const auto condition = make_condition(n);
    const auto fake = (*generator)(generator->draw(rng, n), condition);
    gan::bench::StepKind kind = pair_.kind;
    kind.generator_needs_real = pair_.options.objective.generator_needs_real;
    return gan::bench::least_arithmetic(gan::bench::count_costs(fake, n),
                                        gan::bench::count_costs((*discriminator)(fake.detach(), condition), n), kind);
  }

  gan::Rng rng_{1};
  gan::bench::Pair pair_;
  gan::Trainer<float> trainer_;
  double flops_;
  gan::Tensor<float> real_;
  gan::Condition<float> condition_;
};

void print_profile(const Options& o, Bench& bench) {
  bench.make_batch(o.batch);
  const Index steps = o.reps * bench.period();
  const auto start = std::chrono::steady_clock::now();
  gan::Profile profile;
  for (Index i = 0; i < steps; ++i) bench.step();
  const double total = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const double to_step = 1 / static_cast<double>(steps);
  double accounted = 0;
  std::printf("%-28s %10s %12s %10s %8s\n", "operation", "calls/step", "ms/step", "GFLOP/s", "share %");
  for (const auto& row : profile.rows()) {
    accounted += row.seconds;
    std::printf("%-28s %10.1f %12.3f %10.1f %8.1f\n", row.name.c_str(), static_cast<double>(row.calls) * to_step,
                row.seconds * to_step * 1e3, row.flops / row.seconds * 1e-9, 100 * row.seconds / total);
  }
  std::printf("%-28s %10s %12.3f %10s %8.1f\n", "everything else", "", (total - accounted) * to_step * 1e3, "",
              100 * (total - accounted) / total);
}

void print_scaling(const Options& o, Bench& bench) {
  const int most = gan::threads();
  std::printf("%6s", "batch");
  for (int t = 1; t <= most; ++t) std::printf("   %2d threads: ms  samples/s  speedup", t);
  std::puts("");
  for (Index batch = 16; batch <= 1024; batch *= 2) {
    std::printf("%6lld", static_cast<long long>(batch));
    double one = 0;
    for (int t = 1; t <= most; ++t) {
      gan::set_threads(t);
      bench.make_batch(batch);
      const double ms = bench.median_ms(o.reps);
      if (t == 1) one = ms;
      std::printf("   %14.2f %9.0f %8.2f", ms, static_cast<double>(batch) / ms * 1e3, one / ms);
      std::fflush(stdout);
    }
    std::puts("");
  }
}

/// What products are made with: the engine's choice on this processor, or what Eigen was compiled for.
const char* instructions() {
  const auto* const linked = gan::kernels::linked_engine.load();
  return linked && gan::engine() == linked->name ? linked->instructions() : Eigen::SimdInstructionSetsInUse();
}

void print_line(const Options& o, Bench& bench, double resident_before) {
  auto& memory = gan::BufferCache::instance();
  bench.make_batch(o.batch);
  memory.reset_peak();
  const double ms = bench.median_ms(o.reps);
  const double in_step = static_cast<double>(memory.statistics().peak_bytes_in_use) - bench.state_bytes();
  const double resident = gan::bench::resident_memory().peak - resident_before;
  const double gflops = bench.flops() * static_cast<double>(o.batch) / ms * 1e-6;
  const double peak = gan::bench::peak_gflops(gan::threads());
  std::printf(
      "gan %s batch %lld threads %d median_ms %.3f images_per_s %.0f gflops %.1f peak_percent %.1f step_mb %.1f "
      "state_mb %.1f rss_mb %.1f engine %s precision %s instructions %s\n",
      o.net.c_str(), static_cast<long long>(o.batch), gan::threads(), ms, static_cast<double>(o.batch) / ms * 1e3,
      gflops, 100 * gflops / peak, in_step * 1e-6, bench.state_bytes() * 1e-6, resident, gan::engine().c_str(),
      o.precision.c_str(), instructions());
}

int run(int argc, char** argv) {
  CLI::App app{"Times one alternating update of a pair of networks."};
  Options o;
  app.add_option("--net", o.net)->check(CLI::IsMember(gan::bench::pair_names))->capture_default_str();
  app.add_option("--batch", o.batch)->check(CLI::Range(2, 65536))->capture_default_str();
  app.add_option("--threads", o.threads, "default: all")->check(CLI::Range(1, 1024));
  app.add_option("--reps", o.reps)->check(CLI::Range(1, 1000000))->capture_default_str();
  app.add_flag("--profile", o.profile, "print a table of operations");
  app.add_flag("--scaling", o.scaling, "print a table of batches and threads");
  app.add_option("--engine", o.engine, "makes the products")
      ->check(CLI::IsMember(gan::engines()))
      ->capture_default_str();
  app.add_option("--precision", o.precision, "of products")
      ->check(CLI::IsMember({"highest", "medium"}))
      ->capture_default_str();
  app.add_flag("--products", o.products, "print a table of products by size");
  app.add_flag("--overhead", o.overhead, "print what an operation costs beside its arithmetic");
  CLI11_PARSE(app, argc, argv);
  if (o.threads > 0) gan::set_threads(o.threads);
  gan::set_engine(o.engine);
  gan::set_matmul_precision(gan::precision_named(o.precision));
  if (o.products) return gan::bench::print_products(), 0;
  if (o.overhead) return gan::bench::print_overhead(), 0;
  const double resident_before = gan::bench::resident_memory().now;
  Bench bench(o.net);
  if (o.profile)
    print_profile(o, bench);
  else if (o.scaling)
    print_scaling(o, bench);
  else
    print_line(o, bench, resident_before);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "train_step: %s\n", error.what());
    return 1;
  }
}
