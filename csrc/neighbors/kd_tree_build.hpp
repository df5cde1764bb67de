// Building a k-d tree.
#pragma once

#include <cstdint>

#include "neighbors/kd_tree_kernels.hpp"
#include "runtime/stop.hpp"
#include "runtime/views.hpp"

namespace fastml::neighbors {

// Nodes of a tree over this many leaves.
std::int64_t kd_node_count(std::int64_t leaves);

// Fills what the view of a tree points to; `order` is its rows or long_rows. Returns false when stopped: the tree is then
// not to be used. The longest time between two questions is that of one median of all points.
template <class T, class Index>
bool build_kd_tree(const Rows<const T>& data, std::int64_t leaves, int threads, StopCheck stop, KdNode* nodes, T* boxes,
                   T* columns, Index* order);

}  // namespace fastml::neighbors
