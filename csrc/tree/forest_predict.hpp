// Prediction with one or many trees: leaf indices, and sums of leaf values over trees.
//
// The trees are read where they are, in scikit-learn's layout, at every call: whoever changes a node or a value in place
// gets what he asked for. Many rows pay for a packed copy of the nodes (packed_tree.hpp), which is made for the call; few
// rows walk the nodes as they are.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/stop.hpp"
#include "runtime/views.hpp"
#include "tree/tree.hpp"

namespace fastml::tree {

struct TreeArrays {
  const Node* nodes;  // the root first
  std::int64_t count;
  const double* values;  // count x width of the forest
};

struct ForestArrays {
  std::vector<TreeArrays> trees;
  std::int64_t features;
  std::int64_t width;  // values of a node: outputs x most classes of an output
};

// About how many steps the walks of a sample take together; the depth of trees is not looked at.
double expected_steps(const ForestArrays& forest);

// Samples in float. NaN follows a node's missing_left in dense rows and goes right in sparse ones, as in scikit-learn;
// what CSR rows do not store is zero, and of what they store twice the last one counts.
struct Samples {
  const float* data;
  std::int64_t rows, cols;
  std::int64_t row_stride, col_stride;  // in elements; may be negative
  Csr<float> sparse;
  bool is_sparse;
};

struct LeafSums {
  double* out;
  std::int64_t stride;
  double scale;
  const std::int64_t* columns;  // of each tree, where its values go in a row of `out`; nullptr for all to column 0
};

// out[i * stride + columns[t] + j] += scale * values of the leaf of tree t that row i ends in, tree by tree in the order
// given: the same bits for any number of threads, and on every machine. Returns false when stopped, with `out` half done.
// Throws std::invalid_argument where a walk would leave the arrays or never end.
bool add_leaf_values(const ForestArrays& forest, const Samples& x, const LeafSums& sums, int threads, StopCheck stop);

// leaves[t * rows + i] = index of the leaf. Returns and throws as above.
bool find_leaves(const ForestArrays& forest, const Samples& x, std::int64_t* leaves, int threads, StopCheck stop);

}  // namespace fastml::tree
