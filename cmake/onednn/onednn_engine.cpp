// Products by oneDNN (2.6 and 3.x), entered in the library's table by linking this file.
//
// It chooses its kernels by the processor that the program runs on, whatever flags the program was compiled with.
// Factors that are rounded, and weights of convolutions, are kept as twins of their tensors: made once, used by every
// product until the values change.
#include <oneapi/dnnl/dnnl.hpp>

#ifdef _OPENMP
#include <omp.h>
#endif

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <exception>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <vector>

#include "gan/ops/kernels/product_engine.hpp"

namespace {

using namespace gan::kernels;
using dnnl::memory;
using Dim = std::int64_t;
using Desc = memory::desc;

const auto direct = dnnl::algorithm::convolution_direct;
const auto f32 = memory::data_type::f32;
const auto bf16 = memory::data_type::bf16;

dnnl::engine& processor() {
  static auto* engine = new dnnl::engine(dnnl::engine::kind::cpu, 0);  // outlives all threads
  return *engine;
}

dnnl::stream& stream() {
  thread_local dnnl::stream stream(processor());
  return stream;
}

/// Whether this processor has these instructions.
bool has(dnnl::cpu_isa wanted) {
  const auto there = static_cast<unsigned>(dnnl::get_effective_cpu_isa());
  return (there & static_cast<unsigned>(wanted)) == static_cast<unsigned>(wanted);
}

bool in_parallel() {
#ifdef _OPENMP
  return omp_in_parallel() != 0;
#else
  return false;
#endif
}

/// While it lives, OpenMP tells oneDNN how many threads to divide the work among: one inside a parallel region, where a
/// kernel made for more would wait for them forever; outside as many as the program uses, which is what OpenMP says
/// already unless the program was compiled without it.
class Threads {
 public:
#ifdef _OPENMP
  explicit Threads(int threads) : before_(omp_get_max_threads()) {
    omp_set_num_threads(omp_in_parallel() ? 1 : threads);
  }
  ~Threads() { omp_set_num_threads(before_); }
#else
  explicit Threads(int) {}
#endif
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

