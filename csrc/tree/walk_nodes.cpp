#include "tree/walk_nodes.hpp"

#include <algorithm>

namespace fastml::tree {
namespace {

struct Walk {
  const TreeArrays* tree;
  const float* row;
  std::int64_t position;
  std::int64_t slot;  // where the answer goes
};

}  // namespace

bool walk_nodes(const TreeArrays* trees, std::int64_t count, Rows<const float> x, bool nan_goes_right,
                std::int64_t* leaves) {
  Walk walks[kMostWalks];
  std::int64_t under_way = 0, longest = 0;
  for (std::int64_t t = 0; t < count; ++t) {
    if (trees[t].count < 1) return false;
    longest = std::max(longest, trees[t].count);
    for (std::int64_t i = 0; i < x.rows; ++i)
      walks[under_way++] = {&trees[t], x.data + i * x.stride, 0, t * x.rows + i};
  }
  // A step of every walk in turn: their cache misses overlap. Walks that have arrived leave the list.
  for (std::int64_t level = 0; under_way > 0; ++level) {
    if (level > longest) return false;  // round and round
    std::int64_t kept = 0;
    for (std::int64_t w = 0; w < under_way; ++w) {
      Walk walk = walks[w];
      const Node& node = walk.tree->nodes[walk.position];
      if (node.left == Node::kLeaf) {
        leaves[walk.slot] = walk.position;
        continue;
      }
      if (std::uint64_t(node.feature) >= std::uint64_t(x.cols)) return false;
      const float value = walk.row[node.feature];
      // Chosen by arithmetic: a wrong guess of the way would throw away the loads of the other walks, too.
      const int missing_left = int(node.missing_left != 0) & int(!nan_goes_right);
      const int left = int(double(value) <= node.threshold) | (int(value != value) & missing_left);
      walk.position = node.right ^ ((node.right ^ node.left) & -std::int64_t(left));
      if (std::uint64_t(walk.position) >= std::uint64_t(walk.tree->count)) return false;
      walks[kept++] = walk;
    }
    under_way = kept;
  }
  return true;
}

}  // namespace fastml::tree
