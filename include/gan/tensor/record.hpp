// record: how an operation gets its history, and what its vector-Jacobian product is given.
#pragma once

#include <algorithm>
#include <atomic>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "gan/tensor/grad_mode.hpp"
#include "gan/tensor/tensor.hpp"

namespace gan {

/// What a vector-Jacobian product is given: the gradient of its result, the values it was recorded with, and where
/// to put the gradients of its inputs.
template <std::floating_point T>
class Backward {
 public:
  /// Whether input i needs a gradient in this pass.
  bool wants(Index i) const { return edge(i), (*wants_)[static_cast<std::size_t>(i)]; }
  /// Whether there is an input i: for operations with an optional last input.
  bool has(Index i) const { return i < static_cast<Index>(wants_->size()); }
  /// The gradient of the loss with respect to the result, shaped like the result.
  const Tensor<T>& grad() const { return grad_; }
  const Shape& shape(Index i) const { return edge(i).node->shape; }
  /// Input i and the result, with their history. Throws when the values changed since the recording.
  Tensor<T> x(Index i) const;
  Tensor<T> y() const;
  /// Sets the gradient with respect to input i, shaped like it.
  void give(Index i, Tensor<T> gradient);

 private:
  template <std::floating_point U>
  friend class BackwardPass;

  const typename detail::History<T>::Edge& edge(Index i) const;

  std::shared_ptr<detail::Node<T>> node_;
  const std::vector<char>* wants_ = nullptr;
  Tensor<T> grad_;
  std::vector<Tensor<T>> gradients_;
};

/// The inputs of an operation, `{a, b}` or a vector, for the length of a call.
template <std::floating_point T>
class Inputs {
 public:
  class Input {
   public:
    Input(const Tensor<T>& x) : x_(&x) {}
    const Tensor<T>& tensor() const { return *x_; }

   private:
    const Tensor<T>* x_;
  };

  Inputs(std::initializer_list<Input> inputs) : list_(inputs), size_(inputs.size()) {}
  Inputs(const std::vector<Tensor<T>>& inputs) : tensors_(inputs.data()), size_(inputs.size()) {}

  std::size_t size() const { return size_; }
  const Tensor<T>& operator[](std::size_t i) const { return tensors_ ? tensors_[i] : list_.begin()[i].tensor(); }

 private:
  std::initializer_list<Input> list_{};
  const Tensor<T>* tensors_ = nullptr;
  std::size_t size_;
};

/// Which values a vector-Jacobian product reads; others are not kept for it.
struct Reads {
  std::uint32_t inputs = ~std::uint32_t{0};  ///< bit i for input i; of all beyond the 32nd when all are set
  bool result = true;

  static constexpr Reads nothing() { return {0, false}; }
  static constexpr Reads all_inputs() { return {.result = false}; }
  static constexpr Reads input(int i) { return {std::uint32_t{1} << i, false}; }
  static constexpr Reads only_result() { return {0, true}; }
  /// Of a product of inputs 0 and 1: each is read by the other's gradient.
  template <class T>
  static Reads product(const Tensor<T>& a, const Tensor<T>& b) {
    return {(b.requires_grad() ? std::uint32_t{1} : 0) | (a.requires_grad() ? std::uint32_t{2} : 0), false};
  }

