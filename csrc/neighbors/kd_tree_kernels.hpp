// The k-d tree in memory, and the loops that walk it at each SIMD level.
//
// Nodes are eight wide: the boxes of a node's children lie side by side, so that a query's distances to all of them are
// a few vectors (as ray tracers lay out bounding volumes: Wald, Benthin and Boulos, 2008). Points lie in the order of
// the tree, in leaves of kLeafPoints whose features are columns: a leaf's distances are computed for a vector of points
// at a time.
#pragma once

#include <cstdint>

#include "runtime/simd_level.hpp"
#include "runtime/views.hpp"

namespace fastml::neighbors {

inline constexpr int kFanOut = 8;
inline constexpr int kLeafPoints = 32;

// A child is a node (its number) or a leaf (~number of the leaf). Child c holds the leaves
// [first_leaf[c], first_leaf[c + 1]).
struct KdNode {
  std::int32_t children;
  std::int32_t child[kFanOut];
  std::int32_t first_leaf[kFanOut + 1];
};

template <class T>
struct KdTreeView {
  std::int64_t points, cols, leaves;
  std::int32_t root;  // as KdNode::child
  const KdNode* nodes;
  const T* boxes;            // [node][feature][low, high][child]
  const T* columns;          // [leaf][feature][point]; the last leaf is filled up with zeros
  const std::int32_t* rows;  // the fitted row of each point in the order of the tree; null where they need 64 bits:
  const std::int64_t* long_rows;
};

enum class Norm { l1, l2, max };

// How distances are compared, worked out once for a call.
//
// Boxes and leaves are screened in T under `norm`, by sums of (x - y)^2 (l2), of |x - y| or their maximum: the
// "screen". Where d is a distance of the metric, the exact screen is at most (d * scale)^2, or d * scale without
// `square`. What is computed in T exceeds that by less than the factor `grow` and the addend `tiny`: differences of
// numbers that are given exactly, squares and each of cols additions are off by half an epsilon of what they give;
// nothing cancels, as all terms are positive; and `tiny` stands for what may be lost to underflow. `grow` is twice what
// is needed, since what is compared with is rounded too. So whatever is screened above limit(d) is farther away than d,
// strictly.
struct KdMetric {
  Norm norm;
  bool square;  // the screen is a square
  bool root;    // the distance is the root of the exact sum
  double scale, grow, tiny;
  double p;  // minkowski, where the distance is none of the norms; else 0
};

// The screen of what is exactly d away is at most this. Always inlined: no copy compiled at a level may reach the
// linker.
__attribute__((always_inline)) inline double screen_limit(const KdMetric& metric, double d) {
  double limit = d * metric.scale;
  if (metric.square) limit *= limit;
  return limit * metric.grow + metric.tiny;
}

struct Neighbor {
  double distance;
  std::int64_t row;
};

// Queries of a call: those numbered which[begin .. end), or begin .. end where `which` is null.
template <class T>
struct KdQueries {
  Rows<const T> rows;
  const std::int64_t* which;
  std::int64_t begin, end;
  const std::int32_t* leaf;  // by query, where it was located; null where it was not
};

// For up to this many neighbours a sorted list is kept, for more a reservoir.
inline constexpr std::int64_t kLongestSortedList = 32;

struct NearestTask {
  std::int64_t k;
  Neighbor* list;        // room for list_room(k)
  double* distances;     // queries x k
  std::int64_t* rows;    // queries x k
  std::int64_t* leaves;  // added to: leaves looked into
};

// Room that a search for k neighbours needs.
inline std::int64_t list_room(std::int64_t k) { return k <= kLongestSortedList ? k : 2 * k; }

struct RadiusTask {
  double radius;
  double reduced;               // what the exact sum is compared with: radius^2, radius or radius^p
  std::int64_t* counts;         // one a query, or null where rows are to be written:
  const std::int64_t* offsets;  // where each query's begin
  double* distances;            // may be null
  std::int64_t* rows;
};

// Points of two leaves that are within a radius of one another.
template <class T>
struct LeafPair {
  std::int32_t a, b;
  const T* box;          // of b: [feature][low, high]
  std::uint32_t active;  // bits of the points of a that are asked for
  T* query;              // room for a point
  std::uint32_t* masks;  // for each point of a: bits of the points of b; written for those that are active
};

template <class T>
struct KdTreeKernels {
  // The leaf whose box is next to each query, found going down only: neighbours in space get neighbouring numbers.
  void (*locate)(const KdTreeView<T>& tree, const KdQueries<T>& queries, std::int32_t* leaf);
  void (*nearest)(const KdTreeView<T>& tree, const KdMetric& metric, const KdQueries<T>& queries,
                  const NearestTask& task);
  void (*within)(const KdTreeView<T>& tree, const KdMetric& metric, const KdQueries<T>& queries,
                 const RadiusTask& task);
  // `reduced` as in RadiusTask.
  void (*leaf_pair)(const KdTreeView<T>& tree, const KdMetric& metric, double radius, double reduced,
                    const LeafPair<T>& pair);
};

template <class T>
const KdTreeKernels<T>& kd_tree_kernels(SimdLevel level = active_level());

// What walks leave to plain code.
//
// Moves the k least of list[0..size), by (distance, row), to its front, and the k-th of them to list[k - 1].
void keep_nearest(Neighbor* list, std::int64_t size, std::int64_t k);
// The k least in order.
void sort_nearest(Neighbor* list, std::int64_t size, std::int64_t k);

}  // namespace fastml::neighbors
