// Modules: registration, names, state, modes, freezing.
#include "gan/nn/module.hpp"

#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "gan/nn/batch_norm.hpp"
#include "gan/nn/conv2d.hpp"
#include "gan/nn/conv_transpose2d.hpp"
#include "gan/nn/dense.hpp"
#include "gan/nn/module_scopes.hpp"
#include "gan/nn/sequential.hpp"
#include "support/catch.hpp"

using gan::Index;
using gan::Module;
using gan::NamedTensors;
using gan::Rng;
using gan::Tensor;

// Forgetting the parent does not compile, and parents can keep the addresses of their members.
static_assert(std::is_constructible_v<gan::Dense<float>, Module<float>*, std::string, Index, Index>);
static_assert(!std::is_constructible_v<gan::Dense<float>, std::string, Index, Index>);
static_assert(!std::is_constructible_v<gan::Dense<float>, Index, Index>);
static_assert(!std::is_constructible_v<gan::Dense<float>, Module<double>*, std::string, Index, Index>);
static_assert(!std::is_constructible_v<gan::BatchNorm<float>, std::string, Index>);
// A forgotten name and a parent of the other scalar type are told so.
static_assert(!std::is_constructible_v<gan::Dense<float>, Module<float>*, Index, Index>);
static_assert(!std::is_constructible_v<gan::Conv2d<double>, Module<float>*, std::string, Index, Index>);
static_assert(!std::is_constructible_v<gan::ConvTranspose2d<float>, Module<float>*, Index, Index>);
static_assert(!std::is_default_constructible_v<Module<float>>);
static_assert(!std::is_copy_constructible_v<Module<float>> && !std::is_move_constructible_v<Module<float>>);
static_assert(!std::is_copy_assignable_v<Module<float>> && !std::is_move_assignable_v<Module<float>>);
static_assert(!std::is_copy_constructible_v<gan::Dense<float>> && !std::is_move_constructible_v<gan::Dense<float>>);
static_assert(!std::is_copy_constructible_v<gan::Parameter<float>>);
// A parameter's values change, its binding does not.
static_assert(!std::is_assignable_v<gan::Parameter<float>&, Tensor<float>>);
static_assert(!std::is_assignable_v<gan::Buffer<float>&, Tensor<float>>);

namespace {

class Block : public Module<double> {
 public:
  using Module<double>::Module;
  gan::Dense<double> dense{this, "dense", 2, 3};
  gan::BatchNorm<double> norm{this, "norm", 3};
  std::string kind() const override { return "Block"; }
};

class Net : public Module<double> {
 public:
  explicit Net(Rng& rng) : Module<double>(rng) {}
  gan::Parameter<double> gain{this, "gain", {}, gan::init::constant(3)};
  Block first{this, "first"}, second{this, "second"};
  gan::Buffer<double> steps{this, "steps", {1}, gan::init::zeros()};
  std::string kind() const override { return "Net"; }
};

std::vector<std::string> names(const NamedTensors<double>& tensors) {
  std::vector<std::string> all;
  for (const auto& entry : tensors) all.push_back(entry.name);
  return all;
}

/// Copies that share no memory.
NamedTensors<double> copied(const NamedTensors<double>& tensors) {
  NamedTensors<double> all;
  for (const auto& [name, tensor] : tensors) all.push_back({name, tensor.clone()});
  return all;
}

bool equal(const NamedTensors<double>& a, const NamedTensors<double>& b) {
  if (names(a) != names(b)) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if ((a[i].tensor.values() != b[i].tensor.values()).any()) return false;
  return true;
}

}  // namespace

TEST_CASE("parameters, buffers and state have paths for names, in the order of declaration", "[nn]") {
  Rng rng(1);
  Net net(rng);
  REQUIRE(names(net.parameters()) == std::vector<std::string>{"gain", "first.dense.weight", "first.dense.bias",
                                                              "first.norm.scale", "first.norm.shift",
                                                              "second.dense.weight", "second.dense.bias",
                                                              "second.norm.scale", "second.norm.shift"});
  REQUIRE(names(net.buffers()) == std::vector<std::string>{"steps", "first.norm.running_mean",
                                                           "first.norm.running_variance", "second.norm.running_mean",
                                                           "second.norm.running_variance"});
  REQUIRE(net.state().size() == 14);
  REQUIRE(names(net.first.parameters()) ==
          std::vector<std::string>{"dense.weight", "dense.bias", "norm.scale", "norm.shift"});
  REQUIRE(net.parameter_count() == 1 + 2 * (6 + 3 + 3 + 3));
  REQUIRE(net.path() == "");
  REQUIRE(net.second.norm.path() == "second.norm");
  REQUIRE(net.second.norm.name() == "norm");
  REQUIRE(net.children() == std::vector<Module<double>*>{&net.first, &net.second});
  // They are handles: what is written through one is seen by the module, and errors call it by its path.
  auto parameters = net.parameters();
  parameters[0].tensor.mutable_data()[0] = 8;
  REQUIRE(net.gain.item() == 8);
  for (const auto& [name, tensor] : net.state()) REQUIRE(tensor.label() == name);
  for (const auto& [name, tensor] : parameters) REQUIRE(tensor.requires_grad());
  for (const auto& [name, tensor] : net.buffers()) REQUIRE_FALSE(tensor.requires_grad());
}

