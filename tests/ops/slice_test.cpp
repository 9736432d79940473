#include "gan/ops/slice.hpp"

#include <limits>

#include "support/catch.hpp"
#include "support/gradcheck.hpp"
#include "support/reference.hpp"

using gan::Index;
using gan::Shape;
using gan::Tensor;
using namespace gan::test;

namespace {

bool same_values(const Tensor<double>& a, const Tensor<double>& b) {
  return a.shape() == b.shape() && (a.values() == b.values()).all();
}

double inner_product(const Tensor<double>& a, const Tensor<double>& b) { return (a.values() * b.values()).sum(); }

}  // namespace

TEST_CASE("slice and pad on random ranges") {
  gan::Rng rng(54);
  for (int trial = 0; trial < 24; ++trial) {
    const Shape shape = trial < 3 ? Shape{30, 40, 50} : random_shape(rng);
    const Index axis = rng.integer(0, shape.rank()), length = shape[axis];
    const Index begin = rng.integer(0, length + 1), end = rng.integer(begin, length + 1), after = length - end;
    CAPTURE(shape, axis, begin, end);
    const auto x = random_tensor(rng, shape);
    const auto y = slice(x, trial % 2 ? axis : axis - shape.rank(), begin, end);
    REQUIRE(y.shape() == shape.with(axis, end - begin));
    bool equal = true;
    for (Index i = 0; i < y.size(); ++i) {
      auto from = unravel(y.shape(), i);
      from[static_cast<std::size_t>(axis)] += begin;
      equal &= y.data()[i] == x.data()[ravel(shape, from)];
    }
    REQUIRE(equal);
    // pad puts the elements back, and zeros around them: the adjoint.
    const auto z = random_tensor(rng, y.shape());
    const auto padded = pad(z, axis, begin, after);
    REQUIRE(padded.shape() == shape);
    REQUIRE(same_values(slice(padded, axis, begin, end), z));
    REQUIRE(inner_product(padded, x) == Approx(inner_product(z, y)).margin(1e-12));
    REQUIRE(padded.values().square().sum() == Approx(z.values().square().sum()));
    if (x.size() > 64) continue;
    check_gradients([&](const Inputs& v) { return slice(v[0] * v[0], axis, begin, end); }, {x});
    check_gradients([&](const Inputs& v) { return pad(v[0] * v[0], axis, begin, after); }, {z});
  }
}

TEST_CASE("ranges outside the axis are refused") {
  const Tensor<double> x({2, 3});
  REQUIRE_THROWS_WITH(slice(x, 1, 1, 4), "slice: [1, 4) of axis 1 of [2, 3]: expected a range in [0, 3)");
  REQUIRE_THROWS_WITH(slice(x, 1, -1, 2), ContainsSubstring("slice: [-1, 2)"));
  REQUIRE_THROWS_WITH(slice(x, 0, 2, 1), ContainsSubstring("slice: [2, 1)"));
  REQUIRE_THROWS_AS(slice(x, 2, 0, 1), gan::Error);
  REQUIRE_THROWS_WITH(pad(x, 0, -1, 2), "pad: -1 before and 2 after, expected 0 or more");
  REQUIRE_THROWS_WITH(pad(x, 0, 2, -1), ContainsSubstring("pad: 2 before and -1 after"));
  constexpr Index most = std::numeric_limits<Index>::max();
  REQUIRE_THROWS_WITH(pad(x, 0, most, most), ContainsSubstring("too many elements"));
  REQUIRE_THROWS_AS(pad(x, 0, most / 4, 0), gan::Error);
  REQUIRE_THROWS_AS(slice(Tensor<double>::scalar(1), 0, 0, 1), gan::Error);
}
