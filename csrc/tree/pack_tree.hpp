// From scikit-learn's nodes to packed ones.
#pragma once

#include <cstdint>

#include "tree/packed_tree.hpp"
#include "tree/tree.hpp"

namespace fastml::tree {

struct PackOptions {
  std::int64_t features;       // of a sample
  std::int64_t feature_bytes;  // kRowMajor or kTransposed: of the blocks that will be walked
  bool nan_goes_right;         // whatever the nodes say
};

// Writes the nodes that can be reached from the root, and the copies that complete the crown, to `packed`, which has room for
// count + kMostCopies; count is kMostPackedNodes at most. Returns false where the nodes are not a tree whose tests are
// on features of the samples; `packed` is then of no use.
bool pack_tree(const Node* nodes, std::int64_t count, const PackOptions& options, PackedNode* packed, PackedTree* tree);

// The largest float that is not above x; NaN for NaN.
float round_down(double x);

}  // namespace fastml::tree
