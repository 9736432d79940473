// Classifier score and divergence of classes: closed forms and errors.
#include "gan/metrics/classifier_score.hpp"

#include <cmath>
#include <limits>

#include "support/catch.hpp"

using gan::Tensor;

TEST_CASE("the score is 1 for one class and k for k sure ones", "[metrics]") {
  auto one = Tensor<float>::zeros({6, 3}), all = Tensor<float>::zeros({6, 3});
  for (gan::Index i = 0; i < 6; ++i) one.mutable_data()[3 * i + 1] = all.mutable_data()[3 * i + i % 3] = 1;
  CHECK(gan::classifier_score(one) == Approx(1));
  CHECK(gan::classifier_score(all) == Approx(3));
  CHECK(gan::classifier_score(Tensor<double>::full({4, 5}, 0.2)) == Approx(1));
  const Tensor<double> mixed({2, 2}, {0.75, 0.25, 0.25, 0.75});
  CHECK(gan::classifier_score(mixed) == Approx(std::exp(0.75 * std::log(1.5) + 0.25 * std::log(0.5))));
  CHECK_THROWS_WITH(gan::classifier_score(Tensor<double>::full({2, 2}, 0.4)),
                    ContainsSubstring("row 0 adds up to 0.8"));
  CHECK_THROWS_WITH(gan::classifier_score(Tensor<double>({1, 2}, {-0.5, 1.5})), ContainsSubstring("row 0"));
}

TEST_CASE("divergence of classes", "[metrics]") {
  CHECK(gan::class_divergence({3, 3}, {50, 50}) == 0);
  CHECK(gan::class_divergence({1, 0}, {0.5, 0.5}) == Approx(std::log(2)));
  CHECK(gan::class_divergence({2, 1}, {1, 1}) == Approx(2.0 / 3 * std::log(4.0 / 3) + 1.0 / 3 * std::log(2.0 / 3)));
  CHECK(std::isinf(gan::class_divergence({1, 1}, {1, 0})));
  CHECK_THROWS_WITH(gan::class_divergence({1}, {1, 2}), ContainsSubstring("1 shares, 2 expected"));
  CHECK_THROWS_WITH(gan::class_divergence({1, -1}, {1, 2}), ContainsSubstring("share -1 of class 1"));
  CHECK_THROWS_WITH(gan::class_divergence({0, 0}, {1, 2}), ContainsSubstring("add up to 0"));
}
