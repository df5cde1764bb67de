// A tree packed for many rows, and the loops over a block of rows that walk it.
//
// scikit-learn's node has 64 bytes, of which a walk needs 13. A packed node has 16, and siblings lie side by side, so that
// one position stands for both children: right = left + 1. A leaf points at itself and its test always succeeds; a walk
// that has arrived may so be pushed on without harm, and needs no branch of its own.
//
// The first levels, the crown, are complete: a leaf there is given copies of itself for children. All its tests can then be
// made for a vector of rows at a time, which costs less than a step down for each row and level.
#pragma once

#include <cstdint>

#include "runtime/simd_level.hpp"

namespace fastml::tree {

struct PackedNode {
  // The largest float that is not above the double: for every float x, x <= threshold holds for both or for neither.
  float threshold;
  std::uint32_t feature;  // bytes from the first feature of a row to this one
  std::uint32_t left;     // position of the left child in bytes: a multiplication less for every step
  std::uint32_t origin;   // index of the node in the tree as given; kMissingLeft is set where NaN goes left

  static constexpr std::uint32_t kMissingLeft = std::uint32_t(1) << 31;
};
static_assert(sizeof(PackedNode) == 16);

// Levels of the crown; levels of fewer lanes use less of it.
inline constexpr int kCrownLevels = 5;

// Nodes a crown may have more than the tree.
inline constexpr std::int64_t kMostCopies = (std::int64_t(2) << kCrownLevels) - 2;

// Positions are 32 bits wide. A larger tree is walked as it is.
inline constexpr std::int64_t kMostPackedNodes =
    (std::int64_t(1) << 32) / std::int64_t(sizeof(PackedNode)) - kMostCopies;

struct PackedTree {
  const PackedNode* nodes;   // breadth first, the root at position 0; levels below the crown's depth are complete
  std::int64_t levels;       // steps that take every row to its leaf
  std::int64_t sure_levels;  // steps that most rows still have to go: taken without asking who has arrived
};

// Rows of a block at most: 128 rows of 32 features fill half of L1, and the loads of a level's steps hide each other. Half as
// many took 3 to 12% longer with 50,000 rows, twice as many the same.
inline constexpr int kBlockRows = 128;

// Bytes between two features of a row, by which the features of packed nodes are counted.
inline constexpr std::int64_t kRowMajor = sizeof(float);
inline constexpr std::int64_t kTransposed = sizeof(float) * kBlockRows;

struct RowBlock {
  const float* data;
  std::int64_t rows;
  std::int64_t row_bytes;  // between two rows; sizeof(float) in a transposed block
  bool is_transposed;      // kBlockRows values of each feature, of which the first `rows` count
  bool may_have_nan;
};

struct ForestKernels {
  // to[f * kBlockRows + i] = from[i * row_stride + f * col_stride], i < rows <= kBlockRows. Returns whether any is NaN.
  bool (*transpose)(const float* from, std::int64_t rows, std::int64_t cols, std::int64_t row_stride,
                    std::int64_t col_stride, float* to);

  // positions[i] = position of the leaf that row i ends in; there is room for kBlockRows. NaN follows kMissingLeft where
  // the block may have any.
  void (*walk)(const PackedTree& tree, const RowBlock& block, std::uint32_t* positions);

  // out[i * stride + j] += scale * values[leaf of row i][j], j < width. Product and sum are rounded one by one.
  void (*add)(const PackedTree& tree, const std::uint32_t* positions, std::int64_t rows, const double* values,
              std::int64_t width, double scale, double* out, std::int64_t stride);
};
const ForestKernels& forest_kernels(SimdLevel level = active_level());

}  // namespace fastml::tree
