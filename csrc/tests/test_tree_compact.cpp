// Compact trees: whatever is put in comes out to the bit, and what growing makes takes about half the bytes.
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "tests/check.hpp"
#include "tests/samples.hpp"
#include "tree/grow.hpp"

using namespace fastml;
using tree::CompactTree;
using tree::CriterionKind;
using tree::Encoding;
using tree::Features;
using tree::GrownTree;
using tree::Node;
using tree::Options;
using tree::Targets;

namespace {

constexpr std::int64_t kRows = 400, kCols = 5;

std::int64_t full_bytes(const GrownTree& tree) {
  return std::int64_t(tree.nodes.size() * sizeof(Node) + tree.values.size() * sizeof(double));
}

void compare(const CompactTree& compact, const GrownTree& tree, const std::string& where) {
  const std::int64_t count = std::int64_t(tree.nodes.size());
  CHECK_EQUAL(compact.count(), count, where);
  CHECK_EQUAL(compact.width() * count, std::int64_t(tree.values.size()), where);
  std::vector<Node> nodes(count);
  std::vector<double> values(tree.values.size());
  compact.expand(nodes.data(), values.data());
  CHECK(std::memcmp(nodes.data(), tree.nodes.data(), count * sizeof(Node)) == 0, where << " nodes");
  CHECK(std::memcmp(values.data(), tree.values.data(), values.size() * sizeof(double)) == 0, where << " values");
}

CompactTree compact_of(const GrownTree& tree) {
  const std::int64_t count = std::int64_t(tree.nodes.size());
  return {tree.nodes.data(), count, tree.values.data(), std::int64_t(tree.values.size()) / count};
}

struct Growth {
  std::string name;
  Targets targets;
  const double* weights;
  Options options;
};

GrownTree grow(const Features& features, const Growth& growth) {
  GrownTree tree;
  CHECK(tree::grow(features, growth.targets, growth.weights, growth.options, 3, 1, nullptr, tree), growth.name);
  return tree;
}

void grown_trees() {
  std::vector<float> x = normals<float>(kRows * kCols, 1);
  for (std::int64_t i = 0; i < kRows; i += 7) x[i * kCols + i % kCols] = std::numeric_limits<float>::quiet_NaN();
  const std::vector<double> labels = integers<double>(kRows * 2, 0, 2, 2), amounts = normals<double>(kRows, 3);
  const std::vector<double> whole = integers<double>(kRows, 0, 4, 4), parts = [] {
    std::vector<double> some = normals<double>(kRows, 5);
    for (double& weight : some) weight = std::abs(weight);
    return some;
  }();
  const Targets classes{labels.data(), kRows, 1, {3}}, two_outputs{labels.data(), kRows, 2, {3, 3}};
  const Targets numbers{amounts.data(), kRows, 1, {}};
  for (const bool random : {false, true}) {
    const Features features({x.data(), kRows, kCols, kCols, 1}, random ? Encoding::values : Encoding::ranks, 1);
    for (const double* weights : {static_cast<const double*>(nullptr), whole.data(), parts.data()}) {
      for (const std::int64_t max_leaf_nodes : {-1, 20}) {
        for (const auto& [targets, criterion] :
             {std::pair{classes, CriterionKind::gini}, std::pair{two_outputs, CriterionKind::entropy},
              std::pair{numbers, CriterionKind::squared_error}}) {
          Growth growth{"", targets, weights, {}};
          growth.options.criterion = criterion;
          growth.options.random_splits = random;
          growth.options.max_depth = 1000;
          growth.options.max_features = 3;
          growth.options.max_leaf_nodes = max_leaf_nodes;
          growth.name = std::string(random ? "random" : "best") + " splits, " +
                        (weights == nullptr ? "no" : (weights == whole.data() ? "whole" : "other")) + " weights, " +
                        std::to_string(max_leaf_nodes) + " leaves, criterion " + std::to_string(int(criterion));
          const GrownTree tree = grow(features, growth);
          compare(compact_of(tree), tree, growth.name);
          if (weights != parts.data()) {
            CHECK(compact_of(tree).bytes() <= full_bytes(tree) * 6 / 10, growth.name);
          }
          std::int64_t max_depth = -1;
          const std::optional<CompactTree> at_once =
              tree::grow_compact(features, targets, weights, growth.options, 3, 1, nullptr, max_depth);
          CHECK(at_once.has_value(), growth.name);
          if (at_once) compare(*at_once, tree, growth.name + ", at once");
          CHECK_EQUAL(max_depth, tree.max_depth, growth.name);
        }
      }
    }
  }
}

// What growing does not make, but users of arrays may.
void odd_trees() {
  const auto leaf = [](double weight) {
    Node node;
    node.samples = 1;
    node.weight = weight;
    return node;
  };
  Node root = leaf(2);
  root.left = 1;
  root.right = 2;
  root.feature = 7;
  root.threshold = -0.0;
  const std::vector<double> shares{0.5, 0.5, 1, 0, 0, 1};
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto check_tree = [&](const std::string& name, const std::vector<Node>& nodes, std::vector<double> values) {
    const GrownTree tree{nodes, std::move(values), 1};
    compare(compact_of(tree), tree, name);
  };
  check_tree("plain", {root, leaf(1), leaf(1)}, shares);
  check_tree("one node", {leaf(1)}, {1, 0});
  check_tree("other values", {root, leaf(1), leaf(1)}, {0.5, 0.5, 1, 0, 0.1, 0.9});
  check_tree("values without numbers", {root, leaf(1), leaf(1)}, {nan, 0.5, 1, 0, 0, -1});
  check_tree("signed zero", {root, leaf(1), leaf(1)}, {0.5, 0.5, 1, -0.0, 0, 1});
  check_tree("infinite weight", {root, leaf(std::numeric_limits<double>::infinity()), leaf(1)}, shares);
  check_tree("no weight", {root, leaf(0), leaf(-1)}, shares);
  check_tree("weight without number", {root, leaf(nan), leaf(1)}, shares);
  check_tree("large weight", {root, leaf(std::ldexp(1.0, 32)), leaf(1)}, shares);
  Node swapped = root;
  std::swap(swapped.left, swapped.right);
  check_tree("children in another order", {swapped, leaf(1), leaf(1)}, shares);
  Node many = leaf(1);
  many.samples = std::int64_t(1) << 40;
  check_tree("many samples", {root, many, leaf(1)}, shares);
  Node marked = leaf(1);
  marked.missing_left = 1;
  check_tree("a leaf with missing values on its left", {root, marked, leaf(1)}, shares);
  marked.missing_left = 3;
  check_tree("another byte for true", {root, marked, leaf(1)}, shares);
}

}  // namespace

int main() {
  grown_trees();
  odd_trees();
  return check::result();
}
