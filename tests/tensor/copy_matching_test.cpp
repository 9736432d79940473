// Copying what agrees in name and shape.
#include "gan/tensor/copy_matching.hpp"

#include "support/catch.hpp"

using namespace gan;
using Names = std::vector<std::string>;
using F = Tensor<float>;

TEST_CASE("copy_matching copies what agrees and tells the rest", "[copy_matching]") {
  const NamedTensors<float> from{{"a", F({2}, {1, 2})}, {"b", F({3}, {1, 2, 3})}, {"old", F({1})}};
  const NamedTensors<float> to{{"a", F({2})}, {"b", F({2})}, {"new", F({1}, {7})}};
  const auto matching = copy_matching(from, to);
  REQUIRE(matching.copied == Names{"a"});
  REQUIRE(matching.unfilled == Names{"b", "new"});
  REQUIRE(matching.unused == Names{"b", "old"});
  REQUIRE(to[0].tensor.at({1}) == 2);
  REQUIRE(to[1].tensor.at({1}) == 0);
  REQUIRE(to[2].tensor.at({0}) == 7);
  REQUIRE(copy_matching(from, from).copied.size() == 3);

  const NamedTensors<float> checkpoint{{"g.a", F({2}, {5, 6})}, {"d.a", F({2})}};
  const auto part = copy_matching(checkpoint, to, "g.");
  REQUIRE(part.copied == Names{"a"});
  REQUIRE(part.unused == Names{"d.a"});
  REQUIRE(to[0].tensor.at({0}) == 5);

  NamedTensors<float> twice = from;
  twice.push_back({"old", F({1})});
  REQUIRE_THROWS_WITH(copy_matching(twice, to), ContainsSubstring("copy_matching: \"old\" is given twice"));
  REQUIRE_THROWS_WITH(copy_matching(from, twice), ContainsSubstring("\"old\" is asked for twice"));
  REQUIRE(to[0].tensor.at({0}) == 5);
}