TEST_CASE("names are checked when a module registers", "[nn]") {
  Rng rng(1);
  Net net(rng);
  using Dense = gan::Dense<double>;
  REQUIRE_THROWS_WITH(Dense(&net, "first", 1, 1), ContainsSubstring("Net: the name \"first\" is taken"));
  REQUIRE_THROWS_WITH(Dense(&net, "gain", 1, 1), ContainsSubstring("\"gain\" is taken"));
  REQUIRE_THROWS_WITH(Dense(&net, "steps", 1, 1), ContainsSubstring("\"steps\" is taken"));
  REQUIRE_THROWS_WITH(gan::Parameter<double>(&net.first, "norm", {1}, gan::init::zeros()),
                      ContainsSubstring("Block \"first\"") && ContainsSubstring("\"norm\" is taken"));
  REQUIRE_THROWS_WITH(gan::Buffer<double>(&net, "gain", {1}, gan::init::zeros()), ContainsSubstring("is taken"));
  REQUIRE_THROWS_WITH(Dense(&net, "", 1, 1), ContainsSubstring("Net: \"\" is not a name"));
  REQUIRE_THROWS_WITH(Dense(&net, "a.b", 1, 1), ContainsSubstring("\"a.b\" is not a name"));
  REQUIRE_THROWS_WITH(Dense(nullptr, "lost", 1, 1), ContainsSubstring("\"lost\": no parent"));
  REQUIRE_THROWS_WITH(gan::Parameter<double>(nullptr, "lost", {1}, gan::init::zeros()),
                      ContainsSubstring("parameter \"lost\": no module"));
  REQUIRE_THROWS_WITH(gan::Buffer<double>(nullptr, "lost", {1}, gan::init::zeros()),
                      ContainsSubstring("buffer \"lost\": no module"));
  // A child whose constructor threw is not left behind.
  REQUIRE_THROWS_WITH(Dense(&net, "bad", 0, 1), ContainsSubstring("dense \"bad\": 0 inputs and 1 outputs"));
  REQUIRE(net.children().size() == 2);
  REQUIRE(net.state().size() == 14);
}

TEST_CASE("children and parents may go in either order", "[nn]") {
  Rng rng(1);
  auto net = std::make_unique<Net>(rng);
  auto child = std::make_unique<gan::Dense<double>>(net.get(), "extra", 2, 2);
  auto grandchild = std::make_unique<gan::Dense<double>>(child.get(), "inner", 2, 2);
  REQUIRE(net->parameters().back().name == "extra.inner.bias");
  grandchild.reset();
  REQUIRE(net->parameters().back().name == "extra.bias");
  {
    gan::Dense<double> brief(net.get(), "brief", 1, 1);
    REQUIRE(net->children().size() == 4);
  }
  REQUIRE(net->children().size() == 3);
  gan::Dense<double> again(net.get(), "brief", 1, 1);  // the name is free once more
  const Tensor<double> kept = net->parameters()[0].tensor;
  net.reset();
  REQUIRE(kept.item() == 3);  // handles outlive the module
  REQUIRE(child->path() == "extra");
  child->rng();
  child->train(false);
  REQUIRE((*child)(Tensor<double>({1, 2})).shape() == gan::Shape{1, 2});
}

TEST_CASE("one root generator decides all initial values", "[nn]") {
  Rng a(7), b(7), c(8);
  Net first(a), second(b), other(c);
  REQUIRE(equal(first.state(), second.state()));
  REQUIRE_FALSE(equal(first.state(), other.state()));
  REQUIRE(&first.second.dense.rng() == &first.rng());
  REQUIRE((first.first.dense.weight().values() != first.second.dense.weight().values()).any());
  Net third(a);  // the caller's generator moved on
  REQUIRE_FALSE(equal(first.state(), third.state()));
}

