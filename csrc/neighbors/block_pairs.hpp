// Which points of one block are near which of another: what DBSCAN asks of a set of points.
//
// Points are put into an order in which neighbours in space have neighbouring places, and cut into blocks of
// 32 * words(). A set of points of a block is a bit mask: bit b of word w is the point in place 32 w + b of the block.
// Nothing is kept of a pair.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "neighbors/kd_tree_kernels.hpp"

namespace fastml::neighbors {

inline constexpr int kMostBlockWords = 4;
inline constexpr int kMostBlockPoints = 32 * kMostBlockWords;

class BlockPairs {
 public:
  BlockPairs() = default;
  BlockPairs(const BlockPairs&) = delete;
  BlockPairs& operator=(const BlockPairs&) = delete;
  virtual ~BlockPairs() = default;

  virtual std::int64_t points() const = 0;
  virtual int words() const = 0;
  // The row of the point in a place.
  virtual std::int64_t row(std::int64_t place) const = 0;

  // Nodes over the blocks, or nullptr where there are none; KdNode's leaves are blocks.
  virtual const KdNode* nodes() const { return nullptr; }
  virtual std::int64_t node_count() const { return 0; }

  // Tells which points are core, a mask for each block, to stay as it is while this lives. Once, before `near` is asked
  // for core points: those of a cluster take less room than what lies between the clusters.
  virtual void set_cores(const std::uint32_t* cores) = 0;

  // All points of a block, or those that are core.
  enum class Side { all, cores };
  // Whether to go on to a child (a node, or ~block) that holds the blocks [first, end).
  using Enter = std::function<bool(std::int32_t child, std::int64_t first, std::int64_t end)>;
  // Appends the blocks where points of the side `there` may be neighbours of those of `block` that are of the side
  // `here`, of the blocks that `enter` lets pass; in an order that follows from the data alone.
  virtual void near(std::int64_t block, Side here, Side there, const Enter& enter,
                    std::vector<std::int64_t>& blocks) const = 0;

  // masks[words() * i + w]: the neighbours in block b of the i-th point in block a, for the points that are `active`;
  // the others' are left alone. Exact, and symmetric: a point is its own neighbour. Calls with different `thread` may
  // run at the same time; the numbers are below the count given to the constructor.
  virtual void compare(int thread, std::int64_t a, std::int64_t b, const std::uint32_t* active,
                       std::uint32_t* masks) = 0;

  int block_points() const { return 32 * words(); }
  std::int64_t blocks() const { return (points() + 32 * words() - 1) / (32 * words()); }
};

}  // namespace fastml::neighbors
