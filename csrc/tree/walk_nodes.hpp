// Walking nodes as scikit-learn stores them, for too few rows to pack the trees for.
#pragma once

#include <cstdint>

#include "tree/forest_predict.hpp"

namespace fastml::tree {

// Walks that go on side by side at most.
inline constexpr std::int64_t kMostWalks = 64;

// leaves[t * x.rows + i] = index of the leaf of trees[t] that row i ends in, count * x.rows <= kMostWalks walks.
// `nan_goes_right`: whatever the nodes say. Returns false where a walk would leave the arrays or never end.
bool walk_nodes(const TreeArrays* trees, std::int64_t count, Rows<const float> x, bool nan_goes_right,
                std::int64_t* leaves);

}  // namespace fastml::tree