TEST_CASE("load_state takes exactly what state gives", "[nn]") {
  Rng rng(1);
  Net net(rng), other(rng);
  auto saved = copied(other.state());
  REQUIRE_FALSE(equal(net.state(), saved));
  std::swap(saved[0], saved[5]);  // any order will do
  net.load_state(saved);
  REQUIRE(equal(net.state(), other.state()));
  for (const auto& [name, tensor] : net.parameters()) REQUIRE(tensor.requires_grad());
}

TEST_CASE("load_state changes nothing when anything is wrong, and names it", "[nn]") {
  Rng rng(1);
  Net net(rng), other(rng);
  const auto before = copied(net.state()), good = copied(other.state());
  auto bad = good;
  SECTION("missing") {
    bad.pop_back();
    REQUIRE_THROWS_WITH(net.load_state(bad), ContainsSubstring("Net") &&
                                                 ContainsSubstring("\"second.norm.running_variance\" [3] is missing"));
  }
  SECTION("another shape") {
    bad.back().tensor = Tensor<double>({4});
    REQUIRE_THROWS_WITH(net.load_state(bad), ContainsSubstring("\"second.norm.running_variance\" has shape [4]") &&
                                                 ContainsSubstring("expected [3]"));
  }
  SECTION("another rank of the same size") {
    bad[1].tensor = Tensor<double>({6});
    REQUIRE_THROWS_WITH(net.load_state(bad), ContainsSubstring("\"first.dense.weight\" has shape [6]") &&
                                                 ContainsSubstring("expected [2, 3]"));
  }
  SECTION("unknown") {
    bad.push_back({"third.weight", Tensor<double>({2, 3})});
    REQUIRE_THROWS_WITH(net.load_state(bad), ContainsSubstring("\"third.weight\" [2, 3] is not known"));
  }
  SECTION("renamed") {
    bad[3].name = "first.norm.gamma";
    REQUIRE_THROWS_WITH(net.load_state(bad), ContainsSubstring("\"first.norm.scale\" [3] is missing"));
  }
  SECTION("twice") {
    bad.push_back(bad[2]);
    REQUIRE_THROWS_WITH(net.load_state(bad), ContainsSubstring("\"first.dense.bias\" is given twice"));
  }
  SECTION("nothing") { REQUIRE_THROWS_WITH(net.load_state({}), ContainsSubstring("is missing")); }
  REQUIRE(equal(net.state(), before));
}

TEST_CASE("modes reach all children, now and later", "[nn]") {
  Rng rng(1);
  Net net(rng);
  REQUIRE(net.training());
  REQUIRE(net.second.norm.training());
  net.eval();
  REQUIRE_FALSE(net.training());
  REQUIRE_FALSE(net.second.norm.training());
  const gan::Dense<double> late(&net, "late", 1, 1);
  REQUIRE_FALSE(late.training());
  net.train();
  REQUIRE(net.first.dense.training());
  net.first.eval();
  REQUIRE_FALSE(net.first.dense.training());
  REQUIRE(net.second.dense.training());
  {
    const gan::Evaluate<double> scope(net);
    REQUIRE_FALSE(net.second.dense.training());
  }
  REQUIRE(net.training());
  REQUIRE(net.second.norm.training());
  REQUIRE_FALSE(net.first.training());  // as it was, not as its parent is
  REQUIRE_FALSE(net.first.dense.training());
}

TEST_CASE("modes and freezing are two things", "[nn]") {
  Rng rng(1);
  Net net(rng);
  net.eval();
  for (const auto& [name, tensor] : net.parameters()) REQUIRE(tensor.requires_grad());
  net.freeze();
  for (const auto& [name, tensor] : net.parameters()) REQUIRE_FALSE(tensor.requires_grad());
  REQUIRE_FALSE(net.training());
  net.train();
  for (const auto& [name, tensor] : net.parameters()) REQUIRE_FALSE(tensor.requires_grad());
  net.freeze(false);
  for (const auto& [name, tensor] : net.parameters()) REQUIRE(tensor.requires_grad());
  REQUIRE(net.training());
}

