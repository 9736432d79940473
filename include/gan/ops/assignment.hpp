// a += b and its sisters.
#pragma once

#include <concepts>

#include "gan/ops/arithmetic.hpp"

namespace gan {

// They bind the handle on the left to a result: `a += b` is `a = a + b`, for a tensor or a number b, with history and
// broadcasting as there. Memory that other handles see does not change, and in a forward pass nothing that was recorded
// is lost. A Parameter or Buffer, whose handle stays bound for life, has none of them: change its mutable_values().

// clang-format off
template <class A, class B> requires std::same_as<A, Tensor<typename A::Scalar>>
A& operator+=(A& a, const B& b) { return a = a + b; }
template <class A, class B> requires std::same_as<A, Tensor<typename A::Scalar>>
A& operator-=(A& a, const B& b) { return a = a - b; }
template <class A, class B> requires std::same_as<A, Tensor<typename A::Scalar>>
A& operator*=(A& a, const B& b) { return a = a * b; }
template <class A, class B> requires std::same_as<A, Tensor<typename A::Scalar>>
A& operator/=(A& a, const B& b) { return a = a / b; }
// clang-format on

}  // namespace gan
