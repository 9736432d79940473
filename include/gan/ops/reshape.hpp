// Other shapes over the same memory.
#pragma once

#include <initializer_list>

#include "gan/tensor/autograd.hpp"

namespace gan {

/// The same elements in another shape, without copying. Throws when the sizes differ.
template <class T>
Tensor<T> reshape(const Tensor<T>& x, const Shape& shape) {
  check(x.size() == shape.size(), "reshape: ", x.shape(), " has ", x.size(), " elements, ", shape, " has ",
        shape.size());
  return record(
      "reshape", x.view(shape), {x}, [](Backward<T>& d) { d.give(0, reshape(d.grad(), d.shape(0))); }, {},
      Reads::nothing());
}

/// The same, where one length may be -1: whatever is left for it.
template <class T>
Tensor<T> reshape(const Tensor<T>& x, std::initializer_list<Index> lengths) {
  std::vector<Index> known(lengths);
  const auto unknown = std::find(known.begin(), known.end(), Index{-1});
  if (unknown == known.end()) return reshape(x, Shape(std::span<const Index>(known)));
  *unknown = 1;
  const Index rest = Shape(std::span<const Index>(known)).size();
  check(rest > 0 && x.size() % rest == 0, "reshape: ", x.shape(), " has ", x.size(),
        " elements, not a multiple of the ", rest, " of the lengths given");
  *unknown = x.size() / rest;
  return reshape(x, Shape(std::span<const Index>(known)));
}

/// x [n, ...] -> [n, everything else].
template <class T>
Tensor<T> flatten(const Tensor<T>& x) {
  check(x.rank() >= 1, "flatten: ", x.shape(), " has no batch axis");
  if (x.rank() == 2) return x;
  Index rest = 1;
  for (Index axis = 1; axis < x.rank(); ++axis) rest *= x.shape()[axis];
  return reshape(x, Shape{x.shape()[0], rest});
}

}  // namespace gan