TEST_CASE("Freeze lets gradients through to inputs only, and puts flags back", "[nn]") {
  Rng rng(1);
  Net net(rng);
  net.first.freeze();
  const auto x = Tensor<double>({2, 2}, {1, 2, 3, 4}).clone().set_requires_grad();
  {
    const gan::Freeze<double> scope(net);
    for (const auto& [name, tensor] : net.parameters()) REQUIRE_FALSE(tensor.requires_grad());
    gan::backward(gan::sum(net.second.dense(x)));
    { const gan::Freeze<double> nested(net.second); }
    REQUIRE_FALSE(net.second.dense.weight().requires_grad());
  }
  REQUIRE(x.grad().defined());
  for (const auto& [name, tensor] : net.parameters()) REQUIRE_FALSE(tensor.grad().defined());
  REQUIRE_FALSE(net.first.dense.weight().requires_grad());
  REQUIRE(net.second.dense.weight().requires_grad());
  REQUIRE(net.gain.requires_grad());
  gan::backward(gan::sum(net.second.dense(x)));
  REQUIRE(net.second.dense.weight().grad().defined());
  net.zero_grad();
  for (const auto& [name, tensor] : net.parameters()) REQUIRE_FALSE(tensor.grad().defined());
  REQUIRE(x.grad().defined());
}

TEST_CASE("mixes_batch looks at all children", "[nn]") {
  Rng rng(1);
  Net net(rng);
  REQUIRE(net.mixes_batch());
  REQUIRE_FALSE(net.first.dense.mixes_batch());
  gan::Sequential<double> plain(rng);
  plain.add<gan::Dense>("a", 2, 2);
  REQUIRE_FALSE(plain.mixes_batch());
  plain.add<gan::Sequential>("inner").add<gan::BatchNorm>("norm", 2);
  REQUIRE(plain.mixes_batch());
}

TEST_CASE("load_state takes a module's own tensors under other names", "[nn]") {
  Rng rng(1);
  Net net(rng);
  auto permuted = net.state();
  const auto before = copied(permuted);
  // Handles of the tensors themselves: first and second block exchanged, and a view of a tensor for itself.
  for (std::size_t i = 1; i <= 4; ++i) std::swap(permuted[i].name, permuted[i + 4].name);
  permuted[0].tensor = permuted[0].tensor.detach();
  net.load_state(permuted);
  const auto after = net.state();
  for (std::size_t i = 1; i <= 4; ++i) {
    REQUIRE((after[i].tensor.values() == before[i + 4].tensor.values()).all());
    REQUIRE((after[i + 4].tensor.values() == before[i].tensor.values()).all());
  }
  REQUIRE(after[0].tensor.item() == 3);
  auto undefined = net.state();
  undefined[3].tensor = {};
  REQUIRE_THROWS_WITH(net.load_state(undefined), ContainsSubstring("\"first.norm.scale\" is undefined"));
}

TEST_CASE("modes and flags come back when an exception passes", "[nn]") {
  Rng rng(1);
  Net net(rng);
  net.first.eval();
  net.first.norm.freeze();
  const auto flags = [&] {
    std::vector<bool> all{net.training(), net.first.training(), net.first.dense.training(), net.second.norm.training()};
    for (const auto& [name, tensor] : net.parameters()) all.push_back(tensor.requires_grad());
    return all;
  };
  const auto before = flags();
  try {
    const gan::Freeze<double> frozen(net);
    const gan::Evaluate<double> mode(net);
    REQUIRE(flags() == std::vector<bool>(before.size(), false));
    net.first.dense(Tensor<double>({1, 7}));
    FAIL("a wrong shape was accepted");
  } catch (const gan::Error&) {
  }
  REQUIRE(flags() == before);
}

TEST_CASE("a part may end while its module is evaluated", "[nn]") {
  Rng rng(1);
  auto net = std::make_unique<Net>(rng);
  auto part = std::make_unique<gan::Dense<double>>(net.get(), "part", 2, 2);
  auto inner = std::make_unique<gan::Dense<double>>(part.get(), "inner", 2, 2);
  {
    const gan::Evaluate<double> scope(*net);
    part.reset();
    REQUIRE_FALSE(inner->training());
  }
  REQUIRE(net->training());
  REQUIRE(inner->training());  // it outlived the one it belonged to
  {
    const gan::Evaluate<double> scope(*net);
    net.reset();
  }
}

TEST_CASE("children that outlive their parent draw each from a generator of its own", "[nn]") {
  Rng rng(1);
  auto net = std::make_unique<Net>(rng);
  gan::Dense<double> a(net.get(), "a", 2, 2), b(net.get(), "b", 2, 2);
  net.reset();
  REQUIRE(a.rng().state() != b.rng().state());
  REQUIRE(a.rng().state() != Rng(0).state());
  Rng same(1);
  auto again = std::make_unique<Net>(same);
  gan::Dense<double> c(again.get(), "a", 2, 2), d(again.get(), "b", 2, 2);
  again.reset();
  REQUIRE(a.rng().state() == c.rng().state());
  REQUIRE(b.rng().state() == d.rng().state());
}