  bool reads(std::size_t i) const { return i < 32 ? ((inputs >> i) & 1) != 0 : inputs == ~std::uint32_t{0}; }
};

/// Gives `y` its history: the operation's name, its inputs, and the vector-Jacobian product `vjp`, which is called as
/// `vjp(Backward<T>&)`. Written in the library's own operations, it makes gradients differentiable. It must not capture
/// `y` (a reference cycle) nor needs to capture inputs. Attributes are a function that lists them, called by those who
/// print or export. `reads` may say that the product reads less than everything: what nobody else holds then goes, and
/// to ask for it is an error. Without a differentiable input, or under NoGrad, does nothing.
/// Throws when `y` is one of the inputs, has a history, or requires a gradient itself.
template <std::floating_point T, class Vjp, class List = Attributes>
Tensor<T> record(const char* op, Tensor<T> y, const std::type_identity_t<Inputs<T>>& inputs, Vjp&& vjp,
                 List attributes = {}, Reads reads = {});

namespace detail {

inline std::uint64_t next_order() {
  static std::atomic<std::uint64_t> order{0};
  return ++order;
}

}  // namespace detail

template <std::floating_point T>
const typename detail::History<T>::Edge& Backward<T>::edge(Index i) const {
  const auto& inputs = node_->history->inputs;
  check(i >= 0 && i < static_cast<Index>(inputs.size()), "backward of \"", node_->history->op, "\": no input ", i,
        ", expected 0 ... ", inputs.size() - 1);
  return inputs[static_cast<std::size_t>(i)];
}

template <std::floating_point T>
Tensor<T> Backward<T>::x(Index i) const {
  const auto& input = edge(i);
  check(static_cast<bool>(input.values), "backward of \"", node_->history->op, "\": input ", i, ' ', input.node->shape,
        " was not kept: record() was told that its gradient does not read it");
  check(input.node->storage->version == input.version, "backward of \"", node_->history->op, "\": input ", i, " ",
        input.node->shape, " was changed after it was recorded (version ", input.version, ", now ",
        input.node->storage->version, ")");
  return Tensor<T>(input.node);
}

template <std::floating_point T>
Tensor<T> Backward<T>::y() const {
  check(node_->history->reads_result, "backward of \"", node_->history->op, "\": its result ", node_->shape,
        " was not kept: record() was told that its gradient does not read it");
  check(node_->storage->version == node_->history->version, "backward of \"", node_->history->op, "\": its result ",
        node_->shape, " was changed after it was recorded (version ", node_->history->version, ", now ",
        node_->storage->version, ")");
  return Tensor<T>(node_);
}

template <std::floating_point T>
void Backward<T>::give(Index i, Tensor<T> gradient) {
  check(gradient.shape() == shape(i), "backward of \"", node_->history->op, "\": gradient ", gradient.shape(),
        " for input ", i, " of shape ", shape(i));
  if (wants(i)) gradients_[static_cast<std::size_t>(i)] = std::move(gradient);
}

template <std::floating_point T, class Vjp, class List>
Tensor<T> record(const char* op, Tensor<T> y, const std::type_identity_t<Inputs<T>>& inputs, Vjp&& vjp, List attributes,
                 Reads reads) {
  if (!grad_enabled()) return y;
  bool any = false;
  for (std::size_t i = 0; i < inputs.size(); ++i) any = any || inputs[i].requires_grad();
  if (!any) return y;
  const char* const earlier = y.op();
  check(!*earlier && !y.requires_grad(), "record: the result ", y.shape(), " of \"", op, "\" ",
        *earlier ? "has a history already, of \"" : "is a leaf that requires a gradient", earlier,
        *earlier ? "\"" : "");
  auto history = std::make_unique<detail::History<T>>();
  history->op = op;
  history->attributes = std::move(attributes);
  if (const Place* place = PlaceScope::current()) history->place = *place;
  history->inputs.reserve(inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Tensor<T>& x = inputs[i];
    check(!x.is(y), "record: the result ", y.shape(), " of \"", op, "\" is one of its inputs");
    const bool needs = x.requires_grad();  // throws for an undefined input
    history->inputs.push_back({x.node_pointer(),
                               reads.reads(i) ? detail::Handle<T>(x.node_pointer()) : detail::Handle<T>(),
                               x.node_pointer()->storage->version, needs});
  }
  auto& node = *y.node_pointer();
  history->version = node.storage->version;
  history->vjp = std::forward<Vjp>(vjp);
  history->reads_result = reads.result;
  if (reads.result) node.open();
  node.history = std::move(history);
  node.order = detail::next_order();
  node.requires_grad = true;
  return y;
}

}  // namespace gan
