// Gather, scatter-add and one-hot rows.
#include "gan/ops/gather.hpp"

#include <vector>

#include "support/catch.hpp"
#include "support/gradcheck.hpp"
#include "support/reference.hpp"

using gan::Index;
using gan::Shape;
using gan::Tensor;
using namespace gan::test;
using List = std::vector<Index>;

namespace {

List random_indices(gan::Rng& rng, Index count, Index rows) {
  List indices(static_cast<std::size_t>(count));
  rng.integers(indices, 0, rows);
  return indices;
}

}  // namespace

TEST_CASE("gather takes rows, scatter_add puts them back") {
  gan::Rng rng(61);
  for (int trial = 0; trial < 20; ++trial) {
    const Shape shape = trial < 2 ? Shape{50, 700} : random_shape(rng, 3);
    const Index rows = shape[0], row = shape.size() / rows, count = trial < 2 ? 60 : rng.integer(0, 6);
    const List indices = random_indices(rng, count, rows);
    CAPTURE(shape, indices);
    const auto table = random_tensor(rng, shape), x = random_tensor(rng, shape.with(0, count));
    const auto y = gather(table, indices);
    const auto z = scatter_add(x, indices, rows);
    REQUIRE(y.shape() == shape.with(0, count));
    REQUIRE(z.shape() == shape);
    auto expected = Tensor<double>::zeros(shape);
    bool equal = true;
    for (Index i = 0; i < count; ++i)
      for (Index j = 0; j < row; ++j) {
        const Index from = indices[static_cast<std::size_t>(i)] * row + j;
        equal &= y.data()[i * row + j] == table.data()[from];
        expected.mutable_data()[from] += x.data()[i * row + j];
      }
    REQUIRE(equal);
    REQUIRE((z.values() == expected.values()).all());
    if (trial < 2) continue;
    check_gradients([&](const Inputs& v) { return gather(v[0] * v[0], indices); }, {table});
    check_gradients([&](const Inputs& v) { return scatter_add(v[0] * v[0], indices, rows); }, {x});
  }
}

TEST_CASE("rows of nothing") {
  REQUIRE(gather(Tensor<double>({0, 3}), List{}).shape() == Shape{0, 3});
  REQUIRE(gather(Tensor<double>({4, 0}), List{1, 2}).shape() == Shape{2, 0});
  const auto y = scatter_add(Tensor<double>({0, 3}), List{}, 2);
  REQUIRE(y.shape() == Shape{2, 3});
  REQUIRE((y.values() == 0).all());
}

TEST_CASE("indices outside the rows are refused") {
  const Tensor<double> table({3, 2});
  REQUIRE_THROWS_WITH(gather(table, List{0, 3}), "gather: index 3 at position 1, expected [0, 3)");
  REQUIRE_THROWS_WITH(gather(table, List{-1}), "gather: index -1 at position 0, expected [0, 3)");
  REQUIRE_THROWS_WITH(gather(Tensor<double>({0, 2}), List{0}), "gather: index 0 at position 0, expected [0, 0)");
  REQUIRE_THROWS_WITH(gather(Tensor<double>::scalar(1), List{0}), "gather: table [] has no rows");
  REQUIRE_THROWS_WITH(scatter_add(table, List{0, 1}, 4), "scatter_add: 2 indices for x [3, 2]");
  REQUIRE_THROWS_WITH(scatter_add(table, List{0, 1, 4}, 4), "scatter_add: index 4 at position 2, expected [0, 4)");
  REQUIRE_THROWS_WITH(scatter_add(Tensor<double>::scalar(1), List{0}, 4), "scatter_add: 1 indices for x []");
  REQUIRE_THROWS_AS(scatter_add(Tensor<double>({0, 2}), List{}, -1), gan::Error);
}

TEST_CASE("one-hot rows") {
  const auto y = gan::one_hot<float>(List{2, 0, 2}, 3);
  REQUIRE(y.shape() == Shape{3, 3});
  const std::vector<float> expected{0, 0, 1, 1, 0, 0, 0, 0, 1};
  REQUIRE(std::vector<float>(y.data(), y.data() + 9) == expected);
  REQUIRE(gan::one_hot<double>(List{}, 4).shape() == Shape{0, 4});
  REQUIRE_THROWS_WITH(gan::one_hot<double>(List{1, 4}, 4), "one_hot: index 4 at position 1, expected [0, 4)");
  REQUIRE_THROWS_AS(gan::one_hot<double>(List{-1}, 4), gan::Error);
  REQUIRE_THROWS_AS(gan::one_hot<double>(List{}, -4), gan::Error);
}
