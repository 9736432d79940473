#include "gan/ops/concatenate.hpp"

#include "gan/ops/slice.hpp"
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

}  // namespace

TEST_CASE("concatenate joins what slice takes apart") {
  gan::Rng rng(55);
  for (int trial = 0; trial < 20; ++trial) {
    const Shape shape = trial < 2 ? Shape{30, 40, 50} : random_shape(rng);
    const Index axis = rng.integer(0, shape.rank()), cut = rng.integer(0, shape[axis] + 1);
    CAPTURE(shape, axis, cut);
    const auto x = random_tensor(rng, shape);
    const auto first = slice(x, axis, 0, cut), second = slice(x, axis, cut, shape[axis]);
    REQUIRE(same_values(gan::concatenate<double>({first, second}, axis - shape.rank()), x));
    const auto thrice = gan::concatenate<double>({x, second, x}, axis);
    REQUIRE(same_values(slice(thrice, axis, 0, shape[axis]), x));
    REQUIRE(same_values(slice(thrice, axis, shape[axis], 2 * shape[axis] - cut), second));
    if (x.size() > 64) continue;
    check_gradients(
        [&](const Inputs& v) {
          return gan::concatenate<double>({v[0] * v[0], v[1]}, axis) * 2;
        },
        {first, second});
    check_gradients([&](const Inputs& v) { return gan::concatenate<double>({v[0], v[0] * v[0]}, axis); }, {x});
  }
  REQUIRE(same_values(gan::concatenate<double>({Tensor<double>({2}, {1, 2})}, 0), Tensor<double>({2}, {1, 2})));
}

TEST_CASE("tensors that do not fit are not joined") {
  const Tensor<double> a({2, 3}), b({2, 4}), c({3}), d({3, 3});
  REQUIRE_THROWS_WITH(gan::concatenate<double>({a, b}, 0),
                      "concatenate: [2, 4] and [2, 3] differ in an axis other than 0");
  REQUIRE_THROWS_WITH(gan::concatenate<double>({a, d}, -1),
                      "concatenate: [3, 3] and [2, 3] differ in an axis other than 1");
  REQUIRE_THROWS_WITH(gan::concatenate<double>({a, c}, 0), ContainsSubstring("[3] and [2, 3]"));
  REQUIRE_THROWS_WITH(gan::concatenate<double>({}, 0), "concatenate: no tensors");
  REQUIRE_THROWS_AS(gan::concatenate<double>({a, a}, 2), gan::Error);
  const Tensor<double> s = Tensor<double>::scalar(1);
  REQUIRE_THROWS_AS(gan::concatenate<double>({s, s}, 0), gan::Error);
}
