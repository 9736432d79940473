// Results are the same, bit for bit, for any number of threads.
#include "support/threads.hpp"

#include <functional>
#include <string>
#include <vector>

#include "gan/ops/batch_norm.hpp"
#include "gan/ops/gather.hpp"
#include "gan/ops/permute.hpp"
#include "gan/ops/reduce.hpp"
#include "gan/ops/softmax.hpp"
#include "gan/tensor/random.hpp"
#include "support/matchers.hpp"

using gan::Index;
using gan::Shape;
using gan::Tensor;
using F = Tensor<float>;

namespace {

void require_same_for_all_threads(const std::string& what, const std::function<F()>& f) {
  const gan::test::ThreadCount keep;
  INFO(what);
  gan::set_threads(1);
  const F expected = f();
  for (const int threads : {2, 3}) {
    CAPTURE(threads);
    gan::set_threads(threads);
    REQUIRE(gan::test::bit_difference(f(), expected) == "");
  }
}

}  // namespace

TEST_CASE("elementwise functions do not depend on the number of threads") {
  gan::Rng rng(101);
  // Lengths that are no multiple of a vector register, a cache line or a grain.
  for (const Index n : {16385, 50021, 131071}) {
    const F x = gan::uniform<float>(rng, {n}, 0.1, 3), y = gan::uniform<float>(rng, {n}, 0.1, 3);
    const auto test = [&](const std::string& what, const std::function<F()>& f) {
      require_same_for_all_threads(what + " of " + std::to_string(n), f);
    };
    test("exp", [&] { return exp(x); });
    test("log", [&] { return log(x); });
    test("tanh", [&] { return tanh(x - 1.5); });
    test("sigmoid", [&] { return sigmoid(x - 1.5); });
    test("sqrt", [&] { return sqrt(x); });
    test("softplus", [&] { return softplus(x); });
    test("gelu", [&] { return gelu(x - 1.5); });
    test("affine", [&] { return 0.3 * x + 0.7; });
    test("div", [&] { return x / y; });
    test("fused", [&] { return x * y + x * 0.1; });
  }
}

TEST_CASE("broadcasts do not depend on the number of threads") {
  gan::Rng rng(102);
  const F x = gan::uniform<float>(rng, {301, 257}), row = gan::uniform<float>(rng, {257});
  const F column = gan::uniform<float>(rng, {301, 1}, 1, 2);
  require_same_for_all_threads("row", [&] { return x * row + row; });
  require_same_for_all_threads("column", [&] { return (x - column) / column; });
  require_same_for_all_threads("both", [&] { return column * row; });
}

TEST_CASE("reductions do not depend on the number of threads") {
  gan::Rng rng(103);
  for (const Shape& shape : {Shape{200003}, Shape{50001, 3}, Shape{3, 50001}, Shape{301, 1025}, Shape{77, 33, 65}}) {
    const F x = gan::normal<float>(rng, shape);
    for (Index axis = -1; axis < shape.rank(); ++axis) {
      const std::vector<Index> axes = axis < 0 ? std::vector<Index>{} : std::vector<Index>{axis};
      CAPTURE(shape, axis);
      require_same_for_all_threads("sum", [&] { return sum(x, axes); });
      require_same_for_all_threads("variance", [&] { return variance(x, axes); });
      require_same_for_all_threads("max", [&] { return gan::max(x, axes); });
    }
  }
}

TEST_CASE("normalization does not depend on the number of threads") {
  gan::Rng rng(105);
  auto x = gan::normal<float>(rng, {60, 9, 11, 24}).set_requires_grad();
  const F scale = gan::uniform<float>(rng, {24}), shift = gan::uniform<float>(rng, {24}),
          w = gan::normal<float>(rng, x.shape());
  const auto batch = [&] { return batch_norm(x, scale, shift).y; };
  // Groups of 6 channels, as in GroupNorm.
  const auto group = [&] { return reshape(normalize(reshape(x, {60, 99, 4, 6}), {1, 3}), x.shape()); };
  require_same_for_all_threads("batch", batch);
  require_same_for_all_threads("batch mean", [&] { return batch_norm(x, scale, shift).mean; });
  require_same_for_all_threads("batch gradient", [&] { return grad(batch(), x, {}, w); });
  require_same_for_all_threads("batch gradient, composed", [&] { return grad(batch(), x, {.create_graph = true}, w); });
  require_same_for_all_threads("group", group);
  require_same_for_all_threads("group gradient", [&] { return grad(group(), x, {}, w); });
}

TEST_CASE("rows, moves and gradients do not depend on the number of threads") {
  gan::Rng rng(104);
  auto x = gan::normal<float>(rng, {3001, 21}).set_requires_grad();
  std::vector<Index> indices(5000);
  rng.integers(indices, 0, 3001);
  require_same_for_all_threads("softmax", [&] { return softmax(x); });
  require_same_for_all_threads("log_softmax", [&] { return log_softmax(x); });
  require_same_for_all_threads("transpose", [&] { return transpose(x); });
  require_same_for_all_threads("gather", [&] { return gather(x, indices); });
  require_same_for_all_threads("gradient", [&] { return grad(softplus(gather(softmax(x) * x, indices)), x); });
  require_same_for_all_threads("clone", [&] { return x.clone(); });
}