 private:
  [[maybe_unused]] int before_ = 1;
};

// Layouts, by how far neighbors along each axis lie apart.
Desc matrix(Dim rows, Dim columns, bool transposed, memory::data_type type) {
  return transposed ? Desc({rows, columns}, type, memory::dims{1, rows})
                    : Desc({rows, columns}, type, memory::dims{columns, 1});
}
Desc flat(Dim count, memory::data_type type) { return Desc({count}, type, memory::dims{1}); }
Desc image(Dim n, Dim channels, const ConvolutionAxis& rows, const ConvolutionAxis& columns, bool output,
           memory::data_type type) {
  const Dim h = output ? rows.output : rows.input, w = output ? columns.output : columns.input;
  return Desc({n, channels, h, w}, type, memory::dims{h * w * channels, 1, w * channels, channels});
}
/// Weights of a convolution as gan has them, [rows, columns, channels, filters * groups].
Desc weights(const Convolution& c) {
  const Dim h = c.rows.kernel, w = c.columns.kernel, all = c.filters * c.groups;
  if (c.groups == 1)
    return Desc({c.filters, c.channels, h, w}, f32, memory::dims{1, all, w * c.channels * all, c.channels * all});
  return Desc({c.groups, c.filters, c.channels, h, w}, f32,
              memory::dims{c.filters, 1, all, w * c.channels * all, c.channels * all});
}
/// The same, as oneDNN likes them best.
Desc any_weights(const Convolution& c, memory::data_type type) {
  const Dim h = c.rows.kernel, w = c.columns.kernel;
  return c.groups == 1 ? Desc({c.filters, c.channels, h, w}, type, memory::format_tag::any)
                       : Desc({c.groups, c.filters, c.channels, h, w}, type, memory::format_tag::any);
}

/// A number for what makes a twin: from which layout to which. One layout may be reached from two, a square matrix and
/// its transpose.
std::uint64_t form_of(const Desc& from, const Desc& to) {
  constexpr std::size_t most = 4096;
  static std::mutex mutex;
  static auto* known = new std::vector<std::pair<Desc, Desc>>;
  static std::uint64_t forgotten = 1;  // 0 is that of rounding
  const std::lock_guard lock(mutex);
  if (known->size() >= most) {  // numbers are never used again
    forgotten += most;
    known->clear();
  }
  const std::pair pair(from, to);
  const auto found = std::find(known->begin(), known->end(), pair);
  const auto at = static_cast<std::uint64_t>(found - known->begin());
  if (found == known->end()) known->push_back(pair);
  return forgotten + at;
}

/// A product made ready for its sizes.
struct Prepared {
  dnnl::primitive primitive;
  Desc first, second, result, scratch;
  Desc plain;              // the second factor as gan has it, where that is not how it is read
  std::uint64_t form = 0;  // of its twin then
};

template <class Primitive, class Description>
Prepared prepared(const Description& d, const Desc& first, const Desc& second, const Desc& result,
                  const Desc& plain = {}) {
  Prepared p{Primitive(d), first, second, result, d.scratchpad_desc(), plain};
  if (!plain.is_zero() && plain != second) p.form = form_of(plain, second);
  return p;
}

// How a primitive is described differs between the major versions: `arguments` are those of its operation, and a
// gradient's is given that of the forward product as a hint.
template <class Primitive, class... Arguments>
auto describe(const dnnl::primitive_attr& attributes, const Arguments&... arguments) {
#if DNNL_VERSION_MAJOR >= 3
  return typename Primitive::primitive_desc(processor(), arguments..., attributes);
#else
  return typename Primitive::primitive_desc(typename Primitive::desc(arguments...), attributes, processor());
#endif
}
template <class Primitive, class Hint, class... Arguments>
auto describe_gradient(const dnnl::primitive_attr& attributes, const Hint& hint, const Arguments&... arguments) {
#if DNNL_VERSION_MAJOR >= 3
  return typename Primitive::primitive_desc(processor(), arguments..., hint, attributes);
#else
  return typename Primitive::primitive_desc(typename Primitive::desc(arguments...), attributes, processor(), hint);
#endif
}

dnnl::primitive_attr own_scratch(bool accumulate = false) {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  if (accumulate) {
    dnnl::post_ops operations;
    operations.append_sum(1.0f);
    attributes.set_post_ops(operations);
  }
  return attributes;
}

using Key = std::array<Dim, 24>;

/// The products made ready last, at most `most`; null for sizes that oneDNN has nothing for.
class PreparedProducts {
 public:
  template <class Prepare>
  std::shared_ptr<const Prepared> get(const Key& key, const Prepare& prepare) {
    const std::lock_guard lock(mutex_);
    if (const auto found = places_.find(key); found != places_.end()) {
      order_.splice(order_.begin(), order_, found->second);
      return order_.front().second;
    }
    std::shared_ptr<const Prepared> made;
    try {
      made = std::make_shared<const Prepared>(prepare());
    } catch (const dnnl::error& e) {
      if (e.status != dnnl_unimplemented && e.status != dnnl_invalid_arguments) throw;
    }
    order_.emplace_front(key, made);
    places_.emplace(key, order_.begin());
    if (order_.size() > most) {
      places_.erase(order_.back().first);
      order_.pop_back();
    }
    return made;
  }

  static PreparedProducts& instance() {
    static auto* all = new PreparedProducts;
    return *all;
  }

 private:
  static constexpr std::size_t most = 512;
  using Order = std::list<std::pair<Key, std::shared_ptr<const Prepared>>>;

