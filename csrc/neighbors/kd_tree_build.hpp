// Building a k-d tree.
#pragma once

#include <cstdint>

#include "neighbors/kd_tree_kernels.hpp"
#include "runtime/views.hpp"

namespace fastml::neighbors {

// Nodes of a tree over this many leaves.
std::int64_t kd_node_count(std::int64_t leaves);

// Fills what the view of a tree points to; `order` is its rows or long_rows.
template <class T, class Index>
void build_kd_tree(const Rows<const T>& data, std::int64_t leaves, int threads, KdNode* nodes, T* boxes, T* columns,
                   Index* order);

}  // namespace fastml::neighbors
