// Module: a tree of named parameters, buffers and children. Parameter and Buffer: its leaves.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <typeinfo>
#include <utility>
#include <vector>

#include "gan/nn/initializer.hpp"
#include "gan/tensor/autograd.hpp"
#include "gan/tensor/condition.hpp"
#include "gan/tensor/named_tensors.hpp"
#include "gan/tensor/place.hpp"
#include "gan/tensor/random.hpp"

namespace gan {

/// A node of a network. A child names itself and registers with its parent in its own constructor:
///
///     gan::Dense<float> hidden_{this, "hidden", 64, 256};
///
/// Names of parameters are paths below the module asked, "hidden.weight". Modules are neither copied nor moved, since
/// parents keep the addresses of their members.
///
/// One module is for one thread at a time, sampling from it included: its mode, its random numbers, the flags that
/// Freeze sets and its buffers are plain fields. Different modules may be used by different threads.
template <std::floating_point T>
class Module {
 public:
  /// The root of a tree. It forks its own generator of random numbers off `rng`: initial weights, dropout masks and all
  /// else its tree draws comes from that.
  explicit Module(Rng& rng) : rng_(rng.fork()) {}
  /// The root of a tree whose random numbers are those of this seed and stream.
  Module(std::uint64_t seed, std::uint64_t stream) : rng_(seed, stream) {}
  /// A child. Throws when the name is empty, holds a dot, or is taken.
  Module(Module* parent, std::string name);
  virtual ~Module();
  Module(const Module&) = delete;  // a parent keeps the addresses of its members: pass a module by reference,
  Module& operator=(const Module&) = delete;  // and copy what it has learnt with load_state(other.state())

  /// What kind of layer this is, "Dense".
  virtual std::string kind() const { return "Module"; }
  /// Whether results for one sample depend on the others of its batch, as with batch norm, here or in any child.
  virtual bool mixes_batch() const;

  const std::string& name() const { return name_; }
  /// The top of the tree.
  const Module* root() const { return parent_ ? parent_->root() : this; }
  /// Names from below the root to here, "block.hidden".
  std::string path() const;
  const std::vector<Module*>& children() const { return children_; }

  /// Makes a whole network, the root of a tree until now, a child of this module under that name: its tensors take
  /// their names from here, it takes this module's mode, and what its tree draws from now on comes from this tree's
  /// generator, which is the one that checkpoints keep. It must outlive all uses of this module. Throws, changing
  /// nothing, when the child has a parent already or is the root of this tree, and for names as the constructor does.
  void adopt(Module& child, std::string name);

  /// Handles of everything trainable, and of everything else that belongs to the state (running statistics).
  NamedTensors<T> parameters() const;
  NamedTensors<T> buffers() const;
  /// Both: what a file must hold to bring the module back.
  NamedTensors<T> state() const;
  /// Copies values in by name. Throws, changing nothing, unless names and shapes are exactly those of state().
  void load_state(const NamedTensors<T>& state);
  /// Tells this module and all below it which state is about to be loaded, named as state() would name it with
  /// `prefix` in front: a buffer whose shape is not known before the first sample takes it from there.
  virtual void expect(const NamedTensors<T>& state, const std::string& prefix);
  /// Number of trainable values.
  Index parameter_count() const;

  /// Training mode (batch statistics, dropout) or evaluation mode (running statistics, no dropout). This neither
  /// freezes parameters nor stops recording.
  void train(bool on = true);
  void eval() { train(false); }
  bool training() const { return *training_; }

  /// Stops or allows gradients of all parameters. See also Freeze.
  void freeze(bool on = true);
  void zero_grad();

  /// The generator of the whole tree.
  Rng& rng() { return parent_ ? parent_->rng() : rng_; }
  const Rng& rng() const { return parent_ ? parent_->rng() : rng_; }

  /// f(), with this module as the place where things happen: what is recorded meanwhile carries the path, and a
  /// gan::Error of a shape or option is told with it, once, by the innermost module:
  ///
  ///     Dense "block.hidden": linear: x [32, 100] does not match weight [64, 256]: expected x [..., 64]
  ///
  /// Layer does so around `forward`; a module called in a way of its own may do the same.
  template <class F>
  auto at_place(F&& f) const;

