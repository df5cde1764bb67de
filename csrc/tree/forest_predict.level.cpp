#include "simd/transpose.hpp"
#include "tree/packed_tree.hpp"

namespace fastml {
namespace FASTML_LEVEL {
namespace {

using tree::kBlockRows;
using tree::PackedNode;
using tree::PackedTree;
using tree::RowBlock;

constexpr int lanes = kLanes<float>;
constexpr std::uint32_t kNodeBytes = sizeof(PackedNode);

bool transpose_block(const float* from, std::int64_t rows, std::int64_t cols, std::int64_t row_stride,
                     std::int64_t col_stride, float* to) {
  ivec<float> odd{};
  int odd_one = 0;
  std::int64_t whole_rows = 0, whole_cols = 0;
  if (row_stride == 1) {
    whole_rows = rows / lanes * lanes;
    whole_cols = cols;
    for (std::int64_t f = 0; f < cols; ++f) {
      for (std::int64_t i = 0; i < whole_rows; i += lanes) {
        const vec<float> x = load(from + i + f * col_stride);
        odd |= x != x;
        store(to + f * kBlockRows + i, x);
      }
    }
  } else if (col_stride == 1) {
    whole_rows = rows / lanes * lanes;
    whole_cols = cols / lanes * lanes;
    for (std::int64_t i = 0; i < whole_rows; i += lanes) {
      for (std::int64_t f = 0; f < whole_cols; f += lanes) {
        vec<float> square[lanes];
#pragma GCC unroll 16
        for (int l = 0; l < lanes; ++l) {
          square[l] = load(from + (i + l) * row_stride + f);
          odd |= square[l] != square[l];
        }
        transpose<float>(square);
#pragma GCC unroll 16
        for (int l = 0; l < lanes; ++l) store(to + (f + l) * kBlockRows + i, square[l]);
      }
    }
  }
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t f = i < whole_rows ? whole_cols : 0; f < cols; ++f) {
      const float x = from[i * row_stride + f * col_stride];
      odd_one |= x != x;
      to[f * kBlockRows + i] = x;
    }
  }
  return odd_one != 0 || any<float>(odd);
}

// Which of the 2^kLevels nodes below the crown each lane comes to. `index` is that of the crown's node in its level.
template <int kLevels, int kLevel = 0>
FASTML_INLINE ivec<float> below_crown(const PackedNode* nodes, const char* x, int index = 0) {
  const PackedNode& node = nodes[(1 << kLevel) - 1 + index];
  const ivec<float> left = load(reinterpret_cast<const float*>(x + node.feature)) <= broadcast(node.threshold);
  if constexpr (kLevel + 1 == kLevels) {
    return broadcast_integer<float>(2 * index + 1) + left;
  } else {
    return select_integer<float>(left, below_crown<kLevels, kLevel + 1>(nodes, x, 2 * index),
                                 below_crown<kLevels, kLevel + 1>(nodes, x, 2 * index + 1));
  }
}

template <int kLevels>
void walk_crown(const PackedNode* nodes, const RowBlock& block, std::uint32_t* positions) {
  const ivec<float> first = broadcast_integer<float>((1 << kLevels) - 1);
  for (std::int64_t i = 0; i < block.rows; i += lanes) {
    const char* x = reinterpret_cast<const char*>(block.data + i);
    const ivec<float> position = (first + below_crown<kLevels>(nodes, x)) * std::int32_t(kNodeBytes);
    std::memcpy(positions + i, &position, sizeof(position));
  }
}

// Takes the rows through as much of the crown as pays at this level, where a test of a vector costs about three
// instructions and a step of a row thirteen. Returns how many levels that was.
std::int64_t walk_crown(const PackedTree& tree, const RowBlock& block, std::uint32_t* positions) {
  static_assert(tree::kCrownLevels == 5);
  const std::int64_t most = lanes >= 8 ? 5 : lanes >= 4 ? 4 : 0;
  const std::int64_t levels = tree.levels < most ? tree.levels : most;
  switch (levels) {
    case 1:
      walk_crown<1>(tree.nodes, block, positions);
      break;
    case 2:
      walk_crown<2>(tree.nodes, block, positions);
      break;
    case 3:
      walk_crown<3>(tree.nodes, block, positions);
      break;
    case 4:
      walk_crown<4>(tree.nodes, block, positions);
      break;
    case 5:
      walk_crown<5>(tree.nodes, block, positions);
      break;
    default:
      for (std::int64_t i = 0; i < block.rows; ++i) positions[i] = 0;
  }
  return levels;
}

// Where a row goes from a position. The outcome of the test is added, not branched on: it is a coin toss to a predictor.
template <bool kMayHaveNan>
FASTML_INLINE std::uint32_t step(const char* nodes, std::uint32_t position, const char* row) {
  const PackedNode& node = *reinterpret_cast<const PackedNode*>(nodes + position);
  const float x = *reinterpret_cast<const float*>(row + node.feature);
  bool right = !(x <= node.threshold);
  if (kMayHaveNan) right = right & !((x != x) & (node.origin >= PackedNode::kMissingLeft));
  return node.left + std::uint32_t(right) * kNodeBytes;
}

// Level by level over the rows of the block, and not row by row down the tree: the steps of a level do not wait for each
// other, so that the processor has dozens of loads under way at once.
template <bool kMayHaveNan, bool kIsTransposed>
void walk_levels(const PackedTree& tree, const RowBlock& block, std::int64_t level, std::uint32_t* positions) {
  const char* nodes = reinterpret_cast<const char*>(tree.nodes);
  const char* x = reinterpret_cast<const char*>(block.data);
  const std::int64_t row_bytes = kIsTransposed ? std::int64_t(sizeof(float)) : block.row_bytes;
  for (; level < tree.sure_levels; ++level) {
#pragma GCC unroll 8
    for (std::int64_t i = 0; i < block.rows; ++i)
      positions[i] = step<kMayHaveNan>(nodes, positions[i], x + i * row_bytes);
  }
  if (level == tree.levels) return;
  // From here on only the rows that moved in the last step are kept in the list.
  std::uint32_t under_way[kBlockRows];
  for (std::int64_t i = 0; i < block.rows; ++i) under_way[i] = std::uint32_t(i);
  for (std::int64_t count = block.rows; level < tree.levels && count > 0; ++level) {
    std::int64_t kept = 0;
#pragma GCC unroll 4
    for (std::int64_t j = 0; j < count; ++j) {
      const std::uint32_t i = under_way[j], before = positions[i];
      const std::uint32_t after = step<kMayHaveNan>(nodes, before, x + i * row_bytes);
      positions[i] = after;
      under_way[kept] = i;
      kept += after != before;
    }
    count = kept;
  }
}

void walk(const PackedTree& tree, const RowBlock& block, std::uint32_t* positions) {
  if (block.is_transposed && !block.may_have_nan) {
    const std::int64_t level = walk_crown(tree, block, positions);
    walk_levels<false, true>(tree, block, level, positions);
    return;
  }
  for (std::int64_t i = 0; i < block.rows; ++i) positions[i] = 0;
  if (block.may_have_nan) {
    walk_levels<true, false>(tree, block, 0, positions);
  } else {
    walk_levels<false, false>(tree, block, 0, positions);
  }
}

FASTML_INLINE std::int64_t origin(const PackedTree& tree, std::uint32_t position) {
  return tree.nodes[position / kNodeBytes].origin & ~PackedNode::kMissingLeft;
}

template <int kWidth>
void add_fixed(const PackedTree& tree, const std::uint32_t* positions, std::int64_t rows, const double* values,
               double scale, double* out, std::int64_t stride) {
  for (std::int64_t i = 0; i < rows; ++i, out += stride) {
    const double* value = values + origin(tree, positions[i]) * kWidth;
    for (int j = 0; j < kWidth; ++j) out[j] += scale * value[j];
  }
}

void add(const PackedTree& tree, const std::uint32_t* positions, std::int64_t rows, const double* values,
         std::int64_t width, double scale, double* out, std::int64_t stride) {
  if (width == 1) return add_fixed<1>(tree, positions, rows, values, scale, out, stride);
  if (width == 2) return add_fixed<2>(tree, positions, rows, values, scale, out, stride);
  for (std::int64_t i = 0; i < rows; ++i, out += stride) {
    const double* value = values + origin(tree, positions[i]) * width;
    for (std::int64_t j = 0; j < width; ++j) out[j] += scale * value[j];
  }
}

}  // namespace

extern const tree::ForestKernels forest_table;
const tree::ForestKernels forest_table{transpose_block, walk, add};

}  // namespace FASTML_LEVEL
}  // namespace fastml
