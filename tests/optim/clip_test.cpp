// Limits on gradients and weights.
#include "gan/optim/clip.hpp"

#include <cmath>
#include <limits>

#include "gan/loss/clip_weights.hpp"
#include "gan/tensor/random.hpp"
#include "support/catch.hpp"
#include "support/threads.hpp"

using namespace gan;

namespace {

const double infinity = std::numeric_limits<double>::infinity();

/// Two parameters with gradients (3, 0) and (4, -12), whose joint norm is 13, and one without.
NamedTensors<double> sample_parameters() {
  Tensor<double> a({2}, {5, 6}), b({1, 2}, {7, 8}), c({3});
  a.set_grad(Tensor<double>({2}, {3, 0}));
  b.set_grad(Tensor<double>({1, 2}, {4, -12}));
  return {{"a", a}, {"b", b}, {"c", c}};
}

}  // namespace

TEST_CASE("Clipping by global norm scales all gradients alike", "[clip]") {
  const auto parameters = sample_parameters();
  REQUIRE(clip_by_global_norm(parameters, 6.5) == Approx(13));
  REQUIRE(parameters[0].tensor.grad().at({0}) == Approx(1.5));
  REQUIRE(parameters[1].tensor.grad().at({0, 0}) == Approx(2));
  REQUIRE(parameters[1].tensor.grad().at({0, 1}) == Approx(-6));
  REQUIRE_FALSE(parameters[2].tensor.grad().defined());
  REQUIRE(clip_by_global_norm(parameters, infinity) == Approx(6.5));
  REQUIRE(parameters[0].tensor.at({0}) == 5);
}

TEST_CASE("Clipping by global norm leaves short gradients and non-finite ones as they are", "[clip]") {
  const auto parameters = sample_parameters();
  REQUIRE(clip_by_global_norm(parameters, 13.5) == Approx(13));
  REQUIRE(parameters[1].tensor.grad().at({0, 1}) == -12);
  for (const double bad : {infinity, std::nan("")}) {
    auto gradient = parameters[0].tensor.grad();
    gradient.mutable_data()[1] = bad;
    REQUIRE_FALSE(std::isfinite(clip_by_global_norm(parameters, 1)));
    REQUIRE(parameters[1].tensor.grad().at({0, 1}) == -12);
  }
  REQUIRE(clip_by_global_norm(NamedTensors<double>{}, 1) == 0);
}

TEST_CASE("The global norm is summed in double and does not depend on the number of threads", "[clip]") {
  const gan::test::ThreadCount restore;
  constexpr Index n = 200001;
  Tensor<float> p({n});
  // 200,000 squares of 1e-3 beside one of 1e6: in float they would all be lost.
  auto gradient = Tensor<float>::full({n}, 1e-3f);
  gradient.mutable_data()[0] = 1e3f;
  p.set_grad(gradient);
  const double exact = std::sqrt(1e6 + (n - 1) * double(1e-3f) * double(1e-3f));
  for (const int count : {1, 2, 3}) {
    set_threads(count);
    REQUIRE(clip_by_global_norm(NamedTensors<float>{{"p", p}}, infinity) == Approx(exact).epsilon(1e-12));
  }
  Rng rng(2);
  double first = 0;
  for (const int count : {1, 2, 3}) {
    set_threads(count);
    Rng same = rng;
    p.set_grad(normal<float>(same, {n}));
    const double norm = clip_by_global_norm(NamedTensors<float>{{"p", p}}, 1);
    if (count == 1) first = norm;
    REQUIRE(norm == first);
  }
}

TEST_CASE("Clipping by value limits gradients, clipping weights limits weights", "[clip]") {
  const auto parameters = sample_parameters();
  clip_by_value(parameters, 3.5);
  REQUIRE(parameters[0].tensor.grad().at({0}) == 3);
  REQUIRE(parameters[1].tensor.grad().at({0, 0}) == 3.5);
  REQUIRE(parameters[1].tensor.grad().at({0, 1}) == -3.5);
  REQUIRE(parameters[1].tensor.at({0, 1}) == 8);
  clip_weights(parameters, 5.5);
  REQUIRE(parameters[0].tensor.at({0}) == 5);
  REQUIRE(parameters[0].tensor.at({1}) == 5.5);
  REQUIRE(parameters[1].tensor.grad().at({0, 1}) == -3.5);

  Rng rng;
  const ClipWeights policy{0.25};
  REQUIRE_FALSE(policy(
                    rng, [](const Tensor<double>& x) { return x; }, parameters[0].tensor, parameters[0].tensor, 0)
                    .defined());
  policy.after_step(parameters);
  REQUIRE(parameters[0].tensor.at({1}) == 0.25);
}

TEST_CASE("A gradient that several parameters share is scaled once", "[clip]") {
  Tensor<double> a({2}, {1, 2}), b({2}, {3, 4}), c({2}, {5, 6});
  const Tensor<double> shared({2}, {3, 4});
  a.set_grad(shared);
  b.set_grad(shared);
  c.set_grad(shared.detach());  // another node over the same memory
  const NamedTensors<double> parameters = {{"a", a}, {"b", b}, {"c", c}};
  REQUIRE(clip_by_global_norm(parameters, 1) == Approx(5 * std::sqrt(3.0)));
  REQUIRE(clip_by_global_norm(parameters, infinity) == Approx(1));
  REQUIRE(shared.at({0}) == Approx(3 / (5 * std::sqrt(3.0))));
  clip_by_value(parameters, 0.2);
  REQUIRE(shared.at({1}) == 0.2);
}

TEST_CASE("Limits must be positive", "[clip]") {
  const auto parameters = sample_parameters();
  REQUIRE_THROWS_WITH(clip_by_global_norm(parameters, std::nan("")), ContainsSubstring("max_norm is nan"));
  REQUIRE_THROWS_WITH(clip_by_value(parameters, std::nan("")), ContainsSubstring("clip_by_value: limit is nan"));
  REQUIRE_THROWS_WITH(clip_by_global_norm(parameters, 0), ContainsSubstring("max_norm is 0"));
  REQUIRE_THROWS_WITH(clip_by_value(parameters, -1), ContainsSubstring("limit is -1"));
  REQUIRE_THROWS_WITH(clip_weights(parameters, std::nan("")), ContainsSubstring("clip_weights: limit is nan"));
}
