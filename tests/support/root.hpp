// A module to hang layers on.
#pragma once

#include "gan/nn/module.hpp"

namespace gan::test {

template <class T>
struct Root : Module<T> {
  explicit Root(Rng& rng) : Module<T>(rng) {}
};

}  // namespace gan::test