  /// What the samples are wanted to be: the condition that was given to this module or to the nearest one above it
  /// (see Given). Throws, with the path, where there is none.
  const Condition<T>& condition() const;
  /// Whether there is one.
  bool has_condition() const { return given() != nullptr; }

  // For Parameter and Buffer.
  /// Another tensor in the place of the buffer of that name.
  void replace_buffer(const std::string& name, const Tensor<T>& value);
  void add_parameter(const std::string& name, const Tensor<T>& value) { add(parameters_, name, value); }
  void add_buffer(const std::string& name, const Tensor<T>& value) { add(buffers_, name, value); }

 private:
  template <std::floating_point U>
  friend class Evaluate;
  template <std::floating_point U>
  friend class Given;

  const Condition<T>* given() const;
  void forget_places();

  std::string title() const;
  void check_name(const std::string& name) const;
  void add(NamedTensors<T>& list, const std::string& name, const Tensor<T>& value);
  template <class Visit>
  void visit(const std::string& prefix, const Visit& visitor) const;

  Module* parent_ = nullptr;
  std::string name_;
  Rng rng_;
  std::shared_ptr<bool> training_ = std::make_shared<bool>(true);  // outlives this for an Evaluate that noted it
  const Condition<T>* given_ = nullptr;
  NamedTensors<T> parameters_, buffers_;
  std::vector<Module*> children_;
  mutable Place place_;  // path(), made when it is first needed
};

/// A trainable tensor that registers with its module. The handle stays bound to the same values for life.
template <std::floating_point T>
class Parameter : public Tensor<T> {
 public:
  Parameter(Module<T>* owner, const std::string& name, const Shape& shape, const Initializer& initializer)
      : Tensor<T>(Tensor<T>::empty(shape)) {
    check(owner != nullptr, "parameter \"", name, "\": no module");
    initializer(owner->rng(), shape, mutable_span<T>(*this));
    this->set_requires_grad();
    owner->add_parameter(name, *this);
  }
  Parameter(const Parameter&) = delete;
  Parameter& operator=(const Parameter&) = delete;
};

/// A tensor that is saved with its module but not trained.
template <std::floating_point T>
class Buffer : public Tensor<T> {
 public:
  Buffer(Module<T>* owner, const std::string& name, const Shape& shape, const Initializer& initializer)
      : Tensor<T>(Tensor<T>::empty(shape)) {
    check(owner != nullptr, "buffer \"", name, "\": no module");
    initializer(owner->rng(), shape, mutable_span<T>(*this));
    owner->add_buffer(name, *this);
  }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
};

template <std::floating_point T>
template <class F>
auto Module<T>::at_place(F&& f) const {
  if (!place_) place_ = std::make_shared<const std::string>(path());
  const PlaceScope scope(place_);
  try {
    return f();
  } catch (const Error& error) {
    if (typeid(error) != typeid(Error)) throw;  // of another kind, or told with a place already
    throw LayerError(kind() + (place_->empty() ? "" : " \"" + *place_ + "\"") + ": " + error.what());
  }
}

template <std::floating_point T>
void Module<T>::forget_places() {
  place_.reset();
  for (auto* child : children_) child->forget_places();
}

template <std::floating_point T>
const Condition<T>* Module<T>::given() const {
  const Module* module = this;
  while (module && !module->given_) module = module->parent_;
  return module && !module->given_->empty() ? module->given_ : nullptr;
}

template <std::floating_point T>
const Condition<T>& Module<T>::condition() const {
  const Condition<T>* const found = given();
  check(found != nullptr, "asks for a condition, and none was given: call the network as network(x, condition)");
  return *found;
}

template <std::floating_point T>
Module<T>::Module(Module* parent, std::string name) : parent_(parent), name_(std::move(name)) {
  check(parent != nullptr, "module \"", name_, "\": no parent");
  parent->check_name(name_);
  parent->children_.push_back(this);
  *training_ = parent->training();
}

template <std::floating_point T>
void Module<T>::adopt(Module& child, std::string name) {
  check(!child.parent_, title(), ": cannot adopt ", child.title(), ", which has a parent already");
  const Module* root = this;
  while (root->parent_) root = root->parent_;
  check(root != &child, title(), ": cannot adopt the root of its own tree");
  check_name(name);
  children_.push_back(&child);
  child.parent_ = this;
  child.name_ = std::move(name);
  child.train(training());
  child.forget_places();
  for (auto& [below, tensor] : child.state()) tensor.set_label(child.path() + "." + below);
}

template <std::floating_point T>
Module<T>::~Module() {
  if (parent_) std::erase(parent_->children_, this);
  for (auto* child : children_) {  // those that outlive their parent draw from generators of their own
    child->rng_ = rng().fork();
    child->parent_ = nullptr;
  }
}

// The kind, and the path of what has one.
template <std::floating_point T>
std::string Module<T>::title() const {
  const std::string where = path();
  return where.empty() ? kind() : kind() + " \"" + where + "\"";
}

template <std::floating_point T>
void Module<T>::check_name(const std::string& name) const {
  check(!name.empty() && name.find('.') == std::string::npos, title(), ": \"", name,
        "\" is not a name: expected at least one character and no dot");
  const auto same = [&](const auto& entry) { return entry.name == name; };
  const bool taken = std::any_of(parameters_.begin(), parameters_.end(), same) ||
                     std::any_of(buffers_.begin(), buffers_.end(), same) ||
                     std::any_of(children_.begin(), children_.end(), [&](auto* child) { return child->name_ == name; });
  check(!taken, title(), ": the name \"", name, "\" is taken");
}

template <std::floating_point T>
void Module<T>::add(NamedTensors<T>& list, const std::string& name, const Tensor<T>& value) {
  check_name(name);
  list.push_back({name, value});
  const std::string prefix = path();
  list.back().tensor.set_label(prefix.empty() ? name : prefix + "." + name);
}

template <std::floating_point T>
void Module<T>::replace_buffer(const std::string& name, const Tensor<T>& value) {
  for (auto& buffer : buffers_)
    if (buffer.name == name) {
      const std::string label = buffer.tensor.label();
      buffer.tensor = value;
      buffer.tensor.set_label(label);
      return;
    }
  fail(kind(), " \"", path(), "\": has no buffer \"", name, "\"");
}

template <std::floating_point T>
bool Module<T>::mixes_batch() const {
  return std::any_of(children_.begin(), children_.end(), [](auto* child) { return child->mixes_batch(); });
}

template <std::floating_point T>
std::string Module<T>::path() const {
  if (!parent_) return name_;
  const std::string above = parent_->path();
  return above.empty() ? name_ : above + "." + name_;
}

template <std::floating_point T>
template <class Visit>
void Module<T>::visit(const std::string& prefix, const Visit& visitor) const {
  visitor(prefix, *this);
  for (const auto* child : children_) child->visit(prefix + child->name_ + ".", visitor);
}

template <std::floating_point T>
NamedTensors<T> Module<T>::parameters() const {
  NamedTensors<T> all;
  visit("", [&](const std::string& prefix, const Module& module) {
    for (const auto& [name, tensor] : module.parameters_) all.push_back({prefix + name, tensor});
  });
  return all;
}

template <std::floating_point T>
NamedTensors<T> Module<T>::buffers() const {
  NamedTensors<T> all;
  visit("", [&](const std::string& prefix, const Module& module) {
    for (const auto& [name, tensor] : module.buffers_) all.push_back({prefix + name, tensor});
  });
  return all;
}

template <std::floating_point T>
NamedTensors<T> Module<T>::state() const {
  NamedTensors<T> all = parameters();
  for (auto& buffer : buffers()) all.push_back(std::move(buffer));
  return all;
}

template <std::floating_point T>
void Module<T>::load_state(const NamedTensors<T>& state) {
  copy_values(kind().c_str(), state, this->state());
}

template <std::floating_point T>
void Module<T>::expect(const NamedTensors<T>& state, const std::string& prefix) {
  for (auto* child : children_) child->expect(state, prefix + child->name_ + ".");
}

template <std::floating_point T>
Index Module<T>::parameter_count() const {
  Index count = 0;
  for (const auto& parameter : parameters()) count += parameter.tensor.size();
  return count;
}

template <std::floating_point T>
void Module<T>::train(bool on) {
  *training_ = on;
  for (auto* child : children_) child->train(on);
}

template <std::floating_point T>
void Module<T>::freeze(bool on) {
  for (auto& parameter : parameters()) parameter.tensor.set_requires_grad(!on);
}

template <std::floating_point T>
void Module<T>::zero_grad() {
  for (auto& parameter : parameters()) parameter.tensor.zero_grad();
}

}  // namespace gan
