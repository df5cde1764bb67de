// A grown tree in about half the bytes of scikit-learn's layout, for forests, which hold many and may never be asked for
// them: what follows from the order of nodes is left out, whole numbers are kept as such.
#pragma once

#include <cstdint>
#include <vector>

#include "tree/tree.hpp"

namespace fastml::tree {

class CompactTree {
 public:
  // `values` has `width` entries a node.
  CompactTree(const Node* nodes, std::int64_t count, const double* values, std::int64_t width);

  std::int64_t count() const { return count_; }
  std::int64_t width() const { return width_; }
  std::int64_t bytes() const;
  // The nodes and values as they were, to the bit.
  void expand(Node* nodes, double* values) const;

 private:
  struct CompactNode {
    double threshold;
    double impurity;
    std::uint32_t right;    // 0 for a leaf
    std::uint32_t feature;  // and above it a bit: whether missing values go left
    std::uint32_t samples;
    std::uint32_t weight;
  };
  static constexpr std::uint32_t kMissingLeft = std::uint32_t(1) << 31;

  CompactNode shrink(const Node& node) const;
  Node restore(const CompactNode& node, std::int64_t index) const;
  bool shrink_nodes(const Node* nodes);
  bool shrink_values(const double* values);

  std::int64_t count_;
  std::int64_t width_;
  // Where the left child is: after its parent, as in trees grown depth first, or before its sibling.
  bool depth_first_ = true;
  std::vector<CompactNode> nodes_;
  std::vector<Node> whole_nodes_;      // instead of them, where a number does not fit
  std::vector<std::uint32_t> counts_;  // the weight of each class, as whole numbers; values are shares of their sum
  std::vector<double> values_;         // instead of them, where weights are not whole or there are no classes
};

}  // namespace fastml::tree
