#include "tree/pack_tree.hpp"

#include <cmath>
#include <limits>

#include "tree/predict_tuning.hpp"

namespace fastml::tree {

float round_down(double x) {
  const float nearest = static_cast<float>(x);
  return double(nearest) > x ? std::nextafter(nearest, -std::numeric_limits<float>::infinity()) : nearest;
}

bool pack_tree(const Node* nodes, std::int64_t count, const PackOptions& options, PackedNode* packed,
               PackedTree* tree) {
  if (count < 1) return false;
  constexpr float infinity = std::numeric_limits<float>::infinity();
  constexpr std::uint32_t size = sizeof(PackedNode);
  // Breadth first, the packed nodes themselves being the queue: `origin` is known before the rest of a node.
  packed[0].origin = 0;
  std::int64_t end = 1, level_end = 1, levels = 0, sure_levels = 0, copies = 0;
  bool is_copy[2 << kCrownLevels] = {};  // of a leaf that is there already
  bool completes = false;                // whether the level is within the crown, and not the last
  double arrived = 0;                    // training samples whose leaf is in the levels done
  const double enough = kShareArrived * double(nodes[0].samples);
  for (std::int64_t position = 0; position < end; ++position) {
    if (position == level_end) {
      if (arrived <= enough) sure_levels = levels + 1;
      ++levels;
      level_end = end;
      completes = false;
      for (std::int64_t p = position; levels < kCrownLevels && p < end; ++p)
        completes = completes || nodes[packed[p].origin].left != Node::kLeaf;
    }
    PackedNode& to = packed[position];
    const std::uint32_t origin = to.origin;
    const Node& node = nodes[origin];
    if (node.left == Node::kLeaf) {
      to = {infinity, 0, std::uint32_t(completes ? end : position) * size, origin | PackedNode::kMissingLeft};
      if (completes) {
        packed[end].origin = packed[end + 1].origin = origin;
        is_copy[end] = is_copy[position];
        is_copy[end + 1] = true;
        end += 2;
        copies += 2;
      } else if (position >= std::int64_t(sizeof(is_copy)) || !is_copy[position]) {
        arrived += double(node.samples);
      }
      continue;
    }
    const bool is_node = node.left >= 0 && node.left < count && node.right >= 0 && node.right < count &&
                         node.feature >= 0 && node.feature < options.features;
    // More children than nodes: some node has two parents.
    if (!is_node || end + 2 > count + copies) return false;
    __builtin_prefetch(&nodes[node.left]);
    __builtin_prefetch(&nodes[node.right]);
    packed[end].origin = std::uint32_t(node.left);
    packed[end + 1].origin = std::uint32_t(node.right);
    const bool missing_left = node.missing_left != 0 && !options.nan_goes_right;
    to = {round_down(node.threshold), std::uint32_t(node.feature * options.feature_bytes), std::uint32_t(end) * size,
          missing_left ? origin | PackedNode::kMissingLeft : origin};
    end += 2;
  }
  *tree = {packed, levels, sure_levels};
  return true;
}

}  // namespace fastml::tree