  std::mutex mutex_;
  Order order_;  // the last used first
  std::map<Key, Order::iterator> places_;
};

class Scratch {
 public:
  Scratch(const EngineHost& host, std::size_t bytes)
      : host_(host), bytes_(bytes), memory_(bytes == 0 ? nullptr : host.acquire(bytes)) {}
  ~Scratch() {
    if (memory_) host_.release(memory_, bytes_);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  void* get() const { return memory_; }

 private:
  const EngineHost& host_;
  std::size_t bytes_;
  void* memory_;
};

memory at(const Desc& desc, const void* data) { return memory(desc, processor(), const_cast<void*>(data)); }

enum Kind : Dim { multiply_kind = 1, convolve_kind, input_kind, weight_kind };

/// Copies between two layouts.
void copy(const Desc& from, const void* source, const Desc& to, void* target) {
  // oneDNN keeps these ready itself.
  memory a = at(from, source), b = at(to, target);
  dnnl::reorder(a, b).execute(stream(), a, b);
}

/// The factor's twin of that form, copied from one layout to another.
const void* twin(const EngineHost& host, const Factor& factor, std::uint64_t form, const Desc& from, const Desc& to) {
  struct Context {
    const Desc& from;
    const Desc& to;
    const float* values;
  } context{from, to, factor.values};
  return host.twin(
      factor, form, to.get_size(),
      [](void* c, void* memory) {
        const auto& [source, target, values] = *static_cast<const Context*>(c);
        copy(source, values, target, memory);
      },
      &context);
}

/// The factor's `count` values as they lie, rounded if asked.
const void* as_it_lies(const EngineHost& host, const Factor& factor, Dim count, bool round) {
  return round ? twin(host, factor, 0, flat(count, f32), flat(count, bf16)) : factor.values;
}

/// The second factor in the layout that the product reads.
const void* in_own_layout(const EngineHost& host, const Factor& factor, const Prepared& p) {
  return p.form == 0 ? factor.values : twin(host, factor, p.form, p.plain, p.second);
}

void execute(const EngineHost& host, const Prepared& p, std::unordered_map<int, memory> arguments) {
  const Scratch scratch(host, p.scratch.get_size());
  if (scratch.get()) arguments.emplace(DNNL_ARG_SCRATCHPAD, at(p.scratch, scratch.get()));
  p.primitive.execute(stream(), arguments);
}

// Rules. Each says where Eigen is faster, by GFLOP/s of one core of a Zen 4, Eigen's / oneDNN's, as
// `train_step --products --threads 1` prints them with the rule taken out.

/// Too little for a call: 128 x 2 -> 128 27 / 21, 24 cubed 38 / 37.
bool is_small(const MatrixProduct& p) { return p.m < 8 || p.n < 8 || p.k < 8 || p.m * p.n * p.k < 1 << 15; }
bool is_small(const Convolution& c) {
  const Dim pixels = c.n * c.rows.output * c.columns.output;
  return c.channels * c.groups * c.n * c.rows.input * c.columns.input == 0 ||
         pixels * c.rows.kernel * c.columns.kernel * c.channels * c.filters * c.groups < 1 << 15;
}
/// Rounding costs more than it gains: 48 cubed 61 where float has 88, 64 cubed 103 and 94.
bool gains_by_rounding(const MatrixProduct& p) { return p.m * p.n * p.k >= 1 << 17; }
/// A right factor is kept packed, for products that come again before it changes: with AMX, whose products take less
/// time than packing each time does (not measured). With AVX512-BF16 it does not pay: `train_step --net mlp --precision
/// medium --threads 1` takes 14.3 ms without and 17.0 with it. GAN_ONEDNN_PACK=0 or 1 decides otherwise.
bool packs() {
  static const bool does = [] {
    const char* const asked = std::getenv("GAN_ONEDNN_PACK");
    return asked && *asked ? *asked == '1' : has(dnnl::cpu_isa::avx512_core_amx);
  }();
  return does;
}
/// Few channels beside each other: to the input of 1 channel 36 / 7, of 3 channels 50 / 20, of 8 channels 31 / 59.
bool scatters_badly(const Convolution& c) { return c.channels < 6 && c.filters > 1; }
/// The sum over few pixels is short beside the weights that it ends in: 512 pixels, 256 -> 512 channels 115 / 78 (93
/// rounded), 1024 pixels, 64 -> 128 channels 135 / 108 (131 rounded), 8192 pixels, 64 -> 128 channels 92 / 102.
bool sums_little(const Convolution& c) {
  const Dim pixels = c.n * c.rows.output * c.columns.output;
  return c.groups == 1 && (c.rounded ? pixels < 768 : c.channels >= 32 && pixels * 6 < c.channels * c.filters);
}

/// Each thread sums over some of the images. oneDNN's own division of the work, 2 threads, is slower where little else
/// can be divided: rounded, 64 x 14^2, 32 -> 64 channels, stride 2, 86 GFLOP/s where one thread has 149. Beyond a few
/// threads the sums would be more memory than images.
bool splits_images(int threads) { return threads > 1 && threads <= 8; }

bool multiply(const EngineHost& host, const MatrixProduct& p, const Factor& a, const Factor& b, float* c) {
  if (is_small(p)) return false;
  const auto& [m, n, k, transpose_a, transpose_b, accumulate, wanted_rounded, threads] = p;
  const bool round = wanted_rounded && gains_by_rounding(p);
  const Threads in_use(threads);
  // sgemm is the faster one where the right factor lies as it is multiplied: 100 x 128 x 12544 112 where matmul has 94,
  // and where it does not, 128 x 1024 x 784, 84 and 102.
  if (!round && !transpose_b) {
    const auto status = dnnl::sgemm(transpose_a ? 'T' : 'N', 'N', m, n, k, 1.0f, a.values, transpose_a ? m : k,
                                    b.values, n, accumulate ? 1.0f : 0.0f, c, n);
    if (status != dnnl::status::success) throw std::runtime_error("sgemm: status " + std::to_string(int(status)));
    return true;
  }
  const bool pack = round && !transpose_a && packs();
  const Key key{multiply_kind, m, n, k, transpose_a, transpose_b, accumulate, round, threads, in_parallel()};
  const auto ready = PreparedProducts::instance().get(key, [&p, round, pack] {
    const auto type = round ? bf16 : f32;
    const Desc x = matrix(p.m, p.k, p.transpose_a, type), y = matrix(p.m, p.n, false, f32);
    const Desc w = pack ? Desc({p.k, p.n}, type, memory::format_tag::any) : matrix(p.k, p.n, p.transpose_b, type);
    const auto d = describe<dnnl::matmul>(own_scratch(p.accumulate), x, w, y);
    return prepared<dnnl::matmul>(d, d.src_desc(), d.weights_desc(), d.dst_desc(),
                                  pack ? matrix(p.k, p.n, p.transpose_b, f32) : Desc());
  });
  if (!ready) return false;
  execute(
      host, *ready,
      {{DNNL_ARG_SRC, at(ready->first, as_it_lies(host, a, m * k, round))},
       {DNNL_ARG_WEIGHTS, at(ready->second, pack ? in_own_layout(host, b, *ready) : as_it_lies(host, b, k * n, round))},
       {DNNL_ARG_DST, at(ready->result, c)}});
  return true;
}

Key key_of(Kind kind, const Convolution& c, bool with_bias) {
  Key key{kind, c.n, c.channels, c.filters, c.groups, c.rounded, c.threads, in_parallel(), with_bias};
  std::size_t i = 9;
  for (const auto& a : {c.rows, c.columns})
    for (const Dim value : {a.input, a.kernel, a.stride, a.dilation, a.before, a.after}) key[i++] = value;
  return key;
}

/// The forward product, whose description the gradients' need as a hint.
struct Sizes {
  memory::dims stride, dilation, before, after;
  Desc x, y, rounded_x, rounded_y;

