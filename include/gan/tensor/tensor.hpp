// Tensor<T>: a dense row-major array of numbers and, for results of recorded operations, the history behind it.
#pragma once

#include <Eigen/Core>
#include <concepts>
#include <initializer_list>
#include <memory>
#include <ostream>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "gan/core/error.hpp"
#include "gan/core/finite.hpp"
#include "gan/core/parallel.hpp"
#include "gan/core/shape.hpp"
#include "gan/tensor/node.hpp"

namespace gan {

template <class T>
using Values = Eigen::Map<Eigen::Array<T, Eigen::Dynamic, 1>>;
template <class T>
using ConstValues = Eigen::Map<const Eigen::Array<T, Eigen::Dynamic, 1>>;
template <class T>
using Matrix = Eigen::Map<Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;
template <class T>
using ConstMatrix = Eigen::Map<const Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;

/// A shared handle to a dense row-major array of `float` or `double`: copying a Tensor aliases, `clone()` copies.
/// Images are channels-last, `[n, h, w, c]`. A default-constructed Tensor is undefined, as a missing gradient is.
///
/// Different tensors may be used by different threads. One tensor, with its views and all that was recorded from it,
/// may be read by several threads, but not while one of them writes its values, sets whether it requires a gradient, or
/// runs a backward pass that reaches it.
template <std::floating_point T>
class Tensor {
 public:
  using Scalar = T;

  Tensor() = default;
  /// Zeros of that shape.
  explicit Tensor(const Shape& shape) : Tensor(full(shape, T(0))) {}
  /// Copies `values`, row-major. Throws unless there are shape.size() of them.
  Tensor(const Shape& shape, std::span<const T> values);
  Tensor(const Shape& shape, std::initializer_list<T> values)
      : Tensor(shape, std::span<const T>(values.begin(), values.size())) {}

  /// Uninitialized memory of that shape.
  static Tensor empty(const Shape& shape);
  static Tensor full(const Shape& shape, T value);
  static Tensor zeros(const Shape& shape) { return full(shape, T(0)); }
  static Tensor ones(const Shape& shape) { return full(shape, T(1)); }
  /// A tensor of rank 0.
  static Tensor scalar(T value) { return full({}, value); }

  bool defined() const { return static_cast<bool>(node_); }
  const Shape& shape() const { return node().shape; }
  Index rank() const { return shape().rank(); }
  /// Number of elements.
  Index size() const { return shape().size(); }

  /// The elements, for reading: flat, or as a matrix [rows, last axis].
  const T* data() const { return node().storage->data; }
  ConstValues<T> values() const { return {data(), size()}; }
  ConstMatrix<T> matrix() const { return {data(), shape().rows(), shape().last()}; }
  /// The same for writing. A backward pass that needs the values from before the change throws: from before this call,
  /// that is. What is written later through a pointer that was taken before the recording is not noticed.
  T* mutable_data();
  Values<T> mutable_values() { return {mutable_data(), size()}; }
  Matrix<T> mutable_matrix() { return {mutable_data(), shape().rows(), shape().last()}; }

  /// Exchanges the values of two tensors of one shape in constant time; views of either see the exchange.
  void swap_values(Tensor& other);

  /// The only element. Throws when there is not exactly one.
  T item() const;
  /// One element, for tests and printing. Throws outside the shape.
  T at(std::initializer_list<Index> index) const;

  /// A tensor of its own with the same values, without history.
  Tensor clone() const;
  /// The same memory without history: gradients stop here.
  Tensor detach() const;

  /// Whether gradients flow to this tensor: asked for on a leaf, or inherited through recorded operations.
  bool requires_grad() const { return node().requires_grad; }
  /// Asks for (or stops) gradients of a leaf. Throws on the result of a recorded operation.
  Tensor& set_requires_grad(bool on = true);
  /// What `backward` left in this leaf; undefined when it left nothing.
  Tensor grad() const;
  void set_grad(const Tensor& grad);
  void zero_grad() { node().grad.reset(); }

