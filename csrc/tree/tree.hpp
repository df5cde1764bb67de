// A grown tree, and what it is grown by. Plain data, in scikit-learn's layout and order of nodes.
#pragma once

#include <cstdint>
#include <vector>

namespace fastml::tree {

// scikit-learn's node, byte for byte, so that its Tree takes the array as it is.
struct Node {
  std::int64_t left = kLeaf;
  std::int64_t right = kLeaf;
  std::int64_t feature = kUndefined;
  double threshold = kUndefined;
  double impurity = 0;
  std::int64_t samples = 0;
  double weight = 0;
  std::uint8_t missing_left = 0;
  std::uint8_t padding[7] = {};

  static constexpr int kLeaf = -1;
  static constexpr int kUndefined = -2;
};
static_assert(sizeof(Node) == 64);

struct GrownTree {
  std::vector<Node> nodes;
  std::vector<double> values;  // outputs x most classes of an output (1 for regression), a node after the other
  std::int64_t max_depth = 0;
};

enum class CriterionKind { gini, entropy, squared_error, absolute_error, poisson };

struct Options {
  CriterionKind criterion = CriterionKind::gini;
  bool random_splits = false;
  std::int64_t max_depth = 0;
  std::int64_t min_samples_split = 2;
  std::int64_t min_samples_leaf = 1;
  double min_weight_leaf = 0;
  std::int64_t max_features = 1;
  std::int64_t max_leaf_nodes = -1;  // negative: no limit, nodes are split depth first; else best first
  double min_impurity_decrease = 0;
  std::vector<std::int8_t> monotonic;  // one of -1, 0, 1 for each feature; empty: no constraints
};

}  // namespace fastml::tree
