#include "tree/compact_tree.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace fastml::tree {
namespace {

bool same_bits(const Node& a, const Node& b) { return std::memcmp(&a, &b, sizeof(Node)) == 0; }
bool same_bits(double a, double b) { return std::memcmp(&a, &b, sizeof a) == 0; }

}  // namespace

CompactTree::CompactTree(const Node* nodes, std::int64_t count, const double* values, std::int64_t width)
    : count_(count), width_(width) {
  if (!shrink_nodes(nodes)) {
    depth_first_ = false;
    if (!shrink_nodes(nodes)) whole_nodes_.assign(nodes, nodes + count);
  }
  if (!shrink_values(values)) values_.assign(values, values + count * width);
}

CompactTree::CompactNode CompactTree::shrink(const Node& node) const {
  const bool leaf = node.left == Node::kLeaf;
  CompactNode compact;
  compact.threshold = node.threshold;
  compact.impurity = node.impurity;
  compact.right = leaf ? 0 : std::uint32_t(node.right);
  compact.feature = (leaf ? 0 : std::uint32_t(node.feature)) | (node.missing_left ? kMissingLeft : 0);
  compact.samples = std::uint32_t(node.samples);
  const bool fits = node.weight >= 0 && node.weight <= double(std::numeric_limits<std::uint32_t>::max());
  compact.weight = fits ? std::uint32_t(node.weight) : 0;
  return compact;
}

Node CompactTree::restore(const CompactNode& compact, std::int64_t index) const {
  Node node;
  if (compact.right != 0) {
    node.left = depth_first_ ? index + 1 : std::int64_t(compact.right) - 1;
    node.right = compact.right;
    node.feature = compact.feature & ~kMissingLeft;
  }
  node.threshold = compact.threshold;
  node.impurity = compact.impurity;
  node.samples = compact.samples;
  node.weight = compact.weight;
  node.missing_left = (compact.feature & kMissingLeft) != 0;
  return node;
}

// False where a node does not come out as it went in.
bool CompactTree::shrink_nodes(const Node* nodes) {
  nodes_.resize(count_);
  for (std::int64_t i = 0; i < count_; ++i) {
    nodes_[i] = shrink(nodes[i]);
    if (same_bits(restore(nodes_[i], i), nodes[i])) continue;
    std::vector<CompactNode>().swap(nodes_);
    return false;
  }
  return true;
}

bool CompactTree::shrink_values(const double* values) {
  if (width_ == 1 || nodes_.empty()) return false;
  counts_.resize(count_ * width_);
  for (std::int64_t i = 0; i < count_ * width_; ++i) {
    const double weight = nodes_[i / width_].weight;
    const double class_weight = std::nearbyint(values[i] * weight);
    // -0 by name: compilers make a rounding of the way to an integer and back, which keeps the sign.
    if (!std::signbit(class_weight) && class_weight <= weight) counts_[i] = std::uint32_t(class_weight);
    if (same_bits(double(counts_[i]) / weight, values[i])) continue;
    std::vector<std::uint32_t>().swap(counts_);
    return false;
  }
  return true;
}

void CompactTree::expand(Node* nodes, double* values) const {
  std::copy(whole_nodes_.begin(), whole_nodes_.end(), nodes);
  for (std::size_t i = 0; i < nodes_.size(); ++i) nodes[i] = restore(nodes_[i], std::int64_t(i));
  std::copy(values_.begin(), values_.end(), values);
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    values[i] = double(counts_[i]) / double(nodes_[i / width_].weight);
  }
}

std::int64_t CompactTree::bytes() const {
  return std::int64_t(nodes_.size() * sizeof(CompactNode) + whole_nodes_.size() * sizeof(Node) +
                      counts_.size() * sizeof(std::uint32_t) + values_.size() * sizeof(double));
}

}  // namespace fastml::tree