  explicit Sizes(const Convolution& c)
      : stride{c.rows.stride, c.columns.stride},
        dilation{c.rows.dilation - 1, c.columns.dilation - 1},
        before{c.rows.before, c.columns.before},
        after{c.rows.after, c.columns.after},
        x(image(c.n, c.channels * c.groups, c.rows, c.columns, false, f32)),
        y(image(c.n, c.filters * c.groups, c.rows, c.columns, true, f32)),
        rounded_x(image(c.n, c.channels * c.groups, c.rows, c.columns, false, c.rounded ? bf16 : f32)),
        rounded_y(image(c.n, c.filters * c.groups, c.rows, c.columns, true, c.rounded ? bf16 : f32)) {}

  dnnl::convolution_forward::primitive_desc forward(const Convolution& c, bool with_bias,
                                                    const dnnl::primitive_attr& attributes) const {
    using Forward = dnnl::convolution_forward;
    const auto training = dnnl::prop_kind::forward_training;
    const Desc w = any_weights(c, c.rounded ? bf16 : f32), bias = flat(c.filters * c.groups, f32);
    return with_bias
               ? describe<Forward>(attributes, training, direct, rounded_x, w, bias, y, stride, dilation, before, after)
               : describe<Forward>(attributes, training, direct, rounded_x, w, y, stride, dilation, before, after);
  }
};

/// Elements of one image of x and of y.
Dim x_image(const Convolution& c) { return c.rows.input * c.columns.input * c.channels * c.groups; }
Dim y_image(const Convolution& c) { return c.rows.output * c.columns.output * c.filters * c.groups; }

bool convolve(const EngineHost& host, const Convolution& c, const Factor& x, const Factor& weight, const float* bias,
              float* y) {
  if (is_small(c)) return false;
  const Threads in_use(c.threads);
  const auto ready = PreparedProducts::instance().get(key_of(convolve_kind, c, bias != nullptr), [&] {
    const auto d = Sizes(c).forward(c, bias != nullptr, own_scratch());
    return prepared<dnnl::convolution_forward>(d, d.src_desc(), d.weights_desc(), d.dst_desc(), weights(c));
  });
  if (!ready) return false;
  std::unordered_map<int, memory> arguments{
      {DNNL_ARG_SRC, at(ready->first, as_it_lies(host, x, c.n * x_image(c), c.rounded))},
      {DNNL_ARG_WEIGHTS, at(ready->second, in_own_layout(host, weight, *ready))},
      {DNNL_ARG_DST, at(ready->result, y)}};
  if (bias) arguments.emplace(DNNL_ARG_BIAS, at(flat(c.filters * c.groups, f32), bias));
  execute(host, *ready, std::move(arguments));
  return true;
}

bool input_gradient(const EngineHost& host, const Convolution& c, const Factor& gy, const Factor& weight, float* gx) {
  if (is_small(c) || scatters_badly(c)) return false;
  const Threads in_use(c.threads);
  const auto ready = PreparedProducts::instance().get(key_of(input_kind, c, false), [&] {
    using Gradient = dnnl::convolution_backward_data;
    const Sizes s(c);
    const auto attributes = own_scratch();
    const auto d = describe_gradient<Gradient>(attributes, s.forward(c, false, attributes), direct, s.x,
                                               any_weights(c, c.rounded ? bf16 : f32), s.rounded_y, s.stride,
                                               s.dilation, s.before, s.after);
    return prepared<Gradient>(d, d.diff_dst_desc(), d.weights_desc(), d.diff_src_desc(), weights(c));
  });
  if (!ready) return false;
  execute(host, *ready,
          {{DNNL_ARG_DIFF_DST, at(ready->first, as_it_lies(host, gy, c.n * y_image(c), c.rounded))},
           {DNNL_ARG_WEIGHTS, at(ready->second, in_own_layout(host, weight, *ready))},
           {DNNL_ARG_DIFF_SRC, at(ready->result, gx)}});
  return true;
}

/// The gradient of images [0, c.n) on the threads of the caller, given them as the product reads them.
bool weight_gradient_of(const EngineHost& host, const Convolution& c, const void* x, const void* gy, float* gw) {
  const auto ready = PreparedProducts::instance().get(key_of(weight_kind, c, false), [&] {
    using Gradient = dnnl::convolution_backward_weights;
    const Sizes s(c);
    const auto attributes = own_scratch();
    const auto d =
        describe_gradient<Gradient>(attributes, s.forward(c, false, attributes), direct, s.rounded_x,
                                    any_weights(c, f32), s.rounded_y, s.stride, s.dilation, s.before, s.after);
    return prepared<Gradient>(d, d.src_desc(), d.diff_dst_desc(), d.diff_weights_desc());
  });
  if (!ready) return false;
  const Desc plain = weights(c);
  const bool as_wanted = ready->result == plain;
  const Scratch blocked(host, as_wanted ? 0 : ready->result.get_size());
  execute(host, *ready,
          {{DNNL_ARG_SRC, at(ready->first, x)},
           {DNNL_ARG_DIFF_DST, at(ready->second, gy)},
           {DNNL_ARG_DIFF_WEIGHTS, at(ready->result, as_wanted ? gw : blocked.get())}});
  if (!as_wanted) copy(ready->result, blocked.get(), plain, gw);
  return true;
}

/// Calls f(part) for parts [0, n) on as many threads; rethrows what one of them threw.
template <class F>
void in_parts(int n, const F& f) {
  std::exception_ptr failure;
#ifdef _OPENMP
#pragma omp parallel for schedule(static, 1) num_threads(n)
#endif
  for (int part = 0; part < n; ++part) {
    try {
      f(part);
    } catch (...) {
#ifdef _OPENMP
#pragma omp critical(gan_onednn_failure)
#endif
      failure = std::current_exception();
    }
  }
  if (failure) std::rethrow_exception(failure);
}

bool weight_gradient(const EngineHost& host, const Convolution& c, const Factor& x, const Factor& gy, float* gw) {
  if (is_small(c) || sums_little(c)) return false;
  const Threads in_use(c.threads);
  const auto* const from = static_cast<const char*>(as_it_lies(host, x, c.n * x_image(c), c.rounded));
  const auto* const with = static_cast<const char*>(as_it_lies(host, gy, c.n * y_image(c), c.rounded));
  const Dim width = c.rounded ? 2 : 4, size = c.rows.kernel * c.columns.kernel * c.channels * c.filters * c.groups;
  const int parts = in_parallel() ? 1 : static_cast<int>(std::min<Dim>(c.threads, c.n));
  if (!splits_images(parts)) return weight_gradient_of(host, c, from, with, gw);
  const Scratch sums(host, static_cast<std::size_t>((parts - 1) * size) * sizeof(float));
  const auto sum_of = [&](int part) { return part == 0 ? gw : static_cast<float*>(sums.get()) + (part - 1) * size; };
  std::atomic<bool> done{true};
  in_parts(parts, [&](int part) {
    const Threads one(1);
    const Dim first = c.n * part / parts, end = c.n * (part + 1) / parts;
    Convolution some = c;
    some.n = end - first;
    if (!weight_gradient_of(host, some, from + first * x_image(c) * width, with + first * y_image(c) * width,
                            sum_of(part)))
      done = false;
  });
  if (!done) return false;
  in_parts(parts, [&](int block) {
    const Dim first = size * block / parts, end = size * (block + 1) / parts;
    for (int part = 1; part < parts; ++part) {
      const float* const other = sum_of(part);
      for (Dim i = first; i < end; ++i) gw[i] += other[i];
    }
  });
  return true;
}

bool rounds() { return has(dnnl::cpu_isa::avx512_core_bf16); }

const char* instructions() {
  if (has(dnnl::cpu_isa::avx512_core_amx)) return "AMX";
  if (has(dnnl::cpu_isa::avx512_core_bf16)) return "AVX512-BF16";
  if (has(dnnl::cpu_isa::avx512_core)) return "AVX-512";
  if (has(dnnl::cpu_isa::avx2)) return "AVX2";
  return "SSE4.1";
}

const ProductEngine onednn{"onednn", rounds, instructions, multiply, convolve, input_gradient, weight_gradient};

/// Before the program's own objects are constructed.
[[gnu::constructor(101)]] void enter() { linked_engine = &onednn; }

}  // namespace

/// Named by the link options of gan::onednn, so that this file is not left out of the static library.
extern "C" const int gan_onednn_engine = 1;
