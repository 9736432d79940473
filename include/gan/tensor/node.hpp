// What a tensor handle points to: memory, and the history of the operation that made it.
#pragma once

#include <atomic>
#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gan/core/memory.hpp"
#include "gan/core/shape.hpp"
#include "gan/tensor/place.hpp"
#include "gan/tensor/twins.hpp"

namespace gan {

template <std::floating_point T>
class Backward;

/// An attribute of a recorded operation (stride, slope, axes ...), for printing and export.
struct Attribute {
  const char* name;
  std::vector<double> values;
};
using AttributeList = std::vector<Attribute>;
/// Makes them when somebody asks.
using Attributes = std::function<AttributeList()>;

namespace detail {

template <class T>
struct Node;

/// A node whose values somebody may read: the handles of tensors, and operations whose gradients need them.
template <class T>
class Handle {
 public:
  Handle() = default;
  explicit Handle(std::shared_ptr<Node<T>> node) : node_(std::move(node)) { open(); }
  Handle(const Handle& other) : node_(other.node_) { open(); }
  Handle(Handle&&) noexcept = default;
  Handle& operator=(Handle other) noexcept {
    std::swap(node_, other.node_);
    return *this;
  }
  ~Handle() { reset(); }

  void reset() {
    if (node_) node_->close();
    node_.reset();
  }
  const std::shared_ptr<Node<T>>& node() const { return node_; }
  Node<T>* operator->() const { return node_.get(); }
  Node<T>& operator*() const { return *node_; }
  explicit operator bool() const { return node_ != nullptr; }

 private:
  void open() const {
    if (node_) node_->open();
  }

  std::shared_ptr<Node<T>> node_;
};

template <class T>
struct Storage {
  explicit Storage(Index count)
      : bytes(static_cast<std::size_t>(count) * sizeof(T)),
        data(static_cast<T*>(BufferCache::instance().acquire(bytes))) {}
  ~Storage() {
    delete twins_.load(std::memory_order_relaxed);
    BufferCache::instance().release(data, bytes);
  }
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;

  /// Other forms of the values, for products.
  Twins& twins() {
    if (Twins* there = twins_.load(std::memory_order_acquire)) return *there;
    Twins* none = nullptr;
    auto made = std::make_unique<Twins>();
    return twins_.compare_exchange_strong(none, made.get()) ? *made.release() : *none;
  }

  std::size_t bytes;
  T* data;
  std::uint64_t version = 0;  // counts writes, so that backward notices a value that changed since it was recorded

 private:
  std::atomic<Twins*> twins_{nullptr};
};

/// All that a backward pass found, among which is what any of its operations was computed from.
template <class T>
struct Reached {
  std::vector<std::weak_ptr<Node<T>>> leaves;
  std::vector<std::uint64_t> results;  // by their order
};

template <class T>
struct History {
  struct Edge {
    std::shared_ptr<Node<T>> node;
    Handle<T> values;  // empty when the gradient does not read them
    std::uint64_t version;
    bool needs;  // noted at recording, so that what was frozen then stays without a gradient
  };

  const char* op;
  Attributes attributes;
  Place place;
  std::vector<Edge> inputs;
  std::uint64_t version;  // of the result
  bool reads_result;
  std::function<void(Backward<T>&)> vjp;
  bool released = false;
  std::shared_ptr<const Reached<T>> reached;  // by the pass that released it

  /// Drops what a backward pass needs, and leaves the inputs to the caller, who destroys them without recursion.
  std::vector<Edge> release() {
    released = true;
    vjp = nullptr;
    return std::exchange(inputs, {});
  }
};

template <class T>
struct Node {
  Node(const Shape& node_shape, std::shared_ptr<Storage<T>> node_storage)
      : shape(node_shape), storage(std::move(node_storage)) {}
  ~Node();

  /// Counts those who may read the values. Without any, those of a recorded result go; its history stays.
  void open() noexcept { readers_.fetch_add(1, std::memory_order_relaxed); }
  void close() noexcept {
    if (readers_.fetch_sub(1, std::memory_order_acq_rel) == 1 && history) storage.reset();
  }
  /// Drops what a backward pass needs.
  void release_history() {
    const auto inputs = history->release();
    if (std::exchange(history->reads_result, false)) close();
  }

  Shape shape;
  std::shared_ptr<Storage<T>> storage;
  Handle<T> grad;
  std::unique_ptr<History<T>> history;
  std::uint64_t order = 0;  // number of the recording; 0 for a leaf
  bool requires_grad = false;
  std::string label;

 private:
  std::atomic<std::uint32_t> readers_{0};
};

// Destroying the newest node of a long chain would destroy the next one inside, and so on: a stack overflow. The
// nodes that die with this one hand over their inputs first.
template <class T>
Node<T>::~Node() {
  if (!history) return;
  auto dying = history->release();
  while (!dying.empty()) {
    const auto node = std::move(dying.back().node);
    dying.pop_back();
    if (node.use_count() != 1 || !node->history) continue;
    for (auto& edge : node->history->release()) dying.push_back(std::move(edge));
  }
}

}  // namespace detail
}  // namespace gan