  /// Name of the recorded operation that made this tensor, "" for a leaf.
  const char* op() const;
  /// The name that error messages call this tensor by, e.g. a parameter's path; "" unless set.
  const std::string& label() const { return node().label; }
  void set_label(std::string label) { node().label = std::move(label); }

  /// Whether both are handles of one tensor.
  bool is(const Tensor& other) const { return node_pointer() == other.node_pointer(); }

  // For autograd and operations.
  template <std::same_as<std::shared_ptr<detail::Node<T>>> NodePointer>  // deduced, so that {0, 3} is a shape
  explicit Tensor(NodePointer node) : node_(std::move(node)) {}
  const std::shared_ptr<detail::Node<T>>& node_pointer() const { return node_.node(); }
  /// Another node over the same memory, with another shape and no history. Throws unless the sizes are equal.
  Tensor view(const Shape& shape) const;
  /// Another form of the values (rounded, in another layout), `bytes` long, made by make(memory) unless it was made
  /// before and the values have not changed since. It lives as they do.
  template <class Make>
  const void* twin(std::uint64_t form, std::size_t bytes, const Make& make) const {
    auto& storage = *node().storage;
    return storage.twins().get(form, bytes, storage.version, make);
  }
  /// True when no other handle or view sees this memory, so that it may be changed in place; false when undefined.
  bool unique() const;

 private:
  detail::Node<T>& node() const {
    if (!node_) [[unlikely]]
      fail("tensor: used before it was given a value");
    return *node_;
  }

