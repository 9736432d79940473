#include "gan/data/augment.hpp"

#include <map>
#include <utility>
#include <vector>

#include "support/catch.hpp"

using gan::Index;
using gan::Tensor;

namespace {

/// Images [n, 3, 4, 2], all alike, every element different within one.
Tensor<double> images(Index count) {
  auto x = Tensor<double>::empty({count, 3, 4, 2});
  for (Index i = 0; i < x.size(); ++i) x.mutable_data()[i] = static_cast<double>(i % 24);
  return x;
}

/// How far image n was moved down and right; {99, 99} when it is no shifted image with repeated edges.
std::pair<Index, Index> shift_of(const Tensor<double>& x, Index n, Index largest) {
  const auto original = images(1);
  for (Index down = -largest; down <= largest; ++down)
    for (Index right = -largest; right <= largest; ++right) {
      bool same = true;
      for (Index y = 0; y < 3; ++y)
        for (Index c = 0; c < 4; ++c)
          for (Index k = 0; k < 2; ++k)
            same &= x.at({n, y, c, k}) ==
                    original.at({0, std::clamp<Index>(y - down, 0, 2), std::clamp<Index>(c - right, 0, 3), k});
      if (same) return {down, right};
    }
  return {99, 99};
}

}  // namespace

TEST_CASE("flip mirrors about that share of the images") {
  gan::Rng rng(1);
  auto x = images(1000);
  gan::Augmentation<double>(gan::augment::flip_horizontal(0.3))(rng, x);
  int flipped = 0;
  for (Index n = 0; n < 1000; ++n) {
    const bool mirrored = x.at({n, 0, 0, 0}) != 0;
    flipped += mirrored;
    for (Index y = 0; y < 3; ++y)
      for (Index c = 0; c < 4; ++c)
        for (Index k = 0; k < 2; ++k)
          REQUIRE(x.at({n, y, c, k}) == static_cast<double>((y * 4 + (mirrored ? 3 - c : c)) * 2 + k));
  }
  CHECK(flipped > 240);
  CHECK(flipped < 360);
  auto all = images(5);
  gan::augment::flip_horizontal(1)(rng, all);
  CHECK(all.at({4, 0, 0, 0}) == 6);
  auto none = images(5);
  gan::augment::flip_horizontal(0)(rng, none);
  CHECK(none.at({4, 0, 0, 0}) == 0);
}

TEST_CASE("shift moves images by every distance equally often and repeats the edge") {
  gan::Rng rng(2);
  auto x = images(900);
  gan::Augmentation<double>(gan::augment::shift(1))(rng, x);
  std::map<std::pair<Index, Index>, int> count;
  for (Index n = 0; n < 900; ++n) ++count[shift_of(x, n, 1)];
  CHECK(count.size() == 9);
  CHECK(count.count({99, 99}) == 0);
  for (const auto& [by, times] : count) {
    CHECK(times > 60);
    CHECK(times < 140);
  }
  auto still = images(3);
  gan::augment::shift(0)(rng, still);
  CHECK(shift_of(still, 2, 0) == std::pair<Index, Index>{0, 0});
  auto far = images(3);
  gan::augment::shift(100)(rng, far);  // farther than the image is wide
  CHECK(far.shape() == gan::Shape{3, 3, 4, 2});
}

TEST_CASE("augmentations refuse bad options and batches that are not images") {
  REQUIRE_THROWS_WITH(gan::augment::flip_horizontal(1.5), ContainsSubstring("1.5"));
  REQUIRE_THROWS_WITH(gan::augment::shift(-1), ContainsSubstring("-1"));
  gan::Rng rng(0);
  auto flat = Tensor<float>::zeros({2, 784});
  REQUIRE_THROWS_WITH(gan::augment::shift(1)(rng, flat), ContainsSubstring("[2, 784], expected images [n, h, w, c]"));
  REQUIRE_THROWS_AS(gan::augment::flip_horizontal()(rng, flat), gan::Error);
}