  detail::Handle<T> node_;
};

/// Shape, type, operation and at most the first and last 3 entries of each axis.
template <class T>
std::ostream& operator<<(std::ostream& out, const Tensor<T>& x);

template <std::floating_point T>
Tensor<T>::Tensor(const Shape& shape, std::span<const T> values) {
  check(static_cast<Index>(values.size()) == shape.size(), "tensor: ", values.size(), " values for shape ", shape,
        ", expected ", shape.size());
  *this = empty(shape);
  std::copy(values.begin(), values.end(), node_->storage->data);
}

template <std::floating_point T>
Tensor<T> Tensor<T>::empty(const Shape& shape) {
  return Tensor(std::make_shared<detail::Node<T>>(shape, std::make_shared<detail::Storage<T>>(shape.size())));
}

template <std::floating_point T>
Tensor<T> Tensor<T>::full(const Shape& shape, T value) {
  Tensor y = empty(shape);
  T* data = y.node_->storage->data;
  elementwise_for(shape.size(), [&](Index begin, Index end) { std::fill(data + begin, data + end, value); });
  return y;
}

template <std::floating_point T>
T* Tensor<T>::mutable_data() {
  auto& storage = *node().storage;
  ++storage.version;
  return storage.data;
}

template <std::floating_point T>
void Tensor<T>::swap_values(Tensor& other) {
  check(shape() == other.shape(), "swap_values: shapes ", shape(), " and ", other.shape(), " differ");
  auto &a = *node().storage, &b = *other.node().storage;
  std::swap(a.data, b.data);
  ++a.version;
  ++b.version;
}

template <std::floating_point T>
T Tensor<T>::item() const {
  check(size() == 1, "item: tensor of shape ", shape(), " has ", size(), " elements, expected 1");
  return *data();
}

template <std::floating_point T>
T Tensor<T>::at(std::initializer_list<Index> index) const {
  check(static_cast<Index>(index.size()) == rank(), "at: ", index.size(), " indices for shape ", shape());
  Index offset = 0, axis = 0;
  for (const Index i : index) {
    check(i >= 0 && i < shape()[axis], "at: index ", i, " outside axis ", axis, " of shape ", shape());
    offset = offset * shape()[axis++] + i;
  }
  return data()[offset];
}

template <std::floating_point T>
Tensor<T> Tensor<T>::clone() const {
  Tensor y = empty(shape());
  const T* from = data();
  T* to = y.node_->storage->data;
  elementwise_for(size(), [&](Index begin, Index end) { std::copy(from + begin, from + end, to + begin); });
  return y;
}

template <std::floating_point T>
Tensor<T> Tensor<T>::view(const Shape& shape) const {
  check(shape.size() == size(), "view: ", shape, " has ", shape.size(), " elements, the tensor ", this->shape(),
        " has ", size());
  return Tensor(std::make_shared<detail::Node<T>>(shape, node().storage));
}

template <std::floating_point T>
Tensor<T> Tensor<T>::detach() const {
  return view(shape());
}

template <std::floating_point T>
bool Tensor<T>::unique() const {
  return node_pointer().use_count() == 1 && node_->storage.use_count() == 1;
}

template <std::floating_point T>
Tensor<T>& Tensor<T>::set_requires_grad(bool on) {
  check(node().history == nullptr, "set_requires_grad: result of \"", op(), "\" is not a leaf; detach() it first");
  node_->requires_grad = on;
  return *this;
}

template <std::floating_point T>
const char* Tensor<T>::op() const {
  return node().history ? node_->history->op : "";
}

template <std::floating_point T>
Tensor<T> Tensor<T>::grad() const {
  return Tensor(node().grad.node());
}

template <std::floating_point T>
void Tensor<T>::set_grad(const Tensor& grad) {
  check(!grad.defined() || grad.shape() == shape(), "set_grad: gradient ", grad.defined() ? grad.shape() : Shape{},
        " does not match tensor ", shape());
  check(!grad.defined() || !grad.is(*this), "set_grad: tensor ", shape(), " cannot be its own gradient");
  node().grad = grad.node_;
}

template <class T>
std::ostream& operator<<(std::ostream& out, const Tensor<T>& x) {
  constexpr Index ends = 3;
  if (!x.defined()) return out << "Tensor(undefined)";
  out << "Tensor<" << (std::is_same_v<T, float> ? "float" : "double") << "> " << x.shape();
  if (!x.label().empty()) out << " \"" << x.label() << '"';
  if (*x.op()) out << " of " << x.op();
  out << ' ';
  // Odometer over the axes; `index` is complete at full rank, and brackets open and close as axes begin and end.
  std::vector<Index> index;
  const auto skip = [&](Index axis, Index i) { return x.shape()[axis] > 2 * ends && i == ends; };
  Index offset = 0;
  const auto stride = [&](Index axis) {
    Index s = 1;
    for (Index a = axis + 1; a < x.rank(); ++a) s *= x.shape()[a];
    return s;
  };
  if (x.rank() == 0) return out << x.data()[0];
  index.push_back(0);
  out << '[';
  while (!index.empty()) {
    const Index axis = static_cast<Index>(index.size()) - 1;
    Index& i = index.back();
    if (i >= x.shape()[axis]) {
      out << ']';
      index.pop_back();
      if (!index.empty()) {
        const Index outer = static_cast<Index>(index.size()) - 1;
        offset -= x.shape()[axis] * stride(axis);
        offset += stride(outer);
        ++index.back();
      }
      continue;
    }
    if (i > 0) out << ", ";
    if (skip(axis, i)) {
      out << "..., ";
      const Index jump = x.shape()[axis] - ends - i;
      i += jump;
      offset += jump * stride(axis);
    }
    if (axis + 1 < x.rank()) {
      out << '[';
      index.push_back(0);
    } else {
      out << x.data()[offset++];
      ++i;
    }
  }
  return out;
}

/// Whether no number is NaN or infinite.
template <class T>
bool all_finite(const Tensor<T>& x) {
  return all_finite(std::span<const T>(x.data(), static_cast<std::size_t>(x.size())));
}

}  // namespace gan
